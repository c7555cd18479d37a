"""Writing that one threshold for the page would lose is found where a line is marked."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.faint_ink import with_faint_ink
from clinic_hwr.pages.types import Box, Gray, LineMaps


def _page(gray_of_pen: int) -> Gray:
    page = np.full((200, 400), 255, np.uint8)
    page = np.clip(page - np.random.default_rng(1).normal(3, 3, page.shape), 0, 255)
    page = page.astype(np.uint8)
    for x in range(40, 340, 24):
        cv2.ellipse(page, (x, 100), (9, 11), 0, 0, 360, gray_of_pen, 1, cv2.LINE_AA)
    return page


def _maps() -> tuple[LineMaps, np.ndarray]:
    hand = np.zeros((100, 200), np.float32)
    hand[46:55, 18:172] = 1.0
    return LineMaps(hand, np.zeros_like(hand), 0.5), (hand > 0).astype(np.int32)


def test_a_faint_line_is_found_where_the_segmenter_marks_one() -> None:
    page = _page(205)
    mask = ink_mask(page)

    found = with_faint_ink(page, mask, *_maps())

    assert (mask > 0).sum() < 60
    assert (found[80:120, 30:340] > 0).sum() > 600
    assert not found[:60].any() and not found[140:].any()


def test_a_line_that_the_mask_holds_keeps_its_mask() -> None:
    page = _page(40)
    mask = ink_mask(page)
    assert with_faint_ink(page, mask, *_maps()) is mask


def test_nothing_marked_adds_nothing() -> None:
    page = _page(205)
    mask = ink_mask(page)
    maps, _ = _maps()
    assert with_faint_ink(page, mask, maps, np.zeros((100, 200), np.int32)) is mask


def test_where_all_is_faint_a_number_that_no_line_holds_is_found_in_its_place() -> None:
    page = _page(205)
    cv2.line(page, (370, 20), (370, 50), 205, 2)
    mask = ink_mask(page)
    place = Box(355, 10, 30, 50)

    found = with_faint_ink(page, mask, *_maps(), [place])

    assert not with_faint_ink(page, mask, *_maps())[10:60, 355:385].any()
    assert (found[20:50, 366:374] > 0).sum() > 20


def test_one_faint_line_among_dark_ones_says_nothing_of_other_places() -> None:
    page = _page(205)
    hand, numbers = _maps()
    for number, y in enumerate((30, 60, 150, 180)):
        cv2.line(page, (40, y), (330, y), 20, 3)
        row = round(y / 2)
        hand.hand[row - 1 : row + 2, 20:165] = 1.0
        numbers[row - 1 : row + 2, 20:165] = number + 2
    cv2.line(page, (370, 90), (370, 120), 205, 2)
    place = Box(355, 80, 30, 50)

    found = with_faint_ink(page, ink_mask(page), hand, numbers, [place])

    assert (found[85:115, 30:340] > 0).sum() > 600
    assert not found[80:130, 360:380].any()
