"""Straight, nearly level strokes in the ink of a line, whatever they mean."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import pieces_within
from .types import Box

Mask = NDArray[np.uint8]

_SLOPES_DEG = (-24, -18, -12, -8, -4, 0, 4, 8, 12, 18, 24)


def level_strokes(
    part: Mask, height: float, straight: float, run: float
) -> list[NDArray[np.bool_]]:
    """Strokes that are straight over ``straight`` letter heights and go on for ``run``."""
    length = round(straight * height)
    if part.shape[1] <= length:
        return []
    # One pixel thicker: a stroke drawn by hand wavers about its line.
    soft = np.asarray(cv2.dilate(part, np.ones((3, 1), np.uint8)), np.uint8)
    # Where the whole kernel fits, some points of it fit at half the size: seldom anywhere.
    half = _halved(soft)
    long = np.zeros_like(part)
    for slope in _SLOPES_DEG:
        middles = cv2.boundingRect(cv2.erode(half, _points(length, slope)))
        if middles[2]:
            x, y, width, tall = (2 * one for one in middles)
            _add_opened(long, soft, _line(length, slope), Box(x, y, width, tall))
    if not long.any():
        return []
    long = np.asarray(cv2.min(long, soft), np.uint8)
    bridge = np.ones((3, max(3, round(0.5 * height))), np.uint8)
    joined = np.asarray(cv2.morphologyEx(long, cv2.MORPH_CLOSE, bridge), np.uint8)
    labels, stats, _, near = pieces_within(joined)
    strokes = []
    for index in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= length) + 1:
        stroke = np.zeros(part.shape, bool)
        stroke[near] = (labels == index) & (long[near] > 0)
        if np.count_nonzero(stroke.any(axis=0)) >= max(length, run * height):
            strokes.append(stroke)
    return strokes


def _halved(soft: Mask) -> Mask:
    """Ink at half the size; a pixel stands for two columns and three rows.

    Beside the window is what fits: the last row and column have ink where they reach over its edge.
    """
    wider = cv2.copyMakeBorder(soft, 0, 2, 0, 1, cv2.BORDER_CONSTANT, value=[255])
    near = cv2.dilate(wider, np.ones((3, 2), np.uint8), anchor=(0, 0))
    return np.ascontiguousarray(near[: soft.shape[0] : 2, : soft.shape[1] : 2], np.uint8)


def _add_opened(long: Mask, soft: Mask, kernel: Mask, middles: Box) -> None:
    """Add to ``long`` what an opening of ``soft`` leaves, of which the middles are known roughly.

    Args:
        long: of the shape of ``soft``, changed in place.
        soft: ink, 255.
        kernel: with odd sides.
        middles: around every place where the whole kernel fits.
    """
    around, at = _with_rim(middles, kernel)
    # What fits at the edge of this window only seems to.
    sure = np.ascontiguousarray(cv2.erode(soft[around], kernel)[at])
    x, y, width, tall = cv2.boundingRect(sure)
    if not width:
        return
    around, at = _with_rim(Box(middles.x + x, middles.y + y, width, tall), kernel)
    part = long[around]
    seeds = np.zeros_like(part)
    seeds[at] = sure[y : y + tall, x : x + width]
    cv2.max(part, cv2.dilate(seeds, kernel), dst=part)


def _with_rim(box: Box, kernel: Mask) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a box and all that a kernel reaches from it is, and where in that the box is."""
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    top, left = max(0, box.y - down), max(0, box.x - across)
    around = slice(top, box.y + box.height + down), slice(left, box.x + box.width + across)
    y, x = box.y - top, box.x - left
    return around, (slice(y, y + box.height), slice(x, x + box.width))


@lru_cache(maxsize=1024)
def _line(length: int, slope_deg: float) -> Mask:
    """A kernel that is a line of one pixel at a slope."""
    reach = length // 2
    rise = round(reach * float(np.tan(np.radians(slope_deg))))
    kernel = np.zeros((2 * abs(rise) + 1, 2 * reach + 1), np.uint8)
    middle = abs(rise)
    cv2.line(kernel, (0, middle + rise), (2 * reach, middle - rise), 1, 1)
    return kernel


@lru_cache(maxsize=1024)
def _points(length: int, slope_deg: float) -> Mask:
    """Every fourth point of ``_line`` at half its size.

    The point ``d`` away from the middle is among the two or three pixels that stand for it at
    ``d // 2``, wherever the middle is: what this does not fit into, the line does not.
    """
    kernel = _line(length, slope_deg)
    rows, columns = np.nonzero(kernel)
    y, x = rows - kernel.shape[0] // 2, columns - kernel.shape[1] // 2
    y, x = y[x % 4 == 0] // 2, x[x % 4 == 0] // 2
    points = np.zeros((2 * int(np.abs(y).max()) + 1, 2 * int(np.abs(x).max()) + 1), np.uint8)
    points[y + points.shape[0] // 2, x + points.shape[1] // 2] = 1
    return points
