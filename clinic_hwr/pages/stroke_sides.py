"""What stands beside a straight stroke: letters on both sides, on one, or nothing at all."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Box

Mask = NDArray[np.uint8]

_NEAR, _AROUND = 0.5, 0.9  # letter heights that are close to a stroke, and that are its line's
_LOOKED_AT = 3.5  # letter heights beyond the writing


class Sides(NamedTuple):
    """Ink above and below a stroke.

    ``both``: share of its columns with other ink close above and close below. ``below``: of the
    ink around it the share that is below. ``thick_px``: its pen width. ``crossings``: how often a
    letter height other strokes go through it. ``row``: its middle row.
    """

    both: float
    below: float
    thick_px: float
    crossings: float
    bend: float


def sides_of(part: Mask, stroke: NDArray[np.bool_], height: float) -> Sides:
    """Look at the ink on both sides of a stroke.

    "Close" is up to half a letter off, from just outside of the stroke; a letter's columns are
    looked at together, because a letter has white columns inside.
    """
    columns = np.flatnonzero(stroke.any(axis=0))
    first = stroke.argmax(axis=0)[columns]
    last = stroke.shape[0] - 1 - stroke[::-1].argmax(axis=0)[columns]
    inked = part[:, columns] > 0
    rows = np.add(first, last, dtype=np.float32) / np.float32(2)
    thick = _thickness(inked, np.round(rows).astype(np.intp))
    middle = np.asarray(cv2.blur(rows[None], (max(1, round(0.5 * height)), 1)))[0]
    near = thick / 2 + 1.2
    off = np.arange(near, max(thick / 2 + 4, _NEAR * height), 1.0)[:, None]
    at, most = np.arange(len(columns)), len(part) - 1
    width = max(3, round(0.45 * height) | 1)
    wide = [
        cv2.dilate(
            inked[np.clip(np.round(rows).astype(np.intp), 0, most), at]
            .any(axis=0)[None]
            .astype(np.uint8),
            np.ones((1, width), np.uint8),
        )[0]
        for rows in (middle - off, middle + off)
    ]
    away = np.arange(len(part))[:, None] - middle
    around = _AROUND * height
    above = np.count_nonzero(inked & (away < -near) & (away > -around))
    below = np.count_nonzero(inked & (away > near) & (away < around))
    both = float(((wide[0] > 0) & (wide[1] > 0)).mean())
    slope, start = np.polyfit(columns, rows, 1) if len(columns) > 2 else (0.0, float(rows.mean()))
    line = np.round(slope * columns + start).astype(np.intp)
    touch = math.ceil(thick / 2 + 1.5)
    above_it, below_it = (
        inked[np.clip(line + side * touch, 0, most), at]
        | inked[np.clip(line + side * (touch + 1), 0, most), at]
        for side in (-1, 1)
    )
    through = np.diff(np.r_[0, (above_it & below_it).astype(np.int8)]) == 1
    return Sides(
        both,
        float(below) / max(1.0, float(above + below)),
        thick,
        float(through.sum()) * height / len(columns),
        float(np.percentile(np.abs(rows - slope * columns - start), 90)) / height,
    )


def _thickness(inked: NDArray[np.bool_], middle: NDArray[np.intp]) -> float:
    """Pen width of a stroke in pixels: where letters join it, it only looks thicker.

    Args:
        inked: (height, n) the columns that the stroke goes through.
        middle: (n,) its row in each.
    """
    height, count = inked.shape
    rows, at = np.arange(height)[:, None], np.arange(count)
    above = np.maximum.accumulate(np.where(inked, -1, rows), axis=0)[middle, at]
    below = np.minimum.accumulate(np.where(inked, height, rows)[::-1], axis=0)[::-1][middle, at]
    runs = (below - above - 1)[inked[middle, at]]
    return float(np.percentile(runs, 25)) if len(runs) else 1.0


def bare_columns(
    ink: Mask, box: Box, stroke: NDArray[np.bool_], corner: tuple[int, int], height: float,
    thick_px: float,
) -> int:  # fmt: skip
    """Count the columns beyond the writing through which a stroke goes on with nothing around it.

    Args:
        ink: of the page.
        box: of the writing.
        stroke: in a window of the page.
        corner: of that window, x and y.
        height: of the letters.
        thick_px: pen width of the stroke.

    Returns:
        On the side where there are more of them, of the next three and a half heights.
    """
    ys, xs = np.nonzero(stroke)
    if len(xs) < 3:
        return 0
    slope, start = np.polyfit(xs, ys, 1)
    left, top = corner
    clear, far = int(np.ceil(thick_px / 2 + 2.5)), max(1, int(0.6 * height))
    on, off = np.arange(-2, 3), np.arange(clear, max(far, clear + 1))
    off = np.concatenate((-off[::-1], off))
    longest = 0
    for first, step in ((box.x - 1, -1), (box.x + box.width, 1)):
        x = first + step * np.arange(int(_LOOKED_AT * height))
        # Most strokes end with the writing: nothing goes on in the first columns beyond it.
        close = np.clip(round(slope * (first - left) + start) + top + on, 0, len(ink) - 1)
        edge = ink[close, max(0, min(first, first + 6 * step)) : max(first, first + 6 * step) + 1]
        if not edge.any():
            continue
        x = x[(x >= 0) & (x < ink.shape[1])]
        if not len(x):
            continue
        y = np.round(slope * (x - left) + start).astype(np.intp) + top
        goes, bare = (
            (ink[np.clip(y + rows[:, None], 0, len(ink) - 1), x] > 0).any(axis=0)
            for rows in (on, off)
        )
        pin_holes = cv2.morphologyEx(
            goes[None].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8)
        )
        ends = np.flatnonzero(np.asarray(pin_holes)[0] == 0)
        count = int(ends[0]) if len(ends) else len(x)
        longest = max(longest, int(np.count_nonzero(~bare[:count])))
    return longest
