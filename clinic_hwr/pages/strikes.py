"""Crossed-out writing: strokes through a line, crosses over a block, scribbles.

What is crossed out is not ordered, and what only looks so may be: both are for a person to decide.
An underline is told from a strike by what stands below it: under a strike there are the lower
halves of the letters, under an underline at most a few descenders. A rule of the form goes on
where nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .corner_strokes import corner_strokes
from .level_strokes import level_strokes
from .long_diagonals import crossed_columns, long_diagonals
from .marked_strikes import highest_mark, marked_strikes
from .pen_rules import pen_rules
from .row_crosses import row_crosses
from .rules import FormRules
from .stroke_cores import stroke_cores
from .stroke_sides import bare_columns, sides_of
from .struck_rows import struck_rows
from .types import Box, LineMaps, StruckOut
from .zigzags import zigzagged

Mask = NDArray[np.uint8]

# A strike is straight for at least this many letter heights; bars of a t and dashes are shorter.
_SHORTEST = 1.6
# Share of its columns that have ink close above and close below, of a level stroke and of a sloped
# one, which leaves the letters at its ends; and of the ink around it the share below it, where an
# underline has a few descenders. On 150 lines a way of writers in training, 2026-11-26, the middle
# underline had 0.02 below it (95%: 0.10), the middle strike 0.45 (5%: 0.14).
_LEVEL_DEG, _BOTH_SIDES, _BOTH_SIDES_SLOPED, _BELOW = 2.0, 0.43, 0.36, 0.08
# Of two lines through all of a line each has fewer letters on both sides: the other is there.
_TWO_LENGTH, _TWO_BELOW, _TWO_BOTH = 4.0, 0.18, 0.27
# A wave is straight for so long at a time, and goes on for so many letter heights. What has less
# below it than the last of these is an underline, and no wave is looked for in it.
_WAVE, _WAVE_RUN, _WAVE_BOTH_SIDES, _WAVE_BELOW = 0.7, 3.0, 0.62, 0.1
_UNDERLINE_BELOW = 0.12
# A strike is in the middle of its line, or at its edges where it goes along all of it (the
# loops of a scribble), and a straight one is longer than joined letters. On pages of writers in
# training, 2026-11-27, 0.172 of 2,700 lines that are none had been taken for struck.
_MIDDLE, _WITHIN, _ALL_ALONG, _TALL = (0.2, 0.77), (0.05, 0.8), 0.9, 1.65
# Letter heights and share of the line that a straight stroke or a wave goes on for, how often a
# height letters go through it, how far from straight it may be.
_STRAIGHT = ((1.9, 0.0, 0.0, 0.12), (1.6, 0.0, 2.4, 0.06), (4.0, 0.9, 0.0, 0.16))
_WAVES = ((5.0, 0.0, 1.1, 0.22), (3.0, 0.45, 3.0, 0.12))
# A wave so thick (letter heights) is a word of a thick pen, unless it is crossed as often as this.
_BAR, _OFTEN = 0.24, 3.7
# A printed rule ends far from the writing on it, a strike does not (letter heights).
_REACH = 1.6
# A rule that the page's finder of rules missed goes on for so long with nothing on it, where a pen
# stops. Longer than ``_REACH``: a strike through several words goes on behind the first of them.
_BARE = 3.0
_PRINTED = 0.4  # share of a stroke's pixels that are a rule's
_WHOLLY, _PARTLY = 0.55, 0.1
_MAYBE = 0.02  # of a segmenter's map, anywhere in a line
# Zigzags: so many strokes above each other, or so much of the height inked, in a column.
_LAYERS, _FILLED = 4, 0.62


@dataclass(frozen=True, slots=True)
class _Strike:
    """Columns of a line that a stroke goes through."""

    left: int
    right: int


class _Look(NamedTuple):
    """The ink of a page, and the cores of its strokes: see ``stroke_cores``."""

    ink: Mask
    cores: Mask

    def without(self, rules: FormRules) -> _Look:
        """The same without form rules."""
        off = cv2.bitwise_not(rules.mask)
        return _Look(*(np.asarray(cv2.bitwise_and(one, off), np.uint8) for one in self))


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
        look = _Look(ink, cores)
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
    looks: tuple[_Look, _Look], rules: FormRules, box: Box, letter: float,
    crosses: Sequence[tuple[float, ...]],
) -> StruckOut:  # fmt: skip
    """What shapes say of a line: its ink is looked at, then what is left without form rules."""
    if not _is_line(box, letter):
        return StruckOut.NO
    height = _row_height(box, letter)
    covered = _columns(_strikes(looks[0], rules, box, height), box)
    on_a_rule = rules.mask[box.y : box.y + box.height, box.x : box.x + box.width].any()
    if not covered.any() and on_a_rule:
        # A zigzag that stands on a rule is one stroke with it, and has nothing below.
        covered = _columns(_strikes(looks[1], rules, box, height), box)
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


def _may_be_struck(look: _Look, rules: FormRules, box: Box, letter: float) -> bool:
    """Whether a straight stroke goes through a part of a line: of all shapes the surest sign."""
    if not _is_line(box, letter):
        return False
    height = _row_height(box, letter)
    row, judged = _straight_strokes(look, rules, box, height)
    strikes = [row.columns(one) for one, kind in judged if kind is _Kind.STRIKE]
    written = _written_columns(look.ink, rules, box, height)
    return _share_of(_columns(strikes, box) & written, written) is not StruckOut.NO


def _is_line(box: Box, letter: float) -> bool:
    return box.width >= 1.2 * letter and box.height >= 0.4 * letter


def _row_height(box: Box, letter: float) -> float:
    """Height of the letters of one row, not more: a block is looked at line by line."""
    return min(float(box.height), 1.6 * letter)


def _columns(strikes: Sequence[_Strike], box: Box) -> NDArray[np.bool_]:
    covered = np.zeros(box.width, bool)
    for strike in strikes:
        covered[max(0, strike.left - box.x) : max(0, strike.right - box.x)] = True
    return covered


def _window(ink: Mask, box: Box, margin: int) -> tuple[Mask, int, int]:
    """Ink around a box, and the corner of the window."""
    top, left = max(0, box.y - margin), max(0, box.x - margin)
    bottom, right = box.y + box.height + margin, box.x + box.width + margin
    return np.ascontiguousarray(ink[top:bottom, left:right]), top, left


def _strikes(look: _Look, rules: FormRules, box: Box, height: float) -> list[_Strike]:
    """Straight, nearly level strokes through the middle of a line."""
    line, judged = _straight_strokes(look, rules, box, height)
    found = [line.columns(one) for one, kind in judged if kind is _Kind.STRIKE]
    if found:
        return found
    # A stroke that waves is straight for shorter stretches, but goes on for longer.
    part = line.part.copy()
    for one, kind in judged:
        if kind is _Kind.UNDER:
            part[cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
    return [
        line.columns(one)
        for one in level_strokes(part, height, _WAVE, _WAVE_RUN)
        if line.judged(one, waving=part) is _Kind.STRIKE
    ]


def _straight_strokes(
    look: _Look, rules: FormRules, box: Box, height: float
) -> tuple[_Row, list[tuple[NDArray[np.bool_], _Kind]]]:
    """A line, and the straight strokes in and around it with what they are to it."""
    margin = round(0.6 * height)
    # What stands beside a dark stroke may be pale: letters are looked for in all ink.
    line = _Row(look.ink, rules, box, height, *_window(look.ink, box, margin))
    thin, _, _ = _window(look.cores, box, margin)
    return line, [(one, line.judged(one)) for one in level_strokes(thin, height, _SHORTEST, 0.0)]


class _Kind(Enum):
    """What a straight stroke is to a line of writing."""

    STRIKE = "strike"
    UNDER = "under"  # an underline, or a rule of the form
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of writing, and the window of the page around it.

    Attributes:
        ink: of the page.
        rules: of the page.
        box: of the line.
        height: of its letters.
        part: ink of the window.
        top, left: corner of the window.
    """

    ink: Mask
    rules: FormRules
    box: Box
    height: float
    part: Mask
    top: int
    left: int

    def columns(self, stroke: NDArray[np.bool_]) -> _Strike:
        """The columns of the page from a stroke's first to its last."""
        at = np.flatnonzero(stroke.any(axis=0))
        return _Strike(int(at[0]) + self.left, int(at[-1]) + 1 + self.left)

    def judged(self, stroke: NDArray[np.bool_], *, waving: Mask | None = None) -> _Kind:
        """Say what a stroke is; ``waving``: the ink of the window in which a wave was found.

        The rule of a cell has letters of two lines on its sides, and letters that are joined are
        straight for a while.
        """
        at = np.flatnonzero(stroke.any(axis=0))
        length, whole = len(at) / self.height, (at[-1] - at[0] + 1) / self.box.width
        if not self._is_inside(stroke, along=waving is None and whole > _ALL_ALONG):
            return _Kind.UNDER
        sides = sides_of(self.part if waving is None else waving, stroke, self.height)
        height, width = self.part.shape
        rows, columns = slice(self.top, self.top + height), slice(self.left, self.left + width)
        printed = float((self.rules.mask[rows, columns][stroke] > 0).mean()) > _PRINTED
        if printed and _goes_on(self.rules, self.box, stroke, self.top, self.left, self.height):
            return _Kind.UNDER
        bare = bare_columns(
            self.ink, self.box, stroke, (self.left, self.top), self.height, sides.thick_px
        )
        if bare >= _BARE * self.height:
            return _Kind.UNDER
        if waving is not None:
            if sides.thick_px > _BAR * self.height and sides.crossings < _OFTEN:
                return _Kind.OTHER
            least, below = _WAVE_BOTH_SIDES, _WAVE_BELOW
        else:
            level = _slope_deg(stroke) < _LEVEL_DEG
            least, below = _BOTH_SIDES if level else _BOTH_SIDES_SLOPED, _BELOW
            if whole > _ALL_ALONG and length > _TWO_LENGTH and sides.below >= _TWO_BELOW:
                least = _TWO_BOTH
        if sides.both < least or sides.below < below:
            return _Kind.UNDER if sides.below < _UNDERLINE_BELOW else _Kind.OTHER
        through = any(
            length >= long and whole >= share and sides.crossings >= often and sides.bend <= bend
            for long, share, often, bend in (_STRAIGHT if waving is None else _WAVES)
        )  # fmt: skip
        return _Kind.STRIKE if through else _Kind.OTHER

    def _is_inside(self, stroke: NDArray[np.bool_], *, along: bool) -> bool:
        """Whether a stroke is in the middle of its line; ``along``: it goes along all of it."""
        if self.box.height > _TALL * self.height:
            low, high = 0.0, 1.0  # another line may be in the box
        else:
            low, high = _WITHIN if along else _MIDDLE
        row = float(np.median(np.nonzero(stroke)[0])) + self.top
        return low <= (row - self.box.y) / self.box.height <= high


