"""App configuration of the demo: no models, only the command ``demo``."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Sample people and prescriptions for a first look; leave it out of a host project."""

    name = "clinic_hwr.demo"
    label = "clinic_demo"
    verbose_name = "clinic_hwr: demo"
