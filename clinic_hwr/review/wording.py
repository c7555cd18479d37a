"""Fields, decisions and medications in words, for every page of this room."""

from __future__ import annotations

from typing import Any

from clinic_hwr.prescriptions.types import Medication

from .models import Decision, DecisionKind
from .services import NAMES_TO_GIVE, medication_number

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
