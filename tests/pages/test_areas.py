"""Where free writing begins on a page without an Rx."""

from __future__ import annotations

from clinic_hwr.pages.areas import rx_area
from clinic_hwr.pages.labels import Label, Placement
from clinic_hwr.pages.types import Box

_SIZE, _UNIT = (1200, 1600), 18.0


def _label(field: str, x: int, y: int) -> Label:
    return Label(field, field, Box(x, y, 80, 18), Placement.BESIDE, (0,))


def _top(level_rules: list[Box]) -> int:
    labels = [
        _label("patient_name", 110, 200), _label("patient_dob", 700, 200),
        _label("patient_address", 110, 260), _label("signature", 700, 1400),
    ]  # fmt: skip
    area = rx_area(labels, [], *_SIZE, _UNIT, level_rules)
    assert area is not None
    return area.y


def test_it_begins_below_the_cell_that_the_last_label_is_in_a_corner_of() -> None:
    cell = [Box(100, 190, 900, 2), Box(100, 250, 900, 2), Box(100, 320, 900, 2)]
    assert _top(cell) > 320
    assert 278 < _top([]) < 320


def test_a_rule_that_closes_no_cell_changes_nothing() -> None:
    for other in (
        [Box(100, 320, 900, 2)],  # no rule above the label: no cell
        [Box(100, 250, 900, 2), Box(160, 320, 60, 2)],  # a piece of writing
        [Box(100, 250, 900, 2), Box(100, 400, 900, 2)],  # far below
    ):
        assert _top(other) == _top([])
