"""App configuration of the intake room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """The intake room of clinic_hwr."""

    name = "clinic_hwr.intake"
    label = "clinic_intake"
    verbose_name = "clinic_hwr: intake"
    default_auto_field = "django.db.models.BigAutoField"
