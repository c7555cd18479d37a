"""Circled numbers of a printed scale: told by their place where OCR could not read them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.checkboxes import Checkbox
from clinic_hwr.pages.choice_rows import ChoiceRow, Option, choice_rows
from clinic_hwr.pages.choice_words import REFILLS
from clinic_hwr.pages.choices import row_answer
from clinic_hwr.pages.number_scale import NumberScale
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.survey import PageSurvey
from clinic_hwr.pages.types import Box, MarkDoubt, PrintedWord

STEP, LEFT, TOP, HIGH = 50, 120, 100, 16


def middle(place: float) -> int:
    return round(LEFT + STEP * place)


def number(value: int, place: float | None = None, wide: int = 12) -> Option:
    x = middle(value if place is None else place)
    return Option(str(value), Box(x - wide // 2, TOP, wide, HIGH), 0.9)


NR = Option("NR", Box(90, TOP, 25, HIGH), 0.9)


def survey(rings: Sequence[float] = (), *, held: bool = True, words: str = "") -> PageSurvey:
    """A page with circles around places of a scale, something in them where ``held``."""
    ink = np.zeros((220, 900), np.uint8)
    for place in rings:
        at = (middle(place), TOP + HIGH // 2)
        cv2.circle(ink, at, 19, 255, 3)
        if held:
            cv2.rectangle(ink, (at[0] - 3, at[1] - 7), (at[0] + 3, at[1] + 7), 255, -1)
    rules = FormRules(np.zeros_like(ink), (), ())
    read = []
    for n, text in enumerate(words.split()):
        x = LEFT - 90 if n == 0 else middle(n - 1) - 6
        read.append(PrintedWord(text, Box(x, TOP, 60 if n == 0 else 12, HIGH), 0.9))
    return PageSurvey(255 - ink, rules, tuple(read), (), ink, (), HIGH, all_ink=ink)


def row(options: Sequence[Option], boxes: Sequence[Checkbox] = ()) -> ChoiceRow:
    return ChoiceRow("refills", None, tuple(options), REFILLS, tuple(boxes), HIGH)


def said(rings: Sequence[float], options: Sequence[Option], *, held: bool = True,
         box: Checkbox | None = None) -> tuple[str | None, MarkDoubt] | None:  # fmt: skip
    found = row_answer(survey(rings, held=held), row(options, [box] if box else []))
    return None if found is None else (found.printed_text, found.mark_doubt)


@pytest.mark.parametrize(
    ("known", "numbers"),
    [
        ([(0, 10.0), (1, 20.0)], (0, 1)),
        ([(0, 10.0), (1, 20.0), (2, 30.0), (5, 47.0)], (0, 1, 2)),
        ([(0, 10.0), (1, 20.0), (2, 30.0), (4, 50.0), (3, 90.0)], (0, 1, 2, 4)),
    ],
)
def test_a_scale_is_what_most_numbers_stand_on(
    known: list[tuple[int, float]], numbers: tuple[int, ...]
) -> None:
    scale = NumberScale.of(known)

    assert scale is not None
    assert scale.numbers == numbers
    assert scale.step_px == pytest.approx(10.0)
    assert scale.number_at(42.0) == 3
    assert scale.number_at(45.0) is None


@pytest.mark.parametrize(
    "known",
    [
        [], [(1, 20.0)], [(1, 20.0), (1, 30.0)], [(3, 20.0), (1, 40.0)],
        [(0, 10.0), (1, 20.0), (4, 30.0)],
        [(0, 10.0), (1, 20.0), (7, 30.0), (2, 45.0), (9, 61.0)],
    ],
    ids=["none", "one", "one twice", "falling", "uneven", "hardly any in place"],
)  # fmt: skip
def test_numbers_anywhere_are_no_scale(known: list[tuple[int, float]]) -> None:
    assert NumberScale.of(known) is None


@pytest.mark.parametrize(
    ("rings", "options", "value"),
    [
        ([4], [number(0), number(1), number(2), number(3), number(5)], "4"),
        ([4], [number(0), number(1), number(2), number(3, 3.15, 27), number(5, 4.85, 27)], "4"),
        ([0], [number(1), number(2), number(3)], "0"),
        ([2], [number(n) for n in range(5)], "2"),
    ],
    ids=["between", "neighbours glued to it", "before 1", "read"],
)
def test_a_circled_number_is_told_by_its_place(
    rings: list[float], options: list[Option], value: str
) -> None:
    assert said(rings, options) == (value, MarkDoubt.NO)


@pytest.mark.parametrize(
    ("rings", "options"),
    [
        ([5], [number(n) for n in range(5)]),
        ([4], [NR, number(1), number(2), Option("3", Box(middle(3) - 17, TOP, 35, 25), 0.9)]),
        ([1], [number(2), number(3), number(4)]),
        ([2.5], [number(0), number(1), number(4)]),
    ],
    ids=["behind the last", "the last may be marked", "before 2", "between two places"],
)  # fmt: skip
def test_a_circle_where_no_number_has_to_be_is_asked_about(
    rings: list[float], options: list[Option]
) -> None:
    assert said(rings, options) == (None, MarkDoubt.UNREAD)


def test_a_circle_in_which_nothing_is_left_is_around_a_number_of_the_scale() -> None:
    options = [number(0), number(2), number(3), number(4)]

    assert said([1], options, held=False) == ("1", MarkDoubt.NO)
    # Elsewhere it is a letter of writing.
    assert said([6], options, held=False) == (None, MarkDoubt.NONE)


def test_a_ticked_box_far_behind_the_numbers_answers_something_else() -> None:
    far = Checkbox(Box(middle(8), TOP - 2, 20, 20), marked=True)
    near = Checkbox(Box(middle(4) + 12, TOP - 2, 20, 20), marked=True)
    options = [number(n) for n in range(5)]

    assert said([3], options, box=far) == ("3", MarkDoubt.NO)
    # What is read in it is no number of the scale either.
    assert said([3], [*options, number(6, 8)], box=far) == ("3", MarkDoubt.NO)
    # Nor is it the circled number once more.
    assert said([4], [*options, number(4, 8)], box=far) == ("4", MarkDoubt.NO)
    # Beside the last number it may be that one's, and without a circle it may be of this row.
    assert said([3], options, box=near) == (None, MarkDoubt.SEVERAL)
    alone = said([], options, box=far)
    assert alone is not None
    assert alone[1] not in (MarkDoubt.NO, MarkDoubt.NONE)


def test_a_second_circle_counts_where_a_number_can_be() -> None:
    options = [number(n) for n in range(5)]

    assert said([1, 3], options) == (None, MarkDoubt.SEVERAL)
    assert said([1, 8], options) == ("1", MarkDoubt.NO)


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("Refit 0 1 2 3", True), ("ren 1 2 3 4", True), ("Room 0 1 2 3", False),
        ("Refit 0 1", False), ("Refit 3 1 0 2", False),
    ],
)  # fmt: skip
def test_a_badly_read_label_before_a_scale_asks_for_refills(words: str, asks: bool) -> None:
    page = survey(words=words)

    found = [one for one in choice_rows(page, page.words) if one.field == "refills"]

    assert bool(found) == asks
    if asks:
        assert [one.value for one in found[0].options] == words.split()[1:]
