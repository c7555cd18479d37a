"""Rows that are not straight: how far they sag along the page, from the rows themselves."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .resampling import reduced
from .types import NO_BEND, RowBend

_WIDTH_PX = 700
_STRIPS, _BANDS = 14, 7
_REACH = 0.012  # of the height: rows of neighbouring strips are not further apart
_WORTH_PX = 1.2  # at working size: less sag than this is left as it is
_MUCH_PX = 5.0  # more than this and not undone is worth telling
_GAIN = 1.04  # straightened rows must stand out this much better
_STEEPEST = 0.35  # of the sag down the page: above it rows would cross


def row_bend(ink: NDArray[np.uint8]) -> tuple[RowBend, bool]:
    """Measure the sag of the rows of an upright, deskewed page.

    Ink profiles of neighbouring vertical strips are shifted against each other, band by band;
    a smooth surface through all these shifts is the sag. It is only believed when undoing it
    makes the rows stand out better.

    Args:
        ink: (height, width) uint8, 255 = ink.

    Returns:
        The sag (``NO_BEND`` when there is none worth undoing), and whether one was seen that
        undoing did not help.
    """
    height, width = ink.shape
    scale = min(1.0, _WIDTH_PX / width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = reduced(ink, size)
    samples = _slopes(small)
    if len(samples) < 12:
        return NO_BEND, False
    bend = _surface(samples, (width, height), scale)
    if bend is None:
        return NO_BEND, False
    reach = bend.sag(*np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9)))
    sag_px = float(np.abs(reach).max()) * scale
    if sag_px < _WORTH_PX:
        return NO_BEND, False
    straight = bend.straightened(small, paper=0, scale=scale)
    if _sharpness(straight) < _GAIN * _sharpness(small):
        return NO_BEND, sag_px > _MUCH_PX
    return bend, False


def _slopes(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Rows of (x, y, slope of the text rows, weight), in pixels of ``small``."""
    height, width = small.shape
    step = width / _STRIPS
    reach = max(2, round(_REACH * height) + 1)
    edges = np.linspace(0, width, _STRIPS + 1).astype(int)
    strips = [small[:, a:b].sum(axis=1, dtype=np.float64) for a, b in itertools.pairwise(edges)]
    band = height / (_BANDS / 2 + 0.5)
    found = []
    for left in range(_STRIPS - 1):
        for number in range(_BANDS):
            y0 = round(number * band / 2)
            y1 = min(height, round(y0 + band))
            one, two = strips[left][y0:y1], strips[left + 1][y0:y1]
            shift = _shift(one, two, reach)
            if shift is not None:
                offset, weight = shift
                found.append(((left + 1) * step, (y0 + y1) / 2, offset / step, weight))
    return np.array(found)


def _shift(
    one: NDArray[np.float64], two: NDArray[np.float64], reach: int
) -> tuple[float, float] | None:
    """How far profile ``two`` lies below ``one`` in pixels, and how sure that is (0..1)."""
    if len(one) < 4 * reach or np.count_nonzero(one) < 8 or np.count_nonzero(two) < 8:
        return None
    one, two = np.sqrt(one), np.sqrt(two)
    one, two = one - one.mean(), two - two.mean()
    inner = one[reach : len(one) - reach]
    scores = np.lib.stride_tricks.sliding_window_view(two, len(inner)) @ inner
    norm = np.sqrt((inner @ inner) * (two @ two))
    if norm <= 0:
        return None
    scores /= norm
    best = int(np.argmax(scores))
    if scores[best] < 0.35 or best in (0, 2 * reach):
        return None
    left, top, right = scores[best - 1 : best + 2]
    curve = left - 2 * top + right
    fine = 0.5 * (left - right) / curve if curve < 0 else 0.0
    return best - reach + float(fine), float(scores[best]) ** 2


def _surface(samples: NDArray[np.float64], size: tuple[int, int], scale: float) -> RowBend | None:
    """The smooth sag whose slope along x fits the samples, by reweighted least squares."""
    width, height = size
    x, y, slope, weight = samples.T
    u, v = x / scale / width - 0.5, y / scale / height - 0.5
    powers = [(i, j) for i in (1, 2, 3, 4) for j in (0, 1, 2)]
    columns = np.stack([i * u ** (i - 1) * v**j for i, j in powers], 1)
    wanted = slope * width
    robust = weight.copy()
    ridge = np.diag([0.02 * (i + j) for i, j in powers]) * len(samples) / 50
    coefficients = np.zeros(len(powers))
    for _ in range(6):
        left = columns.T @ (robust[:, None] * columns) + ridge
        coefficients = np.linalg.solve(left, columns.T @ (robust * wanted))
        off = np.abs(columns @ coefficients - wanted)
        spread = max(1.4826 * float(np.median(off)), 0.002 * width)
        robust = weight / (1.0 + (off / spread) ** 2)
    bend = RowBend(size, tuple(float(one) for one in coefficients))
    xs, ys = np.meshgrid(np.linspace(0, width, 12), np.linspace(0, height, 24))
    steep = np.diff(bend.sag(xs, ys), axis=0) / (height / 23)
    return bend if np.abs(steep).max() < _STEEPEST else None


def _sharpness(ink: NDArray[np.uint8]) -> float:
    profile = ink.sum(axis=1, dtype=np.float64)
    return float(np.sum(np.diff(profile) ** 2)) + 1.0
