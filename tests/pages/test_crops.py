"""Crops hold the ink and not the form rules."""

from __future__ import annotations

import numpy as np

from clinic_hwr.pages import Box, crop_field


def _page_with_underlined_strokes() -> np.ndarray:
    gray = np.full((1400, 900), 255, np.uint8)
    gray[240:243, 50:850] = 60  # the underline
    for x in range(200, 500, 30):
        gray[200:252, x : x + 5] = 40  # pen strokes, crossing it
    return gray


def test_underline_is_taken_out_and_the_ink_stays() -> None:
    gray = _page_with_underlined_strokes()
    crop = crop_field(gray, Box(190, 195, 320, 60))
    assert crop.shape == (60, 320)
    between = crop[44:50, 18:30]
    assert between.min() > 200  # paper where the rule was
    stroke = crop[10:55, 12]
    assert stroke.max() < 150  # the stroke runs through


def test_margin_widens_the_crop_inside_the_page() -> None:
    gray = _page_with_underlined_strokes()
    assert crop_field(gray, Box(190, 195, 320, 60), margin=0.5).shape == (120, 380)
    assert crop_field(gray, Box(0, 0, 50, 40), margin=0.5).shape == (60, 70)


def test_box_off_the_page_gives_a_white_pixel() -> None:
    crop = crop_field(_page_with_underlined_strokes(), Box(5000, 10, 20, 20))
    assert crop.shape == (1, 1)
    assert crop[0, 0] == 255


def test_page_is_not_changed() -> None:
    gray = _page_with_underlined_strokes()
    before = gray.copy()
    crop_field(gray, Box(190, 195, 320, 60))
    assert np.array_equal(gray, before)
