"""What the workstation shows one person: fields, doubts and meaning as plain JSON for one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Medication
from clinic_hwr.routing.lexicons import working_lexicon
from clinic_hwr.routing.models import FieldBlocker
from clinic_hwr.routing.thresholds import SitePolicy

from .discretion import Discretion, Person, person_at
from .field_payload import field_json
from .keys import key_map
from .models import PrescriptionRecord
from .services import prescription_current
from .states import FieldState, field_states
from .wording import (
    FIELD_TITLES,
    band,
    decision_json,
    field_choices,
    field_title,
    medication_words,
)

__all__ = [
    "FIELD_TITLES",
    "band",
    "decision_json",
    "field_choices",
    "field_title",
    "fields_shown",
    "key_map",
    "medication_words",
    "workstation_payload",
]

UNDO_DEPTH = 50


def workstation_payload(scan: Scan, user: Any = None) -> dict[str, Any]:
    """Return everything the workstation of ``scan`` shows ``user``; brings the draft up to date.

    What is entered blind comes without the machine's value and without anybody else's entry, in
    every part of the answer. Without a user nothing of it is shown to anybody.
    """
    record = prescription_current(scan=scan)
    scan.refresh_from_db(fields=["state"])
    states = field_states(scan)
    blockers = list(FieldBlocker.objects.filter(scan=scan))
    person = person_at(scan, user)
    discretion = Discretion(states, person, working_lexicon(scan.site.slug))
    return {
        "scan": {"id": str(scan.pk), "state": scan.state, "state_label": scan.get_state_display()},
        "pages": [
            _page(page)
            for page in Page.objects.filter(scan=scan).select_related("form_result__version__form")
        ],
        "fields": fields_shown(scan, states, person, blockers, discretion),
        "notes": [
            {
                "message": row.message,
                "severity": row.severity,
                "url": reverse("scan-detail", args=[row.other_scan_id])
                if row.other_scan_id
                else "",
            }
            for row in blockers
            if row.field_id is None and discretion.may_tell(row.message)
        ],
        "meaning": _meaning(record, states, discretion),
        "waiting": sum(state.needs_human for state in states),
        "undoable": _undoable(states, person),
    }


def fields_shown(
    scan: Scan,
    states: Sequence[FieldState],
    person: Person,
    blockers: Sequence[FieldBlocker],
    discretion: Discretion,
) -> list[dict[str, Any]]:
    """Return every field as ``person`` may see it, in the order of ``states``."""
    policy, lexicon = SitePolicy(scan.site), working_lexicon(scan.site.slug)
    return [
        field_json(
            state,
            [row for row in blockers if row.field_id == state.field.pk],
            person=person,
            discretion=discretion,
            policy=policy,
            lexicon=lexicon,
        )
        for state in states
    ]


def _undoable(states: list[FieldState], person: Person) -> list[dict[str, str]]:
    """Return what the person did last, oldest first: undo survives a reload.

    ``what`` is ``decision`` or ``box``, by which field.
    """
    mine: list[tuple[datetime, str, str]] = []
    for state in states:
        newest, box, field = state.newest, state.box, str(state.field.pk)
        if state.said is not None and newest is not None and newest.reviewer_id == person.pk:
            mine.append((newest.created_at, "decision", field))
        if box is not None and box.before is not None and box.drawn_by_id == person.pk:
            mine.append((box.drawn_at, "box", field))
    return [{"field": field, "what": what} for _, what, field in sorted(mine)[-UNDO_DEPTH:]]


def _page(page: Page) -> dict[str, Any]:
    known = getattr(page, "form_result", None)
    on_form = known is not None and known.version is not None and not known.refusal
    return {
        "number": page.number,
        "form": str(known.version) if on_form else "",
        "url": reverse("page-image", args=[page.scan_id, page.number]),
        "width": page.width_px,
        "height": page.height_px,
        "print_problem": page.print_problem,
        "problems": page.problem_notes(),
    }


def _meaning(
    record: PrescriptionRecord | None, states: list[FieldState], discretion: Discretion
) -> list[dict[str, Any]]:
    """Return each medication in words, as the draft has it now, with where each value is from."""
    if record is None or not record.content:
        return []
    titles = {
        str(state.field.pk): field_title(state.field.name, state.field.group) for state in states
    }
    return [
        {"sequence": item.sequence, "closed": True}
        if discretion.is_closed(item.sequence)
        else {**medication_words(item), "closed": False, "origins": _origins(item, titles)}
        for item in from_json(record.content).medications
    ]


_RANKS = ("", "from the second reading", "from the third reading", "from the fourth reading")


def _origins(medication: Medication, titles: dict[str, str]) -> list[dict[str, str]]:
    """Return where each value of a medication came from: field, rank of the reading, and rule."""
    return [
        {
            "value": origin.value.replace("_", " "),
            "field": origin.field_id,
            "title": titles.get(origin.field_id, ""),
            "rule": ", ".join(
                part for part in (origin.rule, _rank_words(origin.reading_rank)) if part
            ),
        }
        for origin in medication.origins
    ]


def _rank_words(rank: int) -> str:
    return _RANKS[rank] if rank < len(_RANKS) else f"from reading {rank + 1}"
