"""Crossed-out writing: strokes through a line, crosses over a block, scribbles.

What is crossed out is not ordered, and what only looks so may be: both are for a person to decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .corner_strokes import corner_strokes
from .line_strokes import InkLook, Strike, StrokeKind, straight_strokes, strikes_through
from .long_diagonals import crossed_columns, long_diagonals
from .marked_strikes import highest_mark, marked_strikes
from .pen_rules import pen_rules
from .row_crosses import row_crosses
from .rules import FormRules
from .stroke_cores import stroke_cores
from .struck_rows import struck_rows
from .types import Box, LineMaps, StruckOut
from .zigzags import zigzagged

Mask = NDArray[np.uint8]

_WHOLLY, _PARTLY = 0.55, 0.1
_MAYBE = 0.02  # of a segmenter's map, anywhere in a line
# Zigzags: so many strokes above each other, or so much of the height inked, in a column.
_LAYERS, _FILLED = 4, 0.62


def find_strikes(
    gray: Mask,
    ink: Mask,
    rules: FormRules,
    boxes: Sequence[Box],
    letter_px: float,
    maps: LineMaps | None = None,
    ask_of: Sequence[bool] = (),
) -> list[StruckOut]:
    """Say of each line whether it is crossed out.

    Args:
        gray: (height, width) of the page.
        ink: of the same shape, 255 = ink, print and form rules included.
        rules: of the page; a printed rule is no strike, a pen stroke taken for a rule may be one.
        boxes: of the lines.
        letter_px: typical height of a letter.
        maps: what a segmenter says of the page. One that knows crossed-out lines decides, having
            seen the page around a stroke; rules are asked of what it is not quite sure is none,
            and of lines from side to side of a chart, which look like rules to it.
        ask_of: for each line whether a person is to be asked where the map sees nothing and a
            straight stroke goes through it (``PERHAPS``): to miss one there may harm. Rows of a
            chart are looked at for a cross where such a line stands. Without it nothing is asked,
            and all rows are looked at.
    """
    said, asked = [StruckOut.NO] * len(boxes), list(range(len(boxes)))
    doubtful: list[int] = []
    if maps is not None and maps.struck is not None:
        said = [_by_map(maps, ink, rules, box, letter_px) for box in boxes]
        clear = [number for number in asked if said[number] is StruckOut.NO]
        asked = [number for number in clear if highest_mark(maps, boxes[number]) >= _MAYBE]
        if ask_of:
            doubtful = [number for number in clear if ask_of[number] and number not in asked]
    if asked or doubtful:
        cores = stroke_cores(gray, ink, [boxes[number] for number in (*asked, *doubtful)])
        look = InkLook(ink, cores)
        if asked:
            diagonals = long_diagonals(ink, rules, [boxes[number] for number in asked], letter_px)
            looks = look, look.without(rules)
            for number in asked:
                said[number] = _of_line(looks, rules, boxes[number], letter_px, diagonals)
        for number in doubtful:
            if _may_be_struck(look, rules, boxes[number], letter_px):
                said[number] = StruckOut.PERHAPS
    rows = struck_rows(ink, rules, boxes, letter_px)
    ordered = [box for box, ask in zip(boxes, ask_of, strict=True) if ask] if ask_of else None
    crosses = row_crosses(ink, rules, boxes, letter_px, ordered)
    return [
        StruckOut.WHOLLY if row or cross else one
        for row, cross, one in zip(rows, crosses, said, strict=True)
    ]


def _by_map(maps: LineMaps, ink: Mask, rules: FormRules, box: Box, letter: float) -> StruckOut:
    height = min(float(box.height), 1.6 * letter)
    written = _written_columns(ink, rules, box, height)
    return _share_of(marked_strikes(maps, box, letter) & written, written)


def _share_of(covered: NDArray[np.bool_], written: NDArray[np.bool_]) -> StruckOut:
    share = float(covered.sum() / max(1, written.sum()))
    if share >= _WHOLLY:
        return StruckOut.WHOLLY
    return StruckOut.PARTLY if share >= _PARTLY else StruckOut.NO


def _of_line(
    looks: tuple[InkLook, InkLook], rules: FormRules, box: Box, letter: float,
    crosses: Sequence[tuple[float, ...]],
) -> StruckOut:  # fmt: skip
    """What shapes say of a line: its ink is looked at, then what is left without form rules."""
    if not _is_line(box, letter):
        return StruckOut.NO
    height = _row_height(box, letter)
    covered = _columns(strikes_through(looks[0], rules, box, height), box)
    on_a_rule = rules.mask[box.y : box.y + box.height, box.x : box.x + box.width].any()
    if not covered.any() and on_a_rule:
        # A zigzag that stands on a rule is one stroke with it, and has nothing below.
        covered = _columns(strikes_through(looks[1], rules, box, height), box)
    ink, cores = looks[0]
    covered |= _scribbled(ink, rules, box, height)
    covered |= zigzagged(ink, box, height)
    covered |= crossed_columns(crosses, box)
    covered |= corner_strokes(cores, box, letter)
    written = _written_columns(ink, rules, box, height)
    if _share_of(covered & written, written) is StruckOut.WHOLLY:
        return StruckOut.WHOLLY
    more = covered | pen_rules(rules, box, letter)
    if _share_of(more & written, written) is StruckOut.NO:
        return StruckOut.NO
    return StruckOut.PARTLY


def _may_be_struck(look: InkLook, rules: FormRules, box: Box, letter: float) -> bool:
    """Whether a straight stroke goes through a part of a line: of all shapes the surest sign.

    One along its feet is asked about as well, unless it is a rule.
    """
    if not _is_line(box, letter):
        return False
    height = _row_height(box, letter)
    row, judged = straight_strokes(look, rules, box, height)
    strikes = [
        row.columns(one)
        for one, kind in judged
        if kind is StrokeKind.STRIKE or row.is_at_feet(one)
    ]  # fmt: skip
    written = _written_columns(look.ink, rules, box, height)
    return _share_of(_columns(strikes, box) & written, written) is not StruckOut.NO


def _is_line(box: Box, letter: float) -> bool:
    return box.width >= 1.2 * letter and box.height >= 0.4 * letter


def _row_height(box: Box, letter: float) -> float:
    """Height of the letters of one row, not more: a block is looked at line by line."""
    return min(float(box.height), 1.6 * letter)


def _columns(strikes: Sequence[Strike], box: Box) -> NDArray[np.bool_]:
    covered = np.zeros(box.width, bool)
    for strike in strikes:
        covered[max(0, strike.left - box.x) : max(0, strike.right - box.x)] = True
    return covered


def _scribbled(ink: Mask, rules: FormRules, box: Box, height: float) -> NDArray[np.bool_]:
    """Columns blackened, or crossed over and over: a zigzag over the writing."""
    part = ink[box.y : box.y + box.height, box.x : box.x + box.width].copy()
    part[rules.mask[box.y : box.y + box.height, box.x : box.x + box.width] > 0] = 0
    inked = part > 0
    layers = (np.diff(inked.astype(np.int8), axis=0, prepend=0) == 1).sum(axis=0)
    filled = inked.sum(axis=0) / max(1.0, min(height, float(part.shape[0])))
    dense = ((layers >= _LAYERS) | (filled >= _FILLED)).astype(np.uint8)[None]
    width = max(3, round(0.5 * height))
    kernel = np.ones((1, width), np.uint8)
    solid = cv2.morphologyEx(dense, cv2.MORPH_CLOSE, np.ones((1, max(3, width // 2)), np.uint8))
    # A single letter may be as dense; a scribble goes on for several.
    long = np.ones((1, max(width, round(2.0 * height))), np.uint8)
    if solid.shape[1] < long.shape[1]:
        return np.zeros(box.width, bool)
    opened = np.asarray(cv2.morphologyEx(solid, cv2.MORPH_OPEN, long))
    wide = np.asarray(cv2.dilate(opened, kernel))
    return np.asarray(wide[0] > 0)


def _written_columns(ink: Mask, rules: FormRules, box: Box, height: float) -> NDArray[np.bool_]:
    """Columns with writing, the spaces between its letters included."""
    part = ink[box.y : box.y + box.height, box.x : box.x + box.width].copy()
    part[rules.mask[box.y : box.y + box.height, box.x : box.x + box.width] > 0] = 0
    any_ink = np.asarray((part > 0).any(axis=0), np.uint8)[None]
    kernel = np.ones((1, max(3, round(0.6 * height))), np.uint8)
    closed = np.asarray(cv2.morphologyEx(any_ink, cv2.MORPH_CLOSE, kernel))
    columns: NDArray[np.bool_] = (closed > 0).reshape(-1)
    return columns
