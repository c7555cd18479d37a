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


_MOST_DEPTH = 128  # of objects and lists in one another


class NotJson(ValueError):
    """Bytes that are no JSON a FHIR resource may be written in; the message says why."""


def from_client(body: bytes) -> Any:
    """Return the JSON value of bytes from outside, decimals as ``Decimal``.

    Raises:
        NotJson: no UTF-8, no JSON, a member twice, a number that is none, nested too deep.
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_no_twins,
        )
        _refuse_depth(value)
        return value
    except NotJson:
        raise
    except UnicodeDecodeError as error:
        raise NotJson("The body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise NotJson(
            f"The body is no JSON (line {error.lineno}, column {error.colno})."
        ) from error
    except RecursionError as error:
        raise NotJson("The body is nested too deep.") from error
    except (ValueError, ArithmeticError) as error:
        raise NotJson("The body holds a number that is too long.") from error


def _refuse_depth(value: Any) -> None:
    """Refuse what walking it could not survive; resources end long before that depth."""
    level = [value]
    for _ in range(_MOST_DEPTH):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return
        level = below
    raise NotJson("The body is nested too deep.")


def _no_constant(name: str) -> Any:
    raise NotJson("NaN and Infinity are no JSON.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("An object holds the same member twice.")
    return found


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
