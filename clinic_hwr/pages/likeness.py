"""Whether two pages are the same paper: scanned again, faxed, or a little askew.

Two prescriptions on the same printed form share all of its print, and differ where somebody wrote.
A coarse map of the ink (``page_look``) finds candidates among thousands of pages; each is then laid
over the page by its features and compared stroke by stroke (``same_paper_score``). What is print is
not asked: it is in the same place on both pages, so it can only agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .types import Gray

Mask = NDArray[np.bool_]

_GRID = (40, 32)
_LOOK_BYTES = _GRID[0] * _GRID[1]

SAME_PAPER = 0.85
"""Least ``same_paper_score`` of one paper. On generated papers, the same paper sent again (rescan,
copy, upside down, fax; 48 pairs) reached 0.97 at least, another one of its form (36 pairs) 0.74 at
most: ``benchmarks/near_duplicates.py``, seed 2030, 2026-11-26."""

LOOKS_ALIKE = 0.7
"""Least ``looks_alike`` worth a comparison stroke by stroke; those 48 pairs had 0.99 or more."""

_SAME_FORM = 0.6
_SAME_FORM_PAGES = 6
"""So many pages this much alike show what their form is, and it can be taken off all of them."""

_LONG_SIDE_PX = 1100
_NEAR_PX = 2
"""Strokes within this distance are the same: 0.5 mm on paper, what fax dots and curl shift."""

_FEATURES = 2500
_LEAST_MATCHES = 25
_CELL_PX = 44
"""About 1 cm: a written name covers four, a date two."""

_LEAST_INK_PX = 30
_SPARED_CELLS = 3
"""So many cells may differ on one paper: a stamp, a hole, a fold."""

_LEAST_CELLS = 12


def page_look(gray: Gray) -> bytes:
    """Return the coarse map of the ink of an upright page, 1280 bytes.

    Args:
        gray: upright page, (height, width) uint8.

    Returns:
        Darkness by cell inside of the page's ink, row by row; b"" when there is no ink.
    """
    ink = _ink(gray)
    frame = _ink_frame(ink)
    if frame is None:
        return b""
    x0, y0, x1, y1 = frame
    inside = ink[y0:y1, x0:x1].astype(np.float32)
    rows, columns = _GRID
    cells = cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_AREA)
    cells = np.asarray(cv2.GaussianBlur(cells, (0, 0), 0.8), np.float32)
    look = np.round(255 * np.sqrt(cells / max(float(cells.max()), 1e-6)))
    return bytes(look.astype(np.uint8).tobytes())


def looks_alike(look: bytes, others: Sequence[bytes]) -> NDArray[np.float32]:
    """Return how alike maps are, one correlation (-1..1) for each of ``others``; 0 without ink.

    Where many pages are of one form, what they have in common is taken off first.
    """
    scores = np.zeros(len(others), np.float32)
    usable = [i for i, other in enumerate(others) if len(other) == _LOOK_BYTES]
    if len(look) != _LOOK_BYTES or not usable:
        return scores
    one = np.frombuffer(look, np.uint8)[None].astype(np.float32)
    raw = np.frombuffer(b"".join(others[i] for i in usable), np.uint8)
    many = raw.reshape(-1, _LOOK_BYTES).astype(np.float32)
    found = _correlations(one, many)
    form = found >= _SAME_FORM
    if int(form.sum()) >= _SAME_FORM_PAGES:
        common = np.median(many[form], axis=0)
        found[form] = _correlations(one - common, many[form] - common)
    scores[usable] = found
    return scores


def same_paper_score(first: Gray, second: Gray) -> float:
    """Return how much of the ink of one upright page is in the same place on another, 0..1.

    Of every cell with ink, the share that has ink of the other page within half a millimetre; the
    score is that of the worst cell but three. Of the two directions the better counts: a
    stamp, a fax header or a note that was added makes no other paper. 0 when the pages cannot be
    laid over one another, or hold too little ink to tell.
    """
    one, two = _small(first), _small(second)
    matrix = _registration(one, two)
    if matrix is None:
        return 0.0
    ink_one = _ink(one)
    ink_two = _moved(_ink(two), matrix, (one.shape[1], one.shape[0]))
    return max(_worst_cell(ink_one, ink_two), _worst_cell(ink_two, ink_one))


def _correlations(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the correlation of a row with every one of many rows."""
    left, right = _standardised(one), _standardised(many)
    return np.asarray((right @ left[0]) / left.shape[1], np.float32)


def _standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-6), np.float32)


def _small(gray: Gray) -> Gray:
    scale = min(1.0, _LONG_SIDE_PX / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ink(gray: Gray) -> Mask:
    """Ink without specks and without rules."""
    ink = ink_mask(gray)
    length = max(ink.shape) // 25
    rows = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    columns = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    rules = cv2.dilate(cv2.max(rows, columns), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.subtract(ink, rules) > 0)


def _ink_frame(ink: Mask) -> tuple[int, int, int, int] | None:
    """The rectangle with all but the outermost hundredth of the ink, so that a speck moves none."""
    ys, xs = np.nonzero(ink)
    if len(xs) < 50:
        return None
    x0, x1 = np.quantile(xs, (0.01, 0.99))
    y0, y1 = np.quantile(ys, (0.01, 0.99))
    return int(x0), int(y0), max(int(x1), int(x0) + 8), max(int(y1), int(y0) + 8)


def _moved(mask: Mask, matrix: NDArray[np.float64], size: tuple[int, int]) -> Mask:
    warped = cv2.warpAffine(mask.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR)
    return np.asarray(warped > 100)


def _registration(one: Gray, two: Gray) -> NDArray[np.float64] | None:
    """The 2x3 matrix that lays ``two`` over ``one``; None when they do not fit."""
    orb = cv2.ORB.create(nfeatures=_FEATURES, fastThreshold=10)
    points_one, marks_one = orb.detectAndCompute(one, None)
    points_two, marks_two = orb.detectAndCompute(two, None)
    if marks_one is None or marks_two is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks_two, marks_one)
    if len(pairs) < _LEAST_MATCHES:
        return None
    source = np.array([points_two[pair.queryIdx].pt for pair in pairs], np.float32)
    target = np.array([points_one[pair.trainIdx].pt for pair in pairs], np.float32)
    matrix, inside = cv2.estimateAffine2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=3.0
    )
    if matrix is None or int(inside.sum()) < _LEAST_MATCHES:
        return None
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    return np.asarray(matrix, np.float64) if 0.5 < scale < 2.0 else None


def _worst_cell(ink: Mask, other: Mask) -> float:
    """Return the share of ink near the other's ink, in the worst cell but ``_SPARED_CELLS``."""
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1))
    near = cv2.dilate(other.astype(np.uint8), around) > 0
    rows, columns = ink.shape[0] // _CELL_PX, ink.shape[1] // _CELL_PX
    if rows == 0 or columns == 0:
        return 0.0
    held, found = (
        mask[: rows * _CELL_PX, : columns * _CELL_PX]
        .reshape(rows, _CELL_PX, columns, _CELL_PX)
        .sum(axis=(1, 3))
        for mask in (ink, ink & near)
    )
    written = held >= _LEAST_INK_PX
    if int(written.sum()) < _LEAST_CELLS:
        return 0.0
    shares = np.sort(found[written] / held[written])
    return float(shares[_SPARED_CELLS])
