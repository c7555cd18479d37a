"""Paper made white: background and shadows divided away, ink told from paper."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .resampling import reduced
from .types import Gray

# Ink is what is darker than this on flattened paper (255 = paper). Otsu's threshold would be drawn
# to bold black print and lose a faint pen, so the level follows the noise of the paper instead:
# five standard deviations off, at most 195, which still parts a 12% security pattern from ink.
_INK_BELOW = (140.0, 195.0)


def flatten_background(gray: Gray) -> Gray:
    """Divide the page by its paper brightness, so that shadows and tinted paper become white.

    Args:
        gray: (height, width) uint8.

    Returns:
        Same shape; paper near 255, ink as dark relative to the paper around it as before.
    """
    height, width = gray.shape
    if min(height, width) < 16:
        return gray.copy()
    scale = min(1.0, 300.0 / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = reduced(gray, size)
    # A gray dilation lifts thin ink out; the large median then ignores what thick ink is left.
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 25)
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    # 48: an all-black area is black, not white paper in deep shadow.
    lifted = cv2.divide(gray, np.maximum(paper, 48), scale=255.0)
    return np.asarray(lifted, np.uint8)


def ink_mask(gray: Gray) -> NDArray[np.uint8]:
    """Return (height, width) uint8, 255 where there is ink, of a flattened page."""
    smooth = np.asarray(cv2.GaussianBlur(gray, (0, 0), 0.7), np.uint8)
    level = float(np.clip(255.0 - 5.0 * paper_noise(smooth), *_INK_BELOW))
    _, mask = cv2.threshold(smooth, level, 255, cv2.THRESH_BINARY_INV)
    return np.asarray(mask, np.uint8)


def paper_noise(gray: NDArray[np.uint8]) -> float:
    """Standard deviation of the gray levels that can be no ink."""
    levels = np.arange(256.0)
    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    counts[levels <= _INK_BELOW[1]] = 0
    if not counts.any():
        return 0.0
    mean = np.average(levels, weights=counts)
    return float(np.sqrt(np.average((levels - mean) ** 2, weights=counts)))
