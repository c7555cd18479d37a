"""A read scan, its lease, and the people around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.review.models import Decision, DecisionKind, ReviewLease
from clinic_hwr.review.services import (
    field_decide,
    field_states,
    prescription_refresh,
    scan_claim,
)
from clinic_hwr.routing.models import Field

from .scripted import GRAVE_DRUGS, ReadScan, read_scan


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords fast: these tests are not about how hard they are to guess."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_wrong_password_yet() -> None:
    """Forget wrong passwords of other tests: user numbers repeat, the cache outlives a test."""
    cache.clear()


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A two-drug scan at ``site`` that waits in review."""
    return read_scan(site)


@pytest.fixture
def lease(read: ReadScan, clinician: Any) -> ReviewLease:
    """The clinician's lease on ``read``."""
    return scan_claim(user=clinician, scan_id=read.scan.pk)


@pytest.fixture
def decide(clinician: Any, lease: ReviewLease) -> Callable[..., Any]:
    """Return ``decide(field, kind, value="", number=0, **more)`` by the clinician."""

    def decide_one(field: Field, kind: str, value: str = "", number: int = 0, **more: Any) -> Any:
        return field_decide(
            user=clinician,
            field_id=field.pk,
            kind=kind,
            value=value,
            expected_number=number,
            lease_token=lease.token,
            **more,
        )

    return decide_one


@pytest.fixture
def verified(read: ReadScan, lease: ReviewLease, clinician: Any) -> ReadScan:
    """``read`` with every waiting field accepted, and the clinician's lease on it.

    The rows are written at once instead of by ``field_decide`` a dozen times: half of the tests
    here begin with them.
    """
    Decision.objects.bulk_create(
        Decision(
            field=state.field,
            number=1,
            kind=DecisionKind.ACCEPTED,
            value=state.machine_value,
            machine_value=state.machine_value,
            reading=state.reading,
            reviewer=clinician,
        )
        for state in field_states(read.scan)
        if state.needs_human
    )
    prescription_refresh(scan=read.scan)
    read.scan.refresh_from_db()
    return read


@pytest.fixture
def grave(site: Site) -> ReadScan:
    """A scan with a high-alert and a controlled drug."""
    return read_scan(site, GRAVE_DRUGS)


@pytest.fixture
def second(make_user: Callable[..., Any], site: Site) -> Any:
    """Another clinician of the site."""
    return make_user("second", site, Role.CLINICIAN, first_name="Nina", last_name="Berg")
