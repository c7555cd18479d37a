"""Asking the prescriber: a question about a field, the calls about it, and the answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clinic_hwr.audit.services import audit_record

from ..access import clarification_get, field_get
from ..clarify_templates import TEMPLATES
from ..errors import InvalidQuestion, ScanFinished
from ..locks import scan_locked
from ..models import CallOutcome, Clarification, ClarificationCall, QuestionStatus
from .decisions import DECIDABLE
from .leases import lease_check
from .refresh import prescription_refresh

MAX_QUESTION_CHARS = 1000
MAX_ANSWER_CHARS = 2000
MAX_NAME_CHARS, MAX_PHONE_CHARS = 120, 40


@transaction.atomic
def clarification_ask(
    *,
    user: Any,
    field_id: UUID,
    lease_token: UUID | None,
    reason: str,
    question: str,
    clarification_id: UUID | None = None,
) -> Clarification:
    """Put a question about a field to the prescriber; the scan waits for the answer.

    While it is open the field needs somebody, whatever was decided: nothing can be released.

    Args:
        reason: a key of ``TEMPLATES``.
        question: what to ask, in the person's words.
        clarification_id: chosen by the caller; the same id twice asks once.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidQuestion: unknown reason, no question, or one is open about this field already.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
    """
    field = field_get(user, field_id, "field.decide")
    scan = scan_locked(field.page.scan_id)
    if clarification_id is not None:
        asked = Clarification.objects.filter(pk=clarification_id).first()
        if asked is not None:
            if asked.field_id != field.pk:
                raise InvalidQuestion("This number of a question is taken; choose a new one.")
            return asked
    if scan.state not in DECIDABLE:
        state = scan.get_state_display().lower()
        raise ScanFinished(f"This scan is {state}; nothing can be asked about it.")
    lease_check(user=user, scan_id=scan.pk, token=lease_token)
    if reason not in TEMPLATES:
        raise InvalidQuestion(f"Unknown reason; the known ones are {', '.join(TEMPLATES)}.")
    question = question.strip()
    if not question or len(question) > MAX_QUESTION_CHARS:
        raise InvalidQuestion(f"A question has between 1 and {MAX_QUESTION_CHARS} characters.")
    if Clarification.objects.filter(field=field, status=QuestionStatus.OPEN).exists():
        raise InvalidQuestion("A question about this field is open already.")
    asked = Clarification(field=field, reason=reason, question=question, asked_by=user)
    if clarification_id is not None:
        asked.pk = clarification_id
    asked.save(force_insert=True)
    _audit("clarification.asked", user, asked, question=question)
    prescription_refresh(scan=scan)
    return asked


@transaction.atomic
def clarification_call(
    *,
    user: Any,
    clarification_id: UUID,
    outcome: str,
    called: str,
    phone: str = "",
    answer: str = "",
    read_back: bool = False,
    call_id: UUID | None = None,
) -> ClarificationCall:
    """Append what came of a call; an answer that was read back closes the question.

    The field is then open again, with the answer beside it: a person still decides. No lease is
    needed, the prescriber calls back when they can.

    Args:
        outcome: a ``CallOutcome``.
        called: who was spoken to, or who was not reached.
        answer: what they said; only with the outcome ``answered``.
        call_id: chosen by the caller; the same id twice stores one call.

    Raises:
        Http404, PermissionDenied: see ``access.clarification_get``.
        InvalidQuestion: it is closed, or outcome, name, answer or reading back do not fit.
    """
    scan = scan_locked(clarification_get(user, clarification_id).field.page.scan_id)
    asked = clarification_get(user, clarification_id)  # as it stands under the lock
    if call_id is not None:
        stored = ClarificationCall.objects.filter(pk=call_id).first()
        if stored is not None:
            if stored.clarification_id != asked.pk:
                raise InvalidQuestion("This number of a call is taken; choose a new one.")
            return stored
    if asked.status != QuestionStatus.OPEN:
        raise InvalidQuestion("This question is closed; ask a new one.")
    called, phone, answer = called.strip(), phone.strip(), answer.strip()
    _call_or_raise(outcome, called, phone, answer, read_back)
    call = ClarificationCall(
        clarification=asked,
        outcome=outcome,
        called=called,
        phone=phone,
        answer=answer,
        read_back=read_back,
        by=user,
    )
    if call_id is not None:
        call.pk = call_id
    call.save(force_insert=True)
    _audit(
        "clarification.called",
        user,
        asked,
        outcome=outcome,
        called=called,
        phone=phone,
        answer=answer,
        read_back=read_back,
    )
    if outcome == CallOutcome.ANSWERED:
        _close(asked, QuestionStatus.ANSWERED)
        if scan.state in DECIDABLE:
            prescription_refresh(scan=scan)
    return call


@transaction.atomic
def clarification_withdraw(*, user: Any, clarification_id: UUID, reason: str) -> Clarification:
    """Take a question back, with a reason; the field is open as before.

    Raises:
        Http404, PermissionDenied: see ``access.clarification_get``.
        InvalidQuestion: it is closed, or no reason is given.
    """
    scan = scan_locked(clarification_get(user, clarification_id).field.page.scan_id)
    asked = clarification_get(user, clarification_id)
    if asked.status == QuestionStatus.WITHDRAWN:
        return asked
    if asked.status != QuestionStatus.OPEN:
        raise InvalidQuestion("This question is answered; the answer stays.")
    reason = reason.strip()
    if not reason:
        raise InvalidQuestion("Say in a few words why the question is not needed any more.")
    _close(asked, QuestionStatus.WITHDRAWN)
    _audit("clarification.withdrawn", user, asked, words=reason)
    if scan.state in DECIDABLE:
        prescription_refresh(scan=scan)
    return asked


def _call_or_raise(outcome: str, called: str, phone: str, answer: str, read_back: bool) -> None:
    """Raise ``InvalidQuestion`` unless the parts of a call fit each other."""
    if outcome not in CallOutcome.values:
        known = ", ".join(CallOutcome.values)
        raise InvalidQuestion(f"Unknown outcome; the known ones are {known}.")
    if not called or len(called) > MAX_NAME_CHARS:
        raise InvalidQuestion("Say who was called.")
    if len(phone) > MAX_PHONE_CHARS or len(answer) > MAX_ANSWER_CHARS:
        raise InvalidQuestion("The number or the answer is too long.")
    if outcome != CallOutcome.ANSWERED:
        if answer or read_back:
            raise InvalidQuestion("Only a call that was answered has an answer.")
        return
    if not answer:
        raise InvalidQuestion("Write down what they answered.")
    if not read_back:
        raise InvalidQuestion("Read the answer back to them before it counts.")


def _close(asked: Clarification, status: str) -> None:
    asked.status, asked.closed_at = status, timezone.now()
    asked.save(update_fields=["status", "closed_at"])


def _audit(action: str, user: Any, asked: Clarification, **data: Any) -> None:
    field = asked.field
    scan = field.page.scan
    audit_record(
        action=action,
        site=scan.site,
        object_type="field",
        object_id=field.pk,
        actor=user,
        scan_id=scan.pk,
        reason=TEMPLATES[asked.reason].title if asked.reason in TEMPLATES else asked.reason,
        data={
            "field": field.name,
            "group": field.group,
            "page": field.page.number,
            "clarification": str(asked.pk),
            "crop_sha256": field.crop_sha256,
            **data,
        },
    )
