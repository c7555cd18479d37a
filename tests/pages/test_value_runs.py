"""What belongs to a value, and what only stands on its row."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.types import Box, LineMaps
from clinic_hwr.pages.value_runs import near_marked

UNIT = 20.0
LETTERS = [Box(100, 100, 20, 24), Box(126, 100, 20, 24)]


def _survey(strokes: list[Box], marked: list[Box], *, segmenter: bool = True) -> PageSurvey:
    page = np.full((300, 600), 255, np.uint8)
    hand = np.zeros((300, 600), np.float32)
    for box in strokes:
        page[box.y : box.y + box.height, box.x : box.x + box.width] = 0
    for box in marked:
        hand[box.y : box.y + box.height, box.x : box.x + box.width] = 1
    cores = line_cores(LineMaps(hand, np.zeros_like(hand), 1.0)) if segmenter else None
    ink = np.where(page < 30, 255, 0).astype(np.uint8)
    return replace(survey_page(page, ()), ink=ink, cores=cores, unit_px=UNIT)


def _kept(*others: Box, marked: list[Box] | None = None, segmenter: bool = True) -> list[Box]:
    """Which of the letters and some other strokes are one value; the letters are marked."""
    boxes = [*LETTERS, *others]
    survey = _survey(boxes, LETTERS if marked is None else marked, segmenter=segmenter)
    strokes = [Stroke(box, box.width * box.height) for box in boxes]
    return [one.box_px for one in near_marked(survey, strokes) if one.box_px not in LETTERS]


@pytest.mark.parametrize(
    ("what", "box", "belongs"),
    [
        ("a letter behind them that was not marked", Box(160, 100, 20, 24), True),
        ("a stamp at the end of the row", Box(240, 96, 80, 30), False),
        ("a dash right behind them", Box(152, 112, 10, 3), True),
        ("the rest of a rule before them", Box(60, 122, 16, 3), False),
        ("a letter before them", Box(60, 100, 16, 24), True),
    ],
)
def test_what_is_near_to_what_the_segmenter_marks_belongs_to_it(
    what: str, box: Box, belongs: bool
) -> None:
    assert _kept(box) == ([box] if belongs else []), what


def test_one_unmarked_letter_leads_to_the_next() -> None:
    word = [Box(160, 100, 20, 24), Box(200, 100, 20, 24), Box(240, 100, 20, 24)]
    assert _kept(*word) == word
    assert _kept(word[2]) == []


def test_without_marks_all_belongs_to_the_value() -> None:
    stamp = Box(240, 96, 80, 30)
    assert _kept(stamp, marked=[]) == [stamp]
    assert _kept(stamp, segmenter=False) == [stamp]


@pytest.mark.parametrize("framed", [False, True])
def test_what_is_written_behind_the_side_of_a_frame_answers_no_label_before_it(
    framed: bool,
) -> None:
    page = np.full((900, 900), 255, np.uint8)
    if framed:
        cv2.rectangle(page, (200, 120), (203, 800), 60, -1)
    cv2.ellipse(page, (300, 310), (40, 22), 0, 0, 360, 0, 3)
    cv2.line(page, (285, 312), (315, 308), 0, 3)
    words = [
        PrintedWord("aut", Box(60, 302, 40, 17), 0.95),
        PrintedWord("idem", Box(108, 302, 52, 17), 0.95),
    ]
    found = find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words, forms=[])
    assert any(one.name == "substitution" and one.mark_doubt for one in found) is not framed
    assert any(one.name == "unnamed" for one in found) is framed
