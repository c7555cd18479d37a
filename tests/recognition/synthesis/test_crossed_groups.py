"""Rows of a chart and whole orders are crossed out as one, and the truth says so of each line."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.recognition.synthesis import crossed_out
from clinic_hwr.recognition.synthesis.crossed_groups import (
    order_strokes,
    orders_of,
    row_line,
    rows_of,
)
from clinic_hwr.recognition.synthesis.crossed_out import cross_out_more
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from clinic_hwr.recognition.synthesis.strike_ways import PenLine, one_stroke
from tests.pages.scribble import ScribbleHand

HEIGHT = 0.1


def _line(left: float, y: float, width: float = 1.0) -> PenLine:
    xs = np.linspace(left, left + width, 5)
    return PenLine(left, left + width, xs, np.full(5, y), HEIGHT)


CHART = {
    0: _line(2.5, 1.0),
    1: _line(1.0, 1.03),
    2: _line(1.0, 1.3),
    3: _line(2.5, 1.3),
    4: _line(1.0, 3.0),
}


def test_rows_are_lines_beside_each_other() -> None:
    rows = rows_of(CHART)
    assert [row.numbers for row in rows] == [(1, 0), (2, 3)]
    assert (rows[0].left, rows[0].right) == (1.0, 3.5)


def test_orders_are_lines_below_each_other_and_no_further_than_a_few_heights() -> None:
    rng = np.random.default_rng(1)
    assert {order.numbers for order in orders_of(CHART, rng)} == {(0, 3), (1, 2)}
    stack = {number: _line(1.0, 1.0 + 0.3 * number) for number in range(12)}
    lengths = {len(o.numbers) for _ in range(20) for o in orders_of(stack, rng)}
    assert lengths == {2, 3, 4, 5, 6}


def test_the_stroke_of_a_row_goes_from_its_first_word_to_its_last() -> None:
    rng = np.random.default_rng(2)
    (row, _) = rows_of(CHART)
    for _ in range(20):
        (points,) = one_stroke(row_line(row, CHART, rng), rng)
        assert points[0, 0] < 1.1 and points[-1, 0] > 3.4
        assert np.abs(points[:, 1] - 1.0).max() < HEIGHT


def test_strokes_through_an_order_reach_its_first_line_and_its_last() -> None:
    rng = np.random.default_rng(3)
    (order,) = [one for one in orders_of(CHART, rng) if one.numbers == (1, 2)]
    for _ in range(40):
        points = np.concatenate(order_strokes(order, rng))
        assert points[:, 1].min() < 1.03 and points[:, 1].max() > 1.3
        assert points[:, 0].min() < 1.2 and points[:, 0].max() > 1.8


@pytest.mark.parametrize(("rows", "orders"), [(True, False), (False, True)])
def test_what_stands_in_a_crossed_out_group_is_crossed_out(
    rows: bool, orders: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossed_out, "_ROWS", 10.0 if rows else 0.0)
    monkeypatch.setattr(crossed_out, "_ORDER", 1.0 if orders else 0.0)
    monkeypatch.setattr(crossed_out, "_ROW_RULES", 0.0)
    monkeypatch.setattr(crossed_out, "_LOOKS_SO", 0.0)
    paper = Paper(6.0, 3.0, 200, ScribbleHand(), np.random.default_rng(4))
    for y in (1.0, 1.5):
        paper.write(0.6, y, "Lisinoril")
        paper.write(3.6, y, "one tab")
    paper.text(2.4, 1.0, "Dose")  # between two words of the first row
    before = paper.ink.copy()

    cross_out_more(paper, 0.15 if rows else 1e-9)

    struck = [line.text for line in paper.lines if line.struck]
    if rows:
        assert sorted(struck) == ["Dose", "Lisinoril", "Lisinoril", "one tab", "one tab"]
    else:
        assert struck in (["Lisinoril", "Lisinoril"], ["one tab", "one tab"])
    assert (paper.ink < before).any()
