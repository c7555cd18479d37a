"""Small-angle skew of a page, from how sharply its rows stand apart."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import inked_places
from .resampling import reduced

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
    small = reduced(ink, (round(ink.shape[1] * scale), round(ink.shape[0] * scale)))
    if np.count_nonzero(small) < 50:
        return 0.0
    best = 0.0
    # A degree shows at half the size as well, and there are most of them.
    half = np.asarray(
        cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )
    roughly, finely = _inked(half), _inked(small)
    for step, reach in ((1.0, LIMIT_DEG), (0.25, 1.0), (0.05, 0.25)):
        inked = roughly if step == 1.0 else finely
        angles = best + np.arange(-reach, reach + step / 2, step)
        angles = angles[np.abs(angles) <= LIMIT_DEG]
        scores = [_sharpness(inked, float(angle)) for angle in angles]
        best = float(angles[int(np.argmax(scores))])
    return round(best, 2)


class _Inked(NamedTuple):
    """Where a raster has ink: position from its middle column, row, and how dark it is."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    dark: NDArray[np.float64]
    height: int


def _inked(raster: NDArray[np.uint8]) -> _Inked:
    height, width = raster.shape
    places = inked_places(raster)
    rows, columns = np.divmod(places, width)
    return _Inked(columns - width / 2, rows.astype(float), raster.ravel()[places] / 1.0, height)


def _sharpness(inked: _Inked, angle_deg: float) -> float:
    """Sum of squared differences of neighbouring row sums after undoing ``angle_deg``."""
    # A vertical shear does what a small rotation does to the rows, and keeps the columns. Only
    # ink moves: a page has little of it.
    at = inked.y + np.tan(np.deg2rad(angle_deg)) * inked.x
    row = np.floor(at)
    upper = (at - row) * inked.dark
    # What leaves the page gathers two rows off, where its share in the next row is none of ours.
    rows = np.clip(row.astype(np.intp), -2, inked.height + 1) + 2
    profile = np.bincount(rows, inked.dark - upper, inked.height + 5)
    profile[1:] += np.bincount(rows, upper, inked.height + 5)[:-1]
    return float(np.sum(np.diff(profile[2 : inked.height + 2]) ** 2))
