"""Crops become ink maps the same way everywhere."""

import numpy as np
import pytest

from clinic_hwr.recognition.images import (
    WIDTH_STEP_PX,
    cut_pieces,
    fit_ink,
    ink_box,
    ink_map,
    ink_quality,
    prepare,
)


def _word(ink: int = 20, paper: int = 230) -> np.ndarray:
    """Three thick vertical bars of different height on paper."""
    image = np.full((50, 120), paper, np.uint8)
    for x, top in ((30, 10), (55, 20), (80, 15)):
        image[top:42, x : x + 4] = ink
    return image


def test_ink_map_is_zero_on_paper_and_one_in_ink():
    ink = ink_map(_word())
    assert ink[5, 5] == 0.0
    assert ink[30, 31] == 1.0


def test_white_on_black_reads_like_black_on_white():
    assert np.array_equal(prepare(255 - _word(20, 255), 32, 640), prepare(_word(20, 255), 32, 640))


def test_pen_darkness_and_paper_shade_do_not_matter():
    assert np.allclose(
        prepare(_word(20, 230), 32, 640), prepare(_word(90, 200), 32, 640), atol=0.02
    )


def test_white_margins_do_not_matter():
    padded = np.pad(_word(), ((40, 25), (60, 90)), constant_values=230)
    assert np.allclose(prepare(padded, 32, 640), prepare(_word(), 32, 640), atol=0.02)


def test_paper_without_ink_gives_an_empty_map():
    noise = np.random.default_rng(0).integers(228, 233, (40, 90)).astype(np.uint8)
    result = prepare(noise, 32, 640)
    assert result.shape == (32, WIDTH_STEP_PX)
    assert not result.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 3), (900, 40)])
def test_odd_sizes_are_prepared_without_complaint(shape):
    image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    result = prepare(image, 32, 640)
    assert result.shape[0] == 32
    assert result.shape[1] % WIDTH_STEP_PX == 0


def test_ink_box_ignores_single_specks():
    ink = np.zeros((40, 80), np.float32)
    ink[10:30, 20:40] = 1.0
    ink[2, 70] = 1.0
    assert ink_box(ink) == (20, 10, 20, 20)


def test_a_dash_is_not_blown_up_to_full_height():
    image = np.full((40, 100), 240, np.uint8)
    image[20:23, 20:80] = 10
    rows = np.flatnonzero(prepare(image, 32, 640).max(axis=1) > 0.5)
    assert len(rows) < 20


def _line(words: int) -> np.ndarray:
    """Equal words with wide gaps."""
    image = np.full((40, 20 + 160 * words), 235, np.uint8)
    for i in range(words):
        for x in range(0, 100, 20):
            image[8:32, 20 + 160 * i + x : 24 + 160 * i + x] = 15
    return image


def test_a_short_line_stays_whole():
    assert len(cut_pieces(ink_map(_line(2)), 15.6, 15.6)) == 1


def test_a_long_line_is_cut_between_its_words():
    pieces = [fit_ink(piece, 32, 640) for piece in cut_pieces(ink_map(_line(6)), 15.6, 15.6)]
    bars = [int((np.diff((p[16] > 0.5).astype(int)) == 1).sum()) for p in pieces]
    assert len(pieces) == 3
    assert bars == [10, 10, 10]  # two whole words each, five bars a word


def test_a_long_line_that_is_written_tightly_is_cut_at_its_narrow_gaps():
    image = np.full((40, 840), 235, np.uint8)
    for x in range(10, 830, 103):  # blocks 24 px high with blanks of 3 px: an eighth of the height
        image[8:32, x : x + 100] = 15
    pieces = cut_pieces(ink_map(image), 15.6, 8.0)
    assert len(pieces) > 1
    assert max(piece.shape[1] for piece in pieces) < 15.6 * 24


def test_ink_without_gaps_is_not_cut():
    image = np.full((30, 900), 235, np.uint8)
    image[10:20, 10:890] = 15
    assert len(cut_pieces(ink_map(image), 15.6, 15.6)) == 1


def test_a_rule_below_the_words_does_not_hide_their_gaps():
    line = _line(6)
    line[34:36] = 60
    assert len(cut_pieces(ink_map(line), 15.6, 15.6)) == 3


def test_quality_tells_faint_from_dark_and_small_from_large():
    dark, faint = np.full((40, 100), 240, np.uint8), np.full((40, 100), 240, np.uint8)
    dark[4:36, 10:90:9] = 10
    faint[10:26, 10:90:9] = 190
    (strong, high), (weak, low) = (ink_quality(g, ink_map(g)) for g in (dark, faint))
    assert strong == pytest.approx(230 / 255, abs=0.02)
    assert weak == pytest.approx(50 / 255, abs=0.02)
    assert (high, low) == (pytest.approx(5, abs=0.1), pytest.approx(4, abs=0.15))
    assert ink_quality(np.full((9, 9), 200, np.uint8), np.zeros((9, 9), np.float32)) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(0, 0), (40, 0), (0, 40)])
def test_a_crop_without_pixels_is_no_ink_and_no_crash(shape):
    assert ink_box(np.zeros(shape, np.float32)) is None
    assert not prepare(np.zeros(shape, np.uint8), 32, 640).any()
