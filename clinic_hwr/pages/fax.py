"""One-bit pages: unequal resolution put right, specks and lost rows of the line repaired."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from .components import connected_pieces
from .types import Gray

# Dots of a row of a fax (ITU-T T.4: A4, B4, A3), and what gateways make of a letter page at 200.
_ROW_DOTS = (1728, 2048, 2432, 1700, 1694)
_FLAT_LETTERS = 0.72  # height over width of letters on rows that are half as dense as columns
_MIN_LETTERS = 20
_SPECK_PX = 3
_FEW_SPECKS = 3e-5  # of all pixels: below it dots belong to letters


def is_one_bit(gray: Gray) -> bool:
    """Whether a raster is black and white and nothing between."""
    sample = gray[:: max(1, gray.shape[0] // 600)]
    extreme = np.count_nonzero((sample < 8) | (sample > 247))
    return bool(extreme > 0.998 * sample.size and np.count_nonzero(sample < 8) > 0)


def fax_stretch(gray: Gray) -> tuple[float, float]:
    """How much wider and taller a fax must be drawn: (1, 2) for standard resolution, else (1, 1).

    A file that names its resolution has been put right on intake; this is for those that do not.
    A side must be one that machines send, and the letters must be flat. A fax that was turned
    since is (2, 1).
    """
    if _is_half_dense(gray):
        return 1.0, 2.0
    return (2.0, 1.0) if _is_half_dense(np.asarray(cv2.transpose(gray), np.uint8)) else (1.0, 1.0)


def _is_half_dense(gray: Gray) -> bool:
    height, width = gray.shape
    if not any(abs(width - dots) <= 2 for dots in _ROW_DOTS) or height > 0.85 * width:
        return False
    ink = np.where(gray < 128, 255, 0).astype(np.uint8)
    _, _, stats, _ = connected_pieces(ink)
    wide, high = (stats[1:, place] for place in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    letter = (wide >= 6) & (wide < width / 25) & (high >= 4) & (high < height / 12)
    if int(letter.sum()) < _MIN_LETTERS:
        return False
    return float(np.median(high[letter] / wide[letter])) < _FLAT_LETTERS


def clean_fax(gray: Gray) -> Gray:
    """Take out specks, where there are too many to be dots of i, and fill rows lost on the line."""
    ink = np.where(gray < 128, 255, 0).astype(np.uint8)
    _, labels, stats, _ = connected_pieces(ink)
    speck = np.where(stats[:, cv2.CC_STAT_AREA] <= _SPECK_PX, 255, 0).astype(np.uint8)
    speck[0] = 0
    if np.count_nonzero(speck) > _FEW_SPECKS * gray.size:
        gray = np.asarray(cv2.max(gray, speck.take(labels)), np.uint8)
    return _rows_filled(gray)


def _rows_filled(gray: Gray) -> Gray:
    """Give all-white rows between written ones what both neighbours of the gap have."""
    written = gray.min(axis=1) < 128
    clean = gray.copy()
    rows = np.flatnonzero(written)
    for above, below in itertools.pairwise(rows):
        if 2 <= below - above <= 5:
            clean[above + 1 : below] = np.maximum(gray[above], gray[below])
    return clean
