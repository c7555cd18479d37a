"""The shipped segmenter marks lines of writing; without weights the reason is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.text_lines import text_lines
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from clinic_hwr.recognition.segmentation.network import LineSegmenter, parameters_of
from clinic_hwr.recognition.segmentation.training import core_of
from clinic_hwr.recognition.segmentation.weights import (
    SHIPPED,
    SegmenterMissing,
    load_segmenter,
    save_segmenter,
)
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from tests.pages.scribble import ScribbleHand


def test_sloping_lines_are_told_apart() -> None:
    """Given lines in two columns at different heights, each is one line."""
    paper = Paper(5.0, 7.0, 220, ScribbleHand(), np.random.default_rng(3))
    truth = [
        paper.write(x, y, "amoxil tab one")
        for x, y in ((0.4, 1.0), (0.4, 1.4), (0.4, 1.8), (2.9, 1.2), (2.9, 1.6))
    ]
    marker = load_line_marker()
    survey = survey_page(paper.ink, (), maps=marker(paper.ink))

    lines = text_lines(survey, survey.strokes)

    assert len(lines) == len(truth)
    assert marker.version.startswith("lines-small@")


def test_core_is_the_middle_half_of_a_line() -> None:
    quad = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32)
    assert core_of(quad).tolist() == [[5, 5], [95, 5], [95, 15], [5, 15]]


def test_weights_are_small_and_come_back_as_they_were(tmp_path: Path) -> None:
    model = LineSegmenter()
    save_segmenter(model, tmp_path / "w.safetensors")
    again, name = load_segmenter(tmp_path / "w.safetensors")
    assert parameters_of(again) == parameters_of(model) == 134_876
    assert name.startswith("lines-small@")
    assert SHIPPED.stat().st_size < 4 * 2**20


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_missing_or_broken_weights_are_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SegmenterMissing, match="cannot be read"):
        load_segmenter(path)
