"""A fax that dithers: its strokes are dots, and not specks of the line."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.fax import clean_fax
from clinic_hwr.pages.rules import find_rules
from clinic_hwr.pages.types import Gray

SIZE = (700, 1728)


def _dithered(gray: Gray, noise: float, seed: int = 3) -> Gray:
    """One bit by an ordered 4 x 4 screen, with specks of the line."""
    screen = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) * 16 + 8
    tiled = np.tile(screen, (gray.shape[0] // 4 + 1, gray.shape[1] // 4 + 1))
    bits = np.where(gray > tiled[: gray.shape[0], : gray.shape[1]], 255, 0).astype(np.uint8)
    rng = np.random.default_rng(seed)
    bits[rng.random(gray.shape) < noise] = 0
    return bits


def _form() -> Gray:
    """Paper with pale rules, a pale word of strokes and a black one."""
    page = np.full(SIZE, 255, np.uint8)
    for y in range(100, 700, 100):
        cv2.line(page, (100, y), (1600, y), 130, 2)
    for x in range(200, 700, 40):
        cv2.ellipse(page, (x, 350), (14, 20), 0, 0, 360, 120, 3)
        cv2.ellipse(page, (x, 550), (14, 20), 0, 0, 360, 0, 3)
    return page


@pytest.mark.parametrize("noise", [0.002, 0.008])
def test_pale_strokes_are_joined_and_specks_go(noise: float) -> None:
    page = _form()
    clean = clean_fax(_dithered(page, noise))

    ink = ink_mask(clean) > 0
    pale = np.zeros(SIZE, np.uint8)
    for x in range(200, 700, 40):
        cv2.ellipse(pale, (x, 350), (14, 20), 0, 0, 360, 255, 1)
    far = cv2.dilate(cv2.bitwise_not(page), np.ones((25, 25), np.uint8)) == 0
    assert ink[pale > 0].mean() > 0.9
    assert ink[far].mean() < 0.02 * noise
    assert len(find_rules(clean).horizontal) == 6


def test_black_strokes_keep_their_weight() -> None:
    page = _form()
    clean = clean_fax(_dithered(page, 0.004))

    part = slice(500, 599), slice(150, 750)
    before, after = (np.count_nonzero(one[part] < 128) for one in (page, clean))
    assert 0.9 < after / before < 1.1


def test_a_page_of_black_strokes_and_specks_is_no_halftone() -> None:
    page = np.where(_form() < 60, 0, 255).astype(np.uint8)
    rng = np.random.default_rng(5)
    noisy = page.copy()
    noisy[rng.random(SIZE) < 0.004] = 0

    clean = clean_fax(noisy)

    assert set(np.unique(clean)) == {0, 255}  # nothing was blurred
    lone = (clean == 0) & (page == 255)
    far = cv2.dilate(cv2.bitwise_not(page), np.ones((9, 9), np.uint8)) == 0
    assert not (lone & far).any()


def test_grain_thins_out_around_a_shadow_and_goes_and_writing_in_it_stays() -> None:
    rng = np.random.default_rng(11)
    page = np.full((900, 1728), 255, np.uint8)
    for x in range(470, 800, 40):
        cv2.ellipse(page, (x, 450), (14, 20), 0, 0, 360, 0, 3)
    written = page < 128
    shade = np.clip((700 - np.arange(1728)) / 500, 0, 1) ** 2  # black on the left, none at 700
    page[rng.random(page.shape) < shade] = 0

    ink = ink_mask(clean_fax(page)) > 0

    thin = np.zeros_like(written)
    thin[:, 430:700] = True
    near = cv2.dilate(written.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    grain = np.broadcast_to(shade, page.shape)[thin & ~near].mean()
    assert grain > 0.08
    assert ink[thin & ~near].mean() < 0.05 * grain
    assert ink[written & thin].mean() > 0.95
