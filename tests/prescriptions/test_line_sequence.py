"""Lines that say nothing are named by the order of those that do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinic_hwr.pages.types import Box
from clinic_hwr.prescriptions.line_sequence import (
    SequenceLine,
    names_beside_drugs,
    names_in_sequence,
)
from clinic_hwr.prescriptions.naming import ReadLine, name_by_reading


def _line(
    y: int, width: int, said: str = "", *, x: int = 100, text: str = "xx", place: str = "unnamed"
) -> SequenceLine:
    return SequenceLine(Box(x, y, width, 30), text, said, place, is_open=True)


def test_the_gaps_of_a_list_are_filled_in_its_own_order() -> None:
    lines = [
        _line(0, 400, "drug"), _line(40, 300, "sig", x=130), _line(80, 80, "quantity", x=130),
        _line(120, 410), _line(160, 280, x=130), _line(200, 70, x=130),
        _line(240, 400, "drug"), _line(280, 300, x=130), _line(320, 80, "quantity", x=130),
    ]  # fmt: skip
    assert names_in_sequence(lines) == {3: "drug", 4: "sig", 5: "quantity", 7: "sig"}


def test_a_number_before_a_line_begins_a_drug() -> None:
    lines = [
        _line(0, 300, text="1) Xolbutrel inhaler"), _line(40, 290, text="Scrta ll"),
        _line(80, 400, "drug"), _line(120, 300, "sig"), _line(160, 380, text="+) Le sonoprato"),
    ]  # fmt: skip
    assert names_in_sequence(lines) == {0: "drug", 1: "sig", 4: "drug"}


def test_columns_are_named_by_what_most_of_their_cells_say() -> None:
    lines = []
    strengths, amounts = ("150 ml", "500 mg", "song", "600 mg"), ("42", "20", "30", "2O")
    for row, (strength, amount) in enumerate(zip(strengths, amounts, strict=True)):
        y = 80 * row
        lines += [
            _line(y, 260, "drug" if row % 2 == 0 else ""),
            _line(y, 110, x=410, text=strength),
            _line(y, 290, "sig" if row == 0 else "", x=560, text="1 p qth y"),
            _line(y, 60, x=890, text=amount),
            _line(y, 20, x=1010, text="2"),
        ]
    named = names_in_sequence(lines)
    for row in range(4):
        names = [named.get(5 * row + place) or lines[5 * row + place].said for place in range(5)]
        assert names == ["drug", "strength", "sig", "quantity", "refills"]


def test_nothing_is_named_where_too_little_is_known() -> None:
    assert names_in_sequence([_line(0, 400, "drug"), _line(40, 300), _line(80, 80)]) == {}
    assert (
        names_in_sequence([_line(0, 300, "sig"), _line(40, 80, "quantity"), _line(80, 300)]) == {}
    )


def test_lines_far_off_and_specks_are_left_out() -> None:
    lines = [
        _line(0, 400, "drug"), _line(40, 300, "sig"), _line(60, 8), _line(80, 400, "drug"),
        _line(900, 300),
    ]  # fmt: skip
    assert names_in_sequence(lines) == {}


def test_what_stands_outside_the_place_under_an_rx_is_no_medication() -> None:
    lines = [
        _line(0, 300, text="Nora Example"),
        _line(80, 400, "drug", place="drug"), _line(120, 300, "sig", place="sig"),
        _line(160, 400, "drug", place="drug"), _line(240, 300),
    ]  # fmt: skip
    assert names_in_sequence(lines) == {}


def _read(
    y: int, text: str, width: int, named_by: str = "nobody", name: str = "unnamed"
) -> ReadLine:
    return ReadLine(name, 1 if name == "drug" else 0, named_by, text, (), Box(100, y, width, 30))


_LIST = (
    _read(0, "1) Amoxicillin 500 mg cap", 400), _read(40, "Sig: 1 cap po tid", 300),
    _read(80, "2) Llllttr nnv", 380), _read(120, "Sig: 1 tab po qhs", 300),
)  # fmt: skip


def test_a_drug_nobody_could_read_is_a_medication_of_its_own() -> None:
    named = name_by_reading(_LIST)
    assert [(line.name, line.group) for line in named] == [
        ("drug", 1), ("sig", 1), ("drug", 2), ("sig", 2),
    ]  # fmt: skip


def test_where_a_label_names_the_drugs_no_order_is_guessed() -> None:
    lines = [*_LIST, _read(300, "Warfarin 5 mg tab", 400, "label", "drug")]
    assert name_by_reading(lines)[2].name == "unnamed"


def test_a_label_that_ocr_passed_over_is_no_line_of_a_medication() -> None:
    lines = [*_LIST[:2], _read(80, "Diroction:", 200), *_LIST[2:]]
    assert name_by_reading(lines)[2].name == "unnamed"


def _labelled(y: int, width: int, name: str, *, x: int = 100) -> SequenceLine:
    return SequenceLine(Box(x, y, width, 30), "xx", "", name, is_open=False)


def test_cells_beside_labelled_drugs_are_named_by_their_column() -> None:
    lines = []
    for row, strength in enumerate(("5 mg", "500 mg", "3O0 mg")):
        y = 80 * row
        lines += [
            _labelled(y, 260, "drug"),
            _line(y, 110, x=410, text=strength),
            _labelled(y, 290, "sig", x=560) if row == 1 else _line(y, 290, x=560, text="one at"),
            _labelled(y, 60, "quantity", x=890),
            _line(y, 20, x=1010, text="4"),
        ]
    lines.append(_line(400, 60, x=890, text="17"))
    assert names_beside_drugs(lines) == {
        1: "strength", 6: "strength", 11: "strength", 2: "sig", 12: "sig",
        4: "refills", 9: "refills", 14: "refills",
    }  # fmt: skip


def test_a_number_under_labelled_directions_is_the_quantity_once() -> None:
    lines = [
        _labelled(0, 300, "drug"), _labelled(60, 200, "sig"), _line(120, 40, text="20"),
        _line(160, 6, text="1"),
        _labelled(240, 300, "drug"), _labelled(300, 200, "sig"), _line(360, 40, text="28"),
        _labelled(420, 40, "quantity"), _line(900, 40, text="7"),
    ]  # fmt: skip
    assert names_beside_drugs(lines) == {2: "quantity"}


def test_a_name_above_all_drugs_is_the_patients_unless_a_label_names_one() -> None:
    top = _read(-80, "Omar Placcholder", 300)
    assert name_by_reading([top, *_LIST])[0].name == "patient_name"
    below = _read(400, "Omar Placcholder", 300)
    assert name_by_reading([*_LIST, below])[-1].name == "unnamed"
    known = _read(-160, "Nora Example", 300, "label", "patient_name")
    assert name_by_reading([known, top, *_LIST])[1].name == "unnamed"


@pytest.mark.parametrize(("named_by", "group"), [("label", 2), ("form", 1)])
def test_labelled_directions_go_with_the_drug_that_was_found_above_them(
    named_by: str, group: int
) -> None:
    """A label counts; a form says which medication is meant."""
    lines = [
        _read(0, "Amoxicillin 500 mg cap", 400, "place", "drug"),
        ReadLine("sig", 1, "label", "1 cap po tid", (), Box(100, 40, 300, 30)),
        _read(80, "Warfarin 5 mg tab", 380),
        ReadLine("sig", 1, named_by, "1 tab po qhs", (), Box(100, 120, 300, 30)),
    ]
    assert [(line.name, line.group) for line in name_by_reading(lines)] == [
        ("drug", 1), ("sig", 1), ("drug", 2), ("sig", group),
    ]  # fmt: skip


@pytest.mark.parametrize(("y", "name"), [(170, "drug"), (600, "unnamed")])
def test_a_signature_far_below_the_list_is_no_drug(y: int, name: str) -> None:
    lines = [
        _read(0, "Amoxicillin 500 mg cap", 400, "place", "drug"),
        ReadLine("sig", 1, "place", "1 cap po tid", (), Box(100, 40, 300, 30)),
        _read(80, "Warfarin 5 mg tab", 380, "place", "drug"),
        ReadLine("sig", 2, "place", "1 tab po qhs", (), Box(100, 120, 300, 30)),
        _read(y, "nommonr", 400, "place", "drug"),
    ]
    assert name_by_reading(lines)[-1].name == name


_UNDER_RX = (
    _read(200, "Amoxicillin 500 mg cap", 400, "place", "drug"),
    ReadLine("sig", 1, "place", "1 cap po tid", (), Box(100, 240, 300, 30)),
)


@pytest.mark.parametrize(
    ("text", "name"), [("Penicillin", "unnamed"), ("Warfarin 5 mg tab", "drug")]
)
def test_a_mere_name_above_the_rx_is_an_allergy_and_no_drug(text: str, name: str) -> None:
    assert name_by_reading([_read(0, text, 200), *_UNDER_RX])[0].name == name


def test_directions_of_a_drug_nobody_found_do_not_go_for_the_second() -> None:
    lines = [
        ReadLine("sig", 1, "place", "1 po q8h x 5 d", (), Box(100, 0, 300, 30)),
        _read(60, "2. Gabapentin 300 mg cap", 400, "place", "drug"),
        ReadLine("sig", 2, "place", "1 tab po bid", (), Box(100, 100, 300, 30)),
    ]
    lines[0] = replace(lines[0], name="drug")
    named = name_by_reading(lines)
    assert [(line.name, line.group) for line in named] == [("sig", 1), ("drug", 2), ("sig", 2)]


def test_an_unknown_name_at_the_place_of_a_drug_is_no_directions() -> None:
    lines = [_read(0, "2 Xolbutrel 20 mg tab", 300, "place", "drug"), *_UNDER_RX]
    assert name_by_reading(lines)[0].name == "drug"


_NOTICE = "(Bitte Leerräume durchstreichen)"


@pytest.mark.parametrize(
    ("by_hand", "names"),
    [
        (True, ["unnamed", "sig", "drug", "sig", "drug", "unnamed"]),
        (False, ["drug", "sig", "drug", "sig", "drug", "sig"]),
    ],
    ids=["orders by hand", "a typed prescription"],
)
def test_print_among_orders_by_hand_is_the_forms_own(by_hand: bool, names: list[str]) -> None:
    """Of a typed prescription it may be a drug that the lexicon lacks."""
    lines = [
        replace(_read(0, _NOTICE, 400), printed=True), _read(40, "Sig: 1 cap po tid", 300),
        _read(80, "Amoxicillin 500 mg cap", 400), _read(120, "Sig: 1 tab po qhs", 300),
        _read(160, "Warfarin 5 mg tab", 400),
        replace(_read(195, "Bitte wenden Sie", 300), printed=True),
    ]  # fmt: skip
    if not by_hand:
        lines = [replace(line, printed=True) for line in lines]
    assert [line.name for line in name_by_reading(lines)] == names


def test_writing_that_ocr_could_read_is_no_notice() -> None:
    """Left out, its directions would go to the drug above it."""
    lines = [*_LIST[:2], replace(_LIST[2], text="2) Llllttr 25 nnv", printed=True), _LIST[3]]
    assert [(line.name, line.group) for line in name_by_reading(lines)] == [
        ("drug", 1), ("sig", 1), ("drug", 2), ("sig", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "width", "name"),
    [("1", 40, "unnamed"), ("x:", 60, "unnamed"), ("m", 380, "drug"), ("Llttr", 380, "drug")],
)
def test_a_tick_is_no_drug_though_one_would_stand_there(text: str, width: int, name: str) -> None:
    lines = [
        _read(0, text, width), _read(40, "Sig: 1 cap po tid", 300),
        _read(80, "2) Warfarin 5 mg tab", 380), _read(120, "Sig: 1 tab po qhs", 300),
    ]  # fmt: skip
    assert name_by_reading(lines)[0].name == name


@pytest.mark.parametrize("text", ["Rx", "Rex", "R."])
def test_the_emblem_of_a_prescription_is_no_drug(text: str) -> None:
    emblem = ReadLine("unnamed", 0, "nobody", text, (), Box(20, 0, 60, 50))
    named = name_by_reading([emblem, *_LIST])
    assert [line.name for line in named] == ["unnamed", "drug", "sig", "drug", "sig"]
