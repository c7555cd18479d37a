"""The shipped segmenter marks lines of writing; without weights the reason is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.text_lines import text_lines
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from clinic_hwr.recognition.segmentation.network import (
    HAND,
    INPUT_LONG_SIDE,
    PRINT,
    STRIDE,
    LineSegmenter,
    as_input,
    parameters_of,
)
from clinic_hwr.recognition.segmentation.training import example_of
from clinic_hwr.recognition.segmentation.weights import (
    SHIPPED,
    SegmenterMissing,
    load_segmenter,
    save_segmenter,
)
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from clinic_hwr.recognition.synthesis.scattered_pages import ScatteredPage, draw_scattered
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


def test_what_is_learnt_are_the_bands_at_half_the_size() -> None:
    band = np.array([[10, 20], [50, 20], [50, 30], [10, 30]], np.float32)
    page = ScatteredPage(np.full((60, 80), 255, np.uint8), (band,), ())

    cores = example_of(page).cores

    rows, columns = np.nonzero(cores[0])
    assert cores.shape == (2, 30, 40)
    assert abs(rows.min() - 10) <= 1 and abs(rows.max() - 14) <= 1
    assert abs(columns.min() - 5) <= 1 and abs(columns.max() - 24) <= 1
    assert not cores[1].any()


def test_scattered_pages_hold_bands_of_both_kinds_and_ink_in_each() -> None:
    page = draw_scattered([ScribbleHand()], np.random.default_rng(2), long_side_px=800)

    assert page.written and page.printed
    for band in page.written:
        x0, y0 = np.maximum(np.floor(band.min(axis=0)).astype(int), 0)
        x1, y1 = np.ceil(band.max(axis=0)).astype(int)
        assert (page.gray[y0:y1, x0:x1] < 160).any()


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


@pytest.mark.parametrize("shape", [(1100, 850), (700, 1024), (333, 97)])
def test_marks_on_onnx_what_the_network_says(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    page = np.where(rng.random(shape) < 0.1, 40, 255).astype(np.uint8)
    model, _ = load_segmenter()
    scale = min(1.0, INPUT_LONG_SIDE / max(shape))
    size = round(shape[1] * scale), round(shape[0] * scale)
    small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA))
    ink = torch.from_numpy((255.0 - small.astype(np.float32)) / 255.0)

    maps = load_line_marker()(page)

    with torch.inference_mode():
        wanted = model(as_input(ink[None])[None]).sigmoid()[0].numpy()
    height, width = maps.hand.shape
    assert (height, width) == (-(-size[1] // STRIDE), -(-size[0] // STRIDE))
    assert np.abs(maps.hand - wanted[HAND, :height, :width]).max() < 1e-4
    assert np.abs(maps.print - wanted[PRINT, :height, :width]).max() < 1e-4
