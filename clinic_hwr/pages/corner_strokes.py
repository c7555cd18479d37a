"""Straight strokes from corner to corner of what is written: an X over a word, or one diagonal.

Letters ink a third of any line through a word, a stroke of the pen all of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Box

Mask = NDArray[np.uint8]

_GAP = 0.8  # letter heights between words
_HIGH = 0.25  # of the line: from the upper ink of a column to the lower
_AROUND = 0.3  # heights of the line that a stroke goes beyond it
_ROWS, _COLUMNS = 28, 56  # ends looked at on a side; points of a line
_EDGE = 0.08  # share of a word's width that a stroke may leave out at an end
_WAVERS = 0.07  # letter heights off a straight line
_TILT = 0.45  # of the line's height: what rises less is no diagonal
# Of each stroke of an X, and of one alone: share of its points that are ink, how much more that is
# than of other lines through the word, letter heights of the shortest word. Of 5,086 lines of
# writers in training that are not crossed out, 2026-11-28, 3 were like this, of 402 others 83.
_CROSS, _ALONE = (0.9, 0.42, 3.0), (0.995, 0.25, 4.3)


def corner_strokes(cores: Mask, box: Box, letter_px: float) -> NDArray[np.bool_]:
    """Say which columns of a line are of words with strokes from corner to corner.

    Args:
        cores: (height, width) of the page, 255 = ink as wide as the pen; see ``stroke_cores``.
        box: of the line.
        letter_px: typical height of a pen letter.

    Returns:
        (width of the line,) True in words that are crossed.
    """
    covered = np.zeros(box.width, bool)
    inside = cores[box.y : box.y + box.height, box.x : box.x + box.width]
    for left, right in _words(_written(np.asarray(inside > 0)), round(_GAP * letter_px)):
        width = (right - left) / letter_px
        if width < min(_CROSS[2], _ALONE[2]):
            continue
        falls, rises, usual = _inked(cores, box, box.x + left, box.x + right, letter_px)
        if any(
            share >= least and share - usual >= more and width >= wide
            for share, (least, more, wide) in (
                (min(falls, rises), _CROSS), (max(falls, rises), _ALONE)
            )
        ):  # fmt: skip
            covered[left:right] = True
    return covered


def _written(inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns with more than a rule of the form that was not found."""
    high = len(inked) - inked.argmax(axis=0) - inked[::-1].argmax(axis=0)
    return np.asarray(inked.any(axis=0) & (high >= _HIGH * len(inked)), bool)


def _words(inked: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """First and last column of what is written without a gap."""
    at = np.flatnonzero(inked)
    if not len(at):
        return []
    cuts = np.flatnonzero(np.diff(at) > gap)
    starts, ends = np.r_[at[0], at[cuts + 1]], np.r_[at[cuts], at[-1]]
    return [(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)]


def _inked(
    cores: Mask, box: Box, left: int, right: int, letter: float
) -> tuple[float, float, float]:
    """The most that is ink of a line that falls over a word, of one that rises, and of any."""
    margin = round(_AROUND * box.height)
    top, bottom = max(0, box.y - margin), min(len(cores), box.y + box.height + margin)
    edge = round(_EDGE * (right - left))
    x = np.linspace(left + edge, right - 1 - edge, _COLUMNS).astype(np.intp)
    part = np.ascontiguousarray(cores[top:bottom, x])
    wide = 2 * max(1, round(_WAVERS * letter)) + 1
    part = np.asarray(cv2.dilate(part, np.ones((wide, 1), np.uint8)), np.uint8)
    ends = np.linspace(0, bottom - top - 1, _ROWS)
    t = np.linspace(0, 1, _COLUMNS)
    drop = ends[None] - ends[:, None]
    first, last = np.nonzero(np.abs(drop) >= _TILT * box.height)
    rows = np.rint(ends[first][:, None] + drop[first, last][:, None] * t).astype(np.intp)
    share = (part[rows, np.arange(_COLUMNS)] > 0).mean(axis=1)
    falls = last > first
    usual = float(share.mean()) if len(share) else 1.0
    return float(share[falls].max(initial=0.0)), float(share[~falls].max(initial=0.0)), usual
