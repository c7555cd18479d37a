"""The steps of a comb: how far apart its lines stand, and which of two lines are one edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Pages are about 200 dpi (``upright``): cells of 0.12 to 0.5 inch.
PITCH_PX = (24, 100)
EVEN = 0.11  # of the pitch: how far a line may be from its even place
_GAP = 0.45  # of the pitch: two lines nearer than that are the sides of two boxes with a gap
_MOST_PITCHES = 5  # tried in a row of lines


def likely_pitches(places: NDArray[np.float64]) -> list[float]:
    """Likely distances of the lines, the most frequent first."""
    behind = np.arange(len(places))[:, None] + np.arange(1, 5)
    apart = (places[np.minimum(behind, len(places) - 1)] - places[:, None])[behind < len(places)]
    apart = apart[(apart >= PITCH_PX[0]) & (apart <= PITCH_PX[1])]
    chosen: list[float] = []
    if len(apart) == 0:
        return chosen
    ordered = np.sort(apart)
    # Those alike stand side by side in order; their median is that of a stretch.
    same = np.abs(apart[:, None] - ordered) <= 0.06 * apart[:, None]
    first, number = same.argmax(1), same.sum(1)
    medians = (ordered[first + (number - 1) // 2] + ordered[first + number // 2]) / 2
    for i in np.argsort(-number, kind="stable"):
        value = float(medians[i])
        if all(abs(value - other) > 0.08 * other for other in chosen):
            chosen.append(value)
            if len(chosen) == _MOST_PITCHES:
                break
    return chosen


def with_far_sides(
    edges: Sequence[float], places: NDArray[np.float64], pitch: float
) -> list[float]:
    """Edges of cells: the facing sides of two boxes with a gap are one edge.

    ``edges`` are the left sides, or the right sides, or both where the boxes share them.
    """
    ends = edges[0] - pitch, edges[-1] + pitch
    others = [
        x for x in places.tolist()
        if ends[0] < x < ends[1] and min(abs(x - edge) for edge in edges) > 0.05 * pitch
    ]  # fmt: skip
    shift = [(x - edges[0]) % pitch for x in others]
    for first in shift:
        same = [x for x, d in zip(others, shift, strict=True) if abs(d - first) <= EVEN * pitch]
        if len(same) < 0.6 * len(edges) or not (first < _GAP * pitch or first > (1 - _GAP) * pitch):
            continue
        merged: list[list[float]] = []
        for x in sorted([*edges, *same]):
            if merged and x - merged[-1][-1] < _GAP * pitch:
                merged[-1].append(x)
            else:
                merged.append([x])
        # Boxes with gaps have one between any two; runs of a date side by side have one or two.
        if sum(len(some) > 1 for some in merged[1:-1]) >= 0.6 * (len(merged) - 2):
            return [(some[0] + some[-1]) / 2 for some in merged]
    return list(edges)
