"""App configuration of the review room."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """The review room of clinic_hwr."""

    name = "clinic_hwr.review"
    label = "clinic_review"
    verbose_name = "clinic_hwr: review"
    default_auto_field = "django.db.models.BigAutoField"
