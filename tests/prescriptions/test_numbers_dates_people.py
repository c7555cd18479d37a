"""Quantities, refills, dates, identifiers, ages and weights."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.prescriptions.dates import parse_date
from clinic_hwr.prescriptions.identifiers import dea_valid, npi_of, npi_valid
from clinic_hwr.prescriptions.numbers import number_of_words, plain
from clinic_hwr.prescriptions.people import parse_age_years, parse_weight_kg
from clinic_hwr.prescriptions.quantities import parse_quantity, parse_refills

from .builders import TODAY


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("#30", 30, ""),
        ("30", 30, ""),
        ("Disp: thirty (30)", 30, ""),
        ("#120 (one hundred twenty)", 120, ""),
        ("one hundred and five", 105, ""),
        ("twenty-one tabs", 21, "{tablet}"),
        ("Qty: 30 caps", 30, "{capsule}"),
        ("200 mL", 200, "mL"),
        ("15g", 15, "g"),
        ("1 bottle", 1, "{bottle}"),
        ("1,000 mL", 1000, "mL"),
    ],
)
def test_quantity(text: str, value: int, unit: str) -> None:
    quantity, reading = parse_quantity(text)

    assert quantity is not None
    assert (quantity.value, quantity.unit, quantity.text) == (Decimal(value), unit, text)
    assert (reading.disagree, reading.leftover) == (False, ())


@pytest.mark.parametrize("text", ["thirty (13)", "30 (forty)", "#30 #40"])
def test_quantity_that_disagrees_with_itself(text: str) -> None:
    quantity, reading = parse_quantity(text)

    assert quantity is None
    assert reading.disagree


@pytest.mark.parametrize("text", ["", "a lot", "0", "#99999", "twenty hundred"])
def test_no_quantity(text: str) -> None:
    assert parse_quantity(text)[0] is None


@pytest.mark.parametrize(
    ("text", "refills"),
    [
        ("2", 2), ("0", 0), ("NR", 0), ("none", 0), ("no refills", 0), ("Refills: 5", 5),
        ("RF x 3", 3), ("two (2)", 2), ("prn", None), ("three (2)", None), ("1.5", None),
        ("", None), ("100", None),
    ],
)  # fmt: skip
def test_refills(text: str, refills: int | None) -> None:
    assert parse_refills(text)[0] == refills


def test_number_words_are_read_up_to_999() -> None:
    assert number_of_words(["nine", "hundred", "ninety", "nine"]) == 999
    assert number_of_words(["one", "twenty"]) is None
    assert number_of_words(["twenty", "ten"]) is None
    assert number_of_words([]) is None


@given(st.decimals("0", "100000", places=3))
def test_plain_numbers_keep_their_value_and_no_trailing_zero(value: Decimal) -> None:
    text = plain(value)

    assert Decimal(text) == value
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("text", "day_first", "expected", "order_matters"),
    [
        ("11/05/2026", False, date(2026, 11, 5), True),
        ("11/05/2026", True, date(2026, 5, 11), True),
        ("11/22/2026", True, date(2026, 11, 22), False),  # only one order is a date
        ("22.11.26", False, date(2026, 11, 22), False),
        ("5/5/26", False, date(2026, 5, 5), False),
        ("2026-11-05", True, date(2026, 11, 5), False),
        ("Nov 5, 2026", True, date(2026, 11, 5), False),
        ("5th November 2026", False, date(2026, 11, 5), False),
        ("5-Nov-26", False, date(2026, 11, 5), False),
        ("Date: 11/22/2026", False, date(2026, 11, 22), False),
        ("02/30/2026", False, None, False),
        ("13/13/2026", False, None, False),
        ("11/22", False, None, False),
        ("Foo 5, 2026", False, None, False),
        ("11/22/1026", False, None, False),
        ("", False, None, False),
    ],
)
def test_dates(text: str, day_first: bool, expected: date | None, order_matters: bool) -> None:
    found = parse_date(text, today=TODAY, day_first=day_first)

    assert (found.value, found.order_matters) == (expected, order_matters)


def test_two_digit_years_of_birth_lie_in_the_past() -> None:
    def read(text: str) -> date | None:
        return parse_date(text, today=TODAY, day_first=False, past=True).value

    assert read("02/14/61") == date(1961, 2, 14)
    assert read("02/14/26") == date(2026, 2, 14)
    assert read("02/14/27") == date(1927, 2, 14)


@given(st.text(max_size=30))
def test_any_text_as_a_date_never_raises(text: str) -> None:
    parse_date(text, today=TODAY, day_first=True)
    parse_age_years(text)
    parse_weight_kg(text)
    parse_quantity(text)
    parse_refills(text)
    npi_valid(npi_of(text))


@given(st.dates(date(1930, 1, 1), date(2026, 12, 31)))
def test_a_written_date_is_read_back(day: date) -> None:
    def read(text: str, day_first: bool) -> date | None:
        return parse_date(text, today=TODAY, day_first=day_first).value

    assert read(f"{day:%m/%d/%Y}", False) == day
    assert read(f"{day:%d/%m/%Y}", True) == day
    assert read(f"{day:%d %b %Y}", False) == day


def test_npi() -> None:
    # 1234567893 is the example of the NPI standard
    assert npi_valid("1234567893")
    assert not npi_valid("1234567890")
    assert not npi_valid("3234567893")
    assert not npi_valid("١234567893")
    assert npi_of("NPI# 123 456 7893") == "1234567893"


@given(st.integers(0, 9), st.integers(0, 9))
def test_npi_sees_every_single_wrong_digit(at: int, digit: int) -> None:
    right = "1234567893"
    wrong = right[:at] + str(digit) + right[at + 1 :]

    assert npi_valid(wrong) is (wrong == right)


def test_dea() -> None:
    assert dea_valid("AB1234563")  # (1+3+5) + 2 x (2+4+6) = 33
    assert dea_valid("F91234563")
    assert not dea_valid("AB1234564")
    assert not dea_valid("IB1234563")
    assert not dea_valid("AB123456")


@pytest.mark.parametrize(
    ("text", "kg", "unit_missing"),
    [
        ("12 kg", "12", False), ("12.5kg", "12.5", False), ("26 lb", "11.79", False),
        ("Wt: 70 kg", "70", False), ("3200 g", "3.2", False), ("12", None, True),
        ("abc", None, False), ("0 kg", None, False), ("9999 kg", None, False),
    ],
)  # fmt: skip
def test_weight(text: str, kg: str | None, unit_missing: bool) -> None:
    assert parse_weight_kg(text) == (Decimal(kg) if kg else None, unit_missing)


@pytest.mark.parametrize(
    ("text", "years"),
    [("45", 45), ("45 y", 45), ("45yo", 45), ("6 mo", 0.5), ("3 yrs 6 months", 3.5),
     ("8/12", 8 / 12), ("old", None), ("200", None)],
)  # fmt: skip
def test_age(text: str, years: float | None) -> None:
    found = parse_age_years(text)
    assert found == (pytest.approx(years) if years is not None else None)
