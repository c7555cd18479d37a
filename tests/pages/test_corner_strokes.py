"""An X over a word, or one diagonal, crosses it out; the strokes of letters do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.corner_strokes import corner_strokes
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, StruckOut

LETTER = 28.0
LEFT, RIGHT, TOP, BOTTOM = 100, 260, 60, 100  # a word
FALLS, RISES = ((96, 62), (264, 98)), ((96, 98), (264, 62))

Stroke = tuple[tuple[int, int], tuple[int, int]]


def _page(*strokes: Stroke, right: int = RIGHT, pen: int = 2) -> tuple[np.ndarray, Box]:
    ink = np.zeros((160, 700), np.uint8)
    for x in range(LEFT, right - 18, 22):
        cv2.ellipse(ink, (x + 9, 84), (8, 14), 0, 0, 360, 255, pen)
    for start, end in strokes:
        cv2.line(ink, start, end, 255, 2)
    return ink, Box(LEFT - 4, TOP, right + 8 - LEFT, BOTTOM - TOP)


def _share(*strokes: Stroke, right: int = RIGHT, pen: int = 2) -> float:
    ink, box = _page(*strokes, right=right, pen=pen)
    return float(corner_strokes(ink, box, LETTER).mean())


@pytest.mark.parametrize("strokes", [(FALLS, RISES), (FALLS,), (RISES,)])
def test_strokes_from_corner_to_corner_cross_a_word_out(strokes: tuple[Stroke, ...]) -> None:
    assert _share(*strokes) > 0.85


def test_the_strikes_of_a_page_know_of_it() -> None:
    ink = np.zeros((160, 700), np.uint8)
    for letter, x in zip("abehd", range(100, 202, 24), strict=True):
        cv2.putText(ink, letter, (x, 98), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    none = FormRules(np.zeros_like(ink), (), ())
    box = Box(96, 65, 129, 38)
    assert find_strikes(255 - ink, ink, none, [box], 24.0) == [StruckOut.NO]
    cv2.line(ink, (96, 66), (224, 102), 255, 2)
    assert find_strikes(255 - ink, ink, none, [box], 24.0) == [StruckOut.WHOLLY]


@pytest.mark.parametrize(
    ("what", "strokes"),
    [
        ("letters", ()),
        ("a level stroke", (((96, 84), (264, 80)),)),
        ("a diagonal over half of the word", (((96, 62), (180, 98)),)),
        ("a stroke with a gap", (((96, 62), (140, 71)), ((200, 84), (264, 98)))),
    ],
)
def test_other_strokes_do_not(what: str, strokes: tuple[Stroke, ...]) -> None:
    assert _share(*strokes) == 0.0, what


def test_a_word_that_is_all_ink_is_not_looked_through() -> None:
    assert _share(pen=18) == 0.0


def test_a_short_word_needs_both_strokes() -> None:
    falls, rises = ((96, 62), (202, 98)), ((96, 98), (202, 62))
    assert _share(falls, right=200) == 0.0
    assert _share(falls, rises, right=200) > 0.9


def test_the_word_beside_it_is_not_crossed_out_though_both_stand_on_a_line() -> None:
    ink, _ = _page(FALLS, RISES)
    for x in range(320, 420, 22):
        cv2.ellipse(ink, (x + 9, 84), (8, 14), 0, 0, 360, 255, 2)
    cv2.line(ink, (60, 99), (600, 99), 255, 2)  # a rule that was not found
    said = corner_strokes(ink, Box(90, TOP, 350, 42), LETTER)
    assert said[10:165].all()
    assert not said[225:].any()


def test_an_empty_box_is_not_crossed_out() -> None:
    assert not corner_strokes(np.zeros((160, 700), np.uint8), Box(90, 60, 200, 40), LETTER).any()
