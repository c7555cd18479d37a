"""A quantity behind the drug on its line: cut off, read again, and kept only if all agree."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion, NamedBy
from clinic_hwr.quantities_apart import with_quantities_apart
from clinic_hwr.recognition.types import Reading
from clinic_hwr.unknown_pages import regions_named

_LINE = "Sertraline 50 mg tab #30"
_BOX = Box(100, 200, 480, 40)
_CUT = 505  # between the last letter and the number sign


def _reading(text: str) -> Reading:
    return Reading(text, 0.9, (), (), "scripted@1")


def _page() -> np.ndarray:
    """Letters 20 px apart with a space before the quantity."""
    page = np.full((800, 800), 255, np.uint8)
    for number, char in enumerate(_LINE):
        if char != " ":
            x = _BOX.x + 20 * number
            cv2.rectangle(page, (x, _BOX.y), (x + 15, _BOX.y + 39), 0, 2)
    return page


def _drug(name: str = "drug") -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], _BOX, group=1, named_by=NamedBy.PLACE)


class _Reads:
    """Reads what stands left of the cut, and what stands right of it."""

    def __init__(self, left: str, right: str) -> None:
        self.left, self.right = left, right
        self.asked: list[Box] = []

    def __call__(self, regions: Sequence[FieldRegion]) -> list[Reading]:
        self.asked = [one.box_px for one in regions]
        return [_reading(self.left if one.box_px.x < _CUT else self.right) for one in regions]


@pytest.mark.parametrize("name", ["drug", "unnamed"])
def test_a_quantity_behind_a_drug_is_a_field_of_its_own(name: str) -> None:
    read = _Reads("Sertraline 50 mg tab", "#30")
    regions, readings, origins = with_quantities_apart(
        _page(), [_drug(name)], [_reading(_LINE)], read
    )
    assert origins == [0, 0]
    assert [one.text for one in readings if one] == ["Sertraline 50 mg tab", "#30"]
    left, right = (one.box_px for one in regions)
    assert left.x == _BOX.x and left.x + left.width <= right.x
    assert abs(right.x - 520) < 6 and right.x + right.width == _BOX.x + _BOX.width
    named = regions_named(regions, readings)
    assert [(one.name, one.group) for one in named] == [("drug", 1), ("quantity", 1)]
    assert named[1].named_by is NamedBy.READING  # a guess, which a person confirms


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Sertraline 50 mg tab", "b#30"),  # a letter of the drug with it
        ("Sertraline 50 mg tab #30", "#30"),  # cut at the wrong place
        ("50 mg", "#30"),  # no name left
        ("", "#30"),
    ],
)
def test_pieces_that_do_not_say_what_the_line_said_stay_one(left: str, right: str) -> None:
    regions, readings, _ = with_quantities_apart(
        _page(), [_drug()], [_reading(_LINE)], _Reads(left, right)
    )
    assert regions == (_drug(),) and [one.text for one in readings if one] == [_LINE]


def test_another_number_with_its_sign_is_a_quantity_that_is_not_sure() -> None:
    regions, readings, _ = with_quantities_apart(
        _page(), [_drug()], [_reading(_LINE)], _Reads("Sertraline 50 mg tab", "#80")
    )
    assert [one.text for one in readings if one] == ["Sertraline 50 mg tab", "#80"]
    assert [one.p_correct <= 0.5 for one in readings if one] == [False, True]
    assert len(regions) == 2


@pytest.mark.parametrize("end", ["#30", "No. 30", "Qty 30"])
def test_a_sign_that_the_line_did_not_show_is_found_at_a_gap_before_its_end(end: str) -> None:
    read = _Reads("Sertraline 50 mg tab", end)
    regions, readings, _ = with_quantities_apart(
        _page(), [_drug()], [_reading("Sertraline 50 mg tab lisu")], read
    )
    assert [one.text for one in readings if one] == ["Sertraline 50 mg tab", end]
    assert min(abs(one.box_px.x - 520) for one in regions) < 6
    starts = {box.x for box in read.asked if box.x > _BOX.x}
    assert all(x > _BOX.x + 0.6 * _BOX.width for x in starts)  # a quantity is short


def test_no_sign_at_the_end_of_a_line_is_no_quantity() -> None:
    read = _Reads("Sertraline 50", "30")
    regions, _, _ = with_quantities_apart(_page(), [_drug()], [_reading("Sertraline 50 mg")], read)
    assert regions == (_drug(),) and read.asked


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sertraline 50 mg tab", "sig"),
        ("50 30", "drug"),
        ("# 30", "quantity"),
        ("1 tab po bid #30", "sig"),
        ("Sertraline 50 mg #30 tabs", "unnamed"),
        ("50 #30", "drug"),
    ],
)
def test_other_lines_are_not_looked_at_twice(text: str, name: str) -> None:
    read = _Reads("", "")
    regions, readings, _ = with_quantities_apart(_page(), [_drug(name)], [_reading(text)], read)
    assert (regions, len(readings), read.asked) == ((_drug(name),), 1, [])


def test_letters_without_a_gap_are_not_cut() -> None:
    page = np.full((800, 800), 255, np.uint8)
    page[_BOX.y : _BOX.y + 40, _BOX.x : _BOX.x + _BOX.width] = 0
    page[_BOX.y + 5 : _BOX.y + 35 : 10] = 255
    read = _Reads("Sertraline 50 mg tab", "#30")
    regions, _, _ = with_quantities_apart(page, [_drug()], [_reading(_LINE)], read)
    assert regions == (_drug(),) and not read.asked


def test_a_value_that_a_forms_box_holds_stays_whole() -> None:
    read = _Reads("Sertraline 50 mg tab", "#30")
    boxed = FieldRegion("drug", FIELD_NAMES["drug"], _BOX, group=1, named_by=NamedBy.FORM)
    regions, _, origins = with_quantities_apart(_page(), [boxed], [_reading(_LINE)], read)
    assert (regions, origins, read.asked) == ((boxed,), [0], [])
