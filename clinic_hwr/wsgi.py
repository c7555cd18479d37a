"""WSGI entry point for gunicorn, waitress or any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_hwr.settings")
application = get_wsgi_application()

from clinic_hwr.accounts.checks import refuse_unsafe_settings  # noqa: E402 (after the setup)

# WSGI servers run no system checks by themselves.
refuse_unsafe_settings()
