"""A row of a chart that one long line crosses out is not ordered."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.struck_rows import struck_rows
from clinic_hwr.pages.types import Box, StruckOut

LETTER, STEP, TOP = 20.0, 60, 100
WORDS = ((130, 160), (360, 90))  # x and width of what is written in each row


def _chart(
    *lines: int, rows: int = 5, words: tuple[tuple[int, int], ...] = WORDS, left: int = 110
) -> tuple[np.ndarray, FormRules, list[Box]]:
    """Ink, rules and written lines of a chart; ``lines`` are more rules, at these heights."""
    ink, mask = np.zeros((600, 700), np.uint8), np.zeros((600, 700), np.uint8)
    boxes = []
    for row in range(rows):
        y = TOP + STEP * row + 18
        for x, width in words:
            for at in range(x, x + width, 24):
                cv2.ellipse(ink, (at + 9, y + 12), (8, 12), 0, 0, 360, 255, 3)
            boxes.append(Box(x, y, width, 26))
    rules = [Box(100, TOP + STEP * row, 500, 3) for row in range(rows + 1)]
    rules += [Box(left, y, 480, 3) for y in lines]
    for rule in rules:
        at = slice(rule.y, rule.y + rule.height), slice(rule.x, rule.x + rule.width)
        mask[at] = ink[at] = 255
    return ink, FormRules(mask, tuple(rules), ()), boxes


def _rows(*lines: int, rows: int = 5, words: tuple[tuple[int, int], ...] = WORDS) -> list[int]:
    """Numbers of the rows said to be crossed out."""
    ink, rules, boxes = _chart(*lines, rows=rows, words=words)
    said = struck_rows(ink, rules, boxes, LETTER)
    return sorted({n // (len(boxes) // rows) for n, one in enumerate(said) if one})


def test_a_long_line_through_a_row_crosses_it_out() -> None:
    assert _rows() == []
    assert _rows(TOP + STEP + 30) == [1]
    assert _rows(TOP + STEP + 27, TOP + STEP + 34) == [1]  # with two lines
    assert _rows(TOP + 30, TOP + 3 * STEP + 30) == [0, 3]


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("a line under what is written", (TOP + STEP + 48,)),
        ("a chart with two lines a row", tuple(TOP + STEP * n + 30 for n in range(5))),
    ],
)
def test_other_lines_cross_nothing_out(what: str, lines: tuple[int, ...]) -> None:
    assert _rows(*lines) == [], what


def test_one_value_or_a_few_rules_are_no_chart() -> None:
    assert _rows(TOP + STEP + 30, words=WORDS[:1]) == []
    assert _rows(TOP + 30, rows=2) == []


def test_cells_the_line_does_not_reach_are_not_crossed_out() -> None:
    ink, rules, boxes = _chart(TOP + STEP + 30, words=((110, 60), *WORDS), left=200)
    said = struck_rows(ink, rules, boxes, LETTER)
    assert [boxes[n].x for n, one in enumerate(said) if one] == [130, 360]


def test_the_strikes_of_a_page_know_of_it() -> None:
    words = ((190, 72), (400, 72))  # far from the ends of the line, as on a rule
    ink, rules, boxes = _chart(TOP + STEP + 30, words=words)
    said = find_strikes(255 - ink, ink, rules, boxes, LETTER)
    assert said[2:4] == [StruckOut.WHOLLY, StruckOut.WHOLLY]
    assert StruckOut.WHOLLY not in (*said[:2], *said[4:])
