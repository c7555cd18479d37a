"""Rows of the database as the review API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json, to_json
from clinic_hwr.prescriptions.types import Prescription
from clinic_hwr.routing.lexicons import working_lexicon
from clinic_hwr.routing.models import FieldBlocker

from ..discretion import Discretion, Person, closed_entry, person_at
from ..models import Clarification, PrescriptionRecord, ReviewLease
from ..presentation import decision_json, field_title, fields_shown
from ..selectors import blind_scans
from ..services import Amendment, FieldState, blocker_key
from ..services.effective import OPEN_TO_PEOPLE
from ..views.delivery_notes import deliveries_of, ehr_states


def person(user: Any) -> str:
    """Return the name of a person as colleagues know it."""
    return "" if user is None else user.get_full_name() or user.get_username()


def lease_answer(lease: ReviewLease | None, scan_id: Any, user: Any) -> dict[str, Any]:
    """Return who holds a scan; the token only to its holder."""
    held = lease is not None and lease.is_in_force()
    mine = held and lease is not None and lease.holder_id == user.pk
    return {
        "scan_id": str(scan_id),
        "token": str(lease.token) if lease is not None and mine else None,
        "holder": person(lease.holder) if lease is not None and held else "",
        "expires_at": lease.expires_at if lease is not None and held else None,
    }


def scan_lines(scans: Sequence[Scan]) -> list[dict[str, Any]]:
    """Return the scans of a list; no drug is named while somebody is to enter it blind."""
    blind = blind_scans(scan.pk for scan in scans)
    return [_scan_line(scan, scan.pk in blind) for scan in scans]


def _scan_line(scan: Scan, blind: bool) -> dict[str, Any]:
    record = getattr(scan, "prescription", None)
    content = from_json(record.content) if record is not None and record.content else None
    lease = getattr(scan, "lease", None)
    works = scan.state in OPEN_TO_PEOPLE and lease is not None and lease.is_in_force()
    return {
        "scan_id": str(scan.pk),
        "site": scan.site.slug,
        "status": scan.state,
        "retracted": record is not None and record.retracted_at is not None,
        "name": scan.original_name,
        "received_at": scan.received_at,
        "patient": content.patient.name if content else "",
        "drugs": [item.drug_text for item in content.medications] if content and not blind else [],
        "blind": blind,
        "waiting": getattr(scan, "waiting", None),
        "held_by": person(lease.holder) if lease is not None and works else "",
    }


def field_answers(scan: Scan, states: Sequence[FieldState], user: Any) -> list[dict[str, Any]]:
    """Return the fields of a scan as ``user`` may see them, in the order of ``states``."""
    person = person_at(scan, user)
    blockers = list(FieldBlocker.objects.filter(scan=scan))
    discretion = Discretion(states, person, working_lexicon(scan.site.slug))
    shown = fields_shown(scan, states, person, blockers, discretion)
    return [_field_answer(state, person, words) for state, words in zip(states, shown, strict=True)]


def _field_answer(state: FieldState, person: Person, shown: dict[str, Any]) -> dict[str, Any]:
    """Return one field; of one that ``person`` enters blind, only what they entered themselves."""
    field, reading = state.field, state.reading
    closed = state.is_closed_to(person.pk, may_adjudicate=person.may_adjudicate)
    own = closed_entry(state, person) if closed else None
    if closed:
        reading = None
    return {
        "field_id": str(field.pk),
        "scan_id": str(field.page.scan_id),
        "name": field.name,
        "group": field.group,
        "title": field_title(field.name, field.group),
        "kind": field.kind,
        "page": field.page.number,
        "box_px": field.box_px,
        "box_version": field.box_version,
        "reading": state.box.reading if state.box else "",
        "reading_problem": state.box.problem if state.box else "",
        "value": (own.value if own else "") if closed else state.value,
        "machine_value": "" if closed else state.machine_value,
        "candidates": [text for text, _ in reading.alternatives] if reading else [],
        "confidence": reading.p_correct if reading else None,
        "model": reading.model if reading else "",
        "needs_human": state.needs_human,
        "blind": closed,
        "waits_for": state.waits_for(person.pk, may_adjudicate=person.may_adjudicate),
        "postponed": state.is_postponed,
        "question": state.question.question if state.question and not closed else "",
        "named_by": field.named_by,
        "label": field.label,
        "reasons": shown["reasons"],
        "look_alikes": shown["look_alikes"],
        "doubtful": [place for place, (_, doubt) in enumerate(shown["chars"]) if doubt],
        "choices": shown["choices"],
        "answers": shown["answers"],
        "struck_out": field.struck_out,
        "number": state.number,
        # of an own blind entry not even the kind is told: "accepted" would tell the machine's value
        "decision": None if closed else decision_json(state.decision),
    }


def question_answer(asked: Clarification) -> dict[str, Any]:
    """Return a question to the prescriber with its calls, oldest first."""
    return {
        "clarification_id": str(asked.pk),
        "scan_id": str(asked.field.page.scan_id),
        "field_id": str(asked.field_id),
        "title": field_title(asked.field.name, asked.field.group),
        "reason": asked.reason,
        "question": asked.question,
        "status": asked.status,
        "asked_by": person(asked.asked_by),
        "asked_at": asked.asked_at,
        "calls": [
            {
                "outcome": call.outcome,
                "called": call.called,
                "phone": call.phone,
                "answer": call.answer,
                "read_back": call.read_back,
                "by": person(call.by),
                "at": call.at,
            }
            for call in asked.calls.all()
        ],
    }


def field_tag(state: FieldState) -> str:
    """Return the ETag of a field: number of its newest decision, and the ink where it was drawn."""
    return f'"{state.number}.{state.ink_seen}"' if state.ink_seen else f'"{state.number}"'


def warnings_answer(prescription: Prescription) -> list[dict[str, Any]]:
    """Return the warnings that a signature must acknowledge."""
    return [
        {"key": blocker_key(each), "message": each.message, "severity": each.severity}
        for each in prescription.blockers
    ]


def prescription_answer(record: PrescriptionRecord) -> dict[str, Any]:
    """Return a prescription with what each EHR holds of it."""
    return {
        "scan_id": str(record.scan_id),
        "prescription_id": str(record.pk),
        "version": record.version,
        "status": record.status,
        "content_sha256": record.content_sha256,
        "retracted": record.retracted_at is not None,
        "released_at": record.released_at,
        "released_by": person(record.released_by),
        "prescription": record.content,
        "ehrs": [
            {
                "name": ehr.target,
                "holds_version": ehr.holds,
                "pending_version": ehr.pending.prescription_version if ehr.pending else None,
                "pending_status": ehr.pending.status if ehr.pending else None,
                "problem": ehr.pending.problem if ehr.pending else "",
            }
            for ehr in ehr_states(record, deliveries_of([record.pk]))
        ],
    }


def amendment_answer(amendment: Amendment) -> dict[str, Any]:
    """Return what an amendment would make of a prescription."""
    return {
        "version": amendment.version,
        "content_sha256": amendment.content_sha256,
        "changed": [
            {"name": name, "group": group, "old": old, "new": new}
            for name, group, old, new in amendment.changed
        ],
        "problems": list(amendment.problems),
        "warnings": warnings_answer(amendment.after),
        "before": to_json(amendment.before),
        "after": to_json(amendment.after),
    }
