"""One-bit pages: unequal resolution put right, specks and lost rows of the line repaired."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from .components import Pieces, connected_pieces, of_pieces
from .halftone import dots_joined, dots_of_strokes
from .types import Gray

# Dots of a row of a fax (ITU-T T.4: A4, B4, A3), and what gateways make of a letter page at 200.
_ROW_DOTS = (1728, 2048, 2432, 1700, 1694)
_FLAT_LETTERS = 0.72  # height over width of letters on rows that are half as dense as columns
_MIN_LETTERS = 20
_SPECK_PX, _DOTS_PX = 3, 12  # of a speck, and of dots of a halftone that touch
_GRAINY = 0.06  # of the pixels around are lone dots or holes: more is a ground, no letter's edge
# Around a place that is larger than a letter the dots thin out, over so many pixels.
_THIN_GRAIN, _WIDE_PX, _RIM_PX = 0.03, 72, 100
_SHADED = 0.3  # of the ground is black: the single dots of lighter gray are specks
_PATCH_PX = 7
_COARSE = 4
_AROUND_PX = 33
_OVER_GROUND, _CLUMP_PX = 0.4, 40
_GROUND_PX = 65
_GROUND_BLUR_PX = 2.2  # dots become gray, strokes of a pen stay
_LOST_SHARE = 2e-4  # of the page: about a letter
_BLACKENED = 0.7  # of a grainy place is black: nothing can be told from it
_FEW_SPECKS = 3e-5  # of all pixels: below it dots belong to letters


def is_one_bit(gray: Gray) -> bool:
    """Whether a raster is black and white and nothing between."""
    sample = gray[:: max(1, gray.shape[0] // 600)]
    extreme = np.count_nonzero((sample < 8) | (sample > 247))
    return bool(extreme > 0.998 * sample.size and np.count_nonzero(sample < 8) > 0)


def _black(gray: Gray) -> Gray:
    """255 where a page is dark."""
    return np.asarray(cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)


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
    ink = _black(gray)
    _, _, stats, _ = connected_pieces(ink)
    wide, high = (stats[1:, place] for place in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    letter = (wide >= 6) & (wide < width / 25) & (high >= 4) & (high < height / 12)
    if int(letter.sum()) < _MIN_LETTERS:
        return False
    return float(np.median(high[letter] / wide[letter])) < _FLAT_LETTERS


def clean_fax(gray: Gray) -> Gray:
    """Take out specks, where there are too many to be dots of i, and fill rows lost on the line.

    Where strokes arrive as dots they are joined; see ``halftone``.
    A shaded sheet reaches the other side as black and white grain: there dots are blurred into the
    gray that they stand for, so that the ink shows against it, and what is all but black becomes
    white. Around such a place, where the grain thins out, larger pieces are specks as well.
    """
    ink = _black(gray)
    pieces = connected_pieces(ink)
    grainy, rim = _grainy(ink)
    whole = fax_stretch(gray)
    clump_px = round(_CLUMP_PX / (whole[0] * whole[1]))
    if grainy.any():
        gray = _ground_as_gray(gray, ink, grainy, whole)
    specks, small, clumps = (_up_to(most, pieces, ink) for most in (_SPECK_PX, _DOTS_PX, clump_px))
    if np.count_nonzero(specks) <= _FEW_SPECKS * gray.size:
        return _rows_filled(gray)
    clumps = np.asarray(cv2.bitwise_and(clumps, rim), np.uint8)
    specks, small = (np.asarray(cv2.max(one, clumps), np.uint8) for one in (specks, small))
    dots = dots_of_strokes(specks, small, grainy, rim)
    gray = _rows_filled(np.asarray(cv2.max(gray, cv2.subtract(specks, dots)), np.uint8))
    return dots_joined(gray, whole) if dots.any() else gray


def _up_to(most: int, pieces: Pieces, ink: Gray) -> Gray:
    """The pieces of ink that have no more pixels than so many, 255."""
    small = np.where(pieces.stats[:, cv2.CC_STAT_AREA] <= most, 255, 0).astype(np.uint8)
    small[0] = 0
    return of_pieces(small, pieces.labels, ink)


def is_blackened(gray: Gray, clean: Gray) -> bool:
    """Whether ``clean_fax`` gave up a place that arrived all but black.

    Args:
        gray, clean: the raster before and after, of one size.
    """
    white = cv2.threshold(clean, 250, 255, cv2.THRESH_BINARY)[1]
    given_up = cv2.bitwise_and(_black(gray), white)
    share = cv2.boxFilter(given_up, cv2.CV_32F, (_AROUND_PX, _AROUND_PX)) / 255
    return bool(np.count_nonzero(share > _BLACKENED) > _LOST_SHARE * gray.size)


def _grainy(ink: Gray) -> tuple[Gray, Gray]:
    """Where dots and holes stand as densely as in no writing, and where they thin out around it.

    Both (height, width), 255 or 0.
    """
    # What a majority of its neighbours outvotes is a dot or a hole; strokes are wider.
    lone = cv2.compare(ink, cv2.medianBlur(ink, 3), cv2.CMP_NE)
    # Grain fills whole places: a quarter of the pixels each way shows them as well.
    coarse = max(1, ink.shape[1] // _COARSE), max(1, ink.shape[0] // _COARSE)
    around = max(1, _AROUND_PX // _COARSE)
    dots = cv2.boxFilter(cv2.resize(lone, coarse, interpolation=cv2.INTER_AREA), cv2.CV_32F,
                         (around, around)) / 255  # fmt: skip
    if not (dots > _GRAINY).any():
        return np.zeros_like(ink), np.zeros_like(ink)
    # Letters fill less than half of a place, so that the median is what they stand on.
    size = max(1, ink.shape[1] // _PATCH_PX), max(1, ink.shape[0] // _PATCH_PX)
    patches = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    ground = cv2.resize(cv2.medianBlur(patches, 5), coarse) / 255
    grain = np.where((dots > _GRAINY) & (ground > _SHADED), 255, 0).astype(np.uint8)
    side = np.ones((max(1, around // 2), max(1, around // 2)), np.uint8)
    places = cv2.dilate(cv2.morphologyEx(grain, cv2.MORPH_OPEN, side), side)
    wide = np.ones((max(1, _WIDE_PX // _COARSE),) * 2, np.uint8)
    reach = np.ones((2 * max(1, _RIM_PX // _COARSE) + 1,) * 2, np.uint8)
    around_wide = cv2.dilate(cv2.morphologyEx(places, cv2.MORPH_OPEN, wide), reach)
    rim = np.where((around_wide > 0) & (dots > _THIN_GRAIN), 255, 0).astype(np.uint8)
    return _enlarged(np.asarray(places, np.uint8), ink), _enlarged(rim, ink)


def _enlarged(coarse: Gray, ink: Gray) -> Gray:
    return np.asarray(
        cv2.resize(coarse, ink.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8
    )


def _ground_as_gray(gray: Gray, ink: Gray, grainy: Gray, stretch: tuple[float, float]) -> Gray:
    """Divide the grain away: what is darker than the ground around it, once dots are blurred."""
    across, down = stretch
    blur = _GROUND_BLUR_PX / across, _GROUND_BLUR_PX / down
    dark = cv2.GaussianBlur(ink, (0, 0), blur[0], sigmaY=blur[1]).astype(np.float32) / 255
    ground = cv2.boxFilter(ink, cv2.CV_32F, (_GROUND_PX, _GROUND_PX)) / 255
    over = (dark - ground) / np.maximum(1.0 - ground, 0.05)
    lifted: Gray = np.where(grainy > 0, 255 * (1 - np.clip(over, 0, 1)), gray).astype(np.uint8)
    # What is left of the grain are clumps smaller than a letter, and paler.
    marks = np.where((grainy > 0) & (over > _OVER_GROUND), 255, 0).astype(np.uint8)
    _, of_mark, sizes, _ = connected_pieces(marks)
    large = np.where(sizes[:, cv2.CC_STAT_AREA] > _CLUMP_PX / (across * down), 255, 0).astype(
        np.uint8
    )
    large[0] = 0
    kept = cv2.dilate(large.take(of_mark), np.ones((5, 5), np.uint8))
    lifted[(grainy > 0) & (kept == 0)] = 255
    black = cv2.boxFilter(ink, cv2.CV_32F, (_AROUND_PX, _AROUND_PX)) > 255 * _BLACKENED
    _, labels, _, _ = connected_pieces(np.where(black, 255, 0).astype(np.uint8))
    # A bar of print is black and has clean edges; a shadow's are grainy.
    in_grain = np.unique(labels[(grainy > 0) & black])
    lost = np.where(np.isin(labels, in_grain[in_grain > 0]), 255, 0).astype(np.uint8)
    rim = np.ones((_AROUND_PX // 2, _AROUND_PX // 2), np.uint8)
    lifted[(cv2.dilate(lost, rim) > 0) & (grainy > 0) | (lost > 0)] = 255
    return lifted


def _rows_filled(gray: Gray) -> Gray:
    """Give all-white rows between written ones what both neighbours of the gap have."""
    written = gray.min(axis=1) < 128
    clean = gray.copy()
    rows = np.flatnonzero(written)
    for above, below in itertools.pairwise(rows):
        if 2 <= below - above <= 5:
            clean[above + 1 : below] = np.maximum(gray[above], gray[below])
    return clean
