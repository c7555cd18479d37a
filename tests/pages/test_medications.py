"""Lines under an Rx are split into medications by spacing, indentation and length."""

from __future__ import annotations

from clinic_hwr.pages.medications import name_lines
from clinic_hwr.pages.types import Box


def _named(boxes: list[Box]) -> list[tuple[str, int]]:
    return [(line.name, line.group) for line in name_lines(boxes, 20.0)]


def test_one_line_is_a_drug() -> None:
    assert _named([Box(100, 0, 400, 30)]) == [("drug", 1)]


def test_drug_sig_quantity() -> None:
    boxes = [Box(100, 0, 400, 30), Box(130, 50, 380, 30), Box(130, 100, 60, 30)]
    assert _named(boxes) == [("drug", 1), ("sig", 1), ("quantity", 1)]


def test_pairs_without_quantity_are_told_by_indentation() -> None:
    boxes = [
        Box(100, 0, 400, 30), Box(140, 50, 380, 30),
        Box(100, 120, 390, 30), Box(140, 170, 400, 30),
    ]  # fmt: skip
    assert _named(boxes) == [("drug", 1), ("sig", 1), ("drug", 2), ("sig", 2)]


def test_three_medications_in_even_rows() -> None:
    boxes = []
    for block in range(3):
        y = block * 165
        boxes += [Box(100, y, 400, 30), Box(130, y + 50, 380, 30), Box(130, y + 100, 60, 30)]
    expected = [(name, group) for group in (1, 2, 3) for name in ("drug", "sig", "quantity")]
    assert _named(boxes) == expected


def test_a_line_inside_of_those_around_it_begins_no_medication() -> None:
    # Quantities are words ("supply 14") as long as a short drug, rows are even: the margin tells.
    boxes = [
        Box(92, 357, 505, 58), Box(145, 417, 273, 43), Box(146, 476, 245, 61),
        Box(102, 535, 483, 63), Box(155, 607, 454, 47), Box(158, 664, 300, 53),
    ]  # fmt: skip
    named = [(line.name, line.group) for line in name_lines(boxes, 40.0)]
    assert [number for number, (name, _) in enumerate(named) if name == "drug"] == [0, 3]
    assert [group for _, group in named] == [1, 1, 1, 2, 2, 2]


def test_directions_are_set_in_under_the_drug_all_or_none() -> None:
    # Short directions look like a quantity, but the line above them is at the drug's margin.
    boxes = [
        Box(370, 541, 692, 62), Box(529, 642, 240, 60),
        Box(368, 770, 709, 71), Box(530, 861, 180, 63),
    ]  # fmt: skip
    named = [(line.name, line.group) for line in name_lines(boxes, 30.0)]
    assert named == [("drug", 1), ("sig", 1), ("drug", 2), ("sig", 2)]


def test_a_short_number_behind_a_drug_with_descenders_is_a_quantity() -> None:
    # Its middle is well above that of the drug, whose p hangs down.
    boxes = [
        Box(327, 401, 372, 49), Box(754, 396, 112, 26), Box(382, 465, 372, 42),
        Box(327, 541, 372, 49), Box(754, 535, 112, 26), Box(382, 605, 372, 42),
    ]  # fmt: skip
    assert _named(boxes) == [
        (name, group) for group in (1, 2) for name in ("drug", "quantity", "sig")
    ]


def test_no_lines() -> None:
    assert _named([]) == []
