"""What is written about the patient: age, weight, name."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from clinic_hwr.prescriptions.numbers import NUMBER, decimal_of

# Weight decides the dose under this age; from about 12 years (40 kg) adult doses are usual.
CHILD_UNDER_YEARS = 12

_KG_PER_LB = Decimal("0.45359237")
_WEIGHT = re.compile(
    rf"^\s*(?:wt|weight)?\s*[:.]?\s*({NUMBER})\s*(kgs?|kilos?|lbs?|pounds?|g|grams?)?\.?\s*$",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"(\d{1,3}(?:\.\d)?)\s*(years?|yrs?|y/?o|y|months?|mos?|m/?o|m|weeks?|wks?|w|days?|d)?(?![a-z])",
    re.IGNORECASE,
)
_TWELFTHS = re.compile(r"^\s*(\d{1,2})\s*/\s*12\s*$")
_PER_YEAR = {"y": 1.0, "m": 12.0, "w": 52.18, "d": 365.25}


def parse_weight_kg(text: str) -> tuple[Decimal | None, bool]:
    """Read a body weight.

    Returns:
        The weight in kg (pounds are converted to 0.01 kg), or None; and whether a number was
        written without its unit: kg or lb changes a child's dose by a factor of 2.2.
    """
    match = _WEIGHT.match(text)
    if match is None:
        return None, False
    value = decimal_of(match[1])
    unit = (match[2] or "").lower()
    if value is None or value <= 0:
        return None, False
    if not unit:
        return None, True
    if unit.startswith(("lb", "pound")):
        value = (value * _KG_PER_LB).quantize(Decimal("0.01"))
    elif unit.startswith("g"):
        value = value / 1000
    return (value, False) if Decimal("0.2") <= value <= 500 else (None, False)


def parse_age_years(text: str) -> float | None:
    """Read an age ("45", "6 mo", "3 yrs 2 months", "8/12") in years, or None."""
    twelfths = _TWELFTHS.match(text)
    if twelfths:
        return int(twelfths[1]) / 12
    years = 0.0
    found = _AGE.findall(text)
    if not found or len(found) > 3:
        return None
    for number, unit in found:
        value = decimal_of(number)
        if value is None:
            return None
        years += float(value) / _PER_YEAR[(unit or "y")[0].lower()]
    return years if years <= 130 else None


def age_on(birth: date, day: date) -> float:
    """Return the age in years on ``day``."""
    return (day - birth).days / 365.25


def is_name(text: str) -> bool:
    """Whether a text can be a person's name: at least two letters."""
    return sum(char.isalpha() for char in text) >= 2
