"""Checks of drug, strength and form."""

from __future__ import annotations

from collections.abc import Iterator

from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.checks.names import label_of
from clinic_hwr.prescriptions.checks.registry import Finding, blocker, finding_about
from clinic_hwr.prescriptions.types import DrugMatch, Medication


@blocker("illegible")
def illegible(context: CheckContext) -> Iterator[Finding]:
    """A person could not read a drug, a strength or directions: nothing may be ordered from it."""
    for value in context.values:
        if value.illegible and value.name in {"drug", "strength", "sig"}:
            yield finding_about(
                value,
                f"The {value.name} was marked illegible: ask the prescriber and enter the answer, "
                "or reject the scan.",
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
                f"{label_of(medication.drug)} is not known in {own.text}{source}: check the "
                f"strength. Known: {known}.",
                field,
                group,
            )
        elif made.form is False:
            yield Finding(
                f"{label_of(medication.drug)} is not known as {medication.form or 'this release'}"
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
                f"{label_of(drug)} is a controlled substance ({drug.schedule}): check drug, "
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
                f"{label_of(drug)} is a high-alert drug ({alert}): check drug, dose and frequency.",
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
                    f"{ingredient} is ordered twice ({label_of(earlier)} and {label_of(drug)}): "
                    "check that both are meant.",
                    "drug",
                    reading.medication.sequence,
                )
