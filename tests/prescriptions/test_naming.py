"""Lines without a label are named by what they say, and only those."""

from __future__ import annotations

from datetime import date

import pytest

from clinic_hwr.pages.types import Box
from clinic_hwr.prescriptions.naming import ReadLine, name_by_reading


def _named(*lines: ReadLine) -> list[tuple[str, int]]:
    return [(line.name, line.group) for line in name_by_reading(lines)]


def _nobody(text: str) -> ReadLine:
    return ReadLine("unnamed", 0, "nobody", text)


def test_drugs_begin_medications_and_take_what_follows() -> None:
    named = _named(
        _nobody("Amoxicillin 500 mg cap"), _nobody("1 cap po tid x 7 days"), _nobody("#21"),
        _nobody("Lisinoprl 10mg tab"), _nobody("1 tab po daily"), _nobody("Refills: 2"),
    )  # fmt: skip
    assert named == [
        ("drug", 1), ("sig", 1), ("quantity", 1), ("drug", 2), ("sig", 2), ("refills", 2),
    ]  # fmt: skip


def test_what_says_nothing_stays_without_a_name() -> None:
    named = _named(_nobody("Jane Example"), _nobody("12/1988"), _nobody(""), _nobody("12 Oak Ave"))
    assert named == [("unnamed", 0)] * 4


def test_reading_corrects_place_but_never_a_label() -> None:
    named = _named(
        ReadLine("drug", 1, "place", "Metformin 500 mg tab"),
        ReadLine("drug", 2, "place", "1 tab po bid with meals"),
        ReadLine("drug", 3, "label", "1 tab po bid with meals"),
    )
    assert named[2] == ("drug", 3)
    assert [name for name, _ in named[:2]] == ["drug", "sig"]


def test_a_word_that_happens_to_be_near_a_drug_is_none() -> None:
    words = ("Pediatrics", "notes", "Sex", "chest clear", "Northgate", "tale 8/27/1984")
    assert _named(*(_nobody(word) for word in words)) == [("unnamed", 0)] * len(words)


def test_a_form_without_a_dose_makes_no_drug_of_directions() -> None:
    named = _named(
        ReadLine("drug", 1, "place", "Metformin 500 mg tab"),
        ReadLine("sig", 1, "place", "tab pobid"),
    )
    assert named == [("drug", 1), ("sig", 1)]


def test_a_name_that_no_list_has_is_a_drug_by_its_shape() -> None:
    named = _named(_nobody("Zubroxafen 10 mg tab"), _nobody("1 tab po bid"))
    assert named == [("drug", 1), ("sig", 1)]


@pytest.mark.parametrize(
    "text", ["supply 60", "QSP 28 j", "sepply 6", "Disp: 30", "supplylo", "QSY 42 j", "aty 28 tabs"]
)
def test_words_for_a_quantity_with_a_number_are_one(text: str) -> None:
    named = _named(_nobody("Ibuprofen 600 mg tab"), _nobody("1 tab po bid"), _nobody(text))
    assert named[2] == ("quantity", 1)


def test_dates_and_people_name_themselves_once() -> None:
    named = name_by_reading(
        [
            _nobody("Dr Nora Example"), _nobody("for Quinn Example"), _nobody("5/3/2026"),
            _nobody("le 27/5/1979"), _nobody("6/3/2026"),
        ],
        today=date(2026, 5, 3),
    )  # fmt: skip
    assert [line.name for line in named] == [
        "prescriber_name", "patient_name", "date_written", "patient_dob", "unnamed",
    ]  # fmt: skip
    assert all(line.group == 0 for line in named)


@pytest.mark.parametrize(
    ("text", "name"),
    [("DrHugh Example", "prescriber_name"), ("Dra.Ana Muestra", "prescriber_name"),
     ("Drospirenone Ethinylestradiol", "drug"), ("Dronedarone 400 mg tab", "drug")],
)  # fmt: skip
def test_a_doctor_whose_blank_was_not_read_is_no_drug(text: str, name: str) -> None:
    assert _named(_nobody(text))[0][0] == name


def test_a_date_that_a_label_names_is_not_named_again() -> None:
    labelled = ReadLine("date_written", 0, "label", "5/3/2026")
    named = name_by_reading([labelled, _nobody("5/4/2026")], today=date(2026, 5, 4))
    assert [line.name for line in named] == ["date_written", "unnamed"]


def test_a_label_that_only_the_reader_could_read_names_what_follows_it() -> None:
    named = name_by_reading(
        [
            ReadLine("unnamed", 0, "nobody", "Name", box_px=Box(10, 10, 60, 20)),
            ReadLine("unnamed", 0, "nobody", "Jane Example", box_px=Box(90, 5, 200, 30)),
            ReadLine("unnamed", 0, "nobody", "chest clear", box_px=Box(90, 80, 200, 30)),
        ]
    )
    assert [line.name for line in named] == ["unnamed", "patient_name", "unnamed"]


def test_an_unreadable_line_right_under_a_drug_is_its_directions() -> None:
    drug = ReadLine("unnamed", 0, "nobody", "Ibuprofen 600 mg tab", box_px=Box(10, 10, 300, 30))
    near = ReadLine("unnamed", 0, "nobody", "Ttb ine ein wth pod", box_px=Box(20, 50, 280, 30))
    far = ReadLine("unnamed", 0, "nobody", "Ttb ine ein wth pod", box_px=Box(20, 150, 280, 30))
    assert [line.name for line in name_by_reading([drug, near])] == ["drug", "sig"]
    assert [line.name for line in name_by_reading([drug, far])] == ["drug", "unnamed"]


def test_crumbs_at_a_drugs_place_begin_no_medication() -> None:
    named = _named(
        ReadLine("drug", 1, "place", "1"), ReadLine("drug", 2, "place", "Ibuprofen 600 mg tab")
    )
    assert named == [("unnamed", 0), ("drug", 1)]


def test_a_drug_right_under_a_crossed_out_one_takes_its_place() -> None:
    struck = ReadLine("drug", 1, "place", "Lisinopril 10 mg tab", struck=True)
    drug = ReadLine("sig", 1, "place", "Metformin 500 mg tab")
    sig = ReadLine("sig", 1, "place", "1 tab po bid with meals")

    assert _named(struck, drug, sig) == [("drug", 1), ("drug", 1), ("sig", 1)]
    assert _named(struck, sig, drug) == [("drug", 1), ("sig", 1), ("drug", 2)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1 Ondancetron 4 mg tab", "drug"), ("2 Amlodipine 5 mg tab", "drug"),
        ("1 tablet 10 mg daily", "sig"), ("2 puffs q4h prn wheeze", "sig"),
        ("1 capsule 250 mg twice a day", "sig"),
    ],
)  # fmt: skip
def test_the_number_of_a_line_without_its_point_is_no_dose(text: str, name: str) -> None:
    assert _named(_nobody("Ibuprofen 600 mg tab"), _nobody(text))[1][0] == name


@pytest.mark.parametrize("text", ["supply", "gel 3 j", "aty 28", "supplies all"])
def test_what_is_no_word_for_a_quantity_says_none(text: str) -> None:
    named = _named(_nobody("Ibuprofen 600 mg tab"), _nobody("1 tab po bid"), _nobody(text))
    assert named[2] == ("unnamed", 0)
