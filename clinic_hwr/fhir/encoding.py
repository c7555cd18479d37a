"""FHIR resources to bytes: JSON in which a decimal keeps the digits it was given.

``json.dumps`` turns ``Decimal`` into a float or refuses it; R4 (datatypes, decimal) demands that
1.50 stays 1.50. Text is escaped to ASCII so that the same bytes survive every terminal and proxy.
"""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any


def to_bytes(resource: dict[str, Any] | list[Any]) -> bytes:
    """Return the JSON bytes of a resource or of elements.

    They are made of dict, list, str, int, bool and Decimal.

    Raises:
        TypeError: a value of any other type, floats included: their digits are not the paper's.
        ValueError: a decimal that is no number.
    """
    parts: list[str] = []
    _append(resource, parts)
    return "".join(parts).encode("ascii")


def from_bytes(body: bytes) -> dict[str, Any]:
    """Return the resource of JSON bytes, decimals as ``Decimal`` with all their digits."""
    resource: dict[str, Any] = json.loads(body, parse_float=Decimal)
    return resource


def _append(value: Any, parts: list[str]) -> None:
    match value:
        case str():
            parts.append(encode_basestring_ascii(value))
        case True:
            parts.append("true")
        case False:
            parts.append("false")
        case int():
            parts.append(str(value))
        case Decimal():
            parts.append(_decimal_text(value))
        case dict():
            separator = "{"
            for key, member in value.items():
                parts.append(f"{separator}{encode_basestring_ascii(key)}:")
                _append(member, parts)
                separator = ","
            parts.append("}" if value else "{}")
        case list() | tuple():
            separator = "["
            for member in value:
                parts.append(separator)
                _append(member, parts)
                separator = ","
            parts.append("]" if value else "[]")
        case _:
            raise TypeError(f"{type(value).__name__} is no part of a FHIR resource.")


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("A FHIR decimal must be a number.")
    # 1E+2 has one significant digit and 100 has three: only the exponent form keeps that.
    exponent = value.as_tuple().exponent
    return str(value) if isinstance(exponent, int) and exponent > 0 else format(value, "f")
