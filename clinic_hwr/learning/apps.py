"""App configuration of the learning room."""

from django.apps import AppConfig


class LearningConfig(AppConfig):
    """The learning room of clinic_hwr: reading on the command line, training, evaluation."""

    name = "clinic_hwr.learning"
    label = "clinic_learning"
    verbose_name = "clinic_hwr: learning"
