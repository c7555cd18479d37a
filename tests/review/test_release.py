"""Signing: everything is written, or nothing is."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery, DeliveryTarget
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.intake.models import ScanTransition
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.errors import ContentChanged, LeaseHeld, ReleaseRefused, ScanFinished
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.services import (
    blocker_key,
    field_reopen,
    prescription_release,
    release,
    scan_claim,
)

from .scripted import ReadScan


@pytest.fixture
def target(site: Site) -> DeliveryTarget:
    """An EHR of the site; nothing is sent in these tests, only queued."""
    return DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder", config={})


def record_of(read: ReadScan) -> PrescriptionRecord:
    return PrescriptionRecord.objects.get(scan=read.scan)


def warnings_of(read: ReadScan) -> list[str]:
    return [blocker_key(item) for item in from_json(record_of(read).content).blockers]


def sign(user: Any, read: ReadScan, **changed: Any) -> PrescriptionRecord:
    arguments = {
        "user": user,
        "scan_id": read.scan.pk,
        "expected_content_sha256": record_of(read).content_sha256,
        "acknowledged": warnings_of(read),
        **changed,
    }
    return prescription_release(**arguments)


def assert_nothing_written(read: ReadScan) -> None:
    record = record_of(read)
    assert (record.status, record.released_by, record.released_at) == ("draft", None, None)
    assert not ResourceVersion.objects.exists()
    assert not Delivery.objects.exists()
    assert not AuditEvent.objects.filter(action="prescription.released").exists()
    assert not ScanTransition.objects.filter(scan=read.scan, to_state="released").exists()


def test_a_signature_writes_fhir_outbox_audit_and_state(
    verified: ReadScan, clinician: Any, target: DeliveryTarget
) -> None:
    record = sign(clinician, verified)

    verified.scan.refresh_from_db()
    assert verified.scan.state == "released"
    assert (record.status, record.released_by) == ("released", clinician)
    types = sorted(ResourceVersion.objects.values_list("resource_type", flat=True))
    assert types.count("MedicationRequest") == 2
    assert {"Bundle", "Composition", "Patient", "Practitioner", "Provenance"} <= set(types)
    delivery = Delivery.objects.get()
    assert (delivery.target, delivery.prescription_id) == (target, record.pk)
    event = AuditEvent.objects.get(action="prescription.released")
    assert (event.actor, event.object_id) == (clinician, str(record.pk))
    assert event.data == {
        "version": 1,
        "content_sha256": record.content_sha256,
        "scan_sha256": verified.scan.sha256,
        "bundle": delivery.bundle_fhir_id,
        "acknowledged": warnings_of(verified),
    }


def test_an_unresolved_field_stops_the_signature(
    verified: ReadScan, clinician: Any, lease: Any, target: DeliveryTarget
) -> None:
    field_reopen(
        user=clinician, field_id=verified["sig"].pk, expected_number=1, lease_token=lease.token
    )

    with pytest.raises(ReleaseRefused) as refused:
        sign(clinician, verified)

    assert refused.value.problems == ("1 field still needs a decision.",)
    assert_nothing_written(verified)


def test_fhir_that_fails_leaves_nothing_changed(
    verified: ReadScan,
    clinician: Any,
    target: DeliveryTarget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = release.prescription_publish

    def publish_then_fail(**arguments: Any) -> str:
        publish(**arguments)  # everything is written, and must all go again
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(release, "prescription_publish", publish_then_fail)

    with pytest.raises(RuntimeError, match="the disk is full"):
        sign(clinician, verified)

    assert_nothing_written(verified)
    verified.scan.refresh_from_db()
    assert verified.scan.state == "verified"


def test_content_that_changed_after_it_was_seen_is_not_signed(
    verified: ReadScan, clinician: Any, decide: Callable[..., Any], target: DeliveryTarget
) -> None:
    seen = record_of(verified).content_sha256
    decide(verified["sig"], "corrected", "2 tabs PO BID", number=1)

    with pytest.raises(ContentChanged):
        sign(clinician, verified, expected_content_sha256=seen)

    assert_nothing_written(verified)


def test_every_warning_must_be_acknowledged(
    verified: ReadScan, clinician: Any, decide: Callable[..., Any], target: DeliveryTarget
) -> None:
    # QD is on the list of error-prone abbreviations; a human's word for it makes it a warning
    decide(verified["sig"], "corrected", "1 tab PO QD", number=1)
    warnings = warnings_of(verified)
    assert warnings

    with pytest.raises(ReleaseRefused) as refused:
        sign(clinician, verified, acknowledged=warnings[1:])

    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith("Not acknowledged: ")
    assert_nothing_written(verified)


@pytest.mark.parametrize("key", ["drug", "sig"])
def test_an_illegible_drug_or_sig_goes_back_to_the_prescriber(
    verified: ReadScan,
    clinician: Any,
    decide: Callable[..., Any],
    target: DeliveryTarget,
    key: str,
) -> None:
    decide(verified[key], "illegible", number=1)

    with pytest.raises(ReleaseRefused, match="is illegible: ask the prescriber"):
        sign(clinician, verified)

    assert_nothing_written(verified)


def test_a_prescription_for_nobody_is_not_signed(
    verified: ReadScan, clinician: Any, decide: Callable[..., Any], target: DeliveryTarget
) -> None:
    decide(verified["patient_name"], "not_present", number=1)

    with pytest.raises(ReleaseRefused, match="No patient is named"):
        sign(clinician, verified)

    assert_nothing_written(verified)


def test_nobody_signs_while_a_colleague_decides(
    verified: ReadScan, pharmacist: Any, lease: Any, target: DeliveryTarget
) -> None:
    with pytest.raises(LeaseHeld):
        sign(pharmacist, verified)

    assert_nothing_written(verified)


def test_a_second_signature_is_refused_and_writes_nothing(
    verified: ReadScan, clinician: Any, target: DeliveryTarget
) -> None:
    sign(clinician, verified)
    counts = (ResourceVersion.objects.count(), Delivery.objects.count())

    with pytest.raises(ScanFinished):
        sign(clinician, verified)

    assert (ResourceVersion.objects.count(), Delivery.objects.count()) == counts
    assert AuditEvent.objects.filter(action="prescription.released").count() == 1


def test_a_released_scan_takes_no_decision(
    verified: ReadScan, clinician: Any, decide: Callable[..., Any]
) -> None:
    sign(clinician, verified)

    with pytest.raises(ScanFinished):
        decide(verified["sig"], "corrected", "2 tabs", number=1)


@pytest.mark.parametrize(
    ("person", "error"),
    [("outsider", Http404), ("integration", Http404), ("clinic_admin", PermissionDenied)],
)
def test_nobody_else_signs(
    verified: ReadScan, request: pytest.FixtureRequest, person: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        sign(request.getfixturevalue(person), verified)

    assert_nothing_written(verified)


def test_an_unknown_scan_is_not_found(clinician: Any) -> None:
    with pytest.raises(Http404):
        prescription_release(user=clinician, scan_id=uuid.uuid4(), expected_content_sha256="")


def test_signing_needs_no_lease_of_ones_own(verified: ReadScan, clinician: Any) -> None:
    scan_claim(user=clinician, scan_id=verified.scan.pk)  # a newer token than the first tab's

    assert sign(clinician, verified).status == "released"
