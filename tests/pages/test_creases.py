"""Folds of the paper go, pen that crosses them stays, and a strike is never taken for one."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.creases import without_creases
from clinic_hwr.pages.types import Gray

SHAPE, UNIT = (900, 700), 18.0
SHEET = np.array([[0, 0], [700, 0], [700, 900], [0, 900]], np.float64)


def paper() -> Gray:
    grain = np.random.default_rng(1).normal(252, 2, SHAPE)
    return np.clip(grain, 0, 255).astype(np.uint8)


def ink_of(page: Gray) -> Gray:
    return np.where(page < 190, 255, 0).astype(np.uint8)


def test_a_fold_goes_and_the_pen_across_it_stays() -> None:
    page = paper()
    cv2.line(page, (350, 0), (356, 899), 170, 10)
    cv2.line(page, (300, 400), (410, 430), 40, 4)

    gray, ink = without_creases(page, ink_of(page), SHEET, UNIT)

    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    assert count == 2  # paper, and one stroke that is whole
    x, _, width, height, _ = stats[1].tolist()
    assert (x, x + width) == (298, 413)
    assert height < 45
    assert int(gray[600, 345:365].min()) > 240
    assert int(gray[415, 350:360].min()) < 80


def test_a_level_fold_goes_as_well() -> None:
    page = paper()
    cv2.line(page, (0, 500), (699, 496), 175, 9)

    _, ink = without_creases(page, ink_of(page), SHEET, UNIT)

    assert not ink.any()


def test_a_strike_from_edge_to_edge_is_no_fold() -> None:
    page = paper()
    cv2.line(page, (20, 300), (680, 302), 50, 6)
    ink = ink_of(page)

    gray, left = without_creases(page, ink, SHEET, UNIT)

    assert gray is page
    assert left is ink


def test_a_pale_line_through_a_few_words_is_no_fold() -> None:
    page = paper()
    cv2.line(page, (100, 300), (400, 302), 165, 6)
    ink = ink_of(page)

    assert without_creases(page, ink, SHEET, UNIT)[1] is ink
