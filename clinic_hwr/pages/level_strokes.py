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
    half, framed = _halved(soft), np.zeros((0, 0), np.uint8)
    long = np.zeros_like(part)
    for slope in _SLOPES_DEG:
        if cv2.countNonZero(cv2.erode(half, _points(length, slope))):
            # Beside the window is what fits: a frame of ink shows where it does at its edge.
            rim = 2 * (length // 4 + 2)
            if not framed.size:
                paper = cv2.copyMakeBorder(
                    soft, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=[255]
                )
                framed = _halved(np.asarray(paper, np.uint8))
            middles = cv2.erode(framed, _points(length, slope))
            inner = (slice(rim // 2, rim // 2 + half.shape[0]),
                     slice(rim // 2, rim // 2 + half.shape[1]))  # fmt: skip
            x, y, width, tall = cv2.boundingRect(np.ascontiguousarray(middles[inner]))
            _add_opened(long, soft, _line(length, slope), Box(2 * x, 2 * y, 2 * width, 2 * tall))
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
    """Ink at half the size; a pixel stands for two columns and three rows."""
    near = cv2.dilate(soft, np.ones((3, 2), np.uint8), anchor=(0, 0))
    return np.ascontiguousarray(np.asarray(near, np.uint8)[::2, ::2])


def _add_opened(long: Mask, soft: Mask, kernel: Mask, middles: Box) -> None:
    """Add to ``long`` what an opening of ``soft`` leaves, of which the middles are known roughly.

    Args:
        long: of the shape of ``soft``, changed in place.
        soft: ink, 255.
        kernel: with odd sides.
        middles: around every place where the whole kernel fits.
    """
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    top, left = max(0, middles.y - down), max(0, middles.x - across)
    around = (
        slice(top, middles.y + middles.height + down),
        slice(left, middles.x + middles.width + across),
    )
    fits = np.asarray(cv2.erode(soft[around], kernel), np.uint8)
    inner = (
        slice(middles.y - top, middles.y - top + middles.height),
        slice(middles.x - left, middles.x - left + middles.width),
    )
    # What fits at the edge of this window only seems to.
    sure = np.zeros_like(fits)
    sure[inner] = fits[inner]
    part = long[around]
    cv2.max(part, cv2.dilate(sure, kernel), dst=part)


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
