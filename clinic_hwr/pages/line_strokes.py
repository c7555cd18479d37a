"""Straight strokes in and around a line of writing, and what they are to it.

An underline is told from a strike by what stands below it: under a strike there are the lower
halves of the letters, under an underline at most a few descenders. A rule of the form goes on
where nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .level_strokes import level_strokes
from .rules import FormRules
from .stroke_sides import bare_columns, sides_of
from .types import Box

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
# A stroke along a line at its feet may be a low strike or an underline of a pen: a person is asked.
# So much of the line, letter heights, where in the line's height, ink on both sides and below. On
# developing pages, 2026-11-28, it is two of 284 struck drugs, and none of 819 others.
_FEET_ALONG, _FEET_LONG, _FEET, _FEET_BOTH = 0.8, 3.0, (0.0, 1.1), 0.3


@dataclass(frozen=True, slots=True)
class Strike:
    """Columns of a line that a stroke goes through."""

    left: int
    right: int


class InkLook(NamedTuple):
    """The ink of a page, and the cores of its strokes: see ``stroke_cores``."""

    ink: Mask
    cores: Mask

    def without(self, rules: FormRules) -> InkLook:
        """The same without form rules."""
        off = cv2.bitwise_not(rules.mask)
        return InkLook(*(np.asarray(cv2.bitwise_and(one, off), np.uint8) for one in self))


class StrokeKind(Enum):
    """What a straight stroke is to a line of writing."""

    STRIKE = "strike"
    UNDER = "under"  # an underline, or a rule of the form
    OTHER = "other"


def strikes_through(look: InkLook, rules: FormRules, box: Box, height: float) -> list[Strike]:
    """Straight, nearly level strokes through the middle of a line."""
    line, judged = straight_strokes(look, rules, box, height)
    found = [line.columns(one) for one, kind in judged if kind is StrokeKind.STRIKE]
    if found:
        return found
    # A stroke that waves is straight for shorter stretches, but goes on for longer.
    part = line.part.copy()
    for one, kind in judged:
        if kind is StrokeKind.UNDER:
            part[cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
    return [
        line.columns(one)
        for one in level_strokes(part, height, _WAVE, _WAVE_RUN)
        if line.judged(one, waving=part) is StrokeKind.STRIKE
    ]


def straight_strokes(
    look: InkLook, rules: FormRules, box: Box, height: float
) -> tuple[LineOfWriting, list[tuple[NDArray[np.bool_], StrokeKind]]]:
    """A line, and the straight strokes in and around it with what they are to it."""
    margin = round(0.6 * height)
    # What stands beside a dark stroke may be pale: letters are looked for in all ink.
    line = LineOfWriting(look.ink, rules, box, height, *_window(look.ink, box, margin))
    thin, _, _ = _window(look.cores, box, margin)
    return line, [(one, line.judged(one)) for one in level_strokes(thin, height, _SHORTEST, 0.0)]


@dataclass(frozen=True, slots=True)
class LineOfWriting:
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

    def columns(self, stroke: NDArray[np.bool_]) -> Strike:
        """The columns of the page from a stroke's first to its last."""
        at = np.flatnonzero(stroke.any(axis=0))
        return Strike(int(at[0]) + self.left, int(at[-1]) + 1 + self.left)

    def judged(self, stroke: NDArray[np.bool_], *, waving: Mask | None = None) -> StrokeKind:
        """Say what a stroke is; ``waving``: the ink of the window in which a wave was found.

        The rule of a cell has letters of two lines on its sides, and letters that are joined are
        straight for a while.
        """
        at = np.flatnonzero(stroke.any(axis=0))
        length, whole = len(at) / self.height, (at[-1] - at[0] + 1) / self.box.width
        if not self._is_inside(stroke, along=waving is None and whole > _ALL_ALONG):
            return StrokeKind.UNDER
        sides = sides_of(self.part if waving is None else waving, stroke, self.height)
        height, width = self.part.shape
        rows, columns = slice(self.top, self.top + height), slice(self.left, self.left + width)
        printed = float((self.rules.mask[rows, columns][stroke] > 0).mean()) > _PRINTED
        if printed and _goes_on(self.rules, self.box, stroke, self.top, self.left, self.height):
            return StrokeKind.UNDER
        if self._bare(stroke, sides.thick_px) >= _BARE * self.height:
            return StrokeKind.UNDER
        if waving is not None:
            if sides.thick_px > _BAR * self.height and sides.crossings < _OFTEN:
                return StrokeKind.OTHER
            least, below = _WAVE_BOTH_SIDES, _WAVE_BELOW
        else:
            level = _slope_deg(stroke) < _LEVEL_DEG
            least, below = _BOTH_SIDES if level else _BOTH_SIDES_SLOPED, _BELOW
            if whole > _ALL_ALONG and length > _TWO_LENGTH and sides.below >= _TWO_BELOW:
                least = _TWO_BOTH
        if sides.both < least or sides.below < below:
            return StrokeKind.UNDER if sides.below < _UNDERLINE_BELOW else StrokeKind.OTHER
        through = any(
            length >= long and whole >= share and sides.crossings >= often and sides.bend <= bend
            for long, share, often, bend in (_STRAIGHT if waving is None else _WAVES)
        )  # fmt: skip
        return StrokeKind.STRIKE if through else StrokeKind.OTHER

    def is_at_feet(self, stroke: NDArray[np.bool_]) -> bool:
        """Whether a stroke that ends with a line goes along it, and through what is lowest in it.

        A low strike looks like that, and an underline of a pen; a rule goes on beyond the line.
        """
        at = np.flatnonzero(stroke.any(axis=0))
        whole = (at[-1] - at[0] + 1) / self.box.width
        low, high = _FEET
        if (
            whole < _FEET_ALONG
            or len(at) < _FEET_LONG * self.height
            or not low <= self._place(stroke) <= high
            or _goes_on(self.rules, self.box, stroke, self.top, self.left, self.height)
        ):
            return False
        sides = sides_of(self.part, stroke, self.height)
        if sides.both < _FEET_BOTH or sides.below < _BELOW:
            return False
        return self._bare(stroke, sides.thick_px) < _BARE * self.height

    def _is_inside(self, stroke: NDArray[np.bool_], *, along: bool) -> bool:
        """Whether a stroke is in the middle of its line; ``along``: it goes along all of it."""
        if self.box.height > _TALL * self.height:
            low, high = 0.0, 1.0  # another line may be in the box
        else:
            low, high = _WITHIN if along else _MIDDLE
        return low <= self._place(stroke) <= high

    def _place(self, stroke: NDArray[np.bool_]) -> float:
        """How far down a stroke is in its line: 0 is the top of it, 1 its bottom."""
        row = float(np.median(np.nonzero(stroke)[0])) + self.top
        return (row - self.box.y) / self.box.height

    def _bare(self, stroke: NDArray[np.bool_], thick_px: float) -> int:
        """Columns for which a stroke goes on beyond the line with nothing on it."""
        corner = self.left, self.top
        return bare_columns(self.ink, self.box, stroke, corner, self.height, thick_px)


def _window(ink: Mask, box: Box, margin: int) -> tuple[Mask, int, int]:
    """Ink around a box, and the corner of the window."""
    top, left = max(0, box.y - margin), max(0, box.x - margin)
    bottom, right = box.y + box.height + margin, box.x + box.width + margin
    return np.ascontiguousarray(ink[top:bottom, left:right]), top, left


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
