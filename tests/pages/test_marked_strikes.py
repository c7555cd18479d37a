"""What a segmenter marks as crossed out is said to be, wholly or in part."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.marked_strikes import marked_strikes
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, LineMaps, StruckOut
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


@pytest.mark.parametrize("maps", [None, _maps(None)], ids=["no segmenter", "an older one"])
def test_without_a_map_nothing_is_said(maps: LineMaps | None) -> None:
    assert not marked_strikes(maps, Box(100, 90, 300, 24), LETTER).any()


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
