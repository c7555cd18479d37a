"""Any page raster made upright: resolution, background, quarter turn and skew put right."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import flatten_background, ink_mask
from .orientation import clockwise_turns, rows_are_vertical
from .skew import skew_degrees
from .types import Gray, UprightPage

# Long side after normalisation. Letter at 200 dpi has 2200 px; beyond that OCR gets slower and not
# better. Small rasters (a pad at 150 dpi has 825 px) are enlarged, as Tesseract wants capitals of
# about 25 px; thumbnails are not, there is nothing in them to enlarge.
_LONG_SIDE_PX = (1650, 2200)
_MAX_ENLARGEMENT = 2.0
_MIN_SIDE_PX = 32


def make_upright(gray: Gray) -> UprightPage:
    """Turn a page upright, deskew it, whiten its paper and bring it to a common resolution.

    Args:
        gray: page raster as it came, (height, width) uint8, of any size.

    Returns:
        The upright page; never raises on odd content (blank, black, tiny): such a page comes back
        unturned.

    Raises:
        TesseractMissing: Tesseract is not installed.
        ValueError: the raster is not two-dimensional uint8, or empty.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise ValueError("a page raster must be a non-empty (height, width) uint8 array")
    if min(gray.shape) < _MIN_SIDE_PX:
        return UprightPage(gray.copy(), 0, 0.0, np.eye(3))
    page, to_page = _normalised(gray)
    flat = flatten_background(page)
    ink = ink_mask(flat)
    if not _looks_written(ink):
        return UprightPage(flat, 0, 0.0, _inverse(to_page))

    sideways = rows_are_vertical(_without_long_parts(ink))
    skews = (skew_degrees(ink), skew_degrees(np.rot90(ink)))
    views = tuple(
        _turned(flat, quarter, skew)[0] for quarter, skew in zip((0, 1), skews, strict=True)
    )
    turns = clockwise_turns(views[0], views[1], sideways=sideways)
    skew = skews[turns % 2]
    upright, matrix = _turned(flat, turns, skew)
    to_original = _inverse(matrix @ to_page)
    return UprightPage(upright, 90 * turns, skew, to_original)


def _normalised(gray: Gray) -> tuple[Gray, NDArray[np.float64]]:
    """Scale into the working resolution; returns the raster and original -> raster."""
    low, high = _LONG_SIDE_PX
    side = max(gray.shape)
    scale = high / side if side > high else min(low / side, _MAX_ENLARGEMENT) if side < low else 1.0
    if scale == 1.0:
        return gray, np.eye(3)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    page = np.asarray(cv2.resize(gray, size, interpolation=how), np.uint8)
    return page, np.diag([size[0] / gray.shape[1], size[1] / gray.shape[0], 1.0])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _looks_written(ink: NDArray[np.uint8]) -> bool:
    """Whether the page has some ink, and is not all ink."""
    share = np.count_nonzero(ink) / ink.size
    return bool(1e-5 < share < 0.6)


def _without_long_parts(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop table borders, which join the letters that touch them into one component."""
    length = max(ink.shape) // 20
    rows = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    columns = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    return np.asarray(cv2.subtract(ink, cv2.max(rows, columns)), np.uint8)


def _turned(gray: Gray, turns: int, skew_deg: float) -> tuple[Gray, NDArray[np.float64]]:
    """Undo clockwise quarter turns and skew in one resampling; returns raster and 3x3 matrix.

    The canvas grows so that no corner of the paper is lost.
    """
    height, width = gray.shape
    if skew_deg == 0.0:
        return np.ascontiguousarray(np.rot90(gray, turns)), _quarter_matrix(height, width, turns)
    quarter = _quarter_matrix(height, width, turns)
    if turns % 2:
        height, width = width, height
    centre = ((width - 1) / 2, (height - 1) / 2)
    small = np.vstack([cv2.getRotationMatrix2D(centre, -skew_deg, 1.0), [0.0, 0.0, 1.0]])
    cos, sin = abs(small[0, 0]), abs(small[0, 1])
    out = round(height * sin + width * cos), round(height * cos + width * sin)
    small[0, 2] += (out[0] - width) / 2
    small[1, 2] += (out[1] - height) / 2
    matrix = small @ quarter
    page = cv2.warpAffine(gray, matrix[:2], out, flags=cv2.INTER_CUBIC, borderValue=255)
    return np.asarray(page, np.uint8), matrix


def _quarter_matrix(height: int, width: int, turns: int) -> NDArray[np.float64]:
    """Matrix of ``np.rot90(page, turns)`` (counter-clockwise) on (x, y) pixel positions."""
    right, bottom = width - 1.0, height - 1.0
    matrices = (
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, 1, 0), (-1, 0, right), (0, 0, 1)),
        ((-1, 0, right), (0, -1, bottom), (0, 0, 1)),
        ((0, -1, bottom), (1, 0, 0), (0, 0, 1)),
    )
    return np.array(matrices[turns % 4], np.float64)
