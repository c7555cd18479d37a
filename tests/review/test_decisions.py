"""Deciding a field: appended, fenced, audited, and once only."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.errors import InvalidDecision, LeaseLost, ScanFinished, StaleDecision
from clinic_hwr.review.models import Decision, DecisionKind, PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import (
    field_decide,
    field_reopen,
    field_states,
    scan_claim,
    scan_reject,
    unresolved_fields,
)

from .scripted import MODEL, ReadScan


def value_of(read: ReadScan, key: str) -> str:
    return next(s.value for s in field_states(read.scan) if s.field.pk == read[key].pk)


def test_acceptance_keeps_the_machine_value_and_resolves_the_field(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    before = len(unresolved_fields(read.scan))

    decision = decide(read["sig"], "accepted", active_seconds=1.75)

    assert (decision.number, decision.kind, decision.value) == (1, "accepted", "1 tab PO BID")
    assert decision.machine_value == "1 tab PO BID"
    waiting = unresolved_fields(read.scan)
    assert len(waiting) == before - 1
    assert read["sig"] not in waiting


def test_a_correction_changes_the_prescription_and_not_the_reading(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    decide(read["drug"], "corrected", "  Metformin 850 mg ")

    assert value_of(read, "drug") == "Metformin 850 mg"
    content = PrescriptionRecord.objects.get(scan=read.scan).content
    assert content["medications"][0]["drug_text"] == "Metformin 850 mg"
    assert list(read["drug"].readings.values_list("text", flat=True)) == ["Metformin 500 mg"]


def test_the_audit_event_says_who_changed_what_on_which_ink(
    read: ReadScan, decide: Callable[..., Any], clinician: Any
) -> None:
    decide(
        read["patient_name"],
        "corrected",
        "Maria Lindquist",
        active_seconds=4.2,
        keys_used=7,
        clicks_used=1,
    )

    event = AuditEvent.objects.get(action="field.corrected")
    field = read["patient_name"]
    assert event.actor == clinician
    assert (event.object_type, event.object_id) == ("field", str(field.pk))
    assert event.scan_id == read.scan.pk
    assert event.data == {
        "field": "patient_name",
        "group": 0,
        "page": 1,
        "box_px": field.box_px,
        "number": 1,
        "old": "Maria Lindqvist",
        "old_kind": "machine",
        "new": "Maria Lindquist",
        "machine_value": "Maria Lindqvist",
        "p_correct": 0.86,
        "model": MODEL,
        "reading": field.readings.get().pk,
        "crop_sha256": field.crop_sha256,
        "entry": 1,
        "blind": False,
        "agrees": None,
        "seconds": 4.2,
        "keys": 7,
        "clicks": 1,
    }


def test_the_second_decision_names_the_first_as_old(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    decide(read["sig"], "corrected", "1 tab PO TID")
    decide(read["sig"], "illegible", number=1)

    event = AuditEvent.objects.get(action="field.illegible")
    assert (event.data["old"], event.data["old_kind"]) == ("1 tab PO TID", "corrected")
    assert (event.data["new"], event.data["number"]) == ("", 2)
    assert list(read["sig"].decisions.values_list("number", "kind")) == [
        (1, "corrected"),
        (2, "illegible"),
    ]


@pytest.mark.parametrize("kind", ["illegible", "not_present", "not_applicable"])
def test_a_field_without_value_is_resolved_and_empty(
    read: ReadScan, decide: Callable[..., Any], kind: str
) -> None:
    decide(read["patient_dob"], kind)

    assert value_of(read, "patient_dob") == ""
    assert read["patient_dob"] not in unresolved_fields(read.scan)
    assert AuditEvent.objects.filter(action=f"field.{kind}").count() == 1


def test_typing_the_same_text_counts_as_acceptance(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    assert decide(read["sig"], "corrected", "1 tab PO BID").kind == DecisionKind.ACCEPTED


def test_a_signature_is_present_or_absent(read: ReadScan, decide: Callable[..., Any]) -> None:
    decide(read["signature"], "corrected", "absent")

    content = PrescriptionRecord.objects.get(scan=read.scan).content
    assert content["signature_present"] is False


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [
        ("sig", "corrected", "   "),
        ("sig", "corrected", "x" * 2001),
        ("sig", "accepted", "something else"),
        ("sig", "illegible", "1 tab"),
        ("sig", "reopened", ""),
        ("sig", "approved", ""),
        ("signature", "corrected", "maybe"),
    ],
)
def test_a_decision_that_does_not_fit_changes_nothing(
    read: ReadScan, decide: Callable[..., Any], key: str, kind: str, value: str
) -> None:
    with pytest.raises(InvalidDecision):
        decide(read[key], kind, value)

    assert not Decision.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="field.").exists()


def test_a_stale_save_is_refused_with_both_values(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    decide(read["sig"], "corrected", "1 tab PO TID")

    with pytest.raises(StaleDecision) as refused:
        decide(read["sig"], "corrected", "1 tab PO QID", number=0)

    assert refused.value.current is not None
    assert refused.value.current.value == "1 tab PO TID"
    assert refused.value.submitted_value == "1 tab PO QID"
    assert value_of(read, "sig") == "1 tab PO TID"


def test_a_repeat_after_a_lost_answer_changes_nothing(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    number = uuid.uuid4()
    first = decide(read["sig"], "accepted", decision_id=number)
    again = decide(read["sig"], "accepted", decision_id=number)

    assert again.pk == first.pk == number
    assert Decision.objects.count() == 1
    assert AuditEvent.objects.filter(action="field.accepted").count() == 1


def test_a_decision_number_of_another_field_is_refused(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    taken = decide(read["sig"], "accepted").pk

    with pytest.raises(InvalidDecision):
        decide(read["drug"], "accepted", decision_id=taken)

    assert Decision.objects.count() == 1


def test_an_old_token_is_fenced_off(
    read: ReadScan, clinician: Any, lease: ReviewLease, decide: Callable[..., Any]
) -> None:
    scan_claim(user=clinician, scan_id=read.scan.pk)  # the same person in a second tab

    with pytest.raises(LeaseLost):
        decide(read["sig"], "accepted")

    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("seconds", "stored"),
    [(-3.0, 0.0), (float("nan"), 0.0), (float("inf"), 0.0), (1.23456, 1.235), (99999.0, 3600.0)],
)
def test_seconds_of_a_broken_clock_are_bounded(
    read: ReadScan, decide: Callable[..., Any], seconds: float, stored: float
) -> None:
    assert decide(read["sig"], "accepted", active_seconds=seconds).active_seconds == stored


def test_reopening_takes_the_decision_back_by_appending(
    read: ReadScan, verified: ReadScan, clinician: Any, lease: ReviewLease
) -> None:
    assert verified.scan.state == "verified"

    field_reopen(
        user=clinician, field_id=read["sig"].pk, expected_number=1, lease_token=lease.token
    )

    read.scan.refresh_from_db()
    assert read.scan.state == "in_review"
    assert unresolved_fields(read.scan) == [read["sig"]]
    assert list(read["sig"].decisions.values_list("kind", flat=True)) == ["accepted", "reopened"]
    event = AuditEvent.objects.get(action="field.reopened")
    assert (event.data["old"], event.data["new"]) == ("1 tab PO BID", "1 tab PO BID")


def test_an_undecided_field_cannot_be_reopened(
    read: ReadScan, clinician: Any, lease: ReviewLease
) -> None:
    with pytest.raises(InvalidDecision):
        field_reopen(
            user=clinician, field_id=read["sig"].pk, expected_number=0, lease_token=lease.token
        )


def test_the_scan_is_verified_when_the_last_field_is_decided(
    read: ReadScan, decide: Callable[..., Any]
) -> None:
    *others, last = unresolved_fields(read.scan)
    for field in others:
        said = field.readings.first()
        if said is None:
            decide(field, "accepted")
        else:  # typed as it was read: drug names on the look-alike list are entered blind
            decide(field, "corrected", said.text)
    read.scan.refresh_from_db()
    assert read.scan.state == "in_review"

    decide(last, "accepted")

    read.scan.refresh_from_db()
    assert read.scan.state == "verified"
    assert unresolved_fields(read.scan) == []


def test_a_rejected_scan_takes_no_decision(
    read: ReadScan, clinician: Any, decide: Callable[..., Any]
) -> None:
    scan_reject(user=clinician, scan_id=read.scan.pk, code="not_a_prescription")

    with pytest.raises(ScanFinished):
        decide(read["sig"], "accepted")

    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("person", "error"),
    [("outsider", Http404), ("integration", Http404), ("clinic_admin", PermissionDenied)],
)
def test_nobody_else_decides(
    read: ReadScan,
    lease: ReviewLease,
    request: pytest.FixtureRequest,
    person: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        field_decide(
            user=request.getfixturevalue(person),
            field_id=read["sig"].pk,
            kind="accepted",
            expected_number=0,
            lease_token=lease.token,
        )

    assert not Decision.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="field.").exists()
