"""Rows of a chart that are crossed out with a flat X from side to side.

Its strokes rise by a letter or two over the width of a page: at the row's ends they run above and
below what is written, through nothing, and no line by itself looks crossed out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .rules import FormRules
from .types import Box

_SEEN_PX = 10.0  # height of a letter that is enough to see long strokes
_LONG = 12.0  # letters: pieces of such strokes
_FLAT = (0.6, 15.0)  # degrees
_GAP = 0.5  # letters between parts of a piece
_TOGETHER = 6.0  # letters that pieces of both strokes are beside each other
_OPEN = (0.5, 2.6)  # letters between the strokes at their ends
_ROW, _BEYOND = 0.2, 3.0  # letters that a line may be above or below, and beside the cross
_FEWEST_RULES = 3  # of a chart

_Stroke = tuple[float, float, float, float]


def row_crosses(
    ink: NDArray[np.uint8],
    rules: FormRules,
    boxes: Sequence[Box],
    letter_px: float,
    looked_at: Sequence[Box] | None = None,
) -> list[bool]:
    """Say of each line whether a flat cross goes over the row of a chart that it stands in.

    Args:
        ink: (height, width) of the page, 255 = ink of any sort.
        rules: of the page.
        boxes: of the lines of writing.
        letter_px: typical height of a pen letter.
        looked_at: boxes of the lines in whose rows a cross is looked for; None: of all.
    """
    looked_at = boxes if looked_at is None else looked_at
    if not looked_at or len(rules.horizontal) < _FEWEST_RULES:
        return [False] * len(boxes)
    strokes = _flat_strokes(ink, rules, looked_at, letter_px)
    rising = [one for one in strokes if one[3] < one[1]]
    falling = [one for one in strokes if one[3] > one[1]]
    crosses = [
        cross
        for up in rising
        for down in falling
        if (cross := _crossed(up, down, letter_px)) is not None
    ]
    return [any(_stands_in(box, cross, letter_px) for cross in crosses) for box in boxes]


def _flat_strokes(
    ink: NDArray[np.uint8], rules: FormRules, boxes: Sequence[Box], letter: float
) -> list[_Stroke]:
    """Long strokes that are not quite level, from left to right, where lines stand."""
    y0 = max(0, round(min(box.y for box in boxes) - letter))
    y1 = round(max(box.y + box.height for box in boxes) + letter)
    part = cv2.bitwise_and(ink[y0:y1], cv2.bitwise_not(_level_and_upright(rules)[y0:y1]))
    scale = min(1.0, _SEEN_PX / max(letter, 1.0))
    if scale < 1.0:
        size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        part = cv2.threshold(small, 70, 255, cv2.THRESH_BINARY)[1]
    unit = letter * scale
    lines = cv2.HoughLinesP(
        part, 1, np.pi / 360, round(0.6 * _LONG * unit),
        minLineLength=_LONG * unit, maxLineGap=max(1, round(_GAP * unit)),
    )  # fmt: skip
    found = []
    for line in [] if lines is None else lines.reshape(-1, 4).tolist():
        (ax, ay), (bx, by) = sorted((line[:2], line[2:]))
        low, high = _FLAT
        if bx > ax and low < math.degrees(math.atan(abs(by - ay) / (bx - ax))) < high:
            found.append((ax / scale, ay / scale + y0, bx / scale, by / scale + y0))
    return found


def _level_and_upright(rules: FormRules) -> NDArray[np.uint8]:
    """The rules' pixels but those of flat strokes: where a fax joins one to the chart it is there.

    Returns:
        A mask of the shape of ``rules.mask``.
    """
    own = np.zeros_like(rules.mask)
    for rule in (*rules.horizontal, *rules.vertical):
        rows, columns = slice(rule.y, rule.y + rule.height), slice(rule.x, rule.x + rule.width)
        own[rows, columns] = rules.mask[rows, columns]
    return own


def _crossed(up: _Stroke, down: _Stroke, letter: float) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of a cross of two strokes; None where they make none."""
    left, right = min(up[0], down[0]), max(up[2], down[2])
    if min(up[2], down[2]) - max(up[0], down[0]) < _TOGETHER * letter:
        return None
    ends = [(_at(up, x), _at(down, x)) for x in (left, right)]
    # Left the rising one is below, right it is above: between them they meet.
    if not (ends[0][0] > ends[0][1] and ends[1][0] < ends[1][1]):
        return None
    low, high = (share * letter for share in _OPEN)
    if not all(low <= abs(one - other) <= high for one, other in ends):
        return None
    ys = [y for pair in ends for y in pair]
    return left, min(ys), right, max(ys)


def _at(stroke: _Stroke, x: float) -> float:
    ax, ay, bx, by = stroke
    return ay + (by - ay) * (x - ax) / (bx - ax)


def _stands_in(box: Box, cross: tuple[float, float, float, float], letter: float) -> bool:
    left, top, right, bottom = cross
    x, y = box.x + box.width / 2, box.y + box.height / 2
    beyond, row = _BEYOND * letter, _ROW * letter
    return left - beyond <= x <= right + beyond and top - row <= y <= bottom + row
