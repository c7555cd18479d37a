"""What a pen put around, under and over printed choices of one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from .labels import union
from .survey import PageSurvey
from .types import Box

Mask = NDArray[np.uint8]

# A loop is so high and wide (heights of a capital), has ink this far from its middle (1: on its
# rim) in so many of 24 directions, and is not filled.
_RING_HIGH, _RING_WIDE, _RIM, _AROUND, _FILLED = (1.25, 5.0), (0.9, 16.0), 0.62, 0.8, 0.62
_DIRECTIONS = 24
_GOES_ON = 9.0
_RULE_LONG = 8.0  # capitals: what is shorter may be an arc of a loop, or an underline by pen
_LETTER_HIGH, _LETTERS = (0.5, 1.3), 2  # capitals; so many stand apart in a loop around a phrase
_LOOP_RIM = 0.84  # radius from which the ink of a loop is its stroke and no letter that it touches
_HELD = 0.12  # of a capital's square: ink inside of a loop that is a letter and no speck
# An underline is flat, under most of a choice, and not much longer.
_FLAT, _UNDER, _UNDER_SHARE, _LONGER = 0.6, (-0.15, 0.95), 0.6, 2.2
_RIM_CROSSED = 0.3  # capitals around a choice, looked at for a stroke that goes through it
_LEAST_INK = 0.02  # of that rim


class MarkKind(StrEnum):
    """How a choice is marked."""

    RING = "ring"
    UNDERLINE = "underline"
    OTHER = "other"  # big, and none of these: it may mean anything
    CROSS = "cross"  # a stroke through it: chosen to some, deleted to others


CHOSEN = frozenset({MarkKind.RING, MarkKind.UNDERLINE})


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of a row.

    Attributes:
        kind: how it marks.
        box_px: its box on the page.
        option_px: the choice it is at; None for a ring, whose box says it.
        holds: of a ring: there is something inside of it.
    """

    kind: MarkKind
    box_px: Box
    option_px: Box | None = None
    holds: bool = True


