"""Decimals keep their digits from paper to wire, and the bytes are plain ASCII JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.fhir.encoding import from_bytes, to_bytes


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("1.50", b"1.50"),
        ("0.10", b"0.10"),
        ("-2.0", b"-2.0"),
        ("30", b"30"),
        ("5E-7", b"0.0000005"),
        ("1E+2", b"1E+2"),
        ("123456789012345678.125", b"123456789012345678.125"),
    ],
)
def test_a_decimal_is_written_with_its_digits(value: str, digits: bytes) -> None:
    assert to_bytes({"value": Decimal(value)}) == b'{"value":' + digits + b"}"


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_comes_back_equal(value: Decimal) -> None:
    # parse_float sees only numbers with a point or exponent; whole ones come back as int
    assert from_bytes(to_bytes({"value": value}))["value"] == value


json_values = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_any_json_parser_reads_back_what_was_written(resource: dict[str, object]) -> None:
    assert json.loads(to_bytes(resource)) == resource


def test_the_bytes_are_ascii() -> None:
    assert to_bytes({"text": "Zoë \U0001f48a"}) == b'{"text":"Zo\\u00eb \\ud83d\\udc8a"}'


def test_a_float_is_refused_as_its_digits_are_not_the_papers() -> None:
    with pytest.raises(TypeError):
        to_bytes({"value": 1.5})


def test_a_decimal_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a number"):
        to_bytes({"value": Decimal("NaN")})
