"""Lines of writing come in reading order: by rows, each from left to right."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.text_lines import TextLine, _without_inner, text_lines
from clinic_hwr.pages.types import Box


def _letters(page: np.ndarray, x: int, y: int, count: int, *, tails: bool = False) -> None:
    for number in range(count):
        left = x + 26 * number
        cv2.line(page, (left, y + 30), (left + 8, y), 0, 3)
        cv2.line(page, (left + 8, y), (left + 16, y + 30), 0, 3)
        if tails:
            cv2.line(page, (left + 16, y + 30), (left + 12, y + 80), 0, 3)


def test_a_number_behind_a_line_with_tails_comes_after_it() -> None:
    page = np.full((500, 900), 255, np.uint8)
    _letters(page, 60, 100, 8, tails=True)
    _letters(page, 600, 90, 3)
    _letters(page, 80, 220, 8)
    survey = survey_page(page, ())

    boxes = [line.box_px for line in text_lines(survey, survey.strokes)]

    assert [(round(box.x, -2), round(box.y, -2)) for box in boxes] == [
        (100, 100), (600, 100), (100, 200),
    ]  # fmt: skip


def test_the_rest_of_a_letter_far_beside_a_line_does_not_stretch_it() -> None:
    page = np.full((500, 900), 255, np.uint8)
    _letters(page, 60, 100, 8)
    cv2.line(page, (700, 110), (712, 113), 0, 3)  # level with it
    cv2.line(page, (300, 118), (312, 121), 0, 3)  # right behind it
    survey = survey_page(page, ())

    boxes = [line.box_px for line in text_lines(survey, survey.strokes)]

    assert max(box.x + box.width for box in boxes if box.x < 100) < 330
    assert any(box.x > 690 for box in boxes)
    assert len(boxes) == 2


def test_a_letter_inside_of_a_line_is_no_line_of_its_own() -> None:
    lines = [
        TextLine(box, (Stroke(box, 90),))
        for box in (Box(100, 100, 300, 40), Box(200, 105, 20, 30), Box(180, 128, 20, 12))
    ]
    found = [line.box_px for line in _without_inner(lines, 30.0)]
    assert found == [Box(100, 100, 300, 40), Box(180, 128, 20, 12)]  # the last hangs below it
    wide = TextLine(Box(180, 105, 90, 30), (Stroke(Box(180, 105, 90, 30), 90),))
    assert len(_without_inner([lines[0], wide], 30.0)) == 2  # a word written over another line
