"""Calibration and selective prediction as pictures.

Both need the extra ``train`` (matplotlib); without it nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clinic_hwr.recognition.metrics import (
    expected_calibration_error,
    risk_coverage,
    wilson_interval,
)

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Fields whose p lies in one tenth of 0..1.

    Attributes:
        n: how many.
        mean_p: their mean probability.
        right: share of right ones among them.
        low, high: its 95% Wilson interval.
    """

    n: int
    mean_p: float
    right: float
    low: float
    high: float


def reliability_bins(p: Sequence[float], right: Sequence[bool]) -> tuple[ReliabilityBin, ...]:
    """Bin by p in equal widths, low to high; empty bins are left out (Niculescu-Mizil 2005)."""
    values, outcome = np.asarray(p, float), np.asarray(right, bool)
    index = np.minimum((values * BINS).astype(int), BINS - 1)
    bins = []
    for b in np.unique(index):
        part = index == b
        n, k = int(part.sum()), int(outcome[part].sum())
        bins.append(ReliabilityBin(n, float(values[part].mean()), k / n, *wilson_interval(k, n)))
    return tuple(bins)


def draw_reliability(p: Sequence[float], right: Sequence[bool], path: Path, title: str) -> None:
    """Draw the reliability diagram with the count of each bin as PNG; the ECE is in the title."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    bins = reliability_bins(p, right)
    figure, (main, counts) = plt.subplots(
        2, 1, figsize=(5, 6), sharex=True, height_ratios=(4, 1), layout="constrained"
    )
    main.plot([0, 1], [0, 1], color="gray", linestyle=":")
    main.errorbar(
        [b.mean_p for b in bins],
        [b.right for b in bins],
        # A Wilson interval holds its share but for rounding.
        yerr=[
            [max(0.0, b.right - b.low) for b in bins],
            [max(0.0, b.high - b.right) for b in bins],
        ],
        fmt="o-",
        capsize=3,
        color="tab:blue",
    )
    main.set_xlim(0, 1)
    main.set_ylim(0, 1)
    main.set_ylabel("share right, 95% Wilson interval")
    error = expected_calibration_error(p, right)
    main.set_title(f"{title}\nECE {error:.3f} (15 equal-mass bins), n = {len(p)}")
    counts.bar([b.mean_p for b in bins], [b.n for b in bins], width=0.06, color="tab:blue")
    for b in bins:
        counts.annotate(str(b.n), (b.mean_p, b.n), ha="center", va="bottom", fontsize=7)
    counts.margins(y=0.3)
    counts.set_ylabel("fields")
    counts.set_xlabel("stated probability, mean of a bin")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_risk_coverage(
    curves: Mapping[str, tuple[Sequence[float], Sequence[bool]]], path: Path
) -> None:
    """Draw the risk-coverage curve of each named (p, right) as PNG; lower is better.

    The first one lies on top of the others.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for depth, (name, (p, right)) in enumerate(curves.items()):
        points = risk_coverage(p, right)
        axis.plot(
            [point.coverage for point in points],
            [point.risk for point in points],
            label=name,
            zorder=3 - depth / 100,
        )
    axis.set_xlim(0, 1)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("coverage: share of fields accepted, most confident first")
    axis.set_ylabel("risk: share wrong among them")
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)
