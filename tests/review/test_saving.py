"""What a save costs the database, what it leaves behind, and who brings the draft up to date."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic_hwr.accounts.models import Site
from clinic_hwr.review.errors import ContentChanged, InvalidDecision
from clinic_hwr.review.models import Decision, PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import (
    Effort,
    decision_store,
    field_decide,
    prescription_current,
    prescription_release,
    scan_claim,
)

from .scripted import GRAVE_DRUGS, ORDINARY_DRUGS, Line, ReadScan, read_scan

MAX_QUERIES = 6
TRANSACTION = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def statements(captured: CaptureQueriesContext) -> list[str]:
    """Return the captured statements without those that only mark a transaction."""
    texts = [query["sql"] for query in captured.captured_queries]
    return [text for text in texts if not text.startswith(TRANSACTION)]


@pytest.mark.parametrize(
    ("lines", "key", "kind", "value"),
    [
        (ORDINARY_DRUGS, "sig", "accepted", ""),
        (ORDINARY_DRUGS, "drug", "corrected", "Warfarin 5 mg"),
        (ORDINARY_DRUGS, "patient_name", "illegible", ""),
        (GRAVE_DRUGS, "drug", "corrected", "Warfarin 5 mg"),
        (ORDINARY_DRUGS[:7], "sig", "accepted", ""),
    ],
)
def test_a_save_takes_six_queries_whatever_the_scan_holds(
    site: Site,
    clinician: Any,
    signed_in: Callable[[Any], Client],
    lines: tuple[Line, ...],
    key: str,
    kind: str,
    value: str,
) -> None:
    read = read_scan(site, lines)
    client = signed_in(clinician)
    client.get(reverse("workstation", args=[read.scan.pk]))  # the session has begun
    lease = scan_claim(user=clinician, scan_id=read.scan.pk)
    body = {
        "kind": kind,
        "value": value,
        "expected_number": 0,
        "active_seconds": 1.5,
        "keys_used": 3,
        "clicks_used": 1,
        "lease_token": str(lease.token),
        "decision_id": str(uuid.uuid4()),
    }

    assert connection.features.supports_json_field  # asked of SQLite once a connection
    with CaptureQueriesContext(connection) as captured:
        url = reverse("field-decide", args=[read[key].pk])
        response = client.post(url, body, content_type="application/json")

    assert response.status_code == 200
    found = statements(captured)
    assert len(found) <= MAX_QUERIES, "\n".join(found)
    decision = Decision.objects.get()
    assert (decision.active_seconds, decision.keys_used, decision.clicks_used) == (1.5, 3, 1)


def store(read: ReadScan, key: str, value: str, clinician: Any) -> Decision:
    return decision_store(
        user=clinician,
        field_id=read[key].pk,
        kind="corrected",
        value=value,
        expected_number=0,
        lease_token=ReviewLease.objects.get().token,
    )


def test_the_draft_follows_when_somebody_looks(
    read: ReadScan, lease: ReviewLease, clinician: Any
) -> None:
    store(read, "patient_name", "Maria Lindquist", clinician)
    content = PrescriptionRecord.objects.get().content
    assert content["patient"]["name"] == "Maria Lindqvist"

    record = prescription_current(scan=read.scan)

    assert record is not None
    assert record.content["patient"]["name"] == "Maria Lindquist"
    before = record.updated_at
    assert prescription_current(scan=read.scan).updated_at == before  # nothing came since


def test_nobody_signs_what_a_save_left_behind(
    verified: ReadScan, lease: ReviewLease, clinician: Any
) -> None:
    seen = PrescriptionRecord.objects.get().content_sha256
    decision_store(
        user=clinician,
        field_id=verified["patient_name"].pk,
        kind="corrected",
        value="Somebody Else",
        expected_number=1,
        lease_token=lease.token,
    )

    with pytest.raises(ContentChanged):
        prescription_release(user=clinician, scan_id=verified.scan.pk, expected_content_sha256=seen)

    assert PrescriptionRecord.objects.get().status == "draft"


def test_giving_the_scan_back_brings_the_draft_up_to_date(
    read: ReadScan, lease: ReviewLease, clinician: Any, signed_in: Callable[[Any], Client]
) -> None:
    store(read, "patient_name", "Maria Lindquist", clinician)

    url = reverse("lease-end", args=[read.scan.pk])
    body = {"lease_token": str(lease.token)}
    signed_in(clinician).post(url, body, content_type="application/json")

    content = PrescriptionRecord.objects.get().content
    assert content["patient"]["name"] == "Maria Lindquist"


def test_what_a_field_cost_is_bounded(read: ReadScan, decide: Callable[..., Any]) -> None:
    decision = decide(
        read["sig"], "accepted", active_seconds=float("nan"), keys_used=-5, clicks_used=10**9
    )

    assert (decision.active_seconds, decision.keys_used) == (0.0, 0)
    assert decision.clicks_used == 10_000
    assert Effort().keys == 0


# --- putting a field off -----------------------------------------------------------------------


def test_a_postponed_field_stays_open(read: ReadScan, decide: Callable[..., Any]) -> None:
    decide(read["sig"], "postponed")

    read.scan.refresh_from_db()
    assert read.scan.state == "in_review"
    decide(read["sig"], "accepted", number=1)
    with pytest.raises(InvalidDecision, match="nothing to postpone"):
        decide(read["sig"], "postponed", number=2)
    assert list(read["sig"].decisions.values_list("kind", flat=True)) == ["postponed", "accepted"]


def test_postponing_keeps_the_first_entry(site: Site, clinician: Any, pharmacist: Any) -> None:
    read = read_scan(site, GRAVE_DRUGS)

    def say(user: Any, kind: str, value: str, number: int) -> Decision:
        ReviewLease.objects.all().delete()
        return field_decide(
            user=user,
            field_id=read["drug"].pk,
            kind=kind,
            value=value,
            expected_number=number,
            lease_token=scan_claim(user=user, scan_id=read.scan.pk).token,
        )

    say(clinician, "corrected", "Warfarin 5 mg", 0)
    say(pharmacist, "postponed", "", 1)

    assert say(pharmacist, "corrected", "Warfarin 5 mg", 2).entry == 2
