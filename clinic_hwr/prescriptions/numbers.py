"""Numbers as prescribers write them: digits, fractions and English words, read exactly."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)"
"""Pattern of a decimal number; thousands may be grouped by commas."""

FRACTIONS: dict[str, Decimal] = {
    "\u00bd": Decimal("0.5"),
    "\u00bc": Decimal("0.25"),
    "\u00be": Decimal("0.75"),
}
"""Vulgar fraction characters; thirds have no exact decimal and are left as they are."""

UNITS_WORDS: dict[str, int] = {
    word: value
    for value, word in enumerate(
        str.split(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen "
            "fourteen fifteen sixteen seventeen eighteen nineteen"
        )
    )
}
TENS_WORDS: dict[str, int] = {
    word: (index + 2) * 10
    for index, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 - a word list
    )
}


def decimal_of(text: str) -> Decimal | None:
    """Return a written decimal number, digits kept ("1.50" stays 1.50), or None.

    At most 12 characters: longer digit strings on a prescription are identifiers.
    """
    cleaned = text.strip().replace(",", "")
    if not cleaned or len(cleaned) > 12 or not re.fullmatch(r"\d*\.?\d+", cleaned, re.ASCII):
        return None
    try:
        return Decimal("0" + cleaned if cleaned.startswith(".") else cleaned)
    except InvalidOperation:  # pragma: no cover - the pattern above admits decimals only
        return None


def number_of_words(words: list[str]) -> int | None:
    """Return the value of English number words up to 999 ("one hundred twenty"), or None."""
    total = 0
    last = 1000  # the magnitude of the word before: they must fall ("twenty one", not "one twenty")
    seen = False
    for word in words:
        if word == "and" and seen:
            continue
        if word == "hundred" and seen and 1 <= total <= 9:
            total *= 100
            last = 100
        elif word in TENS_WORDS and last > 10:
            total += TENS_WORDS[word]
            last = 10
        elif word in UNITS_WORDS and last > 1 and (last != 10 or 1 <= UNITS_WORDS[word] <= 9):
            total += UNITS_WORDS[word]
            last = 1
        else:
            return None
        seen = True
    return total if seen else None


def plain(value: Decimal) -> str:
    """Write a number for people: no exponent, no trailing zero, a zero before the point."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text or "0"
