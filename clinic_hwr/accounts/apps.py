"""App configuration of the accounts room."""

from django.apps import AppConfig
from django.core.checks import register


class AccountsConfig(AppConfig):
    """The accounts room of clinic_hwr."""

    name = "clinic_hwr.accounts"
    label = "clinic_accounts"
    verbose_name = "clinic_hwr: accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the settings."""
        from .checks import TAG, check_settings

        register(check_settings, TAG)
