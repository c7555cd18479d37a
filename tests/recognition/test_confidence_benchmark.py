"""benchmarks/confidence.py with a reader of known outputs."""

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks import confidence
from clinic_hwr.recognition.training.fitting import for_fitting
from clinic_hwr.recognition.training.sources import Sample
from clinic_hwr.recognition.types import Reading


class StubReader:
    """Reads a crop as the name in its first pixel; sure of the even ones, which are right."""

    model_version = "stub@0"

    def __init__(self) -> None:
        self.spelled: list[str] = []

    def read(self, crops, *, kinds=None, lexicon=None, nbest=5):
        assert list(kinds) == ["word"] * len(crops)
        return [
            Reading(
                f"Name{crop[0, 0]}" if crop[0, 0] % 2 == 0 else "wrong",
                0.99 if crop[0, 0] % 2 == 0 else 0.01,
                (),
                (),
                self.model_version,
            )
            for crop in crops
        ]

    def frame_log_probabilities(self, crops):
        return [np.log([[0.2, 0.8], [0.5 + crop[0, 0] % 2 / 4] * 2]) for crop in crops]

    def attention_log_probabilities(self, crops, texts):
        self.spelled += texts
        return [
            (math.log(0.5 if text.isupper() else 0.25), math.log(0.5)) if crop[0, 0] != 3 else ()
            for crop, text in zip(crops, texts, strict=True)
        ]


def _samples(n: int) -> list[Sample]:
    return [Sample(np.full((4, 4), i, np.uint8), f"name{i}", f"writer{i}") for i in range(n)]


def test_every_formula_is_applied_to_the_same_readings():
    reader, samples = StubReader(), _samples(4)

    judged = confidence.judge(reader, samples, None, confidence.frame_confidences(reader, samples))

    assert judged.right == [True, False, True, False]
    assert set(judged.p) == {
        confidence.OURS, "docTR", "EasyOCR", "PaddleOCR", "Tesseract", "kraken", "DTRB", "PARSeq",
    }  # fmt: skip
    assert judged.p[confidence.OURS] == [0.99, 0.01, 0.99, 0.01]
    assert judged.p["docTR"] == pytest.approx([0.5, 0.75, 0.5, 0.75])
    assert judged.p["DTRB"] == pytest.approx([0.25, 0.25, 0.25, 0.0])  # nothing from the decoder
    assert judged.p["PARSeq"] == pytest.approx([0.125, 0.125, 0.125, 0.0])


def test_a_name_from_a_list_counts_in_its_most_probable_spelling():
    reader = StubReader()
    found = confidence.step_confidences(reader, _samples(1), ["Napa One"], any_case=True)
    assert found["DTRB"] == pytest.approx([0.5])
    assert set(reader.spelled) == {"Napa One", "napa one", "NAPA ONE", "Napa one"}


def test_figures_and_tables():
    setting = confidence.Setting("words", "rx_words")
    judged = confidence.Judged([True, True, False, False], {"sure": [0.9, 0.8, 0.2, 0.1]})

    (result,) = confidence.measure(setting, judged, seed=1)

    assert (result.n, result.right, result.e_aurc) == (4, 0.5, 0.0)
    assert result.ece == pytest.approx((0.1 + 0.2 + 0.2 + 0.1) / 4)
    assert [c.coverage for c in result.coverages] == [0.5, 0.5, 0.5]
    row = confidence.results_table([result]).splitlines()[-1]
    assert row.startswith("| words | 4 | 50.0% | sure | 0.150 | 0.025 |")
    assert "| 50.0% [0.0%, 100.0%] |" in row


def test_thresholds_come_from_the_fitting_half():
    judged = confidence.Judged([True, False, True], {confidence.OURS: [0.9, 0.95, 0.1]})
    setting = confidence.Setting("words", "rx_words")

    strict, _, loose = confidence.certify(setting, [0.97] * 160, [True] * 160, judged)

    assert (strict.threshold, strict.coverage) == (None, 0.0)
    assert (loose.n_fit, loose.accepted, loose.observed_error) == (160, 2, 0.5)
    table = confidence.certified_table([strict, loose]).splitlines()
    assert table[-2].endswith("| 0.5% | none | 0% | - |")
    assert table[-1].endswith("| 66.7% | 50.00% of 2 |")


def test_the_lexicons_hold_the_names_of_the_set_once():
    settings = confidence.settings_with(["Azithral", "azithral", "Azithral", "Paracetamol"])
    short, whole = settings[3].lexicon, settings[4].lexicon
    assert short == ("Azithral", "Paracetamol", "azithral")
    assert whole is not None
    assert len(whole) > 5000
    assert sum(name.lower() == "paracetamol" for name in whole) == 1


def test_a_run_measures_one_half_and_writes_no_text(tmp_path: Path, monkeypatch):
    samples = _samples(40)
    monkeypatch.setattr(confidence, "load_evaluation_set", lambda *args, **kwargs: samples)
    options = argparse.Namespace(data=tmp_path, n=None, seed=1, plots=tmp_path / "plots")

    results, certified = confidence.run(StubReader(), options)

    by_text = sum(not for_fitting(s.text) for s in samples)
    by_writer = sum(not for_fitting(s.writer) for s in samples)
    assert [r.n for r in results[::8]] == [by_writer, by_writer, by_text, by_text, by_text]
    assert {r.n + r.n_fit for r in certified} == {40}
    assert len(results) == 5 * 8
    written = json.dumps([asdict(r) for r in (*results, *certified)])
    assert "name1" not in written.lower()
    if list((tmp_path / "plots").iterdir()):  # without matplotlib nothing is drawn
        assert len(list((tmp_path / "plots").glob("*.png"))) == 10
