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
# A tinted ground is as gray as this, at least as high as a row of print, of which that many fit on
# a page, and this many times as long. Looked for where a row has that many pixels.
_TINTS, _MOST_TINT = (110, 232), 0.15
_ROWS_A_PAGE, _ROW_PX, _LONG = 72, 10, 3

_PAGES_KEPT, _PAGE_PX = 3, 500_000  # of 8 MB each; windows are not kept


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


def without_tints(page: Gray) -> Gray:
    """Whiten grounds printed in gray (heads of tables, shaded cells), which are paper to a reader.

    They are smaller than shadows, and larger than letters: what is still gray when everything
    smaller than a row of print is closed.

    Args:
        page: flattened, (height, width) uint8, upright or on its side.
    """
    height, width = page.shape
    scale = min(1.0, _ROW_PX * _ROWS_A_PAGE / max(height, width))
    small = reduced(page, (max(8, round(width * scale)), max(8, round(height * scale))))
    row = max(3, round(max(small.shape) / _ROWS_A_PAGE))
    ground = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((row, row), np.uint8))
    tinted = cv2.inRange(ground, _TINTS[0], _TINTS[1])
    if not tinted.any():
        return page
    # The page may still lie on its side.
    along, down = (
        cv2.morphologyEx(tinted, cv2.MORPH_OPEN, np.ones(way, np.uint8))
        for way in ((row, _LONG * row), (_LONG * row, row))
    )
    tinted = cv2.dilate(cv2.max(along, down), np.ones((3, 3), np.uint8))
    # What is gray over more of a page is a table around a sheet, and its grain would show.
    if not 0 < np.count_nonzero(tinted) < _MOST_TINT * tinted.size:
        return page
    level = np.where(tinted > 0, ground, 255).astype(np.uint8)
    whole = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(page, whole, scale=255.0), np.uint8)


def inked_part(gray: Gray, margin_px: int) -> tuple[slice, slice] | None:
    """Return the rows and columns of a flattened page that hold all of its ink; None without any.

    Args:
        gray: (height, width) uint8.
        margin_px: paper left around it.
    """
    dark = cv2.threshold(gray, _INK_BELOW[1], 255, cv2.THRESH_BINARY_INV)[1]
    rows, columns = (np.flatnonzero(np.asarray(dark).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return (
        slice(max(0, int(rows[0]) - margin_px), int(rows[-1]) + margin_px + 1),
        slice(max(0, int(columns[0]) - margin_px), int(columns[-1]) + margin_px + 1),
    )


def ink_mask(gray: Gray) -> NDArray[np.uint8]:
    """Return (height, width) uint8, 255 where there is ink, of a flattened page."""
    smooth, noise = smoothed(gray)
    level = float(np.clip(255.0 - 5.0 * noise, *_INK_BELOW))
    _, mask = cv2.threshold(smooth, level, 255, cv2.THRESH_BINARY_INV)
    return np.asarray(mask, np.uint8)


_kept: tuple[tuple[Gray, NDArray[np.uint8], float], ...] = ()


def smoothed(gray: Gray) -> tuple[NDArray[np.uint8], float]:
    """Blur a flattened page a little; returns that, read-only, and the noise of its paper.

    The last pages are remembered, by their pixels: ink is looked for in one page three times.
    """
    global _kept
    for page, smooth, noise in _kept:
        if page.shape == gray.shape and np.array_equal(page, gray):
            return smooth, noise
    smooth = np.asarray(cv2.GaussianBlur(gray, (0, 0), 0.7), np.uint8)
    noise = paper_noise(smooth)
    smooth.flags.writeable = False
    if gray.size >= _PAGE_PX:
        # One assignment: threads may blur the same page twice, never see half of a result.
        _kept = ((gray.copy(), smooth, noise), *_kept)[:_PAGES_KEPT]
    return smooth, noise


def paper_noise(gray: NDArray[np.uint8]) -> float:
    """Standard deviation of the gray levels that can be no ink."""
    levels = np.arange(256.0)
    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    counts[levels <= _INK_BELOW[1]] = 0
    if not counts.any():
        return 0.0
    mean = np.average(levels, weights=counts)
    return float(np.sqrt(np.average((levels - mean) ** 2, weights=counts)))
