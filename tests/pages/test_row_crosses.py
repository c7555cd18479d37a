"""A flat X from side to side of a chart crosses out the row, its ends too, and no other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.row_crosses import row_crosses
from clinic_hwr.pages.rules import find_rules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, LineMaps, StruckOut

LETTER = 24.0
ROWS = (200, 260, 320, 380)
LEFT, RIGHT = 100, 1300


def _chart(rules: int = 5) -> np.ndarray:
    page = np.full((700, 1400), 255, np.uint8)
    for y in [*ROWS, ROWS[-1] + 60][:rules]:
        cv2.line(page, (LEFT, y), (RIGHT, y), 40, 3)
    return page


def _write(page: np.ndarray) -> list[Box]:
    """Three words a row, of upright strokes."""
    boxes = []
    for top in ROWS:
        for x in (120, 600, 1180):
            for at in range(x, x + 100, 10):
                cv2.line(page, (at, top + 18), (at + 5, top + 42), 60, 2, cv2.LINE_AA)
            boxes.append(Box(x, top + 18, 100, 24))
    return boxes


def _crossed() -> tuple[np.ndarray, list[Box]]:
    """A chart of which a flat cross strikes out the second row, and the boxes of its words."""
    page = _chart()
    boxes = _write(page)
    cv2.line(page, (110, 270), (1290, 309), 60, 4, cv2.LINE_AA)
    cv2.line(page, (110, 309), (1290, 270), 60, 4, cv2.LINE_AA)
    return page, boxes


def _said(page: np.ndarray, boxes: list[Box]) -> list[int]:
    said = row_crosses(ink_mask(page), find_rules(page), boxes, LETTER)
    return [number for number, one in enumerate(said) if one]


@pytest.mark.parametrize(("first", "last"), [(110, 1290), (90, 1180), (240, 1310)])
def test_a_flat_cross_strikes_out_its_row_and_no_other(first: int, last: int) -> None:
    page = _chart()
    boxes = _write(page)
    assert _said(page, boxes) == []
    cv2.line(page, (first, 270), (last, 309), 60, 4, cv2.LINE_AA)
    cv2.line(page, (first, 309), (last, 270), 60, 4, cv2.LINE_AA)
    assert _said(page, boxes) == [3, 4, 5]


def test_a_cross_that_a_fax_joined_to_the_chart_is_there() -> None:
    """Its pixels are among those of the rules, but it is no rule."""
    page = _chart()
    boxes = _write(page)
    rules = find_rules(page)
    lines = page.copy()
    for start, end in (((110, 270), (1290, 309)), ((110, 309), (1290, 270))):
        cv2.line(lines, start, end, 60, 4, cv2.LINE_AA)
    ends = (lines != page) & ((np.arange(1400) < 560) | (np.arange(1400) > 900))[None]
    joined = replace(rules, mask=np.where(ends, 255, rules.mask).astype(np.uint8))
    said = row_crosses(ink_mask(lines), joined, boxes, LETTER)
    assert [number for number, one in enumerate(said) if one] == [3, 4, 5]


def test_a_cross_is_looked_for_where_lines_are_that_may_be_ordered() -> None:
    page, boxes = _crossed()
    ink, rules = ink_mask(page), find_rules(page)
    for looked_at, struck in ((boxes[3:4], [3, 4, 5]), (boxes[9:], []), ([], [])):
        said = row_crosses(ink, rules, boxes, LETTER, looked_at)
        assert [number for number, one in enumerate(said) if one] == struck


@pytest.mark.parametrize(
    "strokes",
    [
        [((110, 270), (1290, 309))],
        [((110, 270), (1290, 309)), ((110, 275), (1290, 314))],
        [((110, 309), (600, 285)), ((600, 285), (1290, 309))],
        [((110, 312), (1290, 292)), ((110, 268), (1290, 288))],
        [((110, 200), (1290, 440)), ((110, 440), (1290, 200))],
    ],
    ids=[
        "one stroke",
        "side by side",
        "a sagging rule",
        "rules that lean",
        "over several rows: for other rules",
    ],
)
def test_what_is_no_flat_cross_strikes_out_nothing(
    strokes: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    page = _chart()
    boxes = _write(page)
    for start, end in strokes:
        cv2.line(page, start, end, 60, 4, cv2.LINE_AA)
    assert _said(page, boxes) == []


def test_where_there_is_no_chart_no_row_is_looked_for() -> None:
    page = _chart(rules=2)
    boxes = _write(page)
    cv2.line(page, (110, 270), (1290, 309), 60, 4, cv2.LINE_AA)
    cv2.line(page, (110, 309), (1290, 270), 60, 4, cv2.LINE_AA)
    assert _said(page, boxes) == []
    assert row_crosses(ink_mask(page), find_rules(page), [], LETTER) == []


@pytest.mark.parametrize(
    ("asked", "struck"), [((4,), {3, 4, 5}), ((9,), set()), ((), set())], ids=["in it", "off", "no"]
)
def test_rows_without_what_may_be_ordered_are_left_alone(
    asked: tuple[int, ...], struck: set[int]
) -> None:
    page, boxes = _crossed()
    blank = np.zeros((350, 700), np.float32)
    said = find_strikes(
        page, ink_mask(page), find_rules(page), boxes, LETTER, LineMaps(blank, blank, 0.5, blank),
        ask_of=[number in asked for number in range(12)],
    )  # fmt: skip
    assert {number for number, one in enumerate(said) if one is StruckOut.WHOLLY} == struck


def test_the_row_is_struck_out_whatever_the_segmenter_says() -> None:
    page, boxes = _crossed()
    blank = np.zeros((350, 700), np.float32)
    said = find_strikes(
        page, ink_mask(page), find_rules(page), boxes, LETTER, LineMaps(blank, blank, 0.5, blank)
    )
    assert [one is StruckOut.WHOLLY for one in said] == [3 <= number <= 5 for number in range(12)]
