"""Read written strengths and compare them with the strengths that are made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from clinic_hwr.prescriptions.numbers import NUMBER, decimal_of
from clinic_hwr.prescriptions.types import Strength
from clinic_hwr.prescriptions.units import MICRO_SIGNS, to_base, ucum_of

_UNIT = (
    r"(?:mgs?|mgm|mcgs?|ug|ng|gms?|grams?|g|milligrams?|micrograms?|kg|ml|mls|cc|units?|iu|u|"
    r"meq|mmol|%)(?![a-z])"
)
_PER = r"(?:ml|mls|l|g|gm|hr?|hour|puff|actuation|act|spray|dose|inhalation)(?![a-z])"
_AMOUNT = rf"{NUMBER}\s*(?:{_UNIT})?"
_STRENGTH = re.compile(
    rf"(?<![\w.])(?P<first>{NUMBER})\s*(?P<unit>{_UNIT})?"
    rf"(?:\s*(?:/|per)\s*(?P<per>{NUMBER}\s*)?(?P<per_unit>{_PER})(?!\s*\d)"
    rf"|(?P<others>(?:(?:\s*/\s*|-){_AMOUNT}){{1,3}}))?(?!\d)",
    re.IGNORECASE,
)
_OTHER = re.compile(rf"[/-]\s*({NUMBER})\s*({_UNIT})?", re.IGNORECASE)
_PER_UCUM = {"hr": "h", "h": "h", "hour": "h", "act": "{puff}", "actuation": "{puff}",
             "puff": "{puff}", "spray": "{spray}", "dose": "{dose}",
             "inhalation": "{inhalation}"}  # fmt: skip

# RxNorm rounds concentrations to three digits (21.7 MG/ML for 650 mg in 30 mL).
_TOLERANCE = Decimal("0.015")


@dataclass(frozen=True, slots=True)
class FoundStrength:
    """A strength in a text, and where: ``text[start:end]``."""

    strength: Strength
    start: int
    end: int


def find_strengths(text: str) -> tuple[FoundStrength, ...]:
    """Return every written strength in ``text``, in order; bare numbers have ``unit == ""``."""
    found = []
    for match in _STRENGTH.finditer(text.translate(MICRO_SIGNS)):
        strength = _strength_of(match, text[match.start() : match.end()].strip())
        if strength is not None:
            found.append(FoundStrength(strength, match.start(), match.end()))
    return tuple(found)


def parse_strength(text: str) -> Strength | None:
    """Return the strength that makes up the whole of ``text``, or None."""
    stripped = text.strip()
    match = _STRENGTH.fullmatch(stripped.translate(MICRO_SIGNS))
    return _strength_of(match, stripped) if match else None


def _strength_of(match: re.Match[str], text: str) -> Strength | None:
    value = decimal_of(match["first"])
    if value is None:
        return None
    unit = ucum_of(match["unit"] or "") or ""
    if match["per_unit"]:
        written_per = match["per_unit"].lower()
        per_unit = _PER_UCUM.get(written_per) or ucum_of(written_per) or written_per
        per_value = decimal_of(match["per"] or "1")
        if not per_value:  # "5 mg/0 mL" is no strength
            return None
        return Strength(text, value, unit, per_value, per_unit)
    others: list[tuple[Decimal, str]] = []
    for number, written in _OTHER.findall(match["others"] or ""):
        other = decimal_of(number)
        if other is None:
            return None
        others.append((other, ucum_of(written) or ""))
    # "20-12.5 mg": one unit at the end serves all amounts.
    units = [unit, *(other_unit for _, other_unit in others)]
    last = units[-1]
    if last and not any(units[:-1]):
        unit = last
        others = [(other, last) for other, _ in others]
    return Strength(text, value, unit, others=tuple(others))


_FORM_START = re.compile(r" (?=[A-Z][a-z])")


def split_form(text: str) -> tuple[str, str]:
    """Split "500 MG Oral Tablet" into strength and dose form."""
    match = _FORM_START.search(text)
    if match is None:
        return text.strip(), ""
    return text[: match.start()].strip(), text[match.end() :].strip()


@dataclass(frozen=True, slots=True)
class MadeStrength:
    """One strength that is on the market: amounts, or concentrations with a volume.

    Attributes:
        amounts: (value, base unit, per base unit or ""), one an ingredient.
        volume_ml: container volume, when RxNorm gives one.
    """

    amounts: tuple[tuple[Decimal, str, str], ...]
    volume_ml: Decimal | None = None


_MADE = re.compile(r"(\d+(?:\.\d+)?) ([A-Z%]+)(?:/([A-Z]+))?$")


def parse_made(text: str) -> MadeStrength | None:
    """Read an RxNorm strength such as ``3 ML / 100 UNT/ML``; None when it is not understood."""
    amounts: list[tuple[Decimal, str, str]] = []
    volume: Decimal | None = None
    parts = text.split(" / ")
    for index, part in enumerate(parts):
        match = _MADE.match(part.strip())
        if match is None:
            return None
        number, unit, per = match.groups()
        if index == 0 and unit == "ML" and not per and len(parts) > 1:
            volume = Decimal(number)
            continue
        value, base = to_base(Decimal(number), ucum_of(unit) or unit)
        amounts.append((value, base, _per_base(per or "")))
    return MadeStrength(tuple(amounts), volume) if amounts else None


def _per_base(per: str) -> str:
    return {"ML": "mL", "HR": "h", "ACTUAT": "{puff}"}.get(per, "mg" if per == "MG" else per)


def is_made(written: Strength, made: MadeStrength) -> bool:
    """Whether the written strength is this marketed one, in full.

    Every ingredient must agree. A bare number (no unit) is compared by its value in mg or in the
    unit that is made. A percentage is grams per 100 mL or per 100 g.
    """
    wanted = _written_amounts(written)
    if len(wanted) != len(made.amounts):
        return False
    left = list(made.amounts)
    for amount in wanted:
        hit = next((m for m in left if _same(amount, m, made.volume_ml)), None)
        if hit is None:
            return False
        left.remove(hit)
    return True


def is_part_of(written: Strength, made: MadeStrength) -> bool:
    """Whether one written amount names a combination by one part or by the sum of its parts.

    "Augmentin 875" means 875 mg / 125 mg; in some countries "Augmentin 625" means 500 + 125.
    """
    wanted = _written_amounts(written)
    if len(wanted) != 1 or len(made.amounts) < 2:
        return False
    if any(_same(wanted[0], amount, made.volume_ml) for amount in made.amounts):
        return True
    if len({(unit, per) for _, unit, per in made.amounts}) != 1:
        return False
    total = sum((value for value, _, _ in made.amounts), Decimal(0))
    _, unit, per = made.amounts[0]
    return _same(wanted[0], (total, unit, per), made.volume_ml)


def _written_amounts(written: Strength) -> list[tuple[Decimal, str, str]]:
    """Written amounts in base units; unit "" when none was written."""
    amounts = []
    for value, unit in ((written.value, written.unit), *written.others):
        number, base = to_base(value, unit)
        per = ""
        if written.per_unit and written.per_value:
            per_number, per = to_base(written.per_value, written.per_unit)
            number = number / per_number
        amounts.append((number, base, per))
    return amounts


def _same(
    written: tuple[Decimal, str, str], made: tuple[Decimal, str, str], volume_ml: Decimal | None
) -> bool:
    value, unit, per = written
    made_value, made_unit, made_per = made
    if unit == "%":
        if made_unit == "%":
            return _close(value, made_value)
        as_ratio = {"mL": value * 10, "mg": value / 100}.get(made_per)
        return made_unit == "mg" and as_ratio is not None and _close(as_ratio, made_value)
    if unit and unit != made_unit:
        return False
    if per == made_per and _close(value, made_value):
        return True
    # "25 mg" of a 25 mg/mL, 1 mL syringe: the whole container is meant.
    in_container = not per and made_per == "mL" and volume_ml is not None
    return in_container and volume_ml is not None and _close(value, made_value * volume_ml)


def _close(a: Decimal, b: Decimal) -> bool:
    return abs(a - b) <= _TOLERANCE * max(abs(a), abs(b))
