"""Asking the prescriber: the scan waits, the answer comes back to the field, all is on record."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client
from django.urls import reverse

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.models import Scan
from clinic_hwr.review.clarify_templates import TEMPLATES, templates_for
from clinic_hwr.review.errors import InvalidQuestion, LeaseLost, ReleaseRefused, ScanFinished
from clinic_hwr.review.models import Clarification, ClarificationCall, PrescriptionRecord
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.queues import queue_get
from clinic_hwr.review.services import (
    clarification_ask,
    clarification_call,
    clarification_withdraw,
    prescription_release,
)

from .scripted import ReadScan

ANSWER = {
    "outcome": "answered",
    "called": "Dr. Obi",
    "phone": "555-0134",
    "answer": "Twice a day.",
    "read_back": True,
}


@pytest.fixture
def ask(clinician: Any, lease: Any) -> Callable[..., Clarification]:
    """Return ``ask(field, **more)``: the clinician's question about the directions."""

    def put(field: Any, **more: Any) -> Clarification:
        whole = {"reason": "directions_unclear", "question": "How often?", **more}
        return clarification_ask(
            user=clinician, field_id=field.pk, lease_token=lease.token, **whole
        )

    return put


def field_of(read: ReadScan, key: str, user: Any) -> dict[str, Any]:
    payload = workstation_payload(Scan.objects.get(pk=read.scan.pk), user)
    return next(f for f in payload["fields"] if f["id"] == str(read[key].pk))


def test_a_verified_scan_waits_until_the_answer_was_read_back(
    verified: ReadScan, ask: Callable[..., Clarification], clinician: Any, pharmacist: Any
) -> None:
    asked = ask(verified["sig"])

    verified.scan.refresh_from_db()
    assert verified.scan.state == "in_review"
    assert list(Scan.objects.filter(queue_get("clarify").condition(None))) == [verified.scan]
    record = PrescriptionRecord.objects.get(scan=verified.scan)
    with pytest.raises(ReleaseRefused):
        prescription_release(
            user=clinician,
            scan_id=verified.scan.pk,
            expected_content_sha256=record.content_sha256,
        )
    assert field_of(verified, "sig", clinician)["waits_for"] == "prescriber"

    clarification_call(
        user=pharmacist, clarification_id=asked.pk, outcome="left_message", called="Front desk"
    )
    assert Clarification.objects.get().status == "open"
    clarification_call(user=pharmacist, clarification_id=asked.pk, **ANSWER)

    verified.scan.refresh_from_db()
    assert verified.scan.state == "verified"
    assert not Scan.objects.filter(queue_get("clarify").condition(None)).exists()
    field = field_of(verified, "sig", clinician)
    assert field["question"] is None
    (answer,) = field["answers"]
    assert (answer["called"], answer["answer"], answer["question"]) == (
        "Dr. Obi",
        "Twice a day.",
        "How often?",
    )
    actions = AuditEvent.objects.filter(action__startswith="clarification.").order_by("id")
    assert [event.action for event in actions] == [
        "clarification.asked",
        "clarification.called",
        "clarification.called",
    ]
    assert actions.last().data["read_back"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"read_back": False},
        {"answer": "  "},
        {"called": ""},
        {"outcome": "maybe"},
        {"outcome": "no_answer"},  # and yet an answer
        {"phone": "5" * 41},
        {"answer": "x" * 2001},
    ],
)
def test_a_call_that_does_not_fit_is_not_stored(
    read: ReadScan, ask: Callable[..., Clarification], clinician: Any, wrong: dict[str, Any]
) -> None:
    asked = ask(read["sig"])

    with pytest.raises(InvalidQuestion):
        clarification_call(user=clinician, clarification_id=asked.pk, **{**ANSWER, **wrong})

    assert not ClarificationCall.objects.exists()
    assert Clarification.objects.get().status == "open"


def test_the_database_keeps_no_answer_that_was_not_read_back(
    read: ReadScan, ask: Callable[..., Clarification], clinician: Any
) -> None:
    asked = ask(read["sig"])

    with pytest.raises(IntegrityError), transaction.atomic():
        ClarificationCall.objects.create(
            clarification=asked, outcome="answered", called="X", answer="Yes", by=clinician
        )


