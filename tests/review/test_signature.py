"""What the release page says when the signature is not taken: wrong FHIR, wrong passwords."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.outcome import FhirInvalid, Issue
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.services import blocker_key, release

from .scripted import ReadScan

SignIn = Callable[[Any], Client]
PASSWORD = "correct horse battery"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The cache's clock; set ``clock.now`` (seconds) to let time pass."""
    clock = SimpleNamespace(now=1_000_000.0)
    clock.time = lambda: clock.now
    monkeypatch.setattr("django.core.cache.backends.base.time", clock)
    monkeypatch.setattr("django.core.cache.backends.locmem.time", clock)
    return clock


@pytest.fixture
def signer(clinician: Any) -> Any:
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


@pytest.fixture
def sign(verified: ReadScan, signer: Any, signed_in: SignIn) -> Callable[..., Any]:
    """Return ``sign(password)``: the release form as the signer sends it."""
    client = signed_in(signer)

    def send(password: str = PASSWORD) -> Any:
        record = PrescriptionRecord.objects.get(scan=verified.scan)
        body = {
            "password": password,
            "content_sha256": record.content_sha256,
            "acknowledged": [blocker_key(b) for b in from_json(record.content).blockers],
        }
        return client.post(reverse("release", args=[verified.scan.pk]), body)

    return send


def test_fhir_that_is_not_valid_is_told_element_by_element(
    verified: ReadScan, sign: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = release.prescription_publish

    def publish_then_refuse(**arguments: Any) -> str:
        publish(**arguments)
        raise FhirInvalid(
            [
                Issue("required", "an intent is needed", "MedicationRequest.intent"),
                Issue("structure", "the Bundle has no type"),
            ]
        )

    monkeypatch.setattr(release, "prescription_publish", publish_then_refuse)

    response = sign()

    assert response.status_code == 422
    html = response.content.decode()
    assert "<li>MedicationRequest.intent: an intent is needed</li>" in html
    assert "<li>the Bundle has no type</li>" in html
    assert "would not be valid FHIR" in html
    assert "Nothing was written" in html
    verified.scan.refresh_from_db()
    assert verified.scan.state == "verified"
    assert PrescriptionRecord.objects.get().status == "draft"
    assert not ResourceVersion.objects.exists()
    assert not Delivery.objects.exists()
    assert not AuditEvent.objects.filter(action="prescription.released").exists()


def test_after_five_wrong_passwords_the_right_one_waits_too(
    verified: ReadScan, sign: Callable[..., Any], clock: SimpleNamespace
) -> None:
    assert [sign("guess").status_code for _ in range(5)] == [403] * 5

    response = sign()

    assert (response.status_code, response["Retry-After"]) == (429, "300")
    assert "Too many wrong passwords. Wait 5 minutes" in response.content.decode()
    assert PrescriptionRecord.objects.get().status == "draft"

    clock.now += 301
    assert sign().status_code == 302
    assert PrescriptionRecord.objects.get().status == "released"


def test_the_right_password_clears_the_count(
    verified: ReadScan, sign: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> str:
        raise FhirInvalid([Issue("structure", "no")])

    monkeypatch.setattr(release, "prescription_publish", refuse)
    wrong_four_times = ["guess"] * 4

    codes = [sign(password).status_code for password in [*wrong_four_times, PASSWORD] * 2]

    assert codes == [403, 403, 403, 403, 422] * 2


def test_one_signer_does_not_lock_another_out(
    verified: ReadScan, sign: Callable[..., Any], pharmacist: Any, signed_in: SignIn
) -> None:
    for _ in range(6):
        sign("guess")

    response = signed_in(pharmacist).post(
        reverse("release", args=[verified.scan.pk]), {"password": "guess"}
    )

    assert response.status_code == 403
