"""Straight, nearly level strokes in the ink of a line, whatever they mean."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import pieces_within

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
    long = np.zeros_like(part)
    for slope in _SLOPES_DEG:
        _add_opened(long, soft, _line(length, slope))
    if not long.any():
        return []
    long = np.asarray(cv2.min(long, soft), np.uint8)
    bridge = np.ones((3, max(3, round(0.5 * height))), np.uint8)
    joined = np.asarray(cv2.morphologyEx(long, cv2.MORPH_CLOSE, bridge), np.uint8)
    labels, stats, _, near = pieces_within(joined)
    strokes, least = [], max(length, run * height)
    for index in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= least) + 1:
        stroke = np.zeros(part.shape, bool)
        stroke[near] = (labels == index) & (long[near] > 0)
        if np.count_nonzero(stroke.any(axis=0)) >= least:
            strokes.append(stroke)
    return strokes


def _add_opened(long: Mask, soft: Mask, kernel: Mask) -> None:
    """Add to ``long`` what an opening of ``soft`` leaves; what is beside the window is ink.

    Args:
        long: of the shape of ``soft``, changed in place.
        soft: ink, 255.
        kernel: with odd sides.
    """
    fits = cv2.erode(soft, kernel)
    x, y, width, tall = cv2.boundingRect(fits)
    if not width:
        return
    # Most of a window is far from where the kernel fits.
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    around = (
        slice(max(0, y - down), y + tall + down), slice(max(0, x - across), x + width + across)
    )  # fmt: skip
    part = long[around]
    cv2.max(part, cv2.dilate(fits[around], kernel), dst=part)


@lru_cache(maxsize=1024)
def _line(length: int, slope_deg: float) -> Mask:
    """A kernel that is a line of one pixel at a slope."""
    reach = length // 2
    rise = round(reach * float(np.tan(np.radians(slope_deg))))
    kernel = np.zeros((2 * abs(rise) + 1, 2 * reach + 1), np.uint8)
    middle = abs(rise)
    cv2.line(kernel, (0, middle + rise), (2 * reach, middle - rise), 1, 1)
    return kernel
