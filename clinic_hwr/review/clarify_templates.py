"""What is usually asked of a prescriber: reasons with a question to start from. Names no value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """One reason to call.

    Attributes:
        title: the reason, as the queue shows it.
        question: what to ask; the person may change it.
        names: field names it is offered first for; () for any.
    """

    title: str
    question: str
    names: tuple[str, ...] = ()


TEMPLATES: dict[str, Template] = {
    "drug_unreadable": Template(
        "Drug name cannot be read",
        "We cannot read the name of the drug. Which drug do you mean? Please spell it.",
        ("drug",),
    ),
    "look_alike": Template(
        "Two names look alike",
        "The name may be read as two different drugs. Which one is meant, and what for?",
        ("drug",),
    ),
    "strength_unclear": Template(
        "Strength missing or unclear",
        "Which strength do you want, with its unit?",
        ("strength",),
    ),
    "dose_unusual": Template(
        "Dose is unusual",
        "The dose is outside of the usual range. Is it meant so, and for which indication?",
        ("strength", "sig", "drug"),
    ),
    "directions_unclear": Template(
        "Directions missing or unclear",
        "How is it to be taken: dose, route, how often, and for how long?",
        ("sig",),
    ),
    "as_needed": Template(
        "As needed, without a reason or limit",
        "What is it to be taken for when needed, and what is the most in 24 hours?",
        ("sig",),
    ),
    "quantity_unclear": Template(
        "Quantity or refills unclear",
        "What quantity, and how many refills?",
        ("quantity", "refills"),
    ),
    "interaction": Template(
        "Allergy, interaction or duplicate",
        "There is an allergy, an interaction or the same drug twice. Do you want to change it?",
        ("drug", "allergies"),
    ),
    "patient_unclear": Template(
        "Patient cannot be told for sure",
        "Which patient is this for? Please give the full name and the date of birth.",
        ("patient_name", "patient_dob", "patient_mrn", "patient_age"),
    ),
    "date_or_signature": Template(
        "Date or signature missing",
        "The prescription is not dated or not signed. Did you write it, and when?",
        ("date_written", "signature", "prescriber_name"),
    ),
    "other": Template("Another question", ""),
}


def templates_for(name: str) -> list[tuple[str, Template]]:
    """Return all templates, those of the field first."""
    return sorted(
        TEMPLATES.items(),
        key=lambda item: (name not in item[1].names, name not in item[1].names[:1]),
    )
