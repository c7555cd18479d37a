"""What a segmenter marks as crossed out is said to be, wholly or in part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.marked_strikes import highest_mark, marked_strikes
from clinic_hwr.pages.rules import FormRules, find_rules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.struck_fields import struck_together, with_strikes
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.types import FIELD_NAMES, Box, CombRun, FieldRegion, LineMaps, StruckOut
from clinic_hwr.recognition.synthesis.pages_paper import Paper

from .scribble import ScribbleHand

LETTER = 20.0


def _maps(struck: np.ndarray | None, shape: tuple[int, int] = (100, 400)) -> LineMaps:
    blank = np.zeros(shape, np.float32)
    return LineMaps(blank, blank, 0.5, struck)


def test_columns_are_those_of_the_map() -> None:
    struck = np.zeros((100, 400), np.float32)
    struck[50, 60:100] = 0.9  # x 120 .. 200 of the page
    columns = marked_strikes(_maps(struck), Box(100, 90, 300, 24), LETTER)
    assert np.flatnonzero(columns).tolist() == list(range(20, 100))


def test_words_of_one_strike_are_joined_and_far_ones_are_not() -> None:
    struck = np.zeros((100, 400), np.float32)
    struck[50, 60:80] = struck[50, 88:100] = 0.9  # 16 px of the page between them
    struck[50, 140:150] = 0.9  # 80 px
    columns = marked_strikes(_maps(struck), Box(100, 90, 300, 24), LETTER)
    assert columns[20:100].all() and not columns[101:179].any() and columns[180:200].all()


@pytest.mark.parametrize(
    ("row", "sure"), [(45, 0.9), (57, 0.9), (50, 0.09)], ids=["above", "below", "unsure"]
)
def test_a_neighbours_strike_and_a_doubtful_one_are_none(row: int, sure: float) -> None:
    struck = np.zeros((100, 400), np.float32)
    struck[row, 60:100] = sure
    assert not marked_strikes(_maps(struck), Box(100, 90, 300, 24), LETTER).any()


def test_without_a_map_nothing_is_said() -> None:
    box = Box(100, 90, 300, 24)
    assert not marked_strikes(_maps(None), box, LETTER).any()
    assert highest_mark(_maps(None), box) == 0.0


def test_the_highest_mark_is_that_of_the_line_and_of_no_other() -> None:
    struck = np.zeros((100, 400), np.float32)
    struck[50, 60], struck[50, 30], struck[40, 60] = 0.05, 0.9, 0.9
    assert highest_mark(_maps(struck), Box(100, 90, 300, 24)) == pytest.approx(0.05)


@pytest.mark.parametrize("box", [Box(700, 190, 300, 40), Box(790, 10, 30, 8)])
def test_a_line_at_the_edge_of_the_page_is_no_error(box: Box) -> None:
    columns = marked_strikes(_maps(np.ones((100, 400), np.float32)), box, LETTER)
    assert columns.shape == (box.width,)


@pytest.mark.parametrize(
    ("end", "said"),
    [(1.0, StruckOut.WHOLLY), (0.4, StruckOut.PARTLY), (0.0, StruckOut.NO)],
    ids=["wholly", "partly", "not"],
)
def test_the_map_decides_where_rules_see_no_stroke(end: float, said: StruckOut) -> None:
    paper = Paper(6.0, 1.2, 200, ScribbleHand(), np.random.default_rng(5))
    x0, y0, x1, y1 = (round(200 * side) for side in paper.write(0.6, 0.72, "Lisinoril tab one"))
    struck = np.zeros((120, 600), np.float32)
    struck[y0 // 2 : y1 // 2, x0 // 2 : round((x0 + end * (x1 - x0)) / 2)] = 0.95
    rules = FormRules(np.zeros(paper.ink.shape, np.uint8), (), ())
    box = Box(x0, y0, x1 - x0, y1 - y0)
    maps = _maps(struck, struck.shape)
    ink = ink_mask(paper.ink)
    assert find_strikes(paper.ink, ink, rules, [box], LETTER, maps) == [said]


@pytest.mark.parametrize(
    ("mark", "said"),
    [(0.05, StruckOut.WHOLLY), (0.0, StruckOut.NO)],
    ids=["the map is not quite sure", "the map is sure"],
)
def test_rules_are_asked_of_what_the_map_is_not_sure_of(mark: float, said: StruckOut) -> None:
    """A stroke that rules know, where the map says little or nothing."""
    page = _struck_line()
    assert page.said(None) == StruckOut.WHOLLY
    assert page.said(mark) == said


@pytest.mark.parametrize(
    ("mark", "said"),
    [(0.0, StruckOut.PERHAPS), (0.05, StruckOut.WHOLLY)],
    ids=["the map is sure", "the map is not quite sure"],
)
def test_of_what_may_be_ordered_rules_are_asked_in_any_case(mark: float, said: StruckOut) -> None:
    assert _struck_line().said(mark, ask=True) == said
    assert _struck_line(struck=False).said(mark, ask=True) == StruckOut.NO


@pytest.mark.parametrize(
    ("name", "seen", "said"),
    [
        ("drug", False, StruckOut.PERHAPS),
        ("patient_name", True, StruckOut.NO),
        ("unnamed", True, StruckOut.PERHAPS),
        ("unnamed", False, StruckOut.NO),
    ],
)
def test_rules_are_asked_of_what_may_be_a_drug_and_not_of_a_name(
    name: str, seen: bool, said: StruckOut
) -> None:
    line = _struck_line()
    blank, hand = np.zeros((120, 600), np.float32), np.zeros((120, 600), np.float32)
    hand[(2 * line.box.y + line.box.height) // 4, line.box.x // 2 : line.box.x // 2 + 40] = seen
    survey = replace(survey_page(line.gray, ()), maps=LineMaps(hand, blank, 0.5, blank))
    field = FieldRegion(name, FIELD_NAMES[name], line.box)
    (found,) = with_strikes(survey, [field], 0.8 * line.box.height)
    assert found.struck_out is said


@pytest.mark.parametrize(
    ("name", "said"),
    [("drug", [StruckOut.NO, StruckOut.WHOLLY]), ("sig", [StruckOut.PARTLY])],
)
def test_a_drug_written_behind_the_one_that_was_crossed_out_is_another_value(
    name: str, said: list[StruckOut]
) -> None:
    page = np.full((240, 1200), 255, np.uint8)
    for x in (*range(200, 400, 20), *range(460, 660, 20)):  # two words of upright strokes
        page[90:124, x : x + 4] = 40
    blank, struck = np.zeros((120, 600), np.float32), np.zeros((120, 600), np.float32)
    struck[53, 98:200] = 0.95
    survey = replace(survey_page(page, ()), maps=LineMaps(blank, blank, 0.5, struck))
    field = FieldRegion(name, FIELD_NAMES[name], Box(200, 90, 444, 34), group=2)
    found = with_strikes(survey, [field], 30.0)
    assert [one.struck_out for one in found] == said
    assert {(one.name, one.group) for one in found} == {(name, 2)}
    if len(found) > 1:
        assert found[0].box_px.x > 450 and found[1].box_px.x + found[1].box_px.width < 400


def test_a_wave_that_the_map_knows_nothing_of_is_not_asked_about() -> None:
    """Letters make waves and blots of themselves, and seldom straight strokes."""
    wave = _struck_line(high=0.022, turns=28.0)
    assert wave.said(None) is not StruckOut.NO
    assert wave.said(0.05, ask=True) is not StruckOut.NO
    assert wave.said(0.0, ask=True) is StruckOut.NO


def test_a_drug_that_looks_written_in_a_comb_is_asked_about_as_well() -> None:
    """The strokes of a cross and the rules of a chart make cells of themselves."""
    line = _struck_line()
    blank = np.zeros((120, 600), np.float32)
    survey = replace(survey_page(line.gray, ()), maps=LineMaps(blank, blank, 0.5, blank))
    for name, said in (("drug", StruckOut.PERHAPS), ("patient_dob", StruckOut.NO)):
        comb = (CombRun(line.box, 8),)
        field = FieldRegion(name, FIELD_NAMES[name], line.box, comb=comb)
        (found,) = with_strikes(survey, [field], 0.8 * line.box.height)
        assert found.struck_out is said


@pytest.mark.parametrize(
    ("line", "group", "said"),
    [
        (Box(90, 132, 800, 5), 1, StruckOut.PERHAPS),
        (Box(90, 150, 800, 5), 1, StruckOut.NO),
        (Box(400, 132, 490, 5), 1, StruckOut.NO),
        (Box(90, 132, 250, 5), 1, StruckOut.NO),
        (Box(90, 132, 800, 5), 2, StruckOut.NO),
    ],
    ids=["through both", "far below", "not at the drug", "not at the directions", "another's"],
)
def test_a_drug_is_asked_about_where_a_line_at_it_crosses_its_directions_out(
    line: Box, group: int, said: StruckOut
) -> None:
    """In a chart such a line looks like a rule, and the drug is written above it."""
    page = np.full((240, 1200), 255, np.uint8)
    for x in (*range(100, 300, 20), *range(500, 700, 20)):
        page[(90 if x < 400 else 118) : (124 if x < 400 else 150), x : x + 4] = 40
    blank, struck = np.zeros((120, 600), np.float32), np.zeros((120, 600), np.float32)
    struck[66, 248:350] = 0.95
    survey = survey_page(page, ())
    survey = replace(
        survey, maps=LineMaps(blank, blank, 0.5, struck),
        rules=FormRules(survey.rules.mask, (line,), ()),
    )  # fmt: skip
    drug = FieldRegion("drug", FIELD_NAMES["drug"], Box(100, 90, 184, 34), group=1)
    sig = FieldRegion("sig", FIELD_NAMES["sig"], Box(500, 118, 184, 32), group=group)
    found = with_strikes(survey, [drug, sig], 30.0)
    assert [one.struck_out for one in found] == [said, StruckOut.WHOLLY]
    other = FieldRegion("patient_name", FIELD_NAMES["patient_name"], sig.box_px, group=group)
    assert with_strikes(survey, [drug, other], 30.0)[0].struck_out is StruckOut.NO


@dataclass
class _Line:
    gray: np.ndarray
    box: Box

    def said(self, mark: float | None, *, ask: bool = False) -> StruckOut:
        """What is said of the line where the map has one place with this mark; None: no map."""
        struck = np.zeros((120, 600), np.float32)
        middle = (2 * self.box.y + self.box.height) // 4
        struck[middle, self.box.x : self.box.x + 4] = mark or 0.0
        maps = None if mark is None else _maps(struck, struck.shape)
        ink, letter = ink_mask(self.gray), 0.8 * self.box.height
        (said,) = find_strikes(
            self.gray, ink, find_rules(self.gray), [self.box], letter, maps, ask_of=[ask]
        )
        return said


def _struck_line(*, struck: bool = True, high: float = 0.004, turns: float = 4.0) -> _Line:
    """A line with a stroke that rules know through it, as high (inches) as it waves."""
    paper = Paper(6.0, 1.2, 200, ScribbleHand(), np.random.default_rng(5))
    x0, y0, x1, y1 = paper.write(0.6, 0.72, "Lisinoril 10 m tab one")
    xs = np.linspace(x0, x1, 200)
    level = 0.72 - 0.6 * paper.x_height_in
    if struck:
        paper.stroke(np.stack([xs, level + high * np.sin(xs * turns)], 1))
    left, top, right, bottom = (round(200 * side) for side in (x0, y0, x1, y1))
    return _Line(paper.ink, Box(left, top, right - left, bottom - top))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((StruckOut.NO, StruckOut.NO), StruckOut.NO),
        ((StruckOut.NO, StruckOut.PERHAPS), StruckOut.PERHAPS),
        ((StruckOut.PERHAPS, StruckOut.PARTLY), StruckOut.PARTLY),
        ((StruckOut.WHOLLY, StruckOut.NO), StruckOut.PARTLY),
        ((StruckOut.WHOLLY, StruckOut.PERHAPS), StruckOut.PARTLY),
        ((StruckOut.WHOLLY, StruckOut.WHOLLY), StruckOut.WHOLLY),
        ((), StruckOut.NO),
    ],
)
def test_what_is_said_of_a_block_is_the_worst_of_its_lines(
    lines: tuple[StruckOut, ...], said: StruckOut
) -> None:
    assert struck_together(lines) is said
