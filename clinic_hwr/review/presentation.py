"""What the workstation shows: fields, doubts and meaning as plain JSON for one page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.urls import reverse

from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Medication
from clinic_hwr.routing.models import FieldBlocker
from clinic_hwr.routing.policy import is_sampled, route
from clinic_hwr.routing.thresholds import SitePolicy

from .models import Decision, DecisionKind, PrescriptionRecord
from .services import NAMES_TO_GIVE, FieldState, field_states, medication_number
from .services.effective import ABSENT, PRESENT

FIELD_TITLES: dict[str, str] = {
    "patient_name": "Patient name",
    "patient_dob": "Date of birth",
    "patient_age": "Age",
    "patient_sex": "Sex",
    "patient_weight": "Weight",
    "patient_address": "Address",
    "patient_mrn": "Record number",
    "allergies": "Allergies",
    "prescriber_name": "Prescriber",
    "prescriber_npi": "Prescriber NPI",
    "prescriber_dea": "Prescriber DEA",
    "prescriber_phone": "Prescriber phone",
    "practice_name": "Practice",
    "date_written": "Date written",
    "drug": "Drug",
    "strength": "Strength",
    "sig": "Directions",
    "quantity": "Quantity",
    "refills": "Refills",
    "substitution": "Substitution box",
    "signature": "Signature",
    "notes": "Notes",
    "unnamed": "Other ink",
}

# Three bands instead of a percentage: people over-trust digits (product.md 5.2).
BANDS: tuple[tuple[float, str], ...] = ((0.95, "high"), (0.75, "medium"), (0.0, "low"))
# Characters under these probabilities are tinted once, or twice as strong.
CHAR_DOUBT, CHAR_STRONG_DOUBT = 0.9, 0.6
MAX_CANDIDATES = 5  # keys 1-5


@cache
def key_map() -> list[dict[str, Any]]:
    """Return the keys of the workstation as ``keys.json`` has them."""
    path = Path(__file__).with_name("keys.json")
    keys: list[dict[str, Any]] = json.loads(path.read_text())["keys"]
    return keys


def band(p_correct: float) -> str:
    """Return ``high``, ``medium`` or ``low`` for a probability 0..1."""
    return next(name for floor, name in BANDS if p_correct >= floor)


def field_title(name: str, group: int = 0) -> str:
    """Return what people call a field: ``Directions 2`` for the sig of the second medication."""
    title = FIELD_TITLES.get(name, name.replace("_", " ").capitalize())
    return f"{title} {group}" if group else title


def field_choices() -> list[dict[str, Any]]:
    """Return the names that a person may give to a field, in words."""
    return [
        {"name": name, "title": FIELD_TITLES[name], "medication": medication_number(name)}
        for name in NAMES_TO_GIVE
    ]


def workstation_payload(scan: Scan) -> dict[str, Any]:
    """Return everything the workstation of ``scan`` shows (JSON; a fixed number of queries)."""
    states = field_states(scan)
    blockers = list(FieldBlocker.objects.filter(scan=scan))
    record = PrescriptionRecord.objects.filter(scan=scan).first()
    policy = SitePolicy(scan.site)
    return {
        "scan": {"id": str(scan.pk), "state": scan.state, "state_label": scan.get_state_display()},
        "pages": [_page(page) for page in Page.objects.filter(scan=scan)],
        "fields": [
            _field(state, [row for row in blockers if row.field_id == state.field.pk], policy)
            for state in states
        ],
        "notes": [
            {"message": row.message, "severity": row.severity}
            for row in blockers
            if row.field_id is None
        ],
        "meaning": _meaning(record),
        "waiting": sum(state.needs_human for state in states),
    }


def decision_json(decision: Decision | None) -> dict[str, Any] | None:
    """Return one decision for the page: what, who, when."""
    if decision is None:
        return None
    return {
        "number": decision.number,
        "kind": decision.kind,
        "label": DecisionKind(decision.kind).label,
        "value": decision.value,
        "by": decision.reviewer.get_full_name() or decision.reviewer.get_username(),
        "at": decision.created_at.isoformat(),
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "url": reverse("page-image", args=[page.scan_id, page.number]),
        "width": page.width_px,
        "height": page.height_px,
    }


def _field(
    state: FieldState, blockers: Sequence[FieldBlocker], policy: SitePolicy
) -> dict[str, Any]:
    field, reading = state.field, state.reading
    p_correct = reading.p_correct if reading else 0.0
    return {
        "id": str(field.pk),
        "name": field.name,
        "group": field.group,
        "title": field_title(field.name, field.group),
        "label": field.label,
        "page": field.page.number,
        "box": field.box_px,
        "crop": reverse("field-crop", args=[field.pk]),
        "decide": reverse("field-decide", args=[field.pk]),
        "name_url": reverse("field-name", args=[field.pk]),
        "whole_page": field.crop_sha256 == field.page.image_sha256,
        "mark": state.is_presence,
        "print": field.is_print,
        "digits": field.kind == FieldKind.DIGITS,
        "machine": state.machine_value,
        "value": state.value,
        "chars": _chars(state),
        "candidates": _candidates(state),
        "band": None if state.is_presence or reading is None else band(p_correct),
        "number": state.number,
        "decision": decision_json(state.decision),
        "needs_human": state.needs_human,
        "reasons": _reasons(state, blockers, policy),
    }


def _chars(state: FieldState) -> list[list[Any]]:
    """Return ``[[char, doubt], ...]`` of the machine value; doubt is 0, 1 or 2."""
    if state.reading is None or state.is_presence:
        return []
    return [
        [char, 2 if p < CHAR_STRONG_DOUBT else 1 if p < CHAR_DOUBT else 0]
        for char, p in state.reading.chars
    ]


def _candidates(state: FieldState) -> list[str]:
    """Return up to five different texts to choose from, best first."""
    if state.is_presence:
        return [PRESENT, ABSENT]
    if state.reading is None:
        return []
    texts = [state.reading.text, *(text for text, _ in state.reading.alternatives)]
    return [text for text in dict.fromkeys(texts) if text][:MAX_CANDIDATES]


def _reasons(
    state: FieldState, blockers: Sequence[FieldBlocker], policy: SitePolicy
) -> list[dict[str, str]]:
    """Return why this field was not accepted without a person, worst first."""
    reasons = [{"message": row.message, "severity": row.severity} for row in blockers]
    reasons.sort(key=lambda reason: reason["severity"] != "stop")
    if state.reading is None and not state.is_presence:
        reasons.append(
            {"message": "No model read this: type what the page says.", "severity": "policy"}
        )
    elif state.field.route == "human":
        verdict = route(
            kind=state.field.kind,
            p_correct=state.reading.p_correct if state.reading else 0.0,
            blocker_codes=[row.code for row in blockers if row.severity == "stop"],
            is_print=state.field.is_print,
            sampled=is_sampled(str(state.field.pk)),
            policy=policy.of(state.field.kind, state.reading.model if state.reading else ""),
        )
        # a blocker speaks for itself above, in words; the policy repeats only its code
        reasons += [
            {"message": f"{reason[:1].upper()}{reason[1:]}.", "severity": "policy"}
            for reason in verdict.reasons
            if not reason.startswith("blocker: ")
        ]
    return reasons


def _meaning(record: PrescriptionRecord | None) -> list[dict[str, Any]]:
    """Return each medication in words, as the draft has it now."""
    if record is None or not record.content:
        return []
    return [medication_words(item) for item in from_json(record.content).medications]


def medication_words(medication: Medication) -> dict[str, Any]:
    """Return one medication as the workstation and the release page tell it."""
    drug = medication.drug
    return {
        "sequence": medication.sequence,
        "written": medication.drug_text,
        "name": (drug.tallman or drug.name) if drug else "",
        "generic_of": drug.generic_of if drug else "",
        "rxcui": (medication.product_rxcui or (drug.rxcui if drug else None)) or "",
        "schedule": drug.schedule if drug else "",
        "strength": medication.strength.text if medication.strength else "",
        "form": medication.form or "",
        "sig": medication.sig.text if medication.sig else "",
        "plain": medication.sig.plain_language if medication.sig else "",
        "leftover": list(medication.sig.leftover) if medication.sig else [],
        "quantity": medication.quantity.text if medication.quantity else "",
        "refills": "" if medication.refills is None else str(medication.refills),
        "substitution": medication.substitution_allowed,
    }