def _slope_deg(stroke: NDArray[np.bool_]) -> float:
    ys, xs = np.nonzero(stroke)
    return abs(float(np.degrees(np.arctan(np.polyfit(xs, ys, 1)[0])))) if len(xs) > 2 else 0.0


def _goes_on(
    rules: FormRules, box: Box, stroke: NDArray[np.bool_], top: int, left: int, height: float
) -> bool:
    """Whether the printed rule under a stroke reaches far beyond the writing."""
    rows = np.flatnonzero(stroke.any(axis=1))
    y0, y1 = int(rows[0]) + top, int(rows[-1]) + 1 + top
    columns = np.flatnonzero(stroke.any(axis=0))
    x0, x1 = int(columns[0]) + left, int(columns[-1]) + 1 + left
    inked = int(np.count_nonzero(stroke))
    for rule in rules.horizontal:
        if rule.y > y1 + 2 or rule.y + rule.height < y0 - 2:
            continue
        # A rule right under a strike is not the strike.
        low, high = max(0, rule.y - top), max(0, rule.y + rule.height - top)
        if np.count_nonzero(stroke[low:high]) < _PRINTED * inked:
            continue
        if min(rule.x + rule.width, x1) - max(rule.x, x0) <= 0:
            continue
        before = box.x - rule.x
        behind = rule.x + rule.width - (box.x + box.width)
        if max(before, behind) > _REACH * height:
            return True
    return False


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
