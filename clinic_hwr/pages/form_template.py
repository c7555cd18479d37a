"""A form as it is taught: pages with a clean picture each, and named regions drawn over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .known_forms import BadForm
from .types import FIELD_NAMES, FieldKind
from .validators import BadValidator, Validator, validator_from_json

FORMAT = "clinic_hwr form 1"
MOST_PAGES, MOST_REGIONS, MOST_CELLS = 20, 200, 40
_LEAST_SIDE = 0.004  # of the page: 1 mm on letter


class RegionKind(StrEnum):
    """How a region is filled in."""

    TEXT = "text"  # one line of writing, or print
    DRUG = "drug"
    DATE = "date"
    DIGITS = "digits"
    COMB = "comb"  # one character a cell
    CHECKBOX = "checkbox"
    SIGNATURE = "signature"
    FREE_TEXT = "free_text"  # several lines that are one value
    MEDICATIONS = "medications"  # free lines under an Rx: drug, directions and quantity by order


_MARKS = (RegionKind.CHECKBOX, RegionKind.SIGNATURE)
_NAME_KINDS = {
    RegionKind.DRUG: {FieldKind.DRUG},
    RegionKind.DATE: {FieldKind.DATE},
    RegionKind.SIGNATURE: {FieldKind.SIGNATURE, FieldKind.CHECKBOX},
    RegionKind.MEDICATIONS: {FieldKind.DRUG},
}
"""Kinds of names that a region of this kind can have; any but marks where it is not listed."""
_UNNAMED_KINDS = {
    RegionKind.DRUG: FieldKind.DRUG,
    RegionKind.DATE: FieldKind.DATE,
    RegionKind.DIGITS: FieldKind.DIGITS,
    RegionKind.CHECKBOX: FieldKind.CHECKBOX,
    RegionKind.SIGNATURE: FieldKind.SIGNATURE,
}
PER_MEDICATION = ("drug", "strength", "sig", "quantity", "refills", "substitution")


@dataclass(frozen=True, slots=True)
class TemplateRegion:
    """Where a value is written.

    Attributes:
        field: a key of ``FIELD_NAMES``; ``unnamed`` for what only this form has.
        kind: how it is filled in.
        box: x, y, width and height as shares 0..1 of the page's width and height.
        group: medication number, 0 for the whole page.
        label: what people call it, e.g. as printed; "" for the field's name.
        cells: for ``comb``: how many.
        value: for ``checkbox``: what a tick means; "" when only whether it is ticked counts.
        validators: rules its value must keep.
    """

    field: str
    kind: RegionKind
    box: tuple[float, float, float, float]
    group: int = 0
    label: str = ""
    cells: int = 0
    value: str = ""
    validators: tuple[Validator, ...] = ()

    @property
    def field_kind(self) -> FieldKind:
        """What the value is to the recognizer and to routing."""
        if self.kind is RegionKind.FREE_TEXT:
            return FieldKind.PARAGRAPH
        if self.field == "unnamed":
            return _UNNAMED_KINDS.get(self.kind, FieldKind.TEXT)
        return FIELD_NAMES[self.field]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, as ``region_from_json`` reads them."""
        return {
            "field": self.field,
            "kind": str(self.kind),
            "box": list(self.box),
            "group": self.group,
            "label": self.label,
            "cells": self.cells,
            "value": self.value,
            "validators": [rule.to_json() for rule in self.validators],
        }


def region_from_json(data: Any) -> TemplateRegion:
    """Read one region.

    Raises:
        BadForm: what is wrong with it, in words for whoever drew it.
    """
    if not isinstance(data, Mapping):
        raise BadForm("A region must be an object.")
    unknown = set(data) - {
        "field", "kind", "box", "group", "label", "cells", "value", "validators",
    }  # fmt: skip
    if unknown:
        raise BadForm(f"A region has no {', '.join(sorted(map(str, unknown)))}.")
    field, kind = data.get("field"), data.get("kind")
    if not isinstance(field, str) or field not in FIELD_NAMES:
        raise BadForm(f"Unknown field {field!r}; choose one of {', '.join(sorted(FIELD_NAMES))}.")
    if kind not in tuple(RegionKind):
        raise BadForm(f"Unknown kind {kind!r}; choose one of {', '.join(RegionKind)}.")
    region = TemplateRegion(
        field,
        RegionKind(kind),
        _box(data.get("box")),
        _whole(data.get("group", 0), "group", 20),
        _text(data.get("label", ""), "label", 80),
        _whole(data.get("cells", 0), "cells", MOST_CELLS),
        _text(data.get("value", ""), "value", 60),
        _rules(data.get("validators", [])),
    )
    _check(region)
    return region


