"""Quantities that are written behind the drug on its line, cut off as fields of their own.

"Sertraline 50 mg tab #30" is one line to the eye and two values to a pharmacist. The reading shows
the number sign, the ink where to cut. What was cut is read again, and kept where both pieces say
what the whole line said, or where a number and its sign stand alone behind a name: read by itself
"#30" is clearer than at the end of a line. So is a number without a sign behind "tab" or "cap", and
one that only the whole line or another reading of the piece shows. Such a number is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.components import connected_pieces
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldKind, FieldRegion, Gray, NamedBy
from clinic_hwr.prescriptions.forms import form_of
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading

ReadRegions = Callable[[Sequence[FieldRegion]], Sequence[Reading | None]]
"""Reads regions of the page; None for what holds no writing."""

# A name and more, then a number sign and a number, which end the line.
_BEHIND = re.compile(r"^(?P<drug>.*[A-Za-z]{4}.*\S)\s+#\s?(?P<number>\d{1,4})\W*$")
_ALONE = re.compile(r"^\W*#?\s?(\d{1,4})\W*$")
_SIGNED = re.compile(r"^\W{0,2}(?:#|N[ro]\.?|Qty:?|Disp:?)\s?(\d{1,4})\W*$", re.IGNORECASE)
# What a number and its sign may be read as: digits, with strokes of the sign among them.
_DIGITS = re.compile(r"^(?=.*\d)[\d#\W]{1,6}$")
# No word, no end of one before the sign, and no longer than a number is.
_SHORT = re.compile(r"^(?!.*[^\W\d]{3}|.*[^\W\d]\s?#).{1,6}$")
_LAST_WORD = re.compile(r"([^\W\d]{2,})\W*$")
_SIGN_LEFT = re.compile(r"#\W*$")
_NAME = re.compile(r"[A-Za-z]{4}")
_MAY_HOLD_ONE = ("drug", "unnamed")
_PLAIN = (FIELD_NAMES["drug"], FIELD_NAMES["sig"], FieldKind.TEXT)
_MAY_END_SO = ("sig",)  # where its place says otherwise than what is read
# A cut is at a gap this wide at least, and so far from where the letters say, in line heights and
# in shares of the line. Where they say nothing, at one of the widest before so short an end.
_GAP, _OFF = 0.12, 0.15
_MOST_CUTS, _MOST_GUESSED, _SHORTEST, _LONGEST = 3, 2, 0.04, 0.3
_LETTER = 0.25  # of a line's height: what is lower is a dot, or ink of the next line
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
    best: dict[int, int] = {}
    for place, (number, halves) in enumerate(pairs):
        left, right = again[2 * place : 2 * place + 2]
        whole = readings[number]
        if not (whole and left and right):
            continue
        said, amount = _amount(whole, left, right)
        if said > best.get(number, 0):
            best[number] = said
            cut[number] = list(zip(halves, (left, amount), strict=True))
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
    plain = region.kind in _PLAIN and region.printed_text is None
    boxed = region.named_by is NamedBy.FORM or region.lines_px
    box = region.box_px
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    may = region.name in _MAY_HOLD_ONE or (region.name in _MAY_END_SO and found is not None)
    if not may or not plain or boxed or crop.size == 0:
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
            replace(region, box_px=_around(ink, Box(box.x, box.y, end + 1, box.height))),
            replace(region, name="unnamed", kind=FIELD_NAMES["unnamed"], group=0, label="",
                    box_px=_around(ink, Box(box.x + start, box.y, box.width - start, box.height)),
                    named_by=NamedBy.NOBODY),
        )
        for end, start in gaps[: _MOST_CUTS if found else _MOST_GUESSED]
    ]  # fmt: skip


def _around(ink: Gray, box: Box) -> Box:
    """The box of the letters in a piece of a line: the line is as high as its highest letter."""
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    count, _, stats, _ = connected_pieces(ink_mask(np.ascontiguousarray(crop)))
    letters = stats[1:count][stats[1:count, cv2.CC_STAT_HEIGHT] > _LETTER * box.height]
    if len(letters) == 0:
        return box
    top = int(letters[:, cv2.CC_STAT_TOP].min())
    bottom = int((letters[:, cv2.CC_STAT_TOP] + letters[:, cv2.CC_STAT_HEIGHT]).max())
    return Box(box.x, box.y + top, box.width, bottom - top)


def _amount(whole: Reading, left: Reading, right: Reading) -> tuple[int, Reading]:
    """How well a number right of a cut and a name left of it fit, 0 for not, and the number.

    Sure is only what all three readings say. Else the number has its sign, or another reading of
    it has, or the whole line's end is a number and the piece is one of digits (or, behind a form of
    medicines, no word), or a number stands alone behind such a form.
    """
    if not _NAME.search(left.text) or _BEHIND.match(left.text):
        return 0, right
    cut_off = bool(_SIGN_LEFT.search(left.text))  # the sign stands left of the cut
    if _agree(whole.text, right.text):
        return 1 if cut_off else 4, right
    if _SIGNED.match(right.text):
        return 3, replace(right, p_correct=min(right.p_correct, _DISPUTED))
    number, behind_form = _BEHIND.match(whole.text), _ends_in_form(left.text)
    if not (_DIGITS if number is None or not behind_form else _SHORT).match(right.text):
        return 0, right
    if number is not None:
        signed = [one.text for one in right.alternatives if _SIGNED.match(one.text)]
        same = [one for one in signed if _agree(whole.text, one)]
        text = (*same, *signed, f"#{number['number']}")[0]
        return 1 if cut_off else 2, _unsure(right, text, whole.p_correct)
    if _ALONE.match(right.text) and behind_form:
        text = "#" + re.sub(r"\D", "", right.text)
        return 1 if cut_off else 2, _unsure(right, text, whole.p_correct)
    return 0, right


def _ends_in_form(text: str) -> bool:
    """Whether a line ends in "tab", "cap" or another form of medicines."""
    last = _LAST_WORD.search(text)
    return last is not None and form_of(last[1].lower()) is not None


def _unsure(reading: Reading, text: str, most: float) -> Reading:
    """A reading that says something else, no surer than half."""
    sure = min(reading.p_correct, most, _DISPUTED)
    others = tuple(one for one in reading.alternatives if one.text != text)
    return replace(
        reading, text=text, p_correct=sure,
        chars=tuple(CharConfidence(char, sure) for char in text),
        alternatives=(Alternative(text, sure), *others),
    )  # fmt: skip


def _agree(whole: str, right: str) -> bool:
    """Whether a piece says the number that ends the whole line, and no more."""
    number, alone = _BEHIND.match(whole), _ALONE.match(right)
    return number is not None and alone is not None and alone[1] == number["number"]
