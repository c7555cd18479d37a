"""Checks of drug, strength and form."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.checks.context import CheckContext, MedicationReading
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.lexicon_entries import name_key
from clinic_hwr.prescriptions.types import DrugMatch, Medication

# Two names this near a reading (edits) are both possible readings of the same ink.
_NEAR_EDITS = 2
# A listed look-alike needs no such nearness to each other: it counts when it is this similar to
# any of the readings.
_LISTED_SIMILARITY = 0.75
_SHORTEST_FUZZY_NAME = 5


def _label(match: DrugMatch) -> str:
    return match.tallman or match.name


@blocker("illegible")
def illegible(context: CheckContext) -> Iterator[Finding]:
    """A person could not read a drug, a strength or directions: nothing may be ordered from it."""
    for value in context.values:
        if value.illegible and value.name in {"drug", "strength", "sig"}:
            yield Finding(
                f"The {value.name} was marked illegible: ask the prescriber and enter the answer, "
                "or reject the scan.",
                value.name,
                value.group,
                lasting=True,
            )


@blocker("unknown_drug")
def unknown_drug(context: CheckContext) -> Iterator[Finding]:
    """The drug is not in the lexicon, or there is none."""
    for reading in context.medications:
        medication = reading.medication
        group = medication.sequence
        if medication.drug is not None:
            continue
        if medication.drug_text:
            yield Finding(
                f"“{reading.line.name or medication.drug_text}” is not in the drug lexicon: "
                "check the name.",
                "drug",
                group,
            )
        elif not any(value.illegible for value in context.fields("drug", group)):
            name = context.on_paper(group, "drug", "sig", "strength", "quantity")
            yield Finding(
                "There is an order without a drug: enter the drug, or mark its other fields as "
                "not present.",
                name,
                group,
                lasting=True,
            )


@blocker("ambiguous_drug")
def ambiguous_drug(context: CheckContext) -> Iterator[Finding]:
    """Another drug is as likely, or a listed look-alike is among the readings."""
    for reading in context.medications:
        top = reading.medication.drug
        if top is None:
            continue
        others = [c for c in reading.medication.candidates if _rivals(context, reading, top, c)]
        if others:
            names = ", ".join(dict.fromkeys(_label(other) for other in others))
            yield Finding(
                f"{_label(top)} may also be read as {names}: check the name letter by letter.",
                "drug",
                reading.medication.sequence,
            )


def _rivals(
    context: CheckContext, reading: MedicationReading, top: DrugMatch, other: DrugMatch
) -> bool:
    if other.name == top.name or _same_drug(context, top, other):
        return False
    key = name_key(other.name)
    listed = other.name.lower() in context.lexicon.lookalikes_of(top.name)
    for name, _ in reading.readings:
        text = name_key(name)
        if text == key:
            return True  # another reading of the same ink is a drug by itself
        if len(key) < _SHORTEST_FUZZY_NAME:
            continue
        # Where a reading is a drug letter by letter, only one edit away is still too near.
        edits = 1 if context.lexicon.find(name) is not None else _NEAR_EDITS
        if OSA.distance(text, key, score_cutoff=edits) <= edits:
            return True
        if listed and edits > 1 and OSA.normalized_similarity(text, key) >= _LISTED_SIMILARITY:
            return True
    return False


def _same_drug(context: CheckContext, a: DrugMatch, b: DrugMatch) -> bool:
    """Whether two names stand for the same substance: brand and generic, or a salt of it."""
    first = " / ".join(context.lexicon.entry(a).ingredients)
    second = " / ".join(context.lexicon.entry(b).ingredients)
    if not first or not second:
        return False
    return first == second or _is_salt_of(first, second) or _is_salt_of(second, first)


def _is_salt_of(name: str, base: str) -> bool:
    return name.startswith(base + " ") and "/" not in name


@blocker("strength_not_made")
def strength_not_made(context: CheckContext) -> Iterator[Finding]:
    """The drug is not made in the written strength or form, or two strengths are written."""
    for reading in context.medications:
        medication = reading.medication
        group = medication.sequence
        field = context.on_paper(group, "strength", "drug")
        own, line = medication.strength, reading.line.strength
        if own is not None and line is not None and reading.strength_text and own != line:
            same = (own.value, own.unit) == (line.value, line.unit) and own.others == line.others
            if not same:
                yield Finding(
                    f"The drug line says {line.text} and the strength field {own.text}: "
                    "check which is right.",
                    field,
                    group,
                )
        if medication.drug is None or reading.availability is None:
            continue
        made = reading.availability
        source = "" if made.verified else " (from an unaudited list)"
        if made.strength is False and own is not None:
            known = "; ".join(made.strengths[:6])
            yield Finding(
                f"{_label(medication.drug)} is not known in {own.text}{source}: check the "
                f"strength. Known: {known}.",
                field,
                group,
            )
        elif made.form is False:
            yield Finding(
                f"{_label(medication.drug)} is not known as {medication.form or 'this release'}"
                f"{source} in this strength: check the form.",
                "drug",
                group,
            )


@blocker("missing_strength")
def missing_strength(context: CheckContext) -> Iterator[Finding]:
    """No strength is written (or it could not be read as one)."""
    for reading in context.medications:
        medication = reading.medication
        if not medication.drug_text or medication.strength is not None:
            continue
        group = medication.sequence
        if any(value.illegible for value in context.fields("strength", group)):
            continue
        made = reading.availability.strengths if reading.availability else ()
        if len(made) == 1:
            continue  # made in one strength only: nothing to mistake
        if _dosed_by_amount(medication):
            continue  # "40 mg IV q12h" says how much of the drug, whatever it is drawn from
        yield Finding(
            "The strength is missing or not understood: check the drug line.",
            context.on_paper(group, "strength", "drug"),
            group,
        )


AMOUNT_UNITS = frozenset({"g", "mg", "ug", "ng", "meq", "mmol", "[iU]"})  # UCUM, of the drug itself


def _dosed_by_amount(medication: Medication) -> bool:
    """Whether every understood dose is an amount of the drug, not a count of tablets or mL."""
    dosages = medication.sig.dosages if medication.sig else ()
    return bool(dosages) and all(
        dosage.dose is not None and dosage.dose_unit in AMOUNT_UNITS for dosage in dosages
    )


@blocker("missing_unit")
def missing_unit(context: CheckContext) -> Iterator[Finding]:
    """A strength or a weight without its unit."""
    for reading in context.medications:
        strength = reading.medication.strength
        if strength is not None and not strength.unit:
            group = reading.medication.sequence
            yield Finding(
                f"The strength {strength.text} has no unit: check whether mg, mcg, g or units "
                "are meant.",
                context.on_paper(group, "strength", "drug"),
                group,
            )
    if context.weight_unit_missing:
        yield Finding("The weight has no unit: check whether kg or lb is meant.", "patient_weight")


@blocker("controlled_substance")
def controlled_substance(context: CheckContext) -> Iterator[Finding]:
    """A scheduled drug is always decided by a person."""
    for reading in context.medications:
        drug = reading.medication.drug
        if drug is not None and drug.schedule:
            yield Finding(
                f"{_label(drug)} is a controlled substance ({drug.schedule}): check drug, "
                "strength and quantity against the paper.",
                "drug",
                reading.medication.sequence,
            )


@blocker("high_alert")
def high_alert(context: CheckContext) -> Iterator[Finding]:
    """An error with this drug does grave harm."""
    for reading in context.medications:
        drug = reading.medication.drug
        if drug is None:
            continue
        alert = context.lexicon.high_alert_class(context.lexicon.entry(drug))
        if alert:
            yield Finding(
                f"{_label(drug)} is a high-alert drug ({alert}): check drug, dose and frequency.",
                "drug",
                reading.medication.sequence,
            )


@blocker("duplicate_therapy")
def duplicate_therapy(context: CheckContext) -> Iterator[Finding]:
    """Two orders on the paper hold the same ingredient."""
    seen: dict[str, DrugMatch] = {}
    for reading in context.medications:
        drug = reading.medication.drug
        if drug is None:
            continue
        for ingredient in context.lexicon.entry(drug).ingredients:
            earlier = seen.setdefault(ingredient, drug)
            if earlier is not drug:
                yield Finding(
                    f"{ingredient} is ordered twice ({_label(earlier)} and {_label(drug)}): "
                    "check that both are meant.",
                    "drug",
                    reading.medication.sequence,
                )
