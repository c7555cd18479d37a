"""App configuration of the delivery room."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """The delivery room of clinic_hwr."""

    name = "clinic_hwr.delivery"
    label = "clinic_delivery"
    verbose_name = "clinic_hwr: delivery"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Add the queue of this room to the inbox."""
        from . import queues  # noqa: F401
