"""Two rows of writing that touch are two rows."""

from __future__ import annotations

import numpy as np
import pytest

from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.touching_rows import part_touching_rows
from clinic_hwr.pages.types import LineMaps

THICK = 6
Band = tuple[int, int, int, int]


def _parted(*bands: Band, faint: Band | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The core of some bands (left, top, right, bottom), and the numbers of its parts."""
    marked = np.zeros((60, 120), np.float32)
    for left, top, right, bottom in (*bands, *([faint] if faint else [])):
        marked[top:bottom, left:right] = 0.98
    if faint:
        left, top, right, bottom = faint
        marked[top:bottom, left:right] = 0.6
    core = np.where(marked >= 0.5, 1, 0).astype(np.int32)
    return core, part_touching_rows(core, marked, THICK)


UPPER, LOWER = (10, 10, 110, 16), (10, 20, 60, 26)


def test_rows_that_a_letter_joins_are_parted_between_them() -> None:
    core, found = _parted(UPPER, LOWER, (30, 16, 40, 20))
    assert (found[10:16, 10:110] == 1).all()
    assert (found[20:26, 10:60] == 2).all()
    assert ((found > 0) == (core > 0)).all()


def test_three_rows_are_three() -> None:
    _, found = _parted(UPPER, LOWER, (10, 30, 80, 36), (30, 16, 40, 20), (45, 26, 52, 30))
    assert sorted(np.unique(found[[12, 23, 33], 20]).tolist()) == [1, 2, 3]


def test_rows_joined_all_along_by_what_is_hardly_marked_are_parted() -> None:
    _, found = _parted(UPPER, (10, 20, 110, 26), faint=(10, 16, 80, 20))
    assert found[12, 20] != found[23, 20]
    assert _parted(UPPER, (10, 20, 110, 26), (10, 16, 110, 20))[1].max() == 1  # no valley


@pytest.mark.parametrize(
    ("what", "bands"),
    [
        ("one row", (UPPER,)),
        ("a tall letter on it", (UPPER, (50, 2, 56, 30))),
        ("a tall letter that two marks make", (UPPER, (50, 18, 62, 24), (50, 16, 54, 18))),
        ("a row that takes a step", ((10, 10, 60, 16), (56, 18, 110, 24), (52, 10, 60, 24))),
    ],
)
def test_one_row_stays_one(what: str, bands: tuple[Band, ...]) -> None:
    core, found = _parted(*bands)
    assert found is core, what


def test_the_cores_of_a_page_are_parted() -> None:
    hand = np.zeros((60, 120), np.float32)
    for left, top, right, bottom in (UPPER, LOWER, (30, 16, 36, 20), (10, 40, 110, 46)):
        hand[top:bottom, left:right] = 1.0
    numbers = line_cores(LineMaps(hand, np.zeros_like(hand), 0.25)).numbers
    assert len({numbers[12, 20], numbers[23, 20], numbers[43, 20]}) == 3


def test_a_page_without_cores_has_none_to_part() -> None:
    blank = np.zeros((60, 120), np.int32)
    assert part_touching_rows(blank, blank.astype(np.float32), 0.0) is blank
