"""App configuration of the routing room."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """The routing room of clinic_hwr."""

    name = "clinic_hwr.routing"
    label = "clinic_routing"
    verbose_name = "clinic_hwr: routing"
    default_auto_field = "django.db.models.BigAutoField"