def regions_from_json(data: Any) -> tuple[TemplateRegion, ...]:
    """Read the regions of one page; raises ``BadForm`` with the number of the bad one."""
    if not isinstance(data, list) or len(data) > MOST_REGIONS:
        raise BadForm(f"A page has a list of at most {MOST_REGIONS} regions.")
    regions = []
    for number, one in enumerate(data, start=1):
        try:
            regions.append(region_from_json(one))
        except BadForm as error:
            raise BadForm(f"Region {number}: {error}") from error
    seen: dict[tuple[str, int, str], int] = {}
    for number, region in enumerate(regions, start=1):
        key = (region.field, region.group, region.value)
        many = region.field == "unnamed" or region.kind is RegionKind.MEDICATIONS
        twice = seen.setdefault(key, number)
        if twice != number and not many and region.kind is not RegionKind.SIGNATURE:
            raise BadForm(f"Region {number}: has the name of region {twice}.")
    return tuple(regions)


def pages_to_json(name: str, pages: Sequence[Sequence[TemplateRegion]]) -> dict[str, Any]:
    """Return a form for export: its name and the regions of every page, without pictures."""
    return {
        "format": FORMAT,
        "name": name,
        "pages": [{"regions": [region.to_json() for region in page]} for page in pages],
    }


def pages_from_json(data: Any) -> tuple[str, tuple[tuple[TemplateRegion, ...], ...]]:
    """Read what ``pages_to_json`` wrote: name, and the regions of every page.

    Raises:
        BadForm: another format, or a bad page or region.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise BadForm(f"This is no form of the format {FORMAT!r}.")
    pages = data.get("pages")
    if not isinstance(pages, list) or not 0 < len(pages) <= MOST_PAGES:
        raise BadForm(f"A form has one to {MOST_PAGES} pages.")
    found = []
    for number, page in enumerate(pages, start=1):
        if not isinstance(page, Mapping):
            raise BadForm(f"Page {number} must be an object.")
        try:
            found.append(regions_from_json(page.get("regions", [])))
        except BadForm as error:
            raise BadForm(f"Page {number}: {error}") from error
    return _text(data.get("name", ""), "name", 80), tuple(found)


def _check(region: TemplateRegion) -> None:
    if (region.kind is RegionKind.COMB) != (region.cells > 0):
        raise BadForm("A comb needs its number of cells, and nothing else has cells.")
    if region.value and region.kind is not RegionKind.CHECKBOX:
        raise BadForm("Only a checkbox says what a tick means.")
    if region.group and region.field not in (*PER_MEDICATION, "unnamed"):
        raise BadForm(f"{region.field} takes no medication number.")
    if region.field == "unnamed":
        if not region.label:
            raise BadForm("A region without a field needs a label, so that people know what it is.")
        return
    kind = FIELD_NAMES[region.field]
    allowed = _NAME_KINDS.get(region.kind)
    is_mark = kind in (FieldKind.CHECKBOX, FieldKind.SIGNATURE)
    if allowed is not None and kind not in allowed:
        raise BadForm(f"{region.field} cannot be of the kind {region.kind}.")
    if is_mark and region.kind not in _MARKS:
        raise BadForm(f"{region.field} is a mark: make it a checkbox or a signature.")
    if region.kind is RegionKind.CHECKBOX and not is_mark and not region.value:
        raise BadForm(f"Say which {region.field} a tick in this box means.")


def _box(values: Any) -> tuple[float, float, float, float]:
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        raise BadForm("A box has four numbers: x, y, width and height.")
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values):
        raise BadForm("A box has four numbers: x, y, width and height.")
    x, y, width, height = (round(float(one), 6) for one in values)
    inside = x >= 0 and y >= 0 and x + width <= 1.000002 and y + height <= 1.000002
    if not inside or width < _LEAST_SIDE or height < _LEAST_SIDE:  # also refuses NaN
        raise BadForm("The box must lie on the page and be at least a millimetre wide and high.")
    return x, y, width, height


def _whole(value: Any, name: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadForm(f"{name} must be a whole number from 0 to {most}.")
    return value


def _text(value: Any, name: str, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not (value.isprintable() or not value):
        raise BadForm(f"{name} must be text of at most {most} characters.")
    return value.strip()


def _rules(values: Any) -> tuple[Validator, ...]:
    if not isinstance(values, list) or len(values) > 10:
        raise BadForm("validators must be a list of at most ten rules.")
    rules = []
    for value in values:
        if not isinstance(value, Mapping):
            raise BadForm("A validator must be an object.")
        try:
            rules.append(validator_from_json(value))
        except BadValidator as error:
            raise BadForm(str(error)) from error
    return tuple(rules)
