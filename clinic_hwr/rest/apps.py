"""App configuration of the REST conventions."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    """What the REST endpoints of clinic_hwr share."""

    name = "clinic_hwr.rest"
    label = "clinic_rest"
    verbose_name = "clinic_hwr: REST"
    default_auto_field = "django.db.models.BigAutoField"
