"""Strokes, hands, degradations and text: drawn from a seed, true to their label."""

import numpy as np
import pytest

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import prepare
from clinic_hwr.recognition.synthesis.contact_sheet import contact_sheet
from clinic_hwr.recognition.synthesis.degradation import degrade_ink, scan_real_crop, scribble
from clinic_hwr.recognition.synthesis.hands import CannotWrite, InkTile, stroke_hands
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from clinic_hwr.recognition.synthesis.strokes import (
    StrokeSet,
    bounds,
    draw_strokes,
    scale_strokes,
    warp_strokes,
    with_flourish,
)
from clinic_hwr.recognition.synthesis.text import TextSampler


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _stroke_set() -> StrokeSet:
    """Writer w wrote an l (one bar) and an x (two strokes); writer v wrote only an l."""
    xy = np.array([[0, 0], [0, 90], [0, 0], [40, 50], [40, 0], [0, 50], [5, 0], [5, 80]], np.int16)
    new_stroke = np.array([1, 0, 1, 0, 1, 0, 1, 0], np.uint8)
    return StrokeSet(xy, new_stroke, np.array([0, 2, 6, 8]), ["l", "x", "l"], ["w", "w", "v"])


def test_strokes_are_split_where_the_pen_was_put_down():
    assert [len(s) for s in _stroke_set().strokes(1)] == [2, 2]
    assert [len(s) for s in _stroke_set().strokes(0)] == [2]


def test_scaled_strokes_have_the_wanted_height():
    x0, y0, _, y1 = bounds(scale_strokes(_stroke_set().strokes(1), 32.0))
    assert (x0, y0, y1) == (0.0, 0.0, 32.0)


def test_a_dash_is_scaled_by_its_width():
    dash = [np.array([[0, 5], [100, 5]], np.float32)]
    x0, _, x1, _ = bounds(scale_strokes(dash, 12.0))
    assert x1 - x0 == pytest.approx(100.0)


def test_drawn_ink_lies_where_the_strokes_are():
    ink, (x, y) = draw_strokes([np.array([[10, 20], [10, 60]], np.float32)], 3.0, _rng())
    rows, columns = np.nonzero(ink > 128)
    assert abs(columns.mean() + x - 10) < 1.0
    assert abs(rows.min() + y - 20) < 4.0
    assert abs(rows.max() + y - 60) < 4.0


def test_a_warp_repeats_with_its_seed_and_differs_without():
    strokes = _stroke_set().strokes(1)
    first, again, other = (warp_strokes(strokes, _rng(s)) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_hand_is_made_of_one_writer_who_left_enough_characters():
    hands = stroke_hands(_stroke_set(), minimum=2)
    assert [hand.name for hand in hands] == ["unipen:w"]
    assert hands[0].can_write("xl lx")
    assert not hands[0].can_write("xa")
    with pytest.raises(CannotWrite):
        hands[0].write("abc", _rng(), 16)


def test_written_text_has_its_baseline_inside_and_ink_on_it():
    [hand] = stroke_hands(_stroke_set(), minimum=2)
    tile = hand.write("lxl", _rng(3), 20)
    assert 0 < tile.baseline_px < tile.alpha.shape[0]
    assert tile.alpha[: tile.baseline_px].max() == 255


def test_degradation_repeats_with_its_seed():
    [hand] = stroke_hands(_stroke_set(), minimum=2)
    alpha = hand.write("xlx", _rng(), 24).alpha
    assert np.array_equal(degrade_ink(alpha, _rng(5)), degrade_ink(alpha, _rng(5)))


def test_ink_survives_degradation():
    [hand] = stroke_hands(_stroke_set(), minimum=2)
    alpha = hand.write("xlx", _rng(), 24).alpha
    lost = sum(not prepare(degrade_ink(alpha, _rng(s)), 32, 640).any() for s in range(60))
    assert lost <= 1


def test_real_crops_and_scribbles_stay_images():
    crop = scan_real_crop(np.full((40, 120), 220, np.uint8), _rng())
    assert crop.dtype == np.uint8
    assert crop.ndim == 2
    assert scribble(_rng()).max() == 255


def test_sampled_text_repeats_can_be_encoded_and_varies():
    sampler = TextSampler(("amoxicillin", "warfarin sodium"), ("house", "garden"))
    texts = [sampler.line(_rng(s)) for s in range(200)]
    words = [sampler.word(_rng(s)) for s in range(200)]
    assert texts == [sampler.line(_rng(s)) for s in range(200)]
    assert all(Charset().covers(text) and text for text in texts + words)
    assert len(set(texts)) > 150
    assert any("amoxicillin" in text.lower() for text in texts)
    assert sum("amoxicillin" in w.lower() or "warfarin" in w.lower() for w in words) < 120


def test_a_contact_sheet_shows_every_crop():
    sheet = contact_sheet([(np.zeros((30, 50), np.uint8), "a")] * 5)
    assert sheet.shape == (2 * 82, 1200)
    assert (sheet[:60, :90] == 0).sum() > 1000


def test_a_flourish_lets_only_the_last_stroke_run_on_to_the_right():
    first = np.array([[0, 0], [5, 10]], np.float32)
    last = np.array([[8, 2], [12, 9]], np.float32)
    out = with_flourish([last, first], 10.0, np.random.default_rng(0))
    assert np.array_equal(out[1], first)
    assert np.array_equal(out[0][:2], last)
    tail = out[0][2:]
    assert (np.diff(tail[:, 0]) > 0).all()
    assert 5.0 <= tail[-1, 0] - 12 <= 35.0
    assert np.abs(tail[:, 1] - 9).max() < 30.0


class _NoInk:
    name = "nobody"

    def can_write(self, text: str) -> bool:
        return True

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        return InkTile(np.zeros((0, 5), np.uint8), 0)


def test_a_hand_that_leaves_no_ink_cannot_write():
    paper = Paper(4.0, 2.0, 100, _NoInk(), np.random.default_rng(1))
    with pytest.raises(CannotWrite, match="nobody leaves no ink"):
        paper.write(0.5, 1.0, "amoxicillin")
