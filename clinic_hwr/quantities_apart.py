"""Quantities that are written behind the drug on its line, cut off as fields of their own.

"Sertraline 50 mg tab #30" is one line to the eye and two values to a pharmacist. The reading shows
the number sign, the ink where to cut. What was cut is read again, and kept where both pieces say
what the whole line said, or where a number and its sign stand alone behind a name: read by itself
"#30" is clearer than at the end of a line. Such a number is not sure.
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
_SIGNED = re.compile(r"^\W{0,2}(?:#|N[ro]\.?|Qty:?|Disp:?)\s?(\d{1,4})\W*$", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z]{4}")
_MAY_HOLD_ONE = ("drug", "unnamed")
# A cut is at a gap this wide at least, and so far from where the letters say, in line heights and
# in shares of the line. Where they say nothing, at one of the widest before so short an end.
_GAP, _OFF = 0.12, 0.15
_MOST_CUTS, _MOST_GUESSED, _SHORTEST, _LONGEST = 3, 2, 0.04, 0.3
# How sure a number is that was read otherwise in the whole line.
_DISPUTED = 0.5


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
        if reading is not None
        for halves in _cuts(ink, region, reading.text)
    ]
    if not pairs:
        return tuple(regions), list(readings), list(range(len(regions)))
    again = list(read([half for _, halves in pairs for half in halves]))
    cut: dict[int, list[tuple[FieldRegion, Reading]]] = {}
    certain: set[int] = set()
    for place, (number, halves) in enumerate(pairs):
        left, right = again[2 * place : 2 * place + 2]
        whole = readings[number]
        if not (whole and left and right) or number in certain:
            continue
        if _agree(whole.text, left.text, right.text):
            cut[number] = list(zip(halves, (left, right), strict=True))
            certain.add(number)
        elif number not in cut and _says_quantity(left.text, right.text):
            right = replace(right, p_correct=min(right.p_correct, _DISPUTED))
            cut[number] = list(zip(halves, (left, right), strict=True))
    kept: list[tuple[FieldRegion, Reading | None]] = []
    origins: list[int] = []
    for number, (region, reading) in enumerate(zip(regions, readings, strict=True)):
        pieces = cut.get(number, [(region, reading)])
        kept += pieces
        origins += [number] * len(pieces)
    return tuple(region for region, _ in kept), [reading for _, reading in kept], origins


def _cuts(ink: Gray, region: FieldRegion, text: str) -> list[tuple[FieldRegion, FieldRegion]]:
    """The drug and the quantity of a line, cut where they may meet; the likeliest cut first."""
    found = _BEHIND.match(text)
    plain = region.kind in (FIELD_NAMES["drug"], FieldKind.TEXT) and region.printed_text is None
    boxed = region.named_by is NamedBy.FORM or region.lines_px
    box = region.box_px
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    if region.name not in _MAY_HOLD_ONE or not plain or boxed or crop.size == 0:
        return []
    if found is None and not (region.name == "drug" and _NAME.search(text)):
        return []
    columns = np.flatnonzero(ink_mask(np.ascontiguousarray(crop)).any(axis=0))
    gaps = [
        (int(columns[n]), int(columns[n + 1]))
        for n in np.flatnonzero(np.diff(columns) > _GAP * box.height)
    ]
    if found is not None:
        expected = box.width * (len(found["drug"]) + 0.5) / len(text.rstrip())
        off = {gap: abs(sum(gap) / 2 - expected) for gap in gaps}
        gaps = sorted((one for one in gaps if off[one] <= _OFF * box.width), key=off.__getitem__)
    else:
        share = {gap: 1 - gap[1] / box.width for gap in gaps}
        gaps = [one for one in gaps if _SHORTEST < share[one] < _LONGEST]
        gaps.sort(key=lambda one: one[0] - one[1])
    return [
        (
            replace(region, box_px=Box(box.x, box.y, end + 1, box.height)),
            replace(region, name="unnamed", kind=FIELD_NAMES["unnamed"], group=0, label="",
                    box_px=Box(box.x + start, box.y, box.width - start, box.height),
                    named_by=NamedBy.NOBODY),
        )
        for end, start in gaps[: _MOST_CUTS if found else _MOST_GUESSED]
    ]  # fmt: skip


def _says_quantity(left: str, right: str) -> bool:
    """Whether what is right of a cut says a number and its sign, and what is left a name alone."""
    return bool(_SIGNED.match(right) and _NAME.search(left) and not _BEHIND.match(left))


def _agree(whole: str, left: str, right: str) -> bool:
    """Whether two pieces say what the whole line said: the same number, and no other behind."""
    number, alone = _BEHIND.match(whole), _ALONE.match(right)
    if number is None or alone is None or _BEHIND.match(left):
        return False
    return alone[1] == number["number"] and bool(_NAME.search(left))
