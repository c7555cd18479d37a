"""Settings that would put patient data at risk stop the product from starting."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from clinic_hwr.accounts.checks import check_settings, refuse_unsafe_settings

PUBLIC = ["rx.clinic.example"]
SECURE = {"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True}


def ids() -> list[str]:
    return [message.id for message in check_settings()]


def apply(settings: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def test_defaults_are_safe(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

    assert ids() == []
    refuse_unsafe_settings()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ALLOWED_HOSTS": ["*"], **SECURE}, ["clinic_hwr.E001"]),
        ({"ALLOWED_HOSTS": PUBLIC, "DEBUG": True, **SECURE}, ["clinic_hwr.E002"]),
        ({"ALLOWED_HOSTS": PUBLIC}, ["clinic_hwr.E003"]),
        ({"ALLOWED_HOSTS": PUBLIC, "SESSION_COOKIE_SECURE": True}, ["clinic_hwr.E003"]),
        ({"SECRET_KEY": "short"}, ["clinic_hwr.E004"]),
        ({"SECRET_KEY": "django-insecure-" + "x" * 50}, ["clinic_hwr.E004"]),
        ({"ALLOWED_HOSTS": PUBLIC, **SECURE}, []),
        ({"ALLOWED_HOSTS": ["localhost"], "DEBUG": True}, []),
    ],
)
def test_unsafe_combination_is_named(
    settings: Any, values: dict[str, Any], expected: list[str]
) -> None:
    apply(settings, ALLOWED_HOSTS=["localhost"])
    apply(settings, **values)

    assert ids() == expected
    if expected:
        with pytest.raises(ImproperlyConfigured):
            refuse_unsafe_settings()


def test_celery_on_sqlite_is_a_warning_and_starts(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    apply(
        settings,
        ALLOWED_HOSTS=["localhost"],
        CELERY_BROKER_URL="redis://127.0.0.1:6379/0",
    )

    assert ids() == ["clinic_hwr.W001"]
    refuse_unsafe_settings()
