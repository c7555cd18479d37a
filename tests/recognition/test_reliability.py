"""Reliability bins by hand; the pictures are PNG files with something in them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from clinic_hwr.recognition.metrics import wilson_interval
from clinic_hwr.recognition.training.reliability import (
    draw_reliability,
    draw_risk_coverage,
    reliability_bins,
)


def test_bins_hold_counts_means_and_intervals():
    bins = reliability_bins([0.02, 0.08, 0.95, 1.0, 0.91, 0.99], [False, True, True, True, True, 0])

    assert [b.n for b in bins] == [2, 4]
    assert [b.mean_p for b in bins] == pytest.approx([0.05, 0.9625])
    assert [b.right for b in bins] == pytest.approx([0.5, 0.75])
    assert (bins[1].low, bins[1].high) == wilson_interval(3, 4)


@pytest.fixture
def fields() -> tuple[list[float], list[bool]]:
    rng = np.random.default_rng(1)
    p = rng.random(400)
    return p.tolist(), (rng.random(400) < p).tolist()


def _colours(path: Path) -> int:
    image = cv2.imread(str(path))
    assert image is not None
    return len(np.unique(image.reshape(-1, 3), axis=0))


def test_the_reliability_diagram_is_drawn(tmp_path: Path, fields):
    pytest.importorskip("matplotlib")
    p, right = fields
    draw_reliability(p, right, tmp_path / "r.png", "words")
    draw_reliability(p, [True] * 400, tmp_path / "all.png", "words")
    assert _colours(tmp_path / "r.png") > 10
    assert (tmp_path / "r.png").read_bytes() != (tmp_path / "all.png").read_bytes()


def test_the_risk_coverage_curves_are_drawn(tmp_path: Path, fields):
    pytest.importorskip("matplotlib")
    p, right = fields
    draw_risk_coverage({"ours": (p, right)}, tmp_path / "one.png")
    draw_risk_coverage({"ours": (p, right), "constant": ([0.5] * 400, right)}, tmp_path / "two.png")
    assert _colours(tmp_path / "one.png") < _colours(tmp_path / "two.png")
