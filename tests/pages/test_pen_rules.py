"""Strokes of a pen that count as rules of the form, told by where they end and how they lie."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages.pen_rules import pen_rules
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, StruckOut

LETTER = 20.0
WORD = Box(200, 100, 160, 30)


def _rules(*boxes: Box) -> FormRules:
    mask = np.zeros((300, 900), np.uint8)
    for box in boxes:
        mask[box.y : box.y + box.height, box.x : box.x + box.width] = 255
    return FormRules(mask, boxes, ())


def _share(*boxes: Box, word: Box = WORD) -> float:
    return float(pen_rules(_rules(*boxes), word, LETTER).mean())


@pytest.mark.parametrize("y", [112, 124, 131], ids=["through", "at the foot", "under"])
def test_two_lines_as_long_as_the_word_are_a_pens(y: int) -> None:
    assert _share(Box(190, y, 180, 3), Box(192, y + 9, 181, 3)) == 1.0


def test_two_lines_may_go_on_where_the_writing_was_cut_short() -> None:
    assert _share(Box(190, 124, 204, 3), Box(192, 133, 203, 3)) == 1.0
    assert _share(Box(190, 124, 214, 3), Box(192, 133, 213, 3)) == 0.0


@pytest.mark.parametrize(
    ("what", "boxes"),
    [
        ("one line", (Box(190, 124, 180, 3),)),
        ("a blank that goes on", (Box(190, 124, 400, 3), Box(190, 133, 400, 3))),
        ("a blank that begins before", (Box(20, 124, 350, 3), Box(20, 133, 350, 3))),
        ("lines to write on", (Box(190, 104, 180, 3), Box(190, 130, 180, 3))),
        ("two edges of one bar", (Box(190, 124, 180, 2), Box(190, 127, 180, 2))),
        ("lines of two lengths", (Box(190, 124, 180, 3), Box(240, 133, 130, 3))),
        ("two bars of a letter", (Box(210, 110, 50, 3), Box(210, 119, 50, 3))),
        ("under the next line", (Box(190, 170, 180, 3), Box(190, 179, 180, 3))),
    ],
)
def test_other_rules_are_the_forms(what: str, boxes: tuple[Box, ...]) -> None:
    assert _share(*boxes) == 0.0, what


def test_a_rule_that_climbs_over_a_word_is_a_stroke_through_it() -> None:
    assert _share(Box(195, 104, 170, 22)) == 1.0
    assert _share(Box(195, 104, 170, 12)) == 0.0
    assert _share(Box(195, 104, 60, 22)) == 0.0  # a letter's stroke


def test_a_stroke_on_a_rule_makes_it_thicker_there() -> None:
    rules = _rules(Box(100, 122, 700, 10))
    thick = rules.mask.copy()
    rules.mask[126:] = 0
    assert not pen_rules(rules, WORD, LETTER).any()
    rules.mask[:, 190:370] = thick[:, 190:370]
    assert pen_rules(rules, WORD, LETTER).all()
    assert not pen_rules(rules, Box(500, 100, 160, 30), LETTER).any()
    assert not pen_rules(rules, Box(200, 60, 160, 30), LETTER).any()  # the line above
    assert not pen_rules(_rules(Box(100, 122, 700, 10)), WORD, LETTER).any()  # thick all along


def test_a_rule_that_letters_make_thicker_here_and_there_has_no_stroke_on_it() -> None:
    whole = _rules(Box(100, 122, 700, 10))
    rule = FormRules(whole.mask.copy(), whole.horizontal, ())
    rule.mask[126:] = 0
    inked = np.arange(WORD.x, WORD.x + WORD.width) % 20 < 13  # two thirds of every letter
    rule.mask[:, WORD.x : WORD.x + WORD.width][:, inked] = whole.mask[
        :, WORD.x : WORD.x + WORD.width
    ][:, inked]
    assert not pen_rules(rule, WORD, LETTER).any()
    inked = np.arange(WORD.x, WORD.x + WORD.width) % 20 < 16
    rule.mask[:, WORD.x : WORD.x + WORD.width][:, inked] = 0
    rule.mask[122:132, WORD.x : WORD.x + WORD.width][:, inked] = 255
    assert pen_rules(rule, WORD, LETTER).all()


def test_a_person_says_what_two_lines_mean() -> None:
    ink = np.zeros((300, 900), np.uint8)
    for x in range(WORD.x, WORD.x + WORD.width, 20):
        ink[WORD.y : WORD.y + 22, x : x + 3] = 255
    rules = _rules(Box(190, 126, 180, 3), Box(190, 135, 180, 3))
    none = FormRules(np.zeros_like(ink), (), ())
    assert find_strikes(255 - ink, ink, none, [WORD], LETTER) == [StruckOut.NO]
    ink |= rules.mask
    assert find_strikes(255 - ink, ink, rules, [WORD], LETTER) == [StruckOut.PARTLY]
