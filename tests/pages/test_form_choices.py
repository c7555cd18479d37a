"""Choices printed in a form's region for text: what a pen marks of them is the value."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.background import flatten_background
from clinic_hwr.pages.form_choices import printed_choices
from clinic_hwr.pages.form_match import FormMatch, FormSheet, match_form
from clinic_hwr.pages.form_template import regions_from_json
from clinic_hwr.pages.registered_fields import registered_fields
from clinic_hwr.pages.registration import FormPrint, PagePrint
from clinic_hwr.pages.types import FieldRegion, Gray, LineMaps, LineSegmenter, MarkDoubt, NamedBy
from clinic_hwr.recognition.synthesis.pages_marks import choices, ticked_choices
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from tests.forms.drawn import HEIGHT, WIDTH, blank_form, faxed, wiggle

from .scribble import ScribbleHand

pytestmark = pytest.mark.thorough

_M, _F = (1010, 555), (1078, 555)  # where the letters stand


def _form(sexes: tuple[str, str] = ("M", "F"), *, label: str = "Sex", boxes: bool = False) -> Gray:
    paper = Paper(WIDTH / 200, HEIGHT / 200, 200, ScribbleHand(), np.random.default_rng(4))
    paper.text(3.45 if boxes else 4.45, 2.8, label, points=9)
    if boxes:
        ticked_choices(paper, 4.0, 2.8, sexes, (), points=9)
    else:
        choices(paper, 5.0, 2.8, sexes, "", points=9, gap=0.25)
    return np.minimum(blank_form(), paper.ink)


def _sheet(blank: Gray, left: float = 0.775) -> FormSheet:
    regions = regions_from_json(
        [{"field": "patient_sex", "kind": "text", "box": [left, 0.32, 0.12, 0.03]}]
    )
    return FormSheet("riverside", 1, FormPrint.of(blank), regions)


def _found(
    page: Gray, sheet: FormSheet, segmenter: LineSegmenter | None = None
) -> list[FieldRegion]:
    here = PagePrint.of(flatten_background(page))
    match = match_form(here, [sheet])
    assert isinstance(match, FormMatch)
    return [
        one.field for one in registered_fields(here, (), match, segmenter=segmenter).fields
        if one.field.name == "patient_sex"
    ]  # fmt: skip


def _circled(page: Gray, at: tuple[int, int]) -> None:
    cv2.ellipse(page, at, (21, 19), 0, 0, 370, 30, 3, cv2.LINE_AA)


def _underlined(page: Gray, at: tuple[int, int]) -> None:
    cv2.line(page, (at[0] - 14, at[1] + 16), (at[0] + 15, at[1] + 18), 30, 3, cv2.LINE_AA)


@pytest.mark.parametrize("degrade", [lambda page: page, faxed], ids=["scan", "fax"])
@pytest.mark.parametrize("mark", [_circled, _underlined])
@pytest.mark.parametrize(("at", "said"), [(_M, "M"), (_F, "F")])
def test_the_marked_choice_is_the_value(
    at: tuple[int, int],
    said: str,
    mark: Callable[[Gray, tuple[int, int]], None],
    degrade: Callable[[Gray], Gray],
) -> None:
    blank = _form()
    page = blank.copy()
    mark(page, at)

    (found,) = _found(degrade(page), _sheet(blank))

    assert (found.printed_text, found.options, found.mark_doubt) == (said, (said,), MarkDoubt.NO)
    assert found.named_by is NamedBy.FORM


def test_an_underline_counts_where_a_segmenter_sees_nothing() -> None:
    blank = _form()
    page = blank.copy()
    _underlined(page, _F)
    wiggle(page, 110, 866, 800, 3)

    def segmenter(gray: Gray) -> LineMaps:
        hand = np.zeros((gray.shape[0] // 2, gray.shape[1] // 2), np.float32)
        hand[418:432, 55:455] = 0.9
        return LineMaps(hand, np.zeros_like(hand), 0.5)

    (found,) = _found(page, _sheet(blank), segmenter)

    assert found.printed_text == "F"


def test_two_marks_are_no_value() -> None:
    blank = _form()
    page = blank.copy()
    _circled(page, _M)
    _circled(page, _F)

    (found,) = _found(page, _sheet(blank))

    assert (found.printed_text, found.mark_doubt) == (None, MarkDoubt.SEVERAL)


def test_a_mark_beside_the_region_on_one_of_its_choices_counts() -> None:
    blank = _form()
    page = blank.copy()
    _circled(page, _M)
    _circled(page, _F)
    sheet = _sheet(blank, 0.82)  # over F only

    (found,) = _found(page, sheet)

    assert (found.printed_text, found.mark_doubt) == (None, MarkDoubt.SEVERAL)


def test_ink_on_choices_that_is_no_mark_is_a_question() -> None:
    blank = _form()
    page = blank.copy()
    wiggle(page, 985, 575, 130, 3)  # over both

    (found,) = _found(page, _sheet(blank))

    assert found.printed_text is None and found.mark_doubt
    assert set(found.options) == {"M", "F"}


def test_choices_without_a_mark_are_no_field() -> None:
    blank = _form()
    assert _found(faxed(blank), _sheet(blank)) == []


def test_a_ticked_square_beside_a_choice() -> None:
    blank = _form(("Male", "Female"), boxes=True)
    page = blank.copy()
    cv2.line(page, (803, 540), (822, 558), 30, 3, cv2.LINE_AA)
    cv2.line(page, (822, 538), (803, 558), 30, 3, cv2.LINE_AA)

    (found,) = _found(page, _sheet(blank, 0.618))  # over the squares, not over all the words

    assert found.printed_text == "Male"


def test_a_filled_square_beside_a_ticked_one_is_a_second_mark() -> None:
    blank = _form(("Male", "Female"), boxes=True)
    (printed,) = printed_choices(_sheet(blank, 0.618))
    male, female = sorted(printed.squares, key=lambda one: one.x)
    page = blank.copy()
    page[male.y : male.y + male.height, male.x : male.x + male.width] = 30
    cv2.line(page, (female.x, female.y), (female.x + female.width, female.y + female.height), 30, 3)

    (found,) = _found(page, _sheet(blank, 0.618))

    assert found.printed_text is None
    assert found.mark_doubt


def test_what_letters_stand_for_is_told_by_the_label() -> None:
    (spanish,) = printed_choices(_sheet(_form(("H", "M"), label="Sexo")))
    assert [one.value for one in spanish.options] == ["Male", "Female"]
    # Beside an H, an M may be a man or a woman: then there are no two choices to tell apart.
    assert printed_choices(_sheet(_form(("H", "M"), label="Info"))) == ()
