"""Small-angle skew of a page, from how sharply its rows stand apart."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LIMIT_DEG = 15.0
_LONG_SIDE_PX = 700


def skew_degrees(ink: NDArray[np.uint8]) -> float:
    """Return by how many degrees (counter-clockwise positive) the rows of a page are turned.

    The angle whose row profile changes most sharply (Postl's criterion): text lines and form
    rules both vote. Searched in +-15 degrees, in steps down to 0.05.

    Args:
        ink: (height, width) uint8, 255 = ink; quarter turns already undone.

    Returns:
        0.0 when there is too little ink to tell.
    """
    scale = min(1.0, _LONG_SIDE_PX / max(ink.shape))
    small = np.asarray(
        cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    if np.count_nonzero(small) < 50:
        return 0.0
    best = 0.0
    # A degree shows at half the size as well, and there are most of them.
    half = np.asarray(
        cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )
    for step, reach in ((1.0, LIMIT_DEG), (0.25, 1.0), (0.05, 0.25)):
        raster = half if step == 1.0 else small
        angles = best + np.arange(-reach, reach + step / 2, step)
        angles = angles[np.abs(angles) <= LIMIT_DEG]
        scores = [_sharpness(raster, float(angle)) for angle in angles]
        best = float(angles[int(np.argmax(scores))])
    return round(best, 2)


def _sharpness(ink: NDArray[np.uint8], angle_deg: float) -> float:
    """Sum of squared differences of neighbouring row sums after undoing ``angle_deg``."""
    height, width = ink.shape
    # A vertical shear does what a small rotation does to the rows, and keeps the columns.
    slope = np.tan(np.deg2rad(angle_deg))
    shift = slope * width / 2
    matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -shift]])
    sheared = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR)
    profile = sheared.sum(axis=1, dtype=np.float64)
    return float(np.sum(np.diff(profile) ** 2))
