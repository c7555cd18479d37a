"""Checks of the amount: one dose and a day's total against what is known of the drug."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from clinic_hwr.prescriptions.checks.context import CheckContext, MedicationReading
from clinic_hwr.prescriptions.checks.registry import Finding, blocker
from clinic_hwr.prescriptions.numbers import plain
from clinic_hwr.prescriptions.tables import read_table
from clinic_hwr.prescriptions.types import Dosage, Strength
from clinic_hwr.prescriptions.units import to_base

_DAYS = {"min": Decimal(1) / 1440, "h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7),
         "mo": Decimal(30), "a": Decimal(365)}  # fmt: skip

# Of drugs without a known limit: more than so many of the largest piece made, or less than this
# share of the smallest, is more often a misread number than a dose.
_MOST_PIECES = Decimal(4)
_LEAST_PIECE = Decimal("0.2")
_SWALLOWED_FORMS = ("Oral Tablet", "Oral Capsule", "Chewable Tablet", "Disintegrating")

_COUNTED = frozenset({"{tablet}", "{capsule}", "{lozenge}", "{suppository}", "{packet}", "{film}"})


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """Adult limits of one ingredient, in mg. Recalled, not audited."""

    at_once_mg: Decimal
    a_day_mg: Decimal
    at_most_weekly: bool


@lru_cache(maxsize=1)
def dose_limits() -> dict[str, DoseLimit]:
    """Ingredient -> limits."""
    return {
        name: DoseLimit(Decimal(once), Decimal(day), weekly == "1")
        for name, once, day, weekly in read_table("dose_limits.tsv")
    }


def dose_mg(dosage: Dosage, strength: Strength | None) -> Decimal | None:
    """Return the largest single dose in mg, or None where it cannot be told.

    "2 tablets" of 500 mg are 1000 mg, "5 mL" of 250 mg/5 mL are 250 mg.
    """
    amount = dosage.dose_high or dosage.dose
    if amount is None or dosage.dose_unit is None:
        return None
    value, base = to_base(amount, dosage.dose_unit)
    if base == "mg":
        return value
    if strength is None or strength.others or not strength.unit:
        return None
    piece, unit = to_base(strength.value, strength.unit)
    if unit != "mg":
        return None
    if dosage.dose_unit in _COUNTED and strength.per_unit is None:
        return amount * piece
    if base == "mL" and strength.per_unit and strength.per_value:
        per, per_unit = to_base(strength.per_value, strength.per_unit)
        return value * piece / per if per_unit == "mL" and per else None
    return None


def times_a_day(dosage: Dosage) -> Decimal | None:
    """Return the most times a day on average, or None where the directions do not say.

    Directions by days of the week count those days.
    """
    times = dosage.frequency_max or dosage.frequency
    if times is None:
        if dosage.days_of_week:
            return Decimal(len(dosage.days_of_week)) / 7
        return None
    if dosage.period is None or dosage.period_unit not in _DAYS:
        return None
    days = dosage.period * _DAYS[dosage.period_unit]
    if not days:
        return None
    share = Decimal(len(dosage.days_of_week)) / 7 if dosage.days_of_week else Decimal(1)
    return times / days * (share if dosage.period_unit != "wk" else Decimal(1))


@blocker("dose_out_of_range")
def dose_out_of_range(context: CheckContext) -> Iterator[Finding]:
    """One dose, a day's total or the frequency is outside of what is known of the drug."""
    for reading in context.medications:
        for sentence in _out_of_range(context, reading):
            group = reading.medication.sequence
            yield Finding(sentence, context.on_paper(group, "sig", "drug"), group)


def _out_of_range(context: CheckContext, reading: MedicationReading) -> Iterator[str]:
    medication, sig = reading.medication, reading.sig
    if medication.drug is None or sig is None:
        return
    entry = context.lexicon.entry(medication.drug)
    name = medication.drug.tallman or medication.drug.name
    limit = dose_limits().get(" / ".join(entry.ingredients))
    daily: dict[int, Decimal] = {}
    for dosage in sig.dosages:
        single = dose_mg(dosage, medication.strength)
        times = times_a_day(dosage)
        if (
            limit is not None
            and limit.at_most_weekly
            and times is not None
            and times > Decimal(1) / 7
        ):
            yield (
                f"{name} is given once a week by mouth in most uses (from an unaudited list) and "
                "the directions say more often: check the frequency."
            )
        if single is None:
            continue
        if limit is not None and single > limit.at_once_mg:
            yield (
                f"One dose is {plain(single)} mg of {name}, and at most {plain(limit.at_once_mg)} "
                "mg are usual (from an unaudited list): check dose and strength."
            )
        elif limit is None:
            yield from _against_pieces(context, reading, name, single)
        if times is not None:
            daily[dosage.sequence] = daily.get(dosage.sequence, Decimal(0)) + single * times
    most = max(daily.values(), default=Decimal(0))
    if limit is not None and most > limit.a_day_mg:
        total = plain(most.quantize(Decimal("0.1")))
        yield (
            f"The directions come to {total} mg of {name} a day, "
            f"and at most {plain(limit.a_day_mg)} mg are usual (from an unaudited list): check "
            "dose and frequency."
        )


def _against_pieces(
    context: CheckContext, reading: MedicationReading, name: str, single: Decimal
) -> Iterator[str]:
    """Compare with the tablets and capsules that are made, where no limit is known."""
    assert reading.medication.drug is not None  # noqa: S101 - the caller has checked; narrows
    made = context.lexicon.pieces_mg(
        context.lexicon.entry(reading.medication.drug), _SWALLOWED_FORMS
    )
    if not made:
        return
    if single > _MOST_PIECES * max(made):
        yield (
            f"One dose is {plain(single)} mg of {name}, more than {_MOST_PIECES} of the largest "
            f"made ({plain(max(made))} mg): check dose and strength."
        )
    elif single < _LEAST_PIECE * min(made):
        yield (
            f"One dose is {plain(single)} mg of {name}, and the smallest made is "
            f"{plain(min(made))} mg: check dose and unit."
        )


@blocker("missing_dose_unit")
def missing_dose_unit(context: CheckContext) -> Iterator[Finding]:
    """A dose is a bare number, and the form of the drug does not say what it counts."""
    for reading in context.medications:
        sig = reading.sig
        if sig is None:
            continue
        bare = [d for d in sig.dosages if d.dose is not None and d.dose_unit is None]
        if bare and bare[0].dose is not None:
            group = reading.medication.sequence
            yield Finding(
                f"The dose {plain(bare[0].dose)} has no unit and the form does not give one: check "
                "what is counted.",
                context.on_paper(group, "sig", "drug"),
                group,
            )
