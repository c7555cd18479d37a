"""Printed choices: the marked one is the value, and two marks choose nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import find_fields, make_upright, read_print
from clinic_hwr.pages.choice_rows import Option
from clinic_hwr.pages.choice_sexes import are_glued, in_their_language
from clinic_hwr.pages.types import Box, FieldRegion, Gray, MarkDoubt
from clinic_hwr.recognition.synthesis.pages_marks import choices, mark_choice, ticked_choices
from clinic_hwr.recognition.synthesis.pages_paper import Paper

from .conftest import needs_tesseract
from .scribble import ScribbleHand

pytestmark = [needs_tesseract, pytest.mark.thorough]

SEXES, NUMBERS, ANSWERS = ("Male", "Female"), ("0", "1", "2", "3", "4"), ("Yes", "No")


def paper() -> Paper:
    one = Paper(6.0, 4.0, 200, ScribbleHand(), np.random.default_rng(2))
    one.text(0.4, 0.5, "Riverside Family Clinic", points=13, face="bold")
    one.text(0.4, 0.75, "12 Sample Street, Springfield", points=9)
    one.text(0.4, 3.6, "Signature", points=9)
    return one


def rows(
    *, sex: str = "", number: str = "", answer: str = "", ticks: tuple[str, ...] | None = None
) -> Paper:
    one = paper()
    x = one.text(0.4, 1.3, "Gender:", points=10)[2] + 0.25
    choices(one, x, 1.3, SEXES, sex, points=10, gap=0.3)
    x = one.text(0.4, 1.9, "Refills:", points=10)[2] + 0.25
    choices(one, x, 1.9, NUMBERS, number, points=10, gap=0.3)
    x = one.text(0.4, 2.5, "Generic substitution permitted:", points=10)[2] + 0.25
    if ticks is not None:
        ticked_choices(one, x, 2.5, ANSWERS, ticks, points=10, gap=0.3)
    else:
        choices(one, x, 2.5, ANSWERS, answer, points=10, gap=0.3)
    return one


def found(gray: Gray) -> dict[str, FieldRegion]:
    page = make_upright(gray, turns=0)
    fields = find_fields(page, read_print(page.gray), forms=[])
    return {one.name: one for one in fields}


def test_a_circled_choice_is_the_value_of_its_label() -> None:
    page = found(rows(sex="Female", number="2", answer="No").ink)

    assert page["patient_sex"].printed_text == "Female"
    assert page["refills"].printed_text == "2"
    assert page["substitution"].present is False
    assert {page[name].mark_doubt for name in ("patient_sex", "refills", "substitution")} == {
        MarkDoubt.NO
    }


def test_two_circles_choose_nothing_and_show_both() -> None:
    one = rows(sex="Male", number="1", answer="Yes")
    for label, style in (("3", "circle"), ("Female", "circle")):
        mark = next(m for m in one.marks if m.label == label)
        (x0, y0), _, (x1, y1), _ = (tuple(v / 200 for v in p) for p in mark.quad_px)
        mark_choice(one, (x0, y0, x1, y1), style)

    page = found(one.ink)

    for name, both in (("patient_sex", {"Male", "Female"}), ("refills", {"1", "3"})):
        field = page[name]
        assert (field.printed_text, field.mark_doubt) == (None, MarkDoubt.SEVERAL)
        assert set(field.options) == both
    assert page["substitution"].present is True


def test_one_loop_around_two_choices_chooses_neither() -> None:
    one = rows(number="9")
    low, high = (next(m for m in one.marks if m.label == label) for label in ("1", "2"))
    x0, y0 = (side / 200 for side in low.quad_px[0])
    x1, y1 = (side / 200 for side in high.quad_px[2])
    mark_choice(one, (x0, y0, x1, y1), "circle")

    refills = found(one.ink)["refills"]

    # The loop touches both, so that OCR may not read them: which two is then not known either.
    assert refills.printed_text is None
    assert refills.mark_doubt in (MarkDoubt.SEVERAL, MarkDoubt.UNREAD)


def test_a_cross_over_a_choice_is_no_choice() -> None:
    one = rows()
    mark = next(m for m in one.marks if m.label == "Male")
    (x0, y0), _, (x1, y1), _ = (tuple(v / 200 for v in p) for p in mark.quad_px)
    mark_choice(one, (x0, y0, x1, y1), "cross")

    sex = found(one.ink)["patient_sex"]

    # Where OCR took the cross into the word's box it is a mark that is not known.
    assert sex.printed_text is None
    assert sex.mark_doubt in (MarkDoubt.CROSSED, MarkDoubt.UNREAD)


@pytest.mark.parametrize(
    ("ticks", "present", "doubts"),
    [(("Yes",), True, {MarkDoubt.NO}), (("No",), False, {MarkDoubt.NO}),
     (("Yes", "No"), None, {MarkDoubt.SEVERAL, MarkDoubt.UNREAD}), ((), None, {MarkDoubt.NONE})],
    ids=["yes", "no", "both", "none"],
)  # fmt: skip
def test_ticked_boxes_beside_choices(
    ticks: tuple[str, ...], present: bool | None, doubts: set[MarkDoubt]
) -> None:
    one = found(rows(ticks=ticks).ink)["substitution"]

    # Of two ticked boxes OCR may read one as a letter: a person is asked all the same.
    assert one.present == present
    assert one.mark_doubt in doubts


def test_rows_that_nobody_marked_say_so() -> None:
    page = found(rows().ink)

    assert page["refills"].mark_doubt is MarkDoubt.NONE
    assert page["substitution"].present is None


def test_a_written_answer_is_no_mark() -> None:
    one = paper()
    right = one.text(0.4, 1.9, "Refills:", points=10)[2]
    one.rule(right + 0.1, 1.92, 2.6, 1.92)
    cv2.putText(one.ink, "30", (round((right + 0.3) * 200), 375),
                cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.6, 40, 3, cv2.LINE_AA)  # fmt: skip

    refills = found(one.ink)["refills"]

    assert refills.mark_doubt is MarkDoubt.NO
    assert refills.options == ()


@pytest.mark.parametrize(
    ("label", "letters", "meant"),
    [
        ("Sex", "MF", ("M", "F")),
        ("Sexo:", "HM", ("Male", "Female")),
        ("Sexo", "MF", ("M", "F")),
        ("Sexo", "M", ("",)),
        ("Sexe", "HF", ("Male", "F")),
        ("Geschlecht", "MWD", ("M", "Female", "Other")),
        ("Sex", "HM", ("", "")),
        ("Sex", "WF", ("", "F")),
    ],
)
def test_letters_of_a_sex_mean_what_their_row_and_label_say(
    label: str, letters: str, meant: tuple[str, ...]
) -> None:
    options = [Option(one, Box(40 * n, 0, 20, 20), 0.9) for n, one in enumerate(letters)]

    assert tuple(one.value for one in in_their_language(options, label)) == meant


@pytest.mark.parametrize(
    ("texts", "glued"),
    [(("WF", "OM"), True), (("OF", "M"), True), (("MO", "FO"), True), (("Male",), False),
     (("F",), False), (("M", "Height"), False)],
)  # fmt: skip
def test_boxes_read_as_letters_are_told(texts: tuple[str, ...], glued: bool) -> None:
    assert are_glued(texts) is glued


@pytest.mark.parametrize(
    ("label", "letters", "chosen", "value"),
    [("Sexo:", ("H", "M"), "M", "Female"), ("Sexo:", ("H", "M"), "H", "Male"),
     ("Geschlecht:", ("M", "W"), "W", "Female"), ("Sexe:", ("H", "F"), "H", "Male")],
)  # fmt: skip
def test_a_circled_letter_of_another_language(
    label: str, letters: tuple[str, ...], chosen: str, value: str
) -> None:
    one = paper()
    x = one.text(0.4, 1.3, label, points=10)[2] + 0.25
    choices(one, x, 1.3, letters, chosen, points=10, gap=0.3)

    sex = found(one.ink)["patient_sex"]

    # Where the letters are not read a person is asked: never the other sex.
    assert (sex.printed_text, sex.mark_doubt) == (value, MarkDoubt.NO)


def test_boxes_that_were_read_as_letters_are_no_value() -> None:
    one = paper()
    x = one.text(0.4, 1.3, "Gender:", points=10)[2] + 0.25
    one.text(one.text(x, 1.3, "WF", points=10)[2] + 0.2, 1.3, "OM", points=10)

    sex = found(one.ink)["patient_sex"]

    assert (sex.printed_text, sex.mark_doubt) == (None, MarkDoubt.UNREAD)


@pytest.mark.parametrize(
    ("phrase", "circled", "present"),
    [("Dispense as written", True, False), ("DAW", True, False),
     ("Generic substitution permitted", False, None), ("Dispense as written", False, None),
     ("May substitute", True, True), ("May not substitute", True, False),
     ("Call the pharmacy", True, None)],
)  # fmt: skip
def test_dispense_as_written_may_be_circled(
    phrase: str, circled: bool, present: bool | None
) -> None:
    one = paper()
    box = one.text(0.4, 2.5, phrase, points=10)
    if circled:
        mark_choice(one, box, "circle")

    substitution = found(one.ink).get("substitution")

    assert (substitution.present if substitution else None) is present
