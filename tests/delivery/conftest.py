"""A released prescription and the targets it goes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryTarget
from clinic_hwr.delivery.services import delivery_attempt, delivery_enqueue
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.review.models import PrescriptionRecord, PrescriptionStatus
from tests.ehr_adapters.released import PRESCRIPTION_ID, document_bytes

BUNDLE_ID = "bundle-1"


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        # the outbox stamps new rows with the real time, so start a little after it
        self.now = datetime.now(UTC) + timedelta(seconds=5)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        """Let time pass."""
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    """Time under control."""
    return Clock()


@pytest.fixture
def scan(site: Site) -> Scan:
    """A scan whose prescription was released."""
    scan = Scan.objects.create(
        site=site,
        sha256="0" * 64,
        original_name="rx.png",
        size_bytes=1,
        source="web",
        state=ScanState.RELEASED,
    )
    PrescriptionRecord.objects.create(
        id=PRESCRIPTION_ID, scan=scan, status=PrescriptionStatus.RELEASED
    )
    ResourceVersion.objects.create(
        site=site,
        resource_type="Bundle",
        fhir_id=BUNDLE_ID,
        body=document_bytes(),
        last_updated=datetime.now(UTC),
        prescription_id=PRESCRIPTION_ID,
    )
    return scan


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """The folder that stands for an EHR."""
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def folder_target(site: Site, drop: Path) -> DeliveryTarget:
    """A target that writes into ``drop``."""
    return DeliveryTarget.objects.create(
        site=site, name="Pharmacy share", adapter="folder", config={"folder": str(drop)}
    )


@pytest.fixture
def make_fhir_target(site: Site) -> Callable[..., DeliveryTarget]:
    """Return ``make(url, **config)``: a FHIR target."""

    def make(url: str, **config: Any) -> DeliveryTarget:
        return DeliveryTarget.objects.create(
            site=site, name="EHR", adapter="fhir_r4", config={"base_url": url, **config}
        )

    return make


@pytest.fixture
def enqueue(scan: Scan) -> Callable[..., list[Delivery]]:
    """Return ``enqueue(version=1)``: what a release calls."""

    def call(version: int = 1) -> list[Delivery]:
        with transaction.atomic():
            return delivery_enqueue(
                site=scan.site,
                prescription_id=PRESCRIPTION_ID,
                version=version,
                bundle_fhir_id=BUNDLE_ID,
            )

    return call


@pytest.fixture
def attempt(clock: Clock) -> Callable[..., Delivery]:
    """Return ``attempt(id)``: one try by worker w1, without jitter."""

    def call(delivery_id: UUID, worker: str = "w1", **extra: Any) -> Delivery:
        chance = extra.pop("chance", lambda: 0.5)
        return delivery_attempt(delivery_id, worker=worker, clock=clock, chance=chance, **extra)

    return call
