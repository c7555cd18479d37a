"""Tails of letters that a rule has cut off, and that no letter owns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.pages import Box, FieldRegion, PrintedWord
from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.loose_tails import with_loose_tails
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.types import FIELD_NAMES, LineMaps, NamedBy
from clinic_hwr.pages.values import is_writing

LETTER = 20.0
RULE = Box(60, 300, 400, 4)
VALUE = Box(120, 270, 200, 31)  # on a rule at 300
TAIL = Box(200, 305, 8, 14)


def _survey(marked: Box | None = None, *, segmenter: bool = True) -> PageSurvey:
    """A page with a rule, a value and a tail, of which the segmenter marks one place."""
    page = np.full((600, 500), 255, np.uint8)
    page[RULE.y : RULE.y + RULE.height, RULE.x : RULE.x + RULE.width] = 60
    for box in (VALUE, TAIL):
        page[box.y : box.y + box.height, box.x : box.x + box.width] = 0
    hand = np.zeros((600, 500), np.float32)
    if marked:
        hand[marked.y : marked.y + marked.height, marked.x : marked.x + marked.width] = 1
    maps = LineMaps(hand, np.zeros_like(hand), 1.0)
    survey = survey_page(page, [PrintedWord("Name", Box(62, 280, 50, 14), 0.9)])
    ink = np.where(page < 30, 255, 0).astype(np.uint8)
    rules = replace(survey.rules, horizontal=(RULE,))
    cores = line_cores(maps) if segmenter else None
    return replace(survey, ink=ink, rules=rules, cores=cores)


def _field(name: str, box: Box, by: NamedBy) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], box, named_by=by)


def _boxes(survey: PageSurvey, *, below: Box = TAIL, value: Box = VALUE) -> list[Box]:
    named, other = NamedBy.LABEL, NamedBy.NOBODY
    fields = [_field("patient_name", value, named), _field("unnamed", below, other)]
    return [one.box_px for one in with_loose_tails(survey, fields, LETTER)]


def test_a_tail_under_the_rule_is_part_of_the_value_on_it() -> None:
    assert _boxes(_survey()) == [Box(120, 270, 200, 49)]


def test_a_tail_beside_a_tail_goes_by_itself() -> None:
    """Neither owns the other, in whatever order they are found."""
    one, other = Box(313, 305, 9, 14), Box(316, 304, 7, 10)
    pieces = [_field("unnamed", box, NamedBy.NOBODY) for box in (other, one)]
    value = _field("patient_name", VALUE, NamedBy.LABEL)
    for found in ([value, *pieces], [value, *pieces[::-1]]):
        boxes = [field.box_px for field in with_loose_tails(_survey(), found, LETTER)]
        assert boxes == [Box(120, 270, 202, 49), other]


def test_of_several_lines_the_one_over_a_tail_gets_it() -> None:
    upper = Box(120, 230, 200, 30)
    value = replace(_field("notes", Box(120, 230, 200, 71), NamedBy.LABEL), lines_px=(upper, VALUE))
    (found,) = with_loose_tails(_survey(), [value, _field("unnamed", TAIL, NamedBy.NOBODY)], LETTER)
    assert found.lines_px == (upper, Box(120, 270, 200, 49))


@pytest.mark.parametrize(
    ("what", "below"),
    [
        ("a word of the next line", Box(200, 305, 60, 14)),
        ("what does not reach the rule", Box(200, 312, 8, 14)),
        ("what stands beside the value", Box(330, 305, 8, 14)),
        ("what is higher than a tail", Box(200, 305, 8, 28)),
    ],
)
def test_what_else_stands_below_stays_by_itself(what: str, below: Box) -> None:
    assert _boxes(_survey(), below=below) == [VALUE, below], what


def test_what_the_segmenter_marks_is_no_tail() -> None:
    assert _boxes(_survey(TAIL)) == [VALUE, TAIL]
    assert _boxes(_survey(segmenter=False)) == [VALUE, TAIL]


def test_a_letter_beside_large_print_is_writing_where_the_segmenter_marks_it() -> None:
    survey = replace(_survey(), unit_px=22.0)  # 22 pixels in both directions together: too few
    assert not is_writing(survey, TAIL)
    marked = replace(_survey(TAIL), unit_px=22.0)
    assert is_writing(marked, TAIL)
    assert not is_writing(replace(marked, unit_px=50.0), TAIL)  # a speck, marked or not
