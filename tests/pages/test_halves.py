"""A value whose beginning a label has cut off is one value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.pages import Box, FieldRegion, PrintedWord
from clinic_hwr.pages.halves import with_halves
from clinic_hwr.pages.line_cores import LineCores
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.types import FIELD_NAMES, NamedBy

LETTER = 20.0
VALUE = Box(200, 100, 120, 24)
BEGINNING = Box(120, 102, 70, 24)


def _survey(*, side: Box | None = None, word: Box | None = None) -> PageSurvey:
    words = [PrintedWord("the", word, 0.9)] if word else []
    survey = survey_page(np.full((300, 600), 255, np.uint8), ())
    rules = replace(survey.rules, vertical=(side,) if side else ())
    cores = LineCores(np.zeros((300, 600), np.int32), 1.0)
    return replace(survey, cores=cores, rules=rules, words=tuple(words))


def _field(name: str, box: Box, by: NamedBy = NamedBy.NOBODY) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], box, named_by=by)


def _boxes(survey: PageSurvey, other: Box = BEGINNING, value: FieldRegion | None = None):
    named = value or _field("patient_name", VALUE, NamedBy.LABEL)
    found = with_halves(survey, [_field("unnamed", other), named], LETTER)
    return [(one.name, one.box_px) for one in found]


def test_what_stands_right_before_a_value_is_its_beginning() -> None:
    assert _boxes(_survey()) == [("patient_name", Box(120, 100, 200, 26))]


def test_what_stands_right_behind_it_is_its_end() -> None:
    assert _boxes(_survey(), Box(330, 102, 60, 24)) == [("patient_name", Box(200, 100, 190, 26))]


@pytest.mark.parametrize(
    ("what", "box"),
    [
        ("a word in the next column", Box(100, 102, 70, 24)),
        ("a word of the next line", Box(120, 120, 70, 24)),
        ("a speck", Box(180, 110, 8, 6)),
        ("a fold", Box(180, 60, 10, 120)),
        ("a longer line over it", Box(190, 95, 200, 24)),
    ],
)
def test_what_else_stands_near_is_shown_by_itself(what: str, box: Box) -> None:
    assert _boxes(_survey(), box) == [("unnamed", box), ("patient_name", VALUE)], what


def test_a_side_of_a_cell_or_a_word_between_parts_them() -> None:
    apart = [("unnamed", BEGINNING), ("patient_name", VALUE)]
    assert _boxes(_survey(side=Box(194, 60, 3, 90))) == apart
    assert _boxes(_survey(word=Box(188, 104, 14, 14))) == apart
    assert _boxes(_survey(side=Box(194, 160, 3, 90))) != apart  # of a row below
    assert _boxes(_survey(word=Box(160, 116, 60, 14))) != apart  # the label under their line


def test_only_a_single_line_that_something_names_is_made_whole() -> None:
    nobody = _field("unnamed", VALUE)
    several = replace(_field("notes", VALUE, NamedBy.LABEL), lines_px=(VALUE, VALUE))
    typed = replace(_field("patient_name", VALUE, NamedBy.LABEL), printed_text="Ada")
    placed = _field("drug", VALUE, NamedBy.PLACE)
    assert _boxes(_survey(), value=placed) == [("drug", Box(120, 100, 200, 26))]
    for value in (nobody, several, typed):
        assert _boxes(_survey(), value=value)[0] == ("unnamed", BEGINNING)
    without = replace(_survey(), cores=None)
    assert _boxes(without)[0] == ("unnamed", BEGINNING)
