"""Dates as written on paper, in the day and month order of the site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january", "feb february", "mar march", "apr april", "may", "jun june",
            "jul july", "aug august", "sep sept september", "oct october", "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NUMERIC = re.compile(r"(\d{1,4})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{1,4})", re.ASCII)
# As written into a row of printed cells: MMDDYYYY, DDMMYYYY or YYYYMMDD, with two digits for the
# year only in the first two orders.
_PACKED = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})", re.ASCII)
_PACKED_YEAR_FIRST = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s.\-/]*(?:of\s+)?([a-z]{3,9})\.?[\s,.\-/]*(\d{4}|\d{2})",
    re.ASCII | re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    r"([a-z]{3,9})\.?[\s.\-/]*(\d{1,2})(?:st|nd|rd|th)?[\s,.\-/]+(\d{4}|\d{2})",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"^\s*(?:date|dob|d\.o\.b\.?|born|dt)\s*[:.]?\s*", re.IGNORECASE)

# Nobody on a prescription is older; a date before it is a misread.
_OLDEST_YEARS = 130


@dataclass(frozen=True, slots=True)
class DateReading:
    """A written date.

    Attributes:
        value: the date, or None when it is impossible or not understood.
        order_matters: day and month could be exchanged and give another date.
    """

    value: date | None
    order_matters: bool = False


def parse_date(text: str, *, today: date, day_first: bool, past: bool = False) -> DateReading:
    """Read a written date.

    Args:
        text: the date as written, with or without its label.
        today: the day of interpretation; it places two-digit years.
        day_first: the site writes 05/11/2026 for 5 November.
        past: the date lies in the past (a birth date): "58" is then 1958, never 2058.
    """
    body = _LABEL.sub("", text).strip()
    if match := _NUMERIC.fullmatch(body):
        return _numeric(match, today=today, day_first=day_first, past=past)
    if match := _PACKED.fullmatch(body):
        return _packed(match, today=today, day_first=day_first, past=past)
    if match := _DAY_MONTH.fullmatch(body):
        day, month, year = match[1], _MONTHS.get(match[2].lower()), match[3]
    elif match := _MONTH_DAY.fullmatch(body):
        month, day, year = _MONTHS.get(match[1].lower()), match[2], match[3]
    else:
        return DateReading(None)
    if month is None:
        return DateReading(None)
    return DateReading(_date(_year(year, today, past), month, int(day), today))


def _packed(match: re.Match[str], *, today: date, day_first: bool, past: bool) -> DateReading:
    """Digits without a sign between them; when two orders give a date the order matters."""
    found = _numeric(match, today=today, day_first=day_first, past=past)
    year_first = _PACKED_YEAR_FIRST.fullmatch(match[0])
    if year_first is None:
        return found
    other = _numeric(year_first, today=today, day_first=day_first, past=past).value
    if found.value is None:
        return DateReading(other)
    return DateReading(found.value, found.order_matters or other is not None)


def _numeric(match: re.Match[str], *, today: date, day_first: bool, past: bool) -> DateReading:
    first, second, third = match.groups()
    if len(first) == 4:  # ISO order; a year in front fixes the rest
        if len(third) > 2:
            return DateReading(None)
        return DateReading(_date(int(first), int(second), int(third), today))
    if len(first) > 2 or len(third) not in (2, 4):
        return DateReading(None)
    year = _year(third, today, past)
    a, b = int(first), int(second)
    as_day_first = _date(year, b, a, today)
    as_month_first = _date(year, a, b, today)
    if as_day_first and as_month_first:
        value = as_day_first if day_first else as_month_first
        return DateReading(value, order_matters=as_day_first != as_month_first)
    return DateReading(as_day_first or as_month_first)


def _year(text: str, today: date, past: bool) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    year += today.year // 100 * 100
    # "27" on a paper of 2026 is a misread or next year's; "58" is never 2058.
    latest = today.year if past else today.year + 10
    return year - 100 if year > latest else year


def _date(year: int, month: int, day: int, today: date) -> date | None:
    if not today.year - _OLDEST_YEARS <= year <= today.year + 100:
        return None
    try:
        return date(year, month, day)
    except ValueError:  # 31 February
        return None
