"""Dates written into cells."""

from __future__ import annotations

from datetime import date

import pytest

from clinic_hwr.prescriptions.dates import parse_date


@pytest.mark.parametrize(
    ("text", "day_first", "value", "order_matters"),
    [
        ("04121988", False, date(1988, 4, 12), True),
        ("04121988", True, date(1988, 12, 4), True),
        ("04251988", False, date(1988, 4, 25), False),
        ("041288", False, date(1988, 4, 12), True),
        ("19880425", False, date(1988, 4, 25), False),
        # 12 October 1112 is nobody's birthday, 2 October 1201 neither
        ("12101112", False, None, False),
        ("99999999", False, None, False),
        ("0412198", False, None, False),
    ],
)
def test_dates_in_cells_have_no_signs_between_their_digits(
    text: str, day_first: bool, value: date | None, order_matters: bool
) -> None:
    reading = parse_date(text, today=date(2026, 11, 20), day_first=day_first, past=True)
    assert (reading.value, reading.order_matters) == (value, order_matters)
