"""What R4 4.0.1 says of each element: the table that ``scripts/build_fhir_tables.py`` makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "data" / "r4.json"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    Attributes:
        type: a primitive, a data type, or the path of a part of a resource.
        required: whether at least one must be there (of a choice: one of its types).
        many: whether it is a list.
        summary: whether it belongs to ``_summary=true``.
        codes: what a required binding allows, None when anything goes or the set is too large.
        targets: the resource types a reference may point at, None for any.
        choice: the name all types of a choice share, "" for other elements.
    """

    type: str
    required: bool
    many: bool
    summary: bool
    codes: frozenset[str] | None
    targets: frozenset[str] | None
    choice: str


@cache
def elements_of(type_name: str) -> dict[str, Element]:
    """Return name -> element of a resource, a data type or a part of a resource; {} if unknown."""
    return {
        name: Element(
            type=str(row["type"]),
            required=row["min"] > 0,
            many=row["max"] != "1",
            summary=row.get("summary", False),
            codes=frozenset(row["codes"]) if "codes" in row else None,
            targets=frozenset(row["targets"]) if "targets" in row else None,
            choice=row.get("choice", ""),
        )
        for name, row in _table().get(type_name, {}).items()
    }


@cache
def _table() -> dict[str, dict[str, dict[str, object]]]:
    table: dict[str, dict[str, dict[str, object]]] = json.loads(_TABLE.read_text("ascii"))
    return table
