"""The shipped segmenter marks lines of writing; without weights the reason is said."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.text_lines import text_lines
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from clinic_hwr.recognition.segmentation.network import (
    HAND,
    INPUT_LONG_SIDE,
    PRINT,
    STRIDE,
    STRUCK,
    LineSegmenter,
    as_input,
    parameters_of,
)
from clinic_hwr.recognition.segmentation.training import (
    Writers,
    example_of,
    looking_for_struck,
    train,
)
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
    half = band - np.array([0, 0], np.float32)
    half[1:3, 0] = 30
    page = ScatteredPage(np.full((60, 80), 255, np.uint8), (band,), (), (half,))

    cores = example_of(page).cores

    rows, columns = np.nonzero(cores[0])
    assert cores.shape == (3, 30, 40)
    assert abs(rows.min() - 10) <= 1 and abs(rows.max() - 14) <= 1
    assert abs(columns.min() - 5) <= 1 and abs(columns.max() - 24) <= 1
    assert not cores[1].any()
    crossed_out = np.flatnonzero(cores[2].any(axis=0))
    assert abs(crossed_out[0] - 5) <= 1 and abs(crossed_out[-1] - 14) <= 1


def test_scattered_pages_hold_bands_of_both_kinds_and_ink_in_each() -> None:
    page = draw_scattered([ScribbleHand()], np.random.default_rng(2), long_side_px=800)

    assert page.written and page.printed
    for band in page.written:
        x0, y0 = np.maximum(np.floor(band.min(axis=0)).astype(int), 0)
        x1, y1 = np.ceil(band.max(axis=0)).astype(int)
        assert (page.gray[y0:y1, x0:x1] < 160).any()


def test_weights_are_small_and_come_back_as_they_were(tmp_path: Path) -> None:
    model = LineSegmenter()
    # A variance may be larger than any number of 16 bits.
    model.get_buffer("smooth.1.running_var").fill_(3e5)
    save_segmenter(model, tmp_path / "w.safetensors")

    again, name = load_segmenter(tmp_path / "w.safetensors")

    assert parameters_of(again) == parameters_of(model)
    assert torch.equal(again.get_buffer("smooth.1.running_var"), torch.full((16,), 3e5))
    assert torch.allclose(again.head.weight, model.head.weight, atol=1e-3)
    assert name.startswith("lines-small@")
    assert (tmp_path / "w.safetensors").stat().st_size < 2.2 * parameters_of(model)
    assert SHIPPED.stat().st_size < 4 * 2**20


def test_a_network_of_another_shape_comes_back_in_it(tmp_path: Path) -> None:
    small = LineSegmenter((16, 32, 48, 64), (1, 1, 1, 1), width=24, fine_width=24, struck_width=0)
    path = tmp_path / "w.safetensors"
    save_segmenter(small, path)
    assert load_segmenter(path)[0].config == small.config != LineSegmenter().config
    # The first files did not say their shape: it was that one.
    save_file(load_file(path), path, metadata={"kind": "line_segmenter", "config": "{}"})
    assert load_segmenter(path)[0].config == small.config


def test_an_older_network_says_nothing_of_strikes_and_learns_on_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(5)
    old = LineSegmenter(struck_width=0).eval()
    path = tmp_path / "w.safetensors"
    save_segmenter(old, path)
    page = np.where(np.random.default_rng(7).random((320, 256)) < 0.1, 40, 255).astype(np.uint8)
    ink = torch.rand(1, 1, 64, 96)

    maps = load_line_marker(path)(page)
    new = looking_for_struck(load_segmenter(path)[0]).eval()

    assert maps.struck is None
    with torch.inference_mode():
        before, after = load_segmenter(path)[0](ink), new(ink)
    assert before.shape == (1, 2, 32, 48) and after.shape == (1, 3, 32, 48)
    assert torch.allclose(after[:, :2], before, atol=1e-5)
    assert looking_for_struck(new) is new


def test_a_crossed_out_line_is_marked_and_an_underlined_one_is_not() -> None:
    paper = Paper(5.0, 4.0, 220, ScribbleHand(), np.random.default_rng(3))
    places = []
    for y, height in ((0.8, 0.45), (1.6, -0.5), (2.4, None)):
        x0, _, x1, _ = paper.write(0.4, y, "amoxil tab one by mouth")
        if height is not None:
            xs = np.linspace(x0 - 0.05, x1 + 0.05, 20)
            ys = np.full(20, y - height * paper.x_height_in)
            paper.stroke(np.stack([xs, ys], 1))
        places.append((y - 0.1, y, x0, x1))

    maps = load_line_marker()(paper.ink)

    assert maps.struck is not None
    shares = []
    for place in places:
        top, bottom, left, right = (int(220 * side * maps.scale) for side in place)
        shares.append(float((maps.struck[top:bottom, left:right].max(axis=0) > 0.5).mean()))
    assert shares[0] > 0.8 and max(shares[1:]) < 0.1


def test_statistics_are_measured_in_the_end() -> None:
    """Without a minute to learn in, only what the normalisations have seen changes."""
    torch.manual_seed(3)
    model = LineSegmenter()
    model.get_buffer("smooth.1.running_var").fill_(float("inf"))
    before = {name: value.clone() for name, value in model.named_parameters()}

    learnt = train(Writers([[ScribbleHand()]]), minutes=0, batch=2, pool=2, begin_with=model)

    assert all(torch.equal(value, before[name]) for name, value in learnt.named_parameters())
    assert learnt.get_buffer("smooth.1.running_var").isfinite().all()
    assert not learnt.training


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
    assert maps.struck is not None
    assert np.abs(maps.struck - wanted[STRUCK, :height, :width]).max() < 1e-4


def test_a_grown_network_begins_with_what_the_old_one_knew() -> None:
    """Added channels and blocks change nothing at first, as ``scripts/grow_segmenter.py`` says."""
    grow = run_path(str(Path(__file__).parents[2] / "scripts" / "grow_segmenter.py"))
    torch.manual_seed(4)
    old = LineSegmenter((16, 32, 48, 64), (1, 1, 1, 1), width=24, fine_width=24).eval()
    pages = torch.rand(1, 1, 128, 160)

    new = grow["grown"](old, pages).eval()

    assert new.config == LineSegmenter().config
    with torch.inference_mode():
        for before, after in zip(old.encoder(pages), new.encoder(pages), strict=True):
            assert torch.allclose(after[:, : before.shape[1]], before, atol=1e-5)
        deep, coarse = old.encoder(pages)[-1], new.encoder(pages)[-1]
        assert torch.allclose(new.laterals[-1](coarse)[:, :24], old.laterals[-1](deep), atol=1e-5)