def row_marks(
    survey: PageSurvey, options: Sequence[Box], plain: Sequence[Box], boxes: Sequence[Box],
    labels: Sequence[Box], unit_px: float, slot: Box | None = None,
) -> list[Mark]:  # fmt: skip
    """Find the marks of a row.

    Args:
        survey: of the page.
        options: boxes of all choices that were read.
        plain: of those, the ones whose box holds nothing but their letters.
        boxes: printed squares of the row: ticks are no business of this.
        labels: print that belongs to the row and is no choice.
        unit_px: height of a capital of the row.
        slot: where choices stand though none was read.
    """
    if survey.all_ink is None or not (options or boxes or slot):
        return []
    row = union([*options, *boxes]) if options or boxes else slot
    if row is None:
        return []
    if row is slot:
        row = Box(row.x, row.y, min(row.width, round(14 * unit_px)), row.height)
    reach = round(2.2 * unit_px), round((1.9 if options else 1.0) * unit_px)
    y0, x0 = max(0, row.y - reach[1]), max(0, row.x - 2 * reach[0])
    y1, x1 = row.y + row.height + reach[1], row.x + row.width + 2 * reach[0]
    if slot is not None and slot.y < row.y + row.height and row.y < slot.y + slot.height:
        # Choices that were not read go on to the right.
        x1 = min(x1 + round(_GOES_ON * unit_px), slot.x + slot.width)
        x0 = max(0, min(x0, slot.x))
    ink = survey.all_ink[y0:y1, x0:x1].copy()
    ink[_long_rules(survey, unit_px)[y0:y1, x0:x1] > 0] = 0
    for box in (*boxes, *labels):
        _wipe(ink, box, x0, y0, max(2, round(0.15 * box.height)))
    bare = ink.copy()
    for box in plain:
        _wipe(bare, box, x0, y0, 1)
    bare = np.asarray(cv2.morphologyEx(bare, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)
    count, labelled, stats, _ = cv2.connectedComponentsWithStats(bare, connectivity=8)
    marks: list[Mark] = []
    used = np.zeros(count, bool)
    for index in range(1, count):
        x, y, width, height, _ = (int(value) for value in stats[index])
        part = labelled[y : y + height, x : x + width] == index
        box = Box(x + x0, y + y0, width, height)
        if _is_ring(part, unit_px):
            whole = ink[y : y + height, x : x + width] > 0
            # Where nothing was read a letter of writing may look so: then print stands apart in it.
            middle = whole & (_radius(part.shape) < _RIM) & ~(part & (not options))
            # Around two choices their letters are at its ends; no letter is as wide.
            holds = width > 1.8 * height or int(middle.sum()) > _HELD * unit_px**2
            marks.append(Mark(MarkKind.RING, box, holds=holds))
            used[index] = True
            continue
        if _is_big(box, row, unit_px):
            marks.append(Mark(MarkKind.OTHER, box))
        over = _over_line(box, plain, unit_px)
        if over is not None:
            marks.append(Mark(MarkKind.UNDERLINE, box, over))
            used[index] = True
    left = np.where(used[labelled], 0, bare).astype(np.uint8)
    rings = [mark.box_px for mark in marks if mark.kind is MarkKind.RING]
    for box in plain:
        if not any(_covers(ring, box) for ring in rings) and _is_crossed(
            left, box, x0, y0, unit_px
        ):
            marks.append(Mark(MarkKind.CROSS, box, box))
    return _of_single_choices(marks, plain)


def _long_rules(survey: PageSurvey, unit: float) -> Mask:
    """The printed rules of a page; the flat arcs of a wide loop may be taken for short ones."""
    mask = np.zeros_like(survey.rules.mask)
    for box in (*survey.rules.horizontal, *survey.rules.vertical):
        if max(box.width, box.height) > _RULE_LONG * unit:
            part = (slice(max(0, box.y - 3), box.y + box.height + 3),
                    slice(max(0, box.x - 3), box.x + box.width + 3))  # fmt: skip
            mask[part] = survey.rules.mask[part]
    return mask


def _of_single_choices(marks: Sequence[Mark], plain: Sequence[Box]) -> list[Mark]:
    """Leave out what every choice has: a printed rule under each, a frame around each."""
    kept = []
    for kind in MarkKind:
        mine = [mark for mark in marks if mark.kind is kind]
        if len(mine) >= 3 and len(mine) >= len(plain):
            continue
        kept += mine
    return kept


def _radius(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Distance of every pixel of a box from its middle: 1 on the ellipse that touches its sides."""
    height, width = shape[0], shape[1]
    y = (np.arange(height) - (height - 1) / 2) / (height / 2)
    x = (np.arange(width) - (width - 1) / 2) / (width / 2)
    return np.asarray(np.hypot(x[None], y[:, None]), np.float64)


def _wipe(ink: Mask, box: Box, x0: int, y0: int, grow: int) -> None:
    top, left = max(0, box.y - y0 - grow), max(0, box.x - x0 - grow)
    bottom, right = box.y + box.height - y0 + grow, box.x + box.width - x0 + grow
    ink[top : max(0, bottom), left : max(0, right)] = 0


def loop_in(survey: PageSurvey, box: Box) -> Mask | None:
    """The ink (255) of a loop of a pen that fills a box, around whatever it holds; None: no loop.

    Args:
        survey: of the page.
        box: of a stroke, or of what OCR took for a word: it may be the loop's by a pixel or two.
    """
    if survey.all_ink is None:
        return None
    part = survey.all_ink[box.y : box.y + box.height, box.x : box.x + box.width]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    if len(stats) < 2:
        return None
    widest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_WIDTH]))
    x, y, width, height, _ = stats[widest].tolist()
    loop = labels == widest
    if not _is_ring(np.asarray(loop[y : y + height, x : x + width]), survey.unit_px):
        return None
    letters = np.delete(stats[1:, cv2.CC_STAT_HEIGHT], widest - 1) / survey.unit_px
    if np.count_nonzero((letters > _LETTER_HIGH[0]) & (letters < _LETTER_HIGH[1])) < _LETTERS:
        return None  # a letter of writing that closes on itself
    # Letters that touch it are theirs.
    rim = np.zeros_like(loop)
    rim[y : y + height, x : x + width] = _radius((height, width)) > _LOOP_RIM
    return np.where(loop & rim, 255, 0).astype(np.uint8)


def _is_ring(part: NDArray[np.bool_], unit: float) -> bool:
    height, width = part.shape
    if not (_RING_HIGH[0] * unit <= height <= _RING_HIGH[1] * unit):
        return False
    if not (_RING_WIDE[0] * unit <= width <= _RING_WIDE[1] * unit):
        return False
    if part.mean() > _FILLED:
        return False
    ys, xs = np.nonzero(part)
    x, y = (xs - (width - 1) / 2) / (width / 2), (ys - (height - 1) / 2) / (height / 2)
    rim = np.hypot(x, y) >= _RIM
    turn = np.floor((np.arctan2(y[rim], x[rim]) / (2 * np.pi) % 1.0) * _DIRECTIONS).astype(int)
    return len(np.unique(turn % _DIRECTIONS)) >= _AROUND * _DIRECTIONS


def _is_big(box: Box, row: Box, unit: float) -> bool:
    """Whether something as big as a loop stands among the choices."""
    middle = box.y + box.height / 2
    return (
        box.height >= _RING_HIGH[0] * unit
        and box.width >= _RING_WIDE[0] * unit
        and abs(middle - row.y - row.height / 2) < 1.2 * unit
        and row.x - unit < box.x + box.width / 2 < row.x + row.width + unit
    )


def _over_line(line: Box, plain: Sequence[Box], unit: float) -> Box | None:
    """The choice that a flat stroke underlines; None when it underlines none."""
    if line.height > _FLAT * unit or line.width < 0.5 * unit:
        return None
    for box in plain:
        drop = (line.y + line.height / 2 - (box.y + box.height)) / unit
        shared = min(line.x + line.width, box.x + box.width) - max(line.x, box.x)
        near = _UNDER[0] <= drop <= _UNDER[1] and shared >= _UNDER_SHARE * box.width
        if near and line.width <= box.width + _LONGER * unit:
            return box
    return None


def _covers(ring: Box, box: Box) -> bool:
    x = box.x + box.width / 2
    return ring.x <= x < ring.x + ring.width


def _is_crossed(left: Mask, box: Box, x0: int, y0: int, unit: float) -> bool:
    """Whether strokes stick out of a choice on opposite sides."""
    rim = max(3, round(_RIM_CROSSED * unit))
    top, start = box.y - y0 - rim, box.x - x0 - rim
    bottom, end = box.y + box.height - y0 + rim, box.x + box.width - x0 + rim
    if top < 0 or start < 0 or bottom > left.shape[0] or end > left.shape[1]:
        return False
    part = left[top:bottom, start:end] > 0
    if part.mean() < _LEAST_INK:
        return False
    third = [part[:rim], part[-rim:], part[:, :rim], part[:, -rim:]]
    above, below, before, behind = (bool(side.sum() >= rim) for side in third)
    return (above and below) or (before and behind)
