"""Folds of the paper go, pen that crosses them stays, and a strike is never taken for one."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.creases import without_creases
from clinic_hwr.pages.types import Gray
from clinic_hwr.pages.upright import make_upright

from .lettered import lettered_page

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


def test_many_bands_that_begin_and_end_alike_are_rules_of_a_table() -> None:
    """A photo out of focus makes rules as soft and as pale as folds; a sheet has three at most."""

    def banded(rows: tuple[int, ...]) -> Gray:
        page = paper()
        for y in rows:
            cv2.line(page, (40, y), (660, y), 175, 7)
        return page

    folded, ruled = banded((300, 600)), banded((200, 300, 400, 500, 600))

    assert not without_creases(folded, ink_of(folded), SHEET, UNIT)[1].any()
    assert without_creases(ruled, ink_of(ruled), SHEET, UNIT)[0] is ruled


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


def test_a_rule_beside_a_soft_shadow_is_no_fold() -> None:
    """A band from edge to edge with one black line in it: the line is printed."""
    page = np.full((1200, 900), 255, np.uint8)
    page[590:612] = 225
    ruled = page.copy()
    ruled[600:603] = 40
    corners = np.array([[0, 0], [900, 0], [900, 1200], [0, 1200]], np.float64)

    def rows_left(gray: np.ndarray) -> int:
        clean, _ = without_creases(
            gray, np.where(gray < 235, 255, 0).astype(np.uint8), corners, 14.0
        )
        return int((clean[580:620, 450] < 235).sum())

    assert rows_left(page) == 0
    assert rows_left(ruled) >= 3


def test_a_fold_on_a_turned_sheet_is_measured_against_the_sheet() -> None:
    """The canvas of a deskewed page is larger than its sheet, and a fold ends at the sheet."""
    page = lettered_page(20)
    page[:, 634:646] = np.minimum(page[:, 634:646], 190)
    middle = cv2.getRotationMatrix2D((637, 825), 5.0, 1.0)
    tilted = cv2.warpAffine(page, middle, (1275, 1650), borderValue=255)

    upright = make_upright(tilted, turns=0)

    x, y = upright.transform.from_original(
        cv2.transform(np.array([[[640.0, 825.0]]]), middle)[0]
    )[0]  # fmt: skip
    band = upright.gray[round(y) - 20 : round(y) + 20, round(x) - 6 : round(x) + 7]
    assert abs(upright.skew_deg) > 4
    assert float(np.mean(band > 235)) > 0.6
