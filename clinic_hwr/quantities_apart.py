"""Quantities that are written behind the drug on its line, cut off as fields of their own.

"Sertraline 50 mg tab #30" is one line to the eye and two values to a pharmacist. Only the reading
shows the number sign; the ink shows where to cut. What was cut is read again, and kept only where
both pieces say what the whole line said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldKind, FieldRegion, Gray, NamedBy
from clinic_hwr.recognition.types import Reading

ReadRegions = Callable[[Sequence[FieldRegion]], Sequence[Reading | None]]
"""Reads regions of the page; None for what holds no writing."""

# A name and more, then a number sign and a number, which end the line.
_BEHIND = re.compile(r"^(?P<drug>.*[A-Za-z]{4}.*\S)\s+#\s?(?P<number>\d{1,4})\W*$")
_ALONE = re.compile(r"^\W*#?\s?(\d{1,4})\W*$")
_MAY_HOLD_ONE = ("drug", "unnamed")
# The cut is at a gap this wide at least, and so far from where the letters say, in line heights
# and in shares of the line.
_GAP, _OFF = 0.25, 0.15


def with_quantities_apart(
    ink: Gray,
    regions: Sequence[FieldRegion],
    readings: Sequence[Reading | None],
    read: ReadRegions,
) -> tuple[tuple[FieldRegion, ...], list[Reading | None], list[int]]:
    """Cut quantities off the lines they end; a value that a form's box holds stays whole.

    Args:
        ink: the page, (height, width) uint8, without the print of its form where that is known.
        regions: its fields, in reading order.
        readings: one for each.
        read: reads regions of the same page.

    Returns:
        Regions and readings, each quantity behind the line it was cut from, without a name: what it
        says names it. And for each the number of the region it is of.
    """
    pairs = [
        (number, halves)
        for number, (region, reading) in enumerate(zip(regions, readings, strict=True))
        if reading is not None and (halves := _halves(ink, region, reading.text)) is not None
    ]
    if not pairs:
        return tuple(regions), list(readings), list(range(len(regions)))
    again = list(read([half for _, halves in pairs for half in halves]))
    cut: dict[int, list[tuple[FieldRegion, Reading]]] = {}
    for place, (number, halves) in enumerate(pairs):
        left, right = again[2 * place : 2 * place + 2]
        whole = readings[number]
        if whole and left and right and _agree(whole.text, left.text, right.text):
            cut[number] = list(zip(halves, (left, right), strict=True))
    kept: list[tuple[FieldRegion, Reading | None]] = []
    origins: list[int] = []
    for number, (region, reading) in enumerate(zip(regions, readings, strict=True)):
        pieces = cut.get(number, [(region, reading)])
        kept += pieces
        origins += [number] * len(pieces)
    return tuple(region for region, _ in kept), [reading for _, reading in kept], origins


def _halves(ink: Gray, region: FieldRegion, text: str) -> tuple[FieldRegion, FieldRegion] | None:
    """The drug and the quantity of a line, or None where there is nothing to cut, or no place."""
    found = _BEHIND.match(text)
    plain = region.kind in (FIELD_NAMES["drug"], FieldKind.TEXT) and region.printed_text is None
    boxed = region.named_by is NamedBy.FORM or region.lines_px
    if found is None or region.name not in _MAY_HOLD_ONE or not plain or boxed:
        return None
    box = region.box_px
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    if crop.size == 0:
        return None
    columns = np.flatnonzero(ink_mask(np.ascontiguousarray(crop)).any(axis=0))
    expected = box.width * (len(found["drug"]) + 0.5) / len(text.rstrip())
    steps = np.diff(columns)
    gaps = [
        (abs((columns[n] + columns[n + 1]) / 2 - expected), int(columns[n]), int(columns[n + 1]))
        for n in np.flatnonzero(steps > _GAP * box.height)
    ]
    if not gaps or min(gaps)[0] > _OFF * box.width:
        return None
    _, end, start = min(gaps)
    quantity = Box(box.x + start, box.y, box.width - start, box.height)
    return (
        replace(region, box_px=Box(box.x, box.y, end + 1, box.height)),
        replace(region, name="unnamed", kind=FIELD_NAMES["unnamed"], group=0, label="",
                box_px=quantity, named_by=NamedBy.NOBODY),
    )  # fmt: skip


def _agree(whole: str, left: str, right: str) -> bool:
    """Whether two pieces say what the whole line said: the same number, and no other behind."""
    number, alone = _BEHIND.match(whole), _ALONE.match(right)
    if number is None or alone is None or _BEHIND.match(left):
        return False
    return alone[1] == number["number"] and bool(re.search(r"[A-Za-z]{4}", left))
