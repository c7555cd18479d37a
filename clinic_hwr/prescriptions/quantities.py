"""Quantity to dispense and refills, where figures and words must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from clinic_hwr.prescriptions.forms import BY_NAME, form_of
from clinic_hwr.prescriptions.numbers import NUMBER, decimal_of, number_of_words
from clinic_hwr.prescriptions.types import Quantity
from clinic_hwr.prescriptions.units import ucum_of

_LABEL = re.compile(
    r"^\s*(?:dispense|disp|qty|quantity|mitte|mitt|no\.|supply|give)?\s*[:.]?\s*#?\s*",
    re.IGNORECASE,
)
_CONTAINERS = {"bottle": "{bottle}", "bottles": "{bottle}", "tube": "{tube}", "tubes": "{tube}",
               "box": "{box}", "boxes": "{box}", "inhaler": "{inhaler}",
               "inhalers": "{inhaler}", "vial": "{vial}", "vials": "{vial}", "pack": "{pack}",
               "packs": "{pack}", "strip": "{strip}", "strips": "{strip}", "pen": "{pen}",
               "pens": "{pen}"}  # fmt: skip
_NO_REFILL = {"nr", "none", "no", "no refills", "no refill", "nil", "zero", "0", "n/r"}
_REFILL_LABEL = re.compile(
    r"^\s*(?:refills?|rf|rpt|rep|repeats?|ref)?\s*[:.]?\s*[x#]?\s*", re.IGNORECASE
)

# More than this on one line is a misread: the largest ordinary dispensing is some thousand mL.
_MAX_QUANTITY = Decimal(10000)
MAX_REFILLS = 99


@dataclass(frozen=True, slots=True)
class NumberReading:
    """A number that may be written in figures, in words, or in both.

    Attributes:
        value: the number, or None when there is none or the two disagree.
        disagree: figures and words name different numbers.
        leftover: words that are neither number nor unit.
        unit_words: words that may name a unit.
    """

    value: Decimal | None
    disagree: bool
    leftover: tuple[str, ...]
    unit_words: tuple[str, ...] = ()


def _read_number(text: str) -> NumberReading:
    figures = [decimal_of(found) for found in re.findall(NUMBER, text)]
    rest = re.sub(NUMBER, " ", text)
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", rest.lower())
    spelled: list[str] = []
    others: list[str] = []
    for word in words:
        parts = word.split("-")
        if all(number_of_words([part]) is not None or part == "hundred" for part in parts):
            spelled.extend(parts)
        else:
            others.append(word)
    in_words = number_of_words(spelled) if spelled else None
    values = {value for value in figures if value is not None}
    if in_words is not None:
        values.add(Decimal(in_words))
    understood = None not in figures and (in_words is not None or not spelled)
    value = next(iter(values)) if len(values) == 1 and understood else None
    return NumberReading(value, len(values) > 1, (), tuple(others))


def parse_quantity(text: str) -> tuple[Quantity | None, NumberReading]:
    """Read "#30", "Disp: thirty (30) tabs" or "200 mL".

    Returns:
        The quantity, or None when there is no single number, and what was read on the way:
        ``disagree`` and the words that are left over.
    """
    body = _LABEL.sub("", text, count=1)
    reading = _read_number(body)
    unit = ""
    leftover: list[str] = []
    for word in reading.unit_words:
        code = ucum_of(word) or _CONTAINERS.get(word)
        form = form_of(word)
        if code is None and form is not None:
            code = BY_NAME[form].unit
        if code and not unit:
            unit = code
        elif code is None and word not in {"of", "x", "only", "and", "no"}:
            leftover.append(word)
    reading = NumberReading(reading.value, reading.disagree, tuple(leftover), reading.unit_words)
    if reading.value is None or not 0 < reading.value <= _MAX_QUANTITY:
        return None, reading
    return Quantity(text, reading.value, unit), reading


def parse_refills(text: str) -> tuple[int | None, NumberReading]:
    """Read "2", "RF: two (2)", "NR". Returns the number of refills, or None, and the reading."""
    body = _REFILL_LABEL.sub("", text, count=1).strip().lower().rstrip(".")
    if body in _NO_REFILL or text.strip().lower().rstrip(".") in _NO_REFILL:
        return 0, NumberReading(Decimal(0), False, ())
    reading = _read_number(body)
    left = tuple(w for w in reading.unit_words if w not in {"refill", "refills", "times", "x"})
    reading = NumberReading(reading.value, reading.disagree, left, ())
    value = reading.value
    if value is None or left or value != value.to_integral_value() or value > MAX_REFILLS:
        return None, reading
    return int(value), reading
