"""App configuration of the accounts room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts room of clinic_hwr."""

    name = "clinic_hwr.accounts"
    label = "clinic_accounts"
    verbose_name = "clinic_hwr: accounts"
    default_auto_field = "django.db.models.BigAutoField"
