"""Peers' confidence formulas against values worked out by hand."""

import math

import numpy as np
import pytest

from clinic_hwr.recognition import confidence_formulas as formulas


def _frames(*frames: tuple[int, float]) -> np.ndarray:
    """Log probabilities (T, 4) in which class c of each frame has probability p."""
    table = np.full((len(frames), 4), 0.0)
    for t, (c, p) in enumerate(frames):
        table[t] = (1 - p) / 3
        table[t, c] = p
    return np.log(table)


# blank, "a" twice, blank, "b" with another "b" straight after (one character), blank
FRAMES = _frames((0, 0.99), (1, 0.6), (1, 0.9), (0, 0.7), (2, 0.8), (2, 0.5), (0, 0.95))
BLANK = _frames((0, 0.9), (0, 0.8))


def test_doctr_takes_the_least_of_all_frames():
    assert formulas.doctr(FRAMES) == pytest.approx(0.5)
    assert formulas.doctr(BLANK) == pytest.approx(0.8)


def test_easyocr_multiplies_the_frames_that_are_not_blank():
    # n = 4: (0.6 * 0.9 * 0.8 * 0.5) ** (2 / 2)
    assert formulas.easyocr(FRAMES) == pytest.approx(0.216)
    # n = 1: 0.6 ** 2
    assert formulas.easyocr(_frames((0, 0.9), (1, 0.6))) == pytest.approx(0.36)
    assert formulas.easyocr(BLANK) == 0.0


def test_paddleocr_averages_the_first_frame_of_each_character():
    assert formulas.paddleocr(FRAMES) == pytest.approx((0.6 + 0.8) / 2)
    assert formulas.paddleocr(BLANK) == 0.0


def test_kraken_averages_the_best_frame_of_each_character():
    assert formulas.kraken(FRAMES) == pytest.approx((0.9 + 0.8) / 2)
    assert formulas.kraken(BLANK) == 0.0


def test_a_blank_between_equal_characters_makes_two_of_them():
    doubled = _frames((1, 0.9), (0, 0.6), (1, 0.7))
    assert formulas.paddleocr(doubled) == pytest.approx(0.8)
    assert formulas.kraken(doubled) == pytest.approx(0.8)


def test_different_characters_side_by_side_are_two():
    assert formulas.kraken(_frames((1, 0.9), (2, 0.5))) == pytest.approx(0.7)


def test_tesseract_scales_the_worst_frame():
    # certainty = 7 * 2.25 * (ln 0.9 - 0.085) = -2.9982; (100 + 5 * certainty) / 100 = 0.85009
    assert formulas.tesseract(_frames((1, 0.9), (0, 0.95))) == pytest.approx(0.85009, abs=1e-5)
    # a sure word: (100 + 5 * 7 * 2.25 * -0.085) / 100 = 0.9331, as its non-dictionary words show
    assert formulas.tesseract(_frames((1, 1 - 1e-12))) == pytest.approx(0.93306, abs=1e-5)
    assert formulas.tesseract(_frames((1, 0.26))) == 0.0


def test_the_benchmark_leaves_the_end_symbol_out_and_parseq_does_not():
    steps = [math.log(0.9), math.log(0.5), math.log(0.8)]
    assert formulas.deep_text_recognition_benchmark(steps) == pytest.approx(0.45)
    assert formulas.parseq(steps) == pytest.approx(0.36)


def test_an_empty_word():
    assert formulas.deep_text_recognition_benchmark([math.log(0.8)]) == 0.0
    assert formulas.parseq([math.log(0.8)]) == pytest.approx(0.8)
    assert formulas.deep_text_recognition_benchmark([]) == formulas.parseq([]) == 0.0
