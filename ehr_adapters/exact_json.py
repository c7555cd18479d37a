"""JSON whose decimals keep every digit: FHIR says that 1.50 and 1.5 are different doses."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Json = Any  # dict[str, Json] | list[Json] | str | int | Decimal | bool | None


def loads(data: bytes) -> Json:
    """Parse UTF-8 JSON; numbers with a point or exponent become Decimal.

    Raises:
        ValueError: not JSON, or not UTF-8.
    """
    return json.loads(data, parse_float=Decimal)


def dumps(value: Json) -> bytes:
    """Write compact UTF-8 JSON, Decimals digit for digit."""
    return _text(value).encode()


def _text(value: Json) -> str:
    # The standard encoder would turn a Decimal into a float and lose trailing zeros.
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(str(k))}:{_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
