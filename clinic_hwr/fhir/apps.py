"""App configuration of the fhir room."""

from django.apps import AppConfig


class FhirConfig(AppConfig):
    """The fhir room of clinic_hwr."""

    name = "clinic_hwr.fhir"
    label = "clinic_fhir"
    verbose_name = "clinic_hwr: fhir"
    default_auto_field = "django.db.models.BigAutoField"
