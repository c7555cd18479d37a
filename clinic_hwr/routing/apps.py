"""App configuration of the routing room."""

from django.apps import AppConfig
from django.core.checks import register


class RoutingConfig(AppConfig):
    """The routing room of clinic_hwr."""

    name = "clinic_hwr.routing"
    label = "clinic_routing"
    verbose_name = "clinic_hwr: routing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the check of the formularies."""
        from .checks import check_formularies

        register(check_formularies, "clinic_hwr")
