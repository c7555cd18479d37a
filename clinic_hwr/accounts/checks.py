"""System checks that stop the product from starting with settings unsafe for patient data."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})
TAG = "clinic_hwr"


def _public_hosts() -> list[str]:
    return [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]


def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is unsafe; an ``Error`` keeps every management command from running."""
    found: list[CheckMessage] = []
    public = _public_hosts()
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS accepts any host name.",
                hint="List the host names by which browsers reach this server.",
                id="clinic_hwr.E001",
            )
        )
    if settings.DEBUG and public:
        found.append(
            Error(
                "DEBUG is on for a server that others can reach: error pages show patient data.",
                hint="Unset DEBUG, or set ALLOWED_HOSTS to 127.0.0.1 and localhost only.",
                id="clinic_hwr.E002",
            )
        )
    if public and not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        found.append(
            Error(
                "Sign-in cookies would cross the network without TLS.",
                hint="Put a TLS proxy in front and set BEHIND_TLS=1 (see docs/install.md).",
                id="clinic_hwr.E003",
            )
        )
    if len(settings.SECRET_KEY) < 50 or settings.SECRET_KEY.startswith("django-insecure"):
        found.append(
            Error(
                "SECRET_KEY can be guessed.",
                hint="Leave SECRET_KEY unset and one is made, or set 50 random characters.",
                id="clinic_hwr.E004",
            )
        )
    broker = getattr(settings, "CELERY_BROKER_URL", "")
    if broker and connection.vendor == "sqlite":
        found.append(
            Warning(
                "Celery workers share an SQLite database: writes wait for each other.",
                hint="Set DATABASE_URL to a PostgreSQL database before adding workers.",
                id="clinic_hwr.W001",
            )
        )
    return found


def refuse_unsafe_settings() -> None:
    """Raise ``ImproperlyConfigured`` for what only management commands would notice."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    if errors:
        raise ImproperlyConfigured(" ".join(f"{error.msg} {error.hint}" for error in errors))
