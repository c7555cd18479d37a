"""App configuration of the forms room."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """The forms room of clinic_hwr."""

    name = "clinic_hwr.forms"
    label = "clinic_forms"
    verbose_name = "clinic_hwr: forms"
    default_auto_field = "django.db.models.BigAutoField"
