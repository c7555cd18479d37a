"""A quantity behind the drug on its line: cut off, read again, and kept only if all agree."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion, NamedBy
from clinic_hwr.quantities_apart import with_quantities_apart
from clinic_hwr.recognition.types import Alternative, Reading
from clinic_hwr.unknown_pages import regions_named

_LINE = "Sertraline 50 mg tab #30"
_BOX = Box(100, 200, 480, 40)
_CUT = 505  # between the last letter and the number sign


def _reading(text: str, *others: str, sure: float = 0.9) -> Reading:
    nbest = tuple(Alternative(one, 0.1) for one in (text, *others))
    return Reading(text, sure, (), nbest, "scripted@1")


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

    def __init__(self, left: str, right: str, *others: str) -> None:
        self.left, self.right, self.others = left, right, others
        self.asked: list[Box] = []

    def __call__(self, regions: Sequence[FieldRegion]) -> list[Reading]:
        self.asked = [one.box_px for one in regions]
        return [
            _reading(self.left) if one.box_px.x < _CUT else _reading(self.right, *self.others)
            for one in regions
        ]


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
        ("Sertraline 50 mg", "H(D"),  # no number, and the drug may go on
        ("Sertraline 50 mg tab", "iwo"),
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


@pytest.mark.parametrize(
    ("right", "others", "said"),
    [
        ("#17-0", (), "#30"),  # strokes of the sign between its digits
        ("80", (), "#30"),  # the sign was lost, and another number read
        ("H(D", (), "#30"),  # no word: the drug before it ends in "tab"
        ("430", ("#80", "#30"), "#30"),  # of what the piece may say, what the line said
        ("430", ("#80", "H30"), "#80"),
    ],
)
def test_digits_behind_a_drug_are_the_number_that_the_line_said_and_not_sure(
    right: str, others: tuple[str, ...], said: str
) -> None:
    read = _Reads("Sertraline 50 mg tab", right, *others)
    regions, readings, _ = with_quantities_apart(
        _page(), [_drug()], [_reading(_LINE, sure=0.3)], read
    )
    amount = readings[1]
    assert amount is not None and (len(regions), amount.text) == (2, said)
    assert amount.p_correct <= 0.3 and amount.alternatives[0].text == said
    assert "".join(one.char for one in amount.chars) == said


def test_a_number_alone_behind_a_form_of_medicines_is_a_quantity_that_is_not_sure() -> None:
    read = _Reads("Sertraline 50 mg tab", "30")
    regions, readings, _ = with_quantities_apart(
        _page(), [_drug()], [_reading("Sertraline 50 mg tab 80")], read
    )
    assert [one.text for one in readings if one] == ["Sertraline 50 mg tab", "#30"]
    assert [one.p_correct <= 0.5 for one in readings if one] == [False, True]
    assert [one.name for one in regions_named(regions, readings)] == ["drug", "quantity"]


def test_a_quantity_is_as_high_as_its_letters() -> None:
    page = _page()
    page[_BOX.y : _BOX.y + 12, _CUT : _BOX.x + _BOX.width] = 255  # lower than the drug's letters
    page[_BOX.y + 36, _CUT + 20 : _BOX.x + _BOX.width : 4] = 0  # and specks under them
    regions, _, _ = with_quantities_apart(
        page, [_drug()], [_reading(_LINE)], _Reads("Sertraline 50 mg tab", "#30")
    )
    drug, amount = (one.box_px for one in regions)
    assert (drug.y, drug.height) == (_BOX.y, _BOX.height)
    assert amount.y >= _BOX.y + 11 and amount.height <= 29


@pytest.mark.parametrize("end", ["30", "Le"])
def test_the_sign_goes_with_its_number(end: str) -> None:
    page = _page()
    page[:, 533:541] = 255  # so that the line may be cut behind the sign as well

    def read(regions: Sequence[FieldRegion]) -> list[Reading]:
        starts = [one.box_px.x for one in regions]
        assert any(530 < x < 550 for x in starts)  # also looked at right of the sign
        return [
            _reading(end if x > 530 else "#30") if x >= _CUT
            else _reading("Sertraline 50 mg tab" + " #" * (one.box_px.width > 415))
            for x, one in zip(starts, regions, strict=True)
        ]  # fmt: skip

    line = _reading("Sertraline 50 mg tabs oral #80")  # its letters say: nearer to the digits
    regions, _, _ = with_quantities_apart(page, [_drug()], [line], read)
    assert abs(regions[1].box_px.x - 520) < 6


def test_a_line_at_the_place_of_directions_that_says_drug_and_number_holds_two_values() -> None:
    read = _Reads("Sertraline 50 mg tab", "#30")
    regions, readings, _ = with_quantities_apart(_page(), [_drug("sig")], [_reading(_LINE)], read)
    assert [one.name for one in regions_named(regions, readings)] == ["drug", "quantity"]


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
