"""Whether a page is empty paper: the back of a sheet, or a sheet that separates."""

from __future__ import annotations

import cv2
import numpy as np

from .background import flatten_background, ink_mask
from .types import Gray

_LONG_SIDE_PX = 1100
_MARGIN = 0.03
"""Shadows of the paper's edge and holes of a punch lie outside of this share of each side."""

_SPECK_PX = 6
_LEAST_INK_PX = 60
"""At 100 dots an inch a written word has some 300 pixels; three specks of fax noise have fewer."""


def is_blank(gray: Gray) -> bool:
    """Return whether nobody wrote or printed anything on a page.

    Made to err on the safe side: a single faint word is not blank.

    Args:
        gray: page raster, (height, width) uint8.
    """
    scale = min(1.0, _LONG_SIDE_PX / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(small.shape) < 32:
        return False
    flat = flatten_background(small)
    top, left = round(flat.shape[0] * _MARGIN), round(flat.shape[1] * _MARGIN)
    inner = ink_mask(flat)[top : flat.shape[0] - top, left : flat.shape[1] - left]
    _, _, stats, _ = cv2.connectedComponentsWithStats(inner, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return bool(areas[areas >= _SPECK_PX].sum() < _LEAST_INK_PX)
