"""Fields, decisions and medications in words, for every page of this room."""

from __future__ import annotations

from typing import Any

from clinic_hwr.pages.types import NamedBy
from clinic_hwr.prescriptions.types import Medication
from clinic_hwr.routing.titles import FIELD_TITLES, field_title

from .models import Decision, DecisionKind
from .services import NAMES_TO_GIVE, medication_number

__all__ = [
    "FIELD_TITLES",
    "band",
    "decision_json",
    "field_choices",
    "field_title",
    "medication_words",
    "naming_words",
]

# Three bands instead of a percentage: people over-trust digits (product.md 5.2).
BANDS: tuple[tuple[float, str], ...] = ((0.95, "high"), (0.75, "medium"), (0.0, "low"))


def band(p_correct: float) -> str:
    """Return ``high``, ``medium`` or ``low`` for a probability 0..1."""
    return next(name for floor, name in BANDS if p_correct >= floor)


def naming_words(named_by: str, label: str) -> str:
    """Return what a field got its name from; "" for fields found before that was kept."""
    if named_by == NamedBy.LABEL and label:
        return f"Named by the print “{label}” beside it"
    return {
        NamedBy.LABEL: "Named by the print beside it",
        NamedBy.FORM: "Named by the form",
        NamedBy.PLACE: "Named by its place on the page",
        NamedBy.READING: "Named by what was read in it",
        NamedBy.PERSON: "Named by a person",
        NamedBy.NOBODY: "Nothing says what it is",
    }.get(NamedBy(named_by), "")


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