@pytest.mark.parametrize(
    "wrong", [{"reason": "weather"}, {"question": " "}, {"question": "x" * 1001}]
)
def test_a_question_that_is_none_is_refused(
    read: ReadScan, ask: Callable[..., Clarification], wrong: dict[str, str]
) -> None:
    with pytest.raises(InvalidQuestion):
        ask(read["sig"], **wrong)

    assert not Clarification.objects.exists()


def test_one_question_a_field_at_a_time_and_once_for_one_number(
    read: ReadScan, ask: Callable[..., Clarification]
) -> None:
    number = uuid.uuid4()
    first = ask(read["sig"], clarification_id=number)
    assert ask(read["sig"], clarification_id=number) == first
    with pytest.raises(InvalidQuestion, match="open already"):
        ask(read["sig"])
    with pytest.raises(InvalidQuestion, match="taken"):
        ask(read["drug"], clarification_id=number)

    assert Clarification.objects.count() == 1
    assert AuditEvent.objects.filter(action="clarification.asked").count() == 1


def test_a_call_is_stored_once_for_one_number(
    read: ReadScan, ask: Callable[..., Clarification], clinician: Any
) -> None:
    asked, number = ask(read["sig"]), uuid.uuid4()
    for _ in range(2):
        clarification_call(user=clinician, clarification_id=asked.pk, call_id=number, **ANSWER)

    assert ClarificationCall.objects.count() == 1
    with pytest.raises(InvalidQuestion, match="closed"):
        clarification_call(user=clinician, clarification_id=asked.pk, **ANSWER)


def test_a_question_is_withdrawn_with_a_reason(
    read: ReadScan, ask: Callable[..., Clarification], clinician: Any
) -> None:
    asked = ask(read["sig"])
    with pytest.raises(InvalidQuestion):
        clarification_withdraw(user=clinician, clarification_id=asked.pk, reason=" ")

    clarification_withdraw(user=clinician, clarification_id=asked.pk, reason="Read it after all.")

    assert field_of(read, "sig", clinician)["waits_for"] == "you"
    event = AuditEvent.objects.get(action="clarification.withdrawn")
    assert event.data["words"] == "Read it after all."


def test_asking_needs_the_scan_and_the_site(
    read: ReadScan, ask: Callable[..., Clarification], clinician: Any, outsider: Any
) -> None:
    with pytest.raises(LeaseLost):
        clarification_ask(
            user=clinician,
            field_id=read["sig"].pk,
            lease_token=uuid.uuid4(),
            reason="other",
            question="?",
        )
    asked = ask(read["sig"])
    with pytest.raises(Http404):
        clarification_call(user=outsider, clarification_id=asked.pk, **ANSWER)
    Scan.objects.filter(pk=read.scan.pk).update(state="rejected")
    with pytest.raises(ScanFinished):
        ask(read["drug"])


def test_every_field_has_a_question_to_start_from_and_none_names_a_value() -> None:
    for name in ("drug", "sig", "strength", "patient_name", "quantity", "practice_name"):
        assert len(templates_for(name)) == len(TEMPLATES)
    assert templates_for("sig")[0][1].names[0] == "sig"


def test_the_pages_of_a_question(
    read: ReadScan,
    ask: Callable[..., Clarification],
    clinician: Any,
    clinic_admin: Any,
    signed_in: Callable[[Any], Client],
) -> None:
    asked = ask(read["sig"])
    client = signed_in(clinician)
    url = reverse("clarification", args=[asked.pk])

    queue = client.get(reverse("clarify"), follow=True)
    assert queue.redirect_chain == [(f"{reverse('inbox')}?queue=clarify", 302)]
    assert url in queue.content.decode()
    assert b"How often?" in queue.content
    assert b"not called yet" in queue.content
    assert "How often?" in client.get(url).content.decode()
    refused = client.post(url, {**ANSWER, "read_back": ""})
    assert refused.status_code == 400
    assert b"Read the answer back" in refused.content
    assert b"Twice a day." in refused.content  # nothing that was typed is lost
    done = client.post(url, {**ANSWER, "read_back": "yes"})
    assert done["Location"] == reverse("workstation", args=[read.scan.pk])
    assert b"Twice a day." in client.get(reverse("inbox"), {"queue": "review"}).content

    other = signed_in(clinic_admin)
    assert other.get(url).status_code == 404
    assert b"Twice a day." not in other.get(reverse("inbox"), {"queue": "review"}).content
