"""App configuration of the audit room."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit room of clinic_hwr."""

    name = "clinic_hwr.audit"
    label = "clinic_audit"
    verbose_name = "clinic_hwr: audit"
    default_auto_field = "django.db.models.BigAutoField"
