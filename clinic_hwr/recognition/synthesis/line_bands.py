"""The band of a line: where its small letters stand, without what rises above or hangs below.

Bands of neighbouring lines stay apart where their letters touch. That is what a finder of lines
learns to mark; the idea of baselines and x-heights as targets is that of Grüning et al. 2019 and
of dhSegment (Oliveira et al. 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
# A row belongs to the band with this share of the ink of the fullest row.
_FULL = 0.45
# The band follows the line window by window, each so many bands wide.
_WINDOW = 4.0
_SHRINK = 0.8


def band_of(alpha: NDArray[np.uint8]) -> Points:
    """Return the outline of a line's band, (n, 2) points x, y in pixels, clockwise.

    The height of the band is that of the rows that hold most ink; along the line it goes up and
    down with the ink. Of digits and capitals it is their middle.

    Args:
        alpha: (height, width) uint8 of one line of writing, level within a few degrees; 0 = paper.

    Returns:
        No points where there is no ink.
    """
    inked = alpha > 90
    columns = np.flatnonzero(inked.any(axis=0))
    if not len(columns):
        return np.zeros((0, 2))
    left, right = int(columns[0]), int(columns[-1]) + 1
    top, bottom = _full_rows(inked.sum(axis=1).astype(float))
    middle, high = (top + bottom) / 2, int(np.ptp(np.flatnonzero(inked.any(axis=1)))) + 1
    # A line that climbs fills many rows as a whole, and few in each window.
    spans = [
        _full_rows(some.sum(axis=1).astype(float))
        for start in range(left, right, high)
        if (some := inked[:, start : start + high]).any()
    ]
    thick = max(2.0, float(np.median([last - first for first, last in spans])))
    step = max(4, round(_WINDOW * thick))
    starts = range(left, right, step)
    centres = [
        ((start + min(start + step, right)) / 2,
         _centre(inked[:, start : min(start + step, right)], middle, thick))
        for start in starts
    ]  # fmt: skip
    xs = np.array([left, *(x for x, _ in centres), right], float)
    ys = np.array([centres[0][1], *(y for _, y in centres), centres[-1][1]])
    if len(ys) > 4:
        ys[2:-2] = (ys[1:-3] + 2 * ys[2:-2] + ys[3:-1]) / 4
    half = _SHRINK * thick / 2
    return np.concatenate([np.stack([xs, ys - half], 1), np.stack([xs[::-1], ys[::-1] + half], 1)])


def _full_rows(profile: NDArray[np.float64]) -> tuple[float, float]:
    """First and last row (exclusive) around the fullest that hold much of its ink."""
    sigma = max(1.0, 0.04 * len(profile))
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    smooth = np.convolve(np.pad(profile, reach), kernel / kernel.sum(), mode="valid")
    full = smooth >= _FULL * smooth.max()
    peak = int(smooth.argmax())
    first = peak - int(np.argmin(full[: peak + 1][::-1])) if not full[: peak + 1].all() else -1
    after = full[peak:]
    last = peak + (int(np.argmin(after)) if not after.all() else len(after))
    return float(first + 1), float(last)


def _centre(inked: NDArray[np.bool_], middle: float, thick: float) -> float:
    """Where a band of this height holds most of a window's ink, near the whole line's."""
    profile = inked.sum(axis=1).astype(float)
    size = max(1, round(thick))
    if profile.sum() == 0 or size >= len(profile):
        return middle
    held = np.convolve(profile, np.ones(size), mode="valid")
    centres = np.arange(len(held)) + size / 2
    off = (centres - middle) / thick
    # A band away costs as much as an eighth of the ink: a descender is no reason to go there.
    score = held / profile.sum() - 0.12 * off**2
    return float(centres[int(score.argmax())])
