"""Rows of a table end at their rules, one that a stroke hides included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.pages.row_borders import row_borders
from clinic_hwr.pages.rules import FormRules
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.types import Box

LEFT, WIDTH, UNIT = 100, 1000, 20.0
HEADING = Box(LEFT, 200, WIDTH, 20)


def _borders(
    *ys: int, short: tuple[tuple[int, int], ...] = (), sides: tuple[Box, ...] = ()
) -> tuple[int, ...]:
    """Borders where rules are; ``short``: y and width of other level strokes."""
    strokes = [*((y, WIDTH) for y in ys), *short]
    level = tuple(Box(LEFT, y - 2, width, 5) for y, width in sorted(strokes))
    page = np.full((1200, 1300), 255, np.uint8)
    survey = replace(
        survey_page(page, ()), rules=FormRules(np.zeros_like(page), level, sides), unit_px=UNIT
    )
    return row_borders(survey, HEADING)


def test_rows_go_down_to_a_much_wider_step() -> None:
    assert _borders(150, 240, 300, 360, 425, 700) == (240, 300, 360, 425)


def test_a_rule_that_a_stroke_hides_is_where_it_should_be() -> None:
    assert _borders(240, 300, 420, 480) == (240, 300, 360, 420, 480)
    assert _borders(240, 300, 360, 480, 540, 600) == (240, 300, 360, 420, 480, 540, 600)


@pytest.mark.parametrize(
    "below", [(420,), (420, 600), (430, 520), (450, 510), (480, 540)],
    ids=["the last one", "and another far below", "steps unlike the first", "as far", "three"],
)  # fmt: skip
def test_other_rules_below_a_table_are_none_of_it(below: tuple[int, ...]) -> None:
    assert _borders(240, 300, *below) == (240, 300)


@pytest.mark.parametrize("off", [-15, 15])
def test_a_stroke_beside_a_rule_moves_no_border(off: int) -> None:
    assert _borders(240, 300, 360, short=((300 + off, 350),)) == (240, 300, 360)


def test_pieces_of_one_rule_are_one_and_short_strokes_are_none() -> None:
    pieces = ((360, 200), (362, 150))
    assert _borders(240, 300, 420, short=pieces) == (240, 300, 360, 420)
    assert _borders(240, 300, 420, 480, short=((350, 250),)) == (240, 300, 360, 420, 480)


def test_rows_end_where_the_sides_of_their_table_do() -> None:
    sides = (Box(LEFT, 190, 4, 120), Box(LEFT + WIDTH, 190, 4, 120))
    assert _borders(240, 300, 360, 420, sides=sides) == (240, 300)
