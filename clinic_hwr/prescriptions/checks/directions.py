"""Checks of directions, quantity and the way numbers are written."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.numbers import plain
from clinic_hwr.prescriptions.quantities import parse_quantity
from clinic_hwr.prescriptions.types import Dosage

_DAYS = {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7), "mo": Decimal(30),
         "a": Decimal(365)}  # fmt: skip
# A bottle is larger than what is needed; twice the need is a mistake in days or dose.
_MOST_LIQUID = Decimal(2)


@blocker("missing_sig")
def missing_sig(context: CheckContext) -> Iterator[Finding]:
    """There are no directions."""
    for reading in context.medications:
        group = reading.medication.sequence
        if reading.sig_text or any(value.illegible for value in context.fields("sig", group)):
            continue
        yield Finding(
            "The directions are missing: check the paper for how to take it.",
            context.on_paper(group, "sig"),
            group,
        )


@blocker("sig_not_understood")
def sig_not_understood(context: CheckContext) -> Iterator[Finding]:
    """Words of the directions are left over, or they can mean two things."""
    for reading in context.medications:
        sig = reading.sig
        group = reading.medication.sequence
        field = context.on_paper(group, "sig", "drug")
        stray = reading.line.sig_text if reading.sig_text != reading.line.sig_text else ""
        if stray:
            yield Finding(
                f"“{stray}” on the drug line was not understood: check that nothing is lost.",
                "drug",
                group,
            )
        if sig is None:
            continue
        if sig.leftover:
            words = " ".join(sig.leftover)
            yield Finding(
                f"“{words}” in the directions was not understood: check the text as written.",
                field,
                group,
            )
        for warning in sig.warnings:
            yield Finding(warning, field, group)
        if not sig.leftover and not sig.warnings and not _says_how(sig.dosages):
            yield Finding(
                "The directions do not say how much or how often: check the text as written.",
                field,
                group,
                severity="warn",
            )


def _says_how(dosages: tuple[Dosage, ...]) -> bool:
    """Whether each dosage says how much or where, and how often, or "as directed"."""
    for dosage in dosages:
        much = dosage.dose is not None or dosage.site or dosage.additional
        often = dosage.frequency or dosage.frequency_max or dosage.count or dosage.when
        often = often or dosage.as_needed or dosage.days_of_week or dosage.additional
        if not much or not often:
            return False
    return bool(dosages)


@blocker("words_numbers_disagree")
def words_numbers_disagree(context: CheckContext) -> Iterator[Finding]:
    """Figures and words name different numbers."""
    for reading in context.medications:
        group = reading.medication.sequence
        pairs = (("quantity", reading.quantity_reading), ("refills", reading.refills_reading))
        for name, number in pairs:
            if number is not None and number.disagree:
                yield Finding(
                    f"Figures and words of the {name} differ: check which is right.",
                    context.on_paper(group, name, "drug"),
                    group,
                )
        on_line = parse_quantity(reading.line.quantity_text)[0]
        own = reading.medication.quantity
        if on_line is not None and own is not None and on_line.value != own.value:
            yield Finding(
                f"The drug line says {on_line.text} and the quantity field {own.text}: check "
                "which is right.",
                context.on_paper(group, "quantity", "drug"),
                group,
            )


@blocker("quantity_not_understood")
def quantity_not_understood(context: CheckContext) -> Iterator[Finding]:
    """A quantity or refills is written, but no single number can be read from it."""
    for reading in context.medications:
        medication = reading.medication
        pairs = (
            ("quantity", reading.quantity_text, medication.quantity, reading.quantity_reading),
            ("refills", reading.refills_text, medication.refills, reading.refills_reading),
        )
        for name, text, value, number in pairs:
            if not text or number is None or number.disagree:
                continue
            if value is None or number.leftover:
                yield Finding(
                    f"The {name} “{text}” was not understood: check the number.",
                    context.on_paper(medication.sequence, name, "drug"),
                    medication.sequence,
                )


@blocker("quantity_mismatch")
def quantity_mismatch(context: CheckContext) -> Iterator[Finding]:
    """Dose, frequency and duration do not give the quantity."""
    for reading in context.medications:
        quantity = reading.medication.quantity
        sig = reading.sig
        if quantity is None or sig is None or sig.leftover or sig.warnings:
            continue
        need = needed_amount(sig.dosages, quantity.unit)
        if need is None:
            continue
        low, high, liquid = need
        enough = low <= quantity.value < high + 1
        if liquid:
            enough = low <= quantity.value <= high * _MOST_LIQUID
        if not enough:
            span = plain(low) if low == high else f"{plain(low)} to {plain(high)}"
            group = reading.medication.sequence
            yield Finding(
                f"The directions need {span} and the quantity is {plain(quantity.value)}: check "
                "quantity, frequency and duration.",
                context.on_paper(group, "quantity", "drug"),
                group,
            )


def needed_amount(
    dosages: tuple[Dosage, ...], quantity_unit: str
) -> tuple[Decimal, Decimal, bool] | None:
    """Return (least, most, is liquid) that dosages use up, or None when they do not say.

    None for as-needed orders, missing durations, and units that cannot be compared.
    """
    low = high = Decimal(0)
    liquid = False
    for dosage in dosages:
        times = _times(dosage)
        unit = dosage.dose_unit or ""
        if times is None or dosage.dose is None or dosage.as_needed:
            return None
        pieces = unit.startswith("{") and unit not in {"{application}", "{puff}", "{spray}"}
        if not (unit == "mL" or pieces) or quantity_unit not in ("", unit):
            return None
        if unit == "mL" and quantity_unit != "mL":
            return None
        liquid = liquid or unit == "mL"
        low += dosage.dose * times[0]
        high += (dosage.dose_high or dosage.dose) * times[1]
    return (low, high, liquid) if dosages else None


def _times(dosage: Dosage) -> tuple[Decimal, Decimal] | None:
    """How many times in all, least and most."""
    if dosage.count is not None and dosage.frequency is None:
        return Decimal(dosage.count), Decimal(dosage.count)
    if dosage.frequency is None or dosage.period is None or dosage.duration is None:
        return None
    if dosage.period_unit not in _DAYS or dosage.duration_unit not in _DAYS or dosage.days_of_week:
        return None
    days = dosage.duration * _DAYS[dosage.duration_unit]
    longest = (dosage.period_max or dosage.period) * _DAYS[dosage.period_unit]
    shortest = dosage.period * _DAYS[dosage.period_unit]
    if not longest or not shortest:
        return None
    least = (dosage.frequency * days / longest).quantize(Decimal("0.01"))
    most = ((dosage.frequency_max or dosage.frequency) * days / shortest).quantize(Decimal("0.01"))
    return least, most
