"""Checks of the paper: patient, prescriber, date, signature."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.checks.registry import Finding, blocker, finding_about
from clinic_hwr.prescriptions.people import CHILD_UNDER_YEARS, is_name

# US practice: a prescription is valid for a year, one for schedules III to V for six months.
OLDEST_DAYS = 365
OLDEST_CONTROLLED_DAYS = 183


@blocker("missing_patient")
def missing_patient(context: CheckContext) -> Iterator[Finding]:
    """The paper does not say for whom."""
    if not is_name(context.patient.name):
        yield Finding("The patient's name is missing: check the paper.", "patient_name")


@blocker("birth_date_invalid")
def birth_date_invalid(context: CheckContext) -> Iterator[Finding]:
    """A birth date that is not a date, or lies in the future."""
    patient = context.patient
    if patient.birth_date_text and patient.birth_date is None:
        yield Finding("The birth date is not a possible date: check it.", "patient_dob")
    elif patient.birth_date is not None and patient.birth_date > context.today:
        yield Finding("The birth date is in the future: check it.", "patient_dob")


@blocker("paediatric_without_weight")
def paediatric_without_weight(context: CheckContext) -> Iterator[Finding]:
    """A child's dose goes by weight, and there is none."""
    age = context.age_years
    if age is None or age >= CHILD_UNDER_YEARS or context.patient.weight_kg is not None:
        return
    if context.medications:
        yield Finding(
            f"The patient is under {CHILD_UNDER_YEARS} and no weight is written: check the dose "
            "against the weight.",
            "patient_weight",
        )


@blocker("missing_signature")
def missing_signature(context: CheckContext) -> Iterator[Finding]:
    """Nobody signed."""
    if context.signature_present is not True:
        yield Finding("No signature was found: check that the prescriber signed.", "signature")


@blocker("date_missing")
def date_missing(context: CheckContext) -> Iterator[Finding]:
    """No date, or none that exists."""
    if not context.date_text:
        yield Finding("The date is missing: check the paper.", "date_written")
    elif context.date_reading is None or context.date_reading.value is None:
        yield Finding("The date is not a possible date: check it.", "date_written")


@blocker("date_too_old")
def date_too_old(context: CheckContext) -> Iterator[Finding]:
    """The paper is no longer valid."""
    written = context.date_reading.value if context.date_reading else None
    if written is None:
        return
    controlled = any(r.medication.drug and r.medication.drug.schedule for r in context.medications)
    oldest = OLDEST_CONTROLLED_DAYS if controlled else OLDEST_DAYS
    age_days = (context.today - written).days
    if age_days > oldest:
        yield Finding(
            f"The prescription is {age_days} days old: check that it is still valid.",
            "date_written",
        )


@blocker("date_future")
def date_future(context: CheckContext) -> Iterator[Finding]:
    """The date lies ahead."""
    written = context.date_reading.value if context.date_reading else None
    # One day of grace: paper and server may stand on two sides of midnight.
    if written is not None and written > context.today + timedelta(days=1):
        yield Finding("The date is in the future: check day, month and year.", "date_written")


@blocker("npi_invalid")
def npi_invalid(context: CheckContext) -> Iterator[Finding]:
    """The check digit of the NPI is wrong."""
    if context.prescriber.npi_valid is False:
        yield Finding("The NPI has a wrong check digit: check every digit.", "prescriber_npi")


@blocker("dea_invalid")
def dea_invalid(context: CheckContext) -> Iterator[Finding]:
    """The check digit of the DEA number is wrong."""
    if context.prescriber.dea_valid is False:
        yield Finding(
            "The DEA number has a wrong check digit: check every character.", "prescriber_dea"
        )


@blocker("struck_out")
def struck_out(context: CheckContext) -> Iterator[Finding]:
    """Something is crossed out, wholly, in part or perhaps: a person says what is ordered."""
    for value in context.values:
        if value.struck_out == "perhaps":
            if not value.human:
                yield finding_about(
                    value,
                    "A stroke may go through this: check on the paper that it is still ordered.",
                )
        elif value.struck_out and not (value.human and not value.text.strip()):
            part = "" if value.struck_out == "wholly" else "A part of "
            how = f"{part}{'this' if part else 'This'} looks crossed out"
            yield finding_about(
                value,
                f"{how} and is not taken as ordered: mark it as not present if it is crossed out; "
                "if not, enter what it says.",
            )


@blocker("named_by_reading")
def named_by_reading(context: CheckContext) -> Iterator[Finding]:
    """No printed label names a field; what it says did, which is a guess."""
    for value in context.values:
        if value.named_by == "reading" and not value.human:
            yield finding_about(
                value,
                "No printed label says what this is; it was taken for this by what it says. Check "
                "that it is, and that it belongs to this medication.",
            )


@blocker("print_unread")
def print_unread(context: CheckContext) -> Iterator[Finding]:
    """The print of a page could not be read: labels and printed values are missing."""
    problems = {value.print_problem for value in context.values} - {""}
    if problems & {"missing", "failed"}:
        yield Finding(
            "The printed words of this paper could not be read, so its fields have no labels: "
            "compare every field with the paper.",
            severity="warn",
        )
    elif problems:
        yield Finding(
            "A language file for the printed words is not installed: labels may have been missed. "
            "Compare every field with the paper.",
            severity="warn",
        )
