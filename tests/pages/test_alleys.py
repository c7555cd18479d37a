"""Columns of a table that nobody could read the headings of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clinic_hwr.pages.alleys import parted_at_alleys
from clinic_hwr.pages.labels import union
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.text_lines import TextLine
from clinic_hwr.pages.types import Box

LETTER = 20.0
WIDE, STEP = 30, 60  # a stroke; from row to row


def _line(row: int, *starts: int) -> TextLine:
    boxes = [Box(x, 100 + STEP * row, WIDE, 24) for x in starts]
    strokes = tuple(Stroke(box, 200) for box in boxes)
    return TextLine(union(boxes), strokes)


def _survey(rows: int, *, steps: tuple[int, ...] = ()) -> PageSurvey:
    """A page with a rule under each of some rows."""
    survey = survey_page(np.full((700, 700), 255, np.uint8), ())
    ys = steps or tuple(140 + STEP * row for row in range(rows))
    return replace(
        survey, rules=replace(survey.rules, horizontal=tuple(Box(40, y, 600, 3) for y in ys))
    )


def _starts(survey: PageSurvey, *lines: TextLine) -> list[list[int]]:
    found = parted_at_alleys(survey, lines, LETTER)
    return [[s.box_px.x for s in line.strokes] for line in found]


def test_ruled_rows_are_parted_where_all_leave_the_paper_white() -> None:
    rows = [_line(0, 60, 95, 160, 195), _line(1, 60, 162), _line(2, 62, 100, 158)]
    assert _starts(_survey(3), *rows) == [[60, 95], [160, 195], [60], [162], [62, 100], [158]]


def test_a_word_space_that_one_row_writes_over_is_none() -> None:
    rows = [_line(0, 60, 95, 160, 195), _line(1, 60, 100, 132, 162), _line(2, 60, 158)]
    assert _starts(_survey(3), *rows) == [[60, 95, 160, 195], [60, 100, 132, 162], [60, 158]]


def test_words_that_begin_at_different_places_are_no_column() -> None:
    rows = [_line(0, 60, 160), _line(1, 60, 200), _line(2, 60, 240)]
    assert _starts(_survey(3), *rows) == [[60, 160], [60, 200], [60, 240]]


def test_two_rows_need_a_wider_alley_than_three() -> None:
    narrow = [_line(row, 60, 60 + WIDE + 25) for row in range(3)]
    assert len(_starts(_survey(3), *narrow)) == 6
    assert len(_starts(_survey(2), *narrow[:2])) == 2
    wide = [_line(row, 60, 60 + WIDE + 35) for row in range(2)]
    assert len(_starts(_survey(2), *wide)) == 4


def test_lines_without_rules_between_them_are_left_whole() -> None:
    rows = [_line(row, 60, 160) for row in range(3)]
    assert len(_starts(_survey(0, steps=(600,)), *rows)) == 3


def test_a_row_far_below_is_none_of_the_table() -> None:
    rows = [_line(0, 60, 160), _line(1, 60, 160), _line(5, 60, 160)]
    survey = _survey(6)
    assert _starts(survey, *rows) == [[60], [160], [60], [160], [60, 160]]


def test_a_single_row_is_no_table() -> None:
    assert _starts(_survey(1), _line(0, 60, 160)) == [[60, 160]]
    assert parted_at_alleys(_survey(1), [], LETTER) == []
