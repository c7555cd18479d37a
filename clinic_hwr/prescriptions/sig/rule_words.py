"""What the rules of every kind of item share: numbers out of tokens, and words of an amount."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from lark import Token

from clinic_hwr.prescriptions.numbers import plain
from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.vocabulary import DOSE_UNITS

UNCLEAR = p.Unclear()


def unit_words(amount: p.Span, unit: str | None) -> str:
    """Write an amount with its unit ("1 to 2 tablets")."""
    many = amount.high is not None or amount.low > 1
    words = plain(amount.low) + (f" to {plain(amount.high)}" if amount.high is not None else "")
    if unit is None:
        return words
    singular, plural, _ = DOSE_UNITS.get(unit, (unit, unit, ""))
    return f"{words} {plural if many else singular}"


def form_word(unit: str) -> str:
    """Return the singular word of a counted unit ("tablet")."""
    return DOSE_UNITS.get(unit, (unit, unit, ""))[0]


def number_of(token: Token) -> Decimal:
    """Return the number of a NUM-like token."""
    return cast(Decimal, token.value)


def frequency_of(times: Decimal | None, most: Decimal | None, per: tuple[p.Span, str]) -> p.Part:
    """Return a frequency, or Unclear when its numbers are not whole or do not rise."""
    whole = all(number is None or (number > 0 and number % 1 == 0) for number in (times, most))
    rising = times is None or most is None or most > times
    if not whole or not rising or not per[0].valid:
        return UNCLEAR
    low = int(times) if times is not None else None
    high = int(most) if most is not None else None
    return p.Frequency(low, high, per[0], per[1])
