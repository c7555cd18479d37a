"""Amending and retracting from the fields: a new version, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery, DeliveryTarget
from clinic_hwr.fhir.store import newest_bodies
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.errors import (
    ContentChanged,
    InvalidDecision,
    InvalidField,
    ReleaseRefused,
    ScanFinished,
)
from clinic_hwr.review.models import Decision, PrescriptionRecord
from clinic_hwr.review.services import (
    FieldChange,
    amendment_preview,
    amendment_sign,
    blocker_key,
    prescription_release,
    retraction_sign,
    scans_search,
)
from clinic_hwr.routing.models import Field

from .scripted import ReadScan


@pytest.fixture
def released(verified: ReadScan, clinician: Any, site: Site) -> ReadScan:
    """A released prescription of two drugs with one EHR to go to."""
    DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder", config={})
    record = PrescriptionRecord.objects.get(scan=verified.scan)
    prescription_release(
        user=clinician,
        scan_id=verified.scan.pk,
        expected_content_sha256=record.content_sha256,
        acknowledged=[blocker_key(each) for each in from_json(record.content).blockers],
    )
    verified.scan.refresh_from_db()
    return verified


def refills(read: ReadScan, value: str = "0") -> list[FieldChange]:
    return [FieldChange(read["refills"].pk, "corrected", value)]


def sign(user: Any, read: ReadScan, changes: list[FieldChange], **changed: Any) -> Any:
    preview = amendment_preview(user=user, scan_id=read.scan.pk, changes=changes)
    arguments = {
        "reason": "Misread refills.",
        "expected_version": preview.version,
        "expected_content_sha256": preview.content_sha256,
        "acknowledged": [blocker_key(each) for each in preview.after.blockers],
        **changed,
    }
    return amendment_sign(user=user, scan_id=read.scan.pk, changes=changes, **arguments)


def test_a_preview_shows_both_and_stores_nothing(released: ReadScan, pharmacist: Any) -> None:
    counts = (Decision.objects.count(), AuditEvent.objects.count())

    seen = amendment_preview(user=pharmacist, scan_id=released.scan.pk, changes=refills(released))

    assert [item.refills for item in seen.before.medications] == [3, 3]
    assert [item.refills for item in seen.after.medications] == [0, 3]
    assert seen.changed == (("refills", 1, "3", "0"),)
    assert seen.problems == ()
    assert (Decision.objects.count(), AuditEvent.objects.count()) == counts


def test_a_signed_amendment_is_a_new_version_everywhere(
    released: ReadScan, pharmacist: Any
) -> None:
    record = sign(pharmacist, released, refills(released))

    assert (record.version, record.released_by) == (2, pharmacist)
    assert [item.refills for item in from_json(record.content).medications] == [0, 3]
    decision = Decision.objects.filter(field=released["refills"]).last()
    assert (decision.kind, decision.value, decision.reviewer) == ("corrected", "0", pharmacist)
    orders = newest_bodies(record.pk, "MedicationRequest")
    assert {each["dispenseRequest"]["numberOfRepeatsAllowed"] for each in orders} == {0, 3}
    versions = Delivery.objects.filter(prescription_id=record.pk)
    assert sorted(versions.values_list("prescription_version", flat=True)) == [1, 2]
    event = AuditEvent.objects.get(action="prescription.amended")
    assert (event.actor, event.reason) == (pharmacist, "Misread refills.")


def test_an_amendment_starts_from_the_one_before(released: ReadScan, pharmacist: Any) -> None:
    sign(pharmacist, released, refills(released))

    record = sign(pharmacist, released, [FieldChange(released["refills2"].pk, "corrected", "1")])

    assert record.version == 3
    assert [item.refills for item in from_json(record.content).medications] == [0, 1]


def test_a_medication_that_is_not_applicable_is_withdrawn(
    released: ReadScan, pharmacist: Any
) -> None:
    names = ("drug2", "sig2", "quantity2", "refills2")
    changes = [FieldChange(released[name].pk, "not_applicable") for name in names]

    record = sign(pharmacist, released, changes)

    statuses = [each["status"] for each in newest_bodies(record.pk, "MedicationRequest")]
    assert sorted(statuses) == ["active", "entered-in-error"]


@pytest.mark.parametrize("added", [False, True])
def test_one_signer_brings_in_no_drug_that_two_people_must_enter(
    released: ReadScan, pharmacist: Any, added: bool
) -> None:
    before = Decision.objects.count(), Field.objects.count()
    change = (
        FieldChange(None, "corrected", "Warfarin 5 mg", "drug", 3)
        if added
        else FieldChange(released["drug"].pk, "corrected", "Warfarin 5 mg")
    )

    with pytest.raises(ReleaseRefused, match="entered by two people"):
        sign(pharmacist, released, [change])

    assert PrescriptionRecord.objects.get().version == 1
    assert (Decision.objects.count(), Field.objects.count()) == before


def test_a_medication_that_was_missed_is_added(released: ReadScan, pharmacist: Any) -> None:
    added = {"drug": "Amlodipine 5 mg", "sig": "1 tab PO daily", "quantity": "30", "refills": "0"}
    changes = [FieldChange(None, "corrected", text, name, 3) for name, text in added.items()]

    record = sign(pharmacist, released, changes)

    assert [item.drug_text for item in from_json(record.content).medications][2] == (
        "Amlodipine 5 mg"
    )
    assert Field.objects.filter(page__scan=released.scan, group=3).count() == 4
    found = scans_search(user=pharmacist, text="amlodipine", part="drug").hits
    assert [hit.scan for hit in found] == [released.scan]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"reason": " "}, ReleaseRefused),
        ({"expected_version": 7}, ContentChanged),
        ({"expected_content_sha256": "0" * 64}, ContentChanged),
    ],
)
def test_what_is_refused_changes_nothing(
    released: ReadScan, pharmacist: Any, changed: dict[str, Any], error: type[Exception]
) -> None:
    decisions = Decision.objects.count()

    with pytest.raises(error):
        sign(pharmacist, released, refills(released), **changed)

    assert Decision.objects.count() == decisions
    assert PrescriptionRecord.objects.get().version == 1


def test_no_change_is_nothing_to_sign(released: ReadScan, pharmacist: Any) -> None:
    with pytest.raises(ReleaseRefused, match="Nothing is changed"):
        sign(pharmacist, released, [])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (FieldChange(None, "corrected", "x", "drug", 1), InvalidField),
        (FieldChange(None, "corrected", "x", "drug", 0), InvalidField),
        (FieldChange(None, "corrected", "x", "nonsense", 1), InvalidField),
        (FieldChange(None, "corrected", "x", "patient_name", 1), InvalidField),
        (FieldChange(None, "accepted", "", "drug", 3), InvalidDecision),
    ],
)
def test_a_change_that_does_not_fit_is_refused(
    released: ReadScan, pharmacist: Any, change: FieldChange, error: type[Exception]
) -> None:
    with pytest.raises(error):
        amendment_preview(user=pharmacist, scan_id=released.scan.pk, changes=[change])
    assert not Field.objects.filter(page__scan=released.scan, group=3).exists()


def test_an_empty_drug_cannot_be_signed(released: ReadScan, pharmacist: Any) -> None:
    changes = [FieldChange(released["drug"].pk, "illegible")]
    assert amendment_preview(user=pharmacist, scan_id=released.scan.pk, changes=changes).problems

    with pytest.raises(ReleaseRefused, match="illegible"):
        sign(pharmacist, released, changes)


def test_a_retraction_ends_every_order_and_is_final(released: ReadScan, pharmacist: Any) -> None:
    record = retraction_sign(
        user=pharmacist, scan_id=released.scan.pk, reason="Wrong patient.", expected_version=1
    )

    assert (record.version, record.retracted_at) == (2, record.released_at)
    orders = newest_bodies(record.pk, "MedicationRequest")
    assert {each["status"] for each in orders} == {"entered-in-error"}
    with pytest.raises(ScanFinished, match="retracted"):
        amendment_preview(user=pharmacist, scan_id=released.scan.pk, changes=refills(released))
    with pytest.raises(ScanFinished, match="retracted"):
        retraction_sign(
            user=pharmacist, scan_id=released.scan.pk, reason="Again.", expected_version=2
        )


def test_what_was_never_released_is_not_amended(verified: ReadScan, pharmacist: Any) -> None:
    with pytest.raises(ScanFinished, match="never released"):
        amendment_preview(user=pharmacist, scan_id=verified.scan.pk, changes=refills(verified))


@pytest.mark.parametrize(
    ("person", "error"), [("outsider", Http404), ("clinic_admin", PermissionDenied)]
)
def test_others_amend_and_retract_nothing(
    released: ReadScan, request: pytest.FixtureRequest, person: str, error: type[Exception]
) -> None:
    user = request.getfixturevalue(person)

    with pytest.raises(error):
        amendment_preview(user=user, scan_id=released.scan.pk, changes=refills(released))
    with pytest.raises(error):
        retraction_sign(user=user, scan_id=released.scan.pk, reason="x", expected_version=1)
    assert PrescriptionRecord.objects.get().version == 1
