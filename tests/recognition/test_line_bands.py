"""The band of a line is where its small letters stand, wherever the line goes."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.recognition.synthesis.line_bands import band_of


def _letters(width: int, base: list[int]) -> np.ndarray:
    """Small letters of 20 px on a baseline, one ascender and one descender."""
    alpha = np.zeros((120, width), np.uint8)
    for x, y in zip(range(10, width - 20, 24), base, strict=False):
        cv2.ellipse(alpha, (x + 8, y - 10), (8, 10), 0, 0, 360, 255, 3)
    return alpha


def test_ascenders_and_descenders_are_left_out() -> None:
    alpha = _letters(300, [70] * 20)
    cv2.line(alpha, (60, 10), (60, 70), 255, 3)
    cv2.line(alpha, (140, 50), (140, 115), 255, 3)

    band = band_of(alpha)

    assert 48 <= band[:, 1].min() <= 60
    assert 60 <= band[:, 1].max() <= 72
    assert band[:, 0].min() <= 12 and band[:, 0].max() >= 250


def test_the_band_follows_a_line_that_climbs() -> None:
    base = [90 - 3 * place for place in range(12)]
    band = band_of(_letters(300, base))

    half = len(band) // 2
    middles = (band[:half, 1] + band[half:, 1][::-1]) / 2
    assert middles[0] - middles[-1] > 18


def test_no_ink_has_no_band() -> None:
    assert band_of(np.zeros((20, 30), np.uint8)).shape == (0, 2)


def test_a_band_of_digits_is_their_middle() -> None:
    alpha = np.zeros((60, 100), np.uint8)
    for x in (20, 45, 70):
        cv2.ellipse(alpha, (x, 30), (9, 20), 0, 0, 360, 255, 3)

    band = band_of(alpha)

    assert abs(band[:, 1].mean() - 30) < 4
    assert 10 <= np.ptp(band[:, 1]) <= 40
