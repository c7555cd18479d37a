"""Prescription <-> JSON-ready dict. Decimals travel as strings, so that every digit is kept."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from clinic_hwr.prescriptions.types import Prescription


class CodecError(ValueError):
    """A stored prescription has another shape than this version; the message names the place."""


def to_json(prescription: Prescription) -> dict[str, Any]:
    """Return a dict of str, int, float, bool, None, list and dict only."""
    encoded = _encode(prescription)
    assert isinstance(encoded, dict)  # noqa: S101 - a dataclass encodes to a dict; narrows the type
    return encoded


def from_json(data: Mapping[str, Any]) -> Prescription:
    """Return the prescription that ``to_json`` wrote. Absent fields take their default.

    Raises:
        CodecError: a field is unknown, missing without default, or of another type.
    """
    decoded = _decode(Prescription, data, "prescription")
    assert isinstance(decoded, Prescription)  # noqa: S101 - narrows the type
    return decoded


def _encode(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _encode(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(kind):
            return None
        return _decode(next(a for a in get_args(kind) if a is not type(None)), value, where)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, where)
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, value, where)
    if kind is Decimal or kind is date:
        return _decode_text(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise CodecError(f"{where}: expected {kind.__name__}")
    return value


def _decode_text(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise CodecError(f"{where}: expected text")
    try:
        return Decimal(value) if kind is Decimal else date.fromisoformat(value)
    except (InvalidOperation, ValueError) as error:
        raise CodecError(f"{where}: not a {kind.__name__}") from error


def _decode_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise CodecError(f"{where}: expected a list")
    if kinds[-1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(kinds) != len(value):
        raise CodecError(f"{where}: expected {len(kinds)} items")
    return tuple(
        _decode(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_dataclass(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise CodecError(f"{where}: expected an object")
    hints = _hints(kind)
    unknown = set(value) - set(hints)
    if unknown:
        raise CodecError(f"{where}: unknown field {sorted(unknown)[0]}")
    decoded = {name: _decode(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    try:
        return kind(**decoded)
    except TypeError as error:
        raise CodecError(f"{where}: a required field is missing") from error
