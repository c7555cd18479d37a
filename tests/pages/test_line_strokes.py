"""A stroke along the feet of a drug may be a low strike: a person is asked; a rule is none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.rules import FormRules, find_rules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, LineMaps, StruckOut

LETTER = 24.0
LEFT, RIGHT, TOP, BASE, FOOT = 300, 600, 100, 130, 150
_FEET = 142  # 0.8 of the height of the line, below which most of its letters do not go


def _said(
    first: int, last: int, y: int, *, descenders: int = 2, right: int = RIGHT, ask: bool = True,
    others: Sequence[tuple[int, int]] = (), rules_seen: bool = True,
) -> StruckOut:  # fmt: skip
    """What is said of a line whose every so manieth letter hangs below it, with one stroke.

    ``others``: corners of other words; ``rules_seen``: whether rules were looked for.
    """
    page = np.full((240, 1000), 255, np.uint8)
    for left, top in others:
        for x in range(left, left + 140, 10):
            cv2.line(page, (x, top), (x + 4, top + 24), 60, 3, cv2.LINE_AA)
    for number, x in enumerate(range(LEFT, right, 15)):
        hangs = descenders and number % descenders == 0
        cv2.line(page, (x, TOP), (x + 6, FOOT if hangs else BASE), 60, 3, cv2.LINE_AA)
    cv2.line(page, (first, y), (last, y + 1), 60, 3, cv2.LINE_AA)
    blank = np.zeros((120, 500), np.float32)
    box = Box(LEFT - 2, TOP - 2, right - LEFT, FOOT - TOP + 4)
    rules = find_rules(page) if rules_seen else FormRules(np.zeros_like(page), (), ())
    (said,) = find_strikes(
        page, ink_mask(page), rules, [box], LETTER, LineMaps(blank, blank, 0.5, blank),
        ask_of=[ask],
    )  # fmt: skip
    return said


def test_a_stroke_along_the_feet_of_a_drug_is_asked_about() -> None:
    assert _said(LEFT - 6, RIGHT + 6, _FEET) is StruckOut.PERHAPS
    assert _said(LEFT - 6, RIGHT + 6, _FEET, ask=False) is StruckOut.NO


def test_a_stroke_under_a_part_of_it_is_an_underline() -> None:
    assert _said(LEFT + 90, RIGHT + 6, _FEET) is StruckOut.NO


def test_a_stroke_that_nothing_hangs_below_is_an_underline() -> None:
    assert _said(LEFT - 6, RIGHT + 6, _FEET, descenders=0) is StruckOut.NO
    assert _said(LEFT - 6, RIGHT + 6, FOOT + 8) is StruckOut.NO


@pytest.mark.parametrize(("first", "last"), [(LEFT - 6, RIGHT + 150), (LEFT - 150, RIGHT + 6)])
@pytest.mark.parametrize(
    ("rules_seen", "others"),
    [(True, ()), (False, ()), (True, ((LEFT - 150, _FEET - 12), (RIGHT + 10, _FEET - 12)))],
    ids=["bare", "missed by the finder of rules", "with other words on it"],
)
def test_a_rule_that_goes_on_beyond_the_writing_is_none(
    first: int, last: int, rules_seen: bool, others: Sequence[tuple[int, int]]
) -> None:
    assert _said(first, last, _FEET, rules_seen=rules_seen, others=others) is StruckOut.NO


def test_a_stroke_between_two_lines_is_of_neither() -> None:
    under = FOOT + 14
    below = ((LEFT, under + 4), (LEFT + 140, under + 4))
    assert _said(LEFT - 6, RIGHT + 6, under, others=below) is StruckOut.NO


def test_a_stroke_at_the_feet_of_a_letter_or_two_is_a_letter() -> None:
    assert _said(LEFT - 6, LEFT + 56, _FEET, right=LEFT + 50) is StruckOut.NO
