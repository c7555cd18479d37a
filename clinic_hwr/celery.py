"""Celery for installations that outgrow the in-process worker; unused without a broker.

Start workers with ``celery -A clinic_hwr.celery worker``. Messages are hints that carry an id:
losing one loses nothing (the reaper finds the work in the database), delivering one twice does
nothing twice. The limits are in ``settings.py`` under ``CELERY_``.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_hwr.settings")

app = Celery("clinic_hwr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["clinic_hwr"])
