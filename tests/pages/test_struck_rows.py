"""A row of a chart that one long line crosses out is not ordered."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.struck_rows import struck_rows
from clinic_hwr.pages.types import Box, LineMaps, StruckOut

LETTER, STEP, TOP = 20.0, 60, 100
WORDS = ((130, 160), (360, 90))  # x and width of what is written in each row


def _chart(
    *lines: int,
    rows: int = 5,
    words: tuple[tuple[int, int], ...] = WORDS,
    line: tuple[int, int] = (110, 480),
    more: tuple[int, ...] = (),
) -> tuple[np.ndarray, FormRules, list[Box]]:
    """Ink, rules and written lines of a chart.

    ``lines`` are at these heights, ``line`` is where they begin and how wide they are; ``more``
    are rules like the others.
    """
    ink, mask = np.zeros((600, 700), np.uint8), np.zeros((600, 700), np.uint8)
    boxes = []
    for row in range(rows):
        y = TOP + STEP * row + 18
        for x, width in words:
            for at in range(x, x + width, 24):
                cv2.ellipse(ink, (at + 9, y + 12), (8, 12), 0, 0, 360, 255, 3)
            boxes.append(Box(x, y, width, 26))
    rules = [Box(100, TOP + STEP * row, 500, 3) for row in range(rows + 1)]
    rules += [Box(100, y, 500, 3) for y in more]
    rules += [Box(line[0], y, line[1], 3) for y in lines]
    for rule in rules:
        at = slice(rule.y, rule.y + rule.height), slice(rule.x, rule.x + rule.width)
        mask[at] = ink[at] = 255
    return ink, FormRules(mask, tuple(rules), ()), boxes


def _rows(
    *lines: int,
    rows: int = 5,
    words: tuple[tuple[int, int], ...] = WORDS,
    line: tuple[int, int] = (110, 480),
) -> list[int]:
    """Numbers of the rows said to be crossed out."""
    ink, rules, boxes = _chart(*lines, rows=rows, words=words, line=line)
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
    ink, rules, boxes = _chart(TOP + STEP + 30, words=((110, 60), *WORDS), line=(200, 480))
    said = struck_rows(ink, rules, boxes, LETTER)
    assert [boxes[n].x for n, one in enumerate(said) if one] == [130, 360]


def test_the_strikes_of_a_page_know_of_it() -> None:
    words = ((190, 72), (400, 72))  # far from the ends of the line, as on a rule
    ink, rules, boxes = _chart(TOP + STEP + 30, words=words)
    said = find_strikes(255 - ink, ink, rules, boxes, LETTER)
    assert said[2:4] == [StruckOut.WHOLLY, StruckOut.WHOLLY]
    assert StruckOut.WHOLLY not in (*said[:2], *said[4:])


THREE = ((115, 160), (360, 90), (480, 60))


def test_a_line_that_begins_and_ends_with_its_row_crosses_it_out() -> None:
    """It is low, where half of the letters have nothing under them."""
    low = TOP + STEP + 44
    assert _rows(low, words=THREE, line=(108, 442)) == [1]
    assert _rows(low, words=THREE, line=(108, 410)) == []  # something is written behind it
    assert _rows(low, words=THREE[:2], line=(108, 350)) == []  # of two values
    filled = (*THREE[:2], (480, 100))
    assert _rows(low, words=filled, line=(100, 500)) == []  # it ends with the rules
    assert _rows(low, words=filled, line=(108, 492)) == []  # or nearly so
    assert _rows(low, words=filled, line=(95, 487)) == [1]


@pytest.mark.parametrize(
    ("at", "line", "last", "struck"),
    [
        (36, (108, 442), 60, [1]),
        (46, (108, 442), 60, []),  # under the letters
        (36, (108, 410), 60, []),  # it ends within a word
        (36, (100, 500), 100, []),  # it ends with the rules
    ],
)
def test_rows_need_not_be_of_one_height_for_that(
    at: int, line: tuple[int, int], last: int, struck: list[int]
) -> None:
    more = tuple(TOP + STEP * n + 20 for n in (0, 2, 3, 4))
    words = (*THREE[:2], (480, last))
    ink, rules, boxes = _chart(TOP + STEP + at, words=words, line=line, more=more)
    said = struck_rows(ink, rules, boxes, LETTER)
    assert sorted({n // 3 for n, one in enumerate(said) if one}) == struck


def test_where_rules_end_anywhere_no_end_is_a_lines_own() -> None:
    """What has not the ends of the rules must differ from something: forms have short rules."""
    ink, rules, boxes = _chart(TOP + STEP + 44, words=THREE, line=(108, 442))
    assert any(struck_rows(ink, rules, boxes, LETTER))
    ragged = [
        Box(one.x + 40 * n, one.y, one.width - 80 * n, one.height)
        for n, one in enumerate(rules.horizontal[:-1])
    ]
    mask = rules.mask.copy()
    for one in rules.horizontal[:-1]:
        mask[one.y : one.y + one.height] = 0
    for one in ragged:
        mask[one.y : one.y + one.height, one.x : one.x + one.width] = 255
    ragged_rules = FormRules(mask, (*ragged, rules.horizontal[-1]), ())
    assert not any(struck_rows(ink, ragged_rules, boxes, LETTER))


def test_the_blanks_of_a_row_of_labels_are_none() -> None:
    ink, rules, boxes = _chart(words=THREE)
    y = TOP + STEP + 44
    blanks = tuple(Box(x - 10, y, width + 16, 3) for x, width in THREE)
    rules = FormRules(rules.mask, rules.horizontal + blanks, ())
    assert not any(struck_rows(ink, rules, boxes, LETTER))


def test_a_line_too_many_may_begin_with_the_rules() -> None:
    words = ((150, 125), *THREE[1:])
    assert _rows(TOP + STEP + 44, words=words, line=(100, 450)) == [1]
    assert _rows(TOP + STEP + 44, words=words, line=(100, 500)) == []
    ink, rules, boxes = _chart(TOP + STEP + 44, words=words, line=(100, 450))
    boxes = [Box(b.x, b.y - 14, b.width, b.height) for b in boxes]  # too high for it
    assert not any(struck_rows(ink, rules, boxes, LETTER))


def test_a_row_is_crossed_out_whatever_a_segmenter_makes_of_the_line() -> None:
    """To a network a line from side to side looks like one more rule of the chart."""
    ink, rules, boxes = _chart(TOP + 2 * STEP + 30)
    blank = np.zeros((300, 350), np.float32)
    said = find_strikes(255 - ink, ink, rules, boxes, LETTER, LineMaps(blank, blank, 0.5, blank))
    assert [one for n, one in enumerate(said) if n // 2 == 2] == [StruckOut.WHOLLY] * 2
    assert {one for n, one in enumerate(said) if n // 2 != 2} == {StruckOut.NO}
