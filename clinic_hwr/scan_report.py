"""What became of a scan as one JSON object: the answer of ``ingest --json`` and of the REST API."""

from __future__ import annotations

from typing import Any

from clinic_hwr.intake.models import Scan
from clinic_hwr.review.discretion import Person, person_at
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.selectors import blind_scans
from clinic_hwr.review.services import FieldState, field_states
from clinic_hwr.routing.models import FieldBlocker, Route


def scan_report(scan: Scan, *, path: str, user: Any = None) -> dict[str, Any]:
    """Return everything known of a scan; of a duplicate, what is known of the first copy.

    Keys: ``path`` (as given), ``scan_id``, ``status`` (a ``ScanState``), ``pages`` (how many),
    ``fields``, ``blockers``, ``page_problems`` (``{page, code, message}``: what could not be done
    for a page), ``prescription`` (``prescriptions.codec`` JSON or None),
    ``prescription_id``, ``duplicate_of``, ``problem`` (``{code, message}`` or None; code
    ``waiting`` says what this machine lacks before the scan can be read), ``parent`` (the batch it
    was split from, or None) and ``parts`` (what a batch was split into, in order).

    Args:
        user: who asks over the network; values that this person enters blind are left out, and
            so is the prescription until they are settled. None: who runs the command sees all.
    """
    worked_on = _worked_on(scan)
    record = PrescriptionRecord.objects.filter(scan=worked_on).first()
    blind = user is not None and bool(blind_scans([worked_on.pk]))
    person = person_at(worked_on, user) if blind else None
    return {
        **scan_status(scan, path=path),
        "fields": [_field(state, person) for state in field_states(worked_on)],
        "blockers": [] if blind else _blockers(worked_on),
        "page_problems": [
            {"page": page.number, **problem}
            for page in worked_on.pages.order_by("number")
            for problem in page.problem_notes()
        ],
        "prescription": record.content if record and not blind else None,
        "prescription_id": str(record.pk) if record else None,
    }


def scan_status(scan: Scan, *, path: str) -> dict[str, Any]:
    """Return the same object without what was read: for those who may know the status only."""
    worked_on = _worked_on(scan)
    message = {"code": worked_on.problem_code, "message": worked_on.problem}
    return {
        "path": path,
        "scan_id": str(scan.pk),
        "status": worked_on.state,
        "pages": worked_on.page_count,
        "fields": [],
        "blockers": [],
        "page_problems": [],
        "prescription": None,
        "prescription_id": None,
        "duplicate_of": str(scan.duplicate_of_id) if scan.duplicate_of_id else None,
        "problem": message if worked_on.problem_code else None,
        "parent": str(worked_on.parent_id) if worked_on.parent_id else None,
        "parts": [str(key) for key in worked_on.parts.values_list("pk", flat=True)],
    }


def _worked_on(scan: Scan) -> Scan:
    """Return the copy that is worked on: a duplicate shares the fate of the first.

    A copy that was itself refused (the same bytes under a misleading name) keeps its own reason.
    """
    if scan.duplicate_of is None or scan.problem_code != "duplicate":
        return scan
    return scan.duplicate_of


def _field(state: FieldState, person: Person | None) -> dict[str, Any]:
    field = state.field
    closed = person is not None and state.is_closed_to(
        person.pk, may_adjudicate=person.may_adjudicate
    )
    # Signatures and boxes are there or not; no reading, so nothing speaks for them but people.
    confidence = round(state.reading.p_correct, 4) if state.reading else 0.0
    return {
        "name": field.name,
        "kind": field.kind,
        "text": "" if closed else state.value,
        "confidence": 0.0 if closed else confidence,
        "decision": _decision(state),
        "box_px": field.box_px,
        "page": field.page.number,
        "group": field.group,
        "model": state.reading.model if state.reading else None,
    }


def _decision(state: FieldState) -> str:
    """Return what a person decided, else what the policy did: ``auto`` or ``human`` (waiting)."""
    if state.decision is not None:
        return str(state.decision.kind)
    return "auto" if state.field.route == Route.ACCEPT else "human"


def _blockers(scan: Scan) -> list[dict[str, Any]]:
    rows = FieldBlocker.objects.filter(scan=scan).select_related("field")
    return [
        {
            "code": row.code,
            "message": row.message,
            "severity": row.severity,
            "field": row.field.name if row.field else None,
            "group": row.field.group if row.field else 0,
            "other_scan": str(row.other_scan_id) if row.other_scan_id else None,
        }
        for row in rows
    ]
