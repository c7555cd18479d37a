"""What belongs to a value, and what only stands on its row."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.labels import Label, Placement
from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.types import Box, LineMaps
from clinic_hwr.pages.value_runs import Slot, near_marked, written_run

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


_BEHIND = [Box(210, 100, 20, 24), Box(236, 100, 20, 24)]  # 64 px behind the letters


def _run(
    *, word: Box | None = None, print_px: Box | None = None, marked: bool = True,
    segmenter: bool = True,
) -> list[Box]:  # fmt: skip
    """The value of a label before the letters, others standing behind them on its row.

    Args:
        word: what OCR read between them.
        print_px: what the segmenter marks as print.
        marked: whether it marks letters as handwriting.
        segmenter: whether there is one.
    """
    boxes = [*LETTERS, *_BEHIND]
    survey = _survey(boxes, boxes if marked else [], segmenter=segmenter)
    printed = np.zeros((300, 600), np.float32)
    if print_px is not None:
        x, y, width, height = print_px.x, print_px.y, print_px.width, print_px.height
        printed[y : y + height, x : x + width] = 1
    survey = replace(
        survey,
        words=() if word is None else (PrintedWord("wt", word, 0.7),),
        maps=LineMaps(np.zeros_like(printed), printed, 1.0) if segmenter else None,
    )
    label = Label("patient_sex", "Sex", Box(60, 102, 30, 20), Placement.BESIDE, ())
    strokes = [Stroke(box, box.width * box.height) for box in boxes]
    slot = Slot(label, Box(90, 90, 400, 44))
    return [one.box_px for one in written_run(survey, slot, strokes, strokes)]


def test_a_value_ends_where_print_stands_between_handwriting() -> None:
    """Badly read the next label names nothing, but it is no part of a value."""
    assert _run() == [*LETTERS, *_BEHIND]
    between = Box(160, 102, 36, 20)
    assert _run(word=between) == LETTERS
    assert _run(print_px=between) == LETTERS


@pytest.mark.parametrize(
    "print_px",
    [Box(160, 102, 12, 20), Box(160, 140, 36, 20), Box(240, 102, 36, 20)],
    ids=["a speck", "the row below", "behind it"],
)
def test_other_print_ends_no_value(print_px: Box) -> None:
    assert _run(print_px=print_px) == [*LETTERS, *_BEHIND]


@pytest.mark.parametrize(
    "word", [Box(160, 150, 36, 20), Box(105, 102, 36, 20)], ids=["another row", "over the letters"]
)
def test_words_elsewhere_end_no_value(word: Box) -> None:
    assert _run(word=word) == [*LETTERS, *_BEHIND]


def test_a_printed_value_goes_on_behind_a_word_that_was_read() -> None:
    between = Box(160, 102, 36, 20)
    assert _run(word=between, marked=False) == [*LETTERS, *_BEHIND]
    assert _run(word=between, segmenter=False) == [*LETTERS, *_BEHIND]


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
