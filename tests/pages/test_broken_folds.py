"""What a fax leaves of a fold is the paper's; digits below each other are not."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages.ink_kinds import of_broken_folds
from clinic_hwr.pages.types import Box

UNIT, SHAPE = 20.0, (1800, 1400)


def column(
    count: int, step: int, *, height: int = 60, width: int = 14, lean: float = 0.01
) -> list[Box]:
    """Pieces below each other in one line that leans a little."""
    tops = [100 + number * step for number in range(count)]
    return [Box(700 + round(lean * top), top, width, height) for top in tops]


@pytest.mark.parametrize("upright", [True, False])
def test_pieces_in_one_line_over_the_sheet_are_a_fold(upright: bool) -> None:
    pieces = column(8, 200)
    shape = SHAPE if upright else SHAPE[::-1]
    boxes = pieces if upright else [box.turned() for box in pieces]
    word = Box(200, 500, 90, 30)
    assert of_broken_folds([*boxes, word], [True] * 9, shape, UNIT) == [True] * 8 + [False]


def test_what_the_segmenter_marks_stays() -> None:
    boxes = column(8, 200)
    unmarked = [True, True, False, True, True, False, True, True]
    assert of_broken_folds(boxes, unmarked, SHAPE, UNIT) == unmarked


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param(column(3, 500, height=150), id="too few"),
        pytest.param(column(6, 70), id="a column of digits in a table"),
        pytest.param(column(8, 200, height=30), id="mostly blank"),
        pytest.param(column(8, 200, width=40), id="too wide"),
        pytest.param(column(8, 200, lean=0.08), id="leaning"),
    ],
)
def test_other_columns_stay(boxes: list[Box]) -> None:
    assert not np.any(of_broken_folds(boxes, [True] * len(boxes), SHAPE, UNIT))
