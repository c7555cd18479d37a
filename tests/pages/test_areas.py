"""Where free writing begins on a page without an Rx."""

from __future__ import annotations

from clinic_hwr.pages.areas import is_address_under_name, rx_area
from clinic_hwr.pages.labels import Label, Placement
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion

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


def test_it_begins_below_the_frame_of_several_rows_that_the_patient_stands_in() -> None:
    frame = [Box(100, 160, 900, 2), Box(100, 400, 902, 2)]
    assert _top(frame) > 400
    assert 400 < _top([*frame, Box(100, 424, 900, 2)]) < 424  # a rule that parts the page
    assert _top([frame[0], Box(100, 480, 900, 2)]) > 480
    assert _top([frame[0], Box(100, 520, 900, 2)]) == _top([])  # a page
    assert _top([*frame, Box(100, 340, 900, 2)]) == _top([])  # lines to write on
    assert _top([Box(100, 160, 900, 2), Box(300, 400, 500, 2)]) == _top([])  # not one frame
    assert _top([Box(100, 400, 900, 2)]) == _top([])


def _name(label: str) -> FieldRegion:
    box = Box(400, 200, 300, 50)
    return FieldRegion("patient_name", FIELD_NAMES["patient_name"], box, label=label)


def test_the_line_under_a_name_is_the_address_where_the_label_asks_for_both() -> None:
    both = _name("Title, Forename, Surname & Address")
    under = Box(390, 262, 320, 50)
    assert is_address_under_name(under, [both])
    assert is_address_under_name(under, [_name("Name, Vorname, Anschrift")])
    assert not is_address_under_name(under, [_name("Patient name")])
    assert not is_address_under_name(Box(390, 420, 320, 50), [both])  # far below
    assert not is_address_under_name(Box(900, 262, 200, 50), [both])  # beside
    assert not is_address_under_name(Box(390, 190, 320, 50), [both])  # the name's own row
    address = FieldRegion("patient_address", FIELD_NAMES["patient_address"], Box(0, 0, 9, 9))
    assert not is_address_under_name(under, [both, address])
