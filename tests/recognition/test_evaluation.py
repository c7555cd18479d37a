"""Evaluation data is never training data; figures are computed as documented."""

import os
from pathlib import Path

import numpy as np
import pytest

from clinic_hwr.recognition.training.datasets import MixtureConfig, build_mixture
from clinic_hwr.recognition.training.evaluation import evaluate, for_fitting
from clinic_hwr.recognition.training.evaluation_sets import EVALUATION_SETS, load_evaluation_set
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.types import Alternative, Reading

DATA = Path(os.environ.get("CLINIC_HWR_DATA") or "nowhere")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="CLINIC_HWR_DATA names no data folder")


def _reading(text: str, p: float, *others: str) -> Reading:
    return Reading(text, p, (), tuple(Alternative(t, 0.1) for t in (text, *others)), "m")


def test_a_report_counts_what_was_read():
    image = np.zeros((4, 4), np.uint8)
    samples = [Sample(image, t, "w") for t in ("Aspirin", "Zocor", "Lasix")]
    readings = [
        _reading("ASPIRIN", 0.9),
        _reading("Zocar", 0.6, "Zocor"),
        _reading("Losec", 0.2),
    ]
    report = evaluate("s", samples, readings)
    assert report.n == 3
    assert report.exact == pytest.approx(1 / 3)
    assert report.top5 == pytest.approx(2 / 3)
    assert report.cer == pytest.approx((0 + 1 + 3) / 17)
    assert report.coverage_1 == pytest.approx(1 / 3)


def test_an_unknown_set_lists_the_valid_ones():
    with pytest.raises(ValueError, match="copiste_words"):
        load_evaluation_set(DATA, "nope")


def test_the_halves_for_fitting_and_measuring_are_fixed_and_about_equal():
    share = np.mean([for_fitting(f"name{i}") for i in range(2000)])
    assert 0.45 < share < 0.55
    assert for_fitting("Aceta") == for_fitting("ACETA")


@needs_data
def test_no_evaluation_writer_is_in_any_training_source():
    rng = np.random.default_rng(0)
    trained = {
        source.draw(rng).writer
        for source, _ in build_mixture(DATA, MixtureConfig())
        for _ in range(150)
    }
    held_out = {s.writer for name in EVALUATION_SETS for s in load_evaluation_set(DATA, name, 300)}
    assert not held_out & {writer.removeprefix("unipen:") for writer in trained}
    assert len(trained) > 100
