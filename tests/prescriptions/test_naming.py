"""Lines without a label are named by what they say, and only those."""

from __future__ import annotations

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
    named = _named(
        _nobody("Jane Example"), _nobody("4/12/1988"), _nobody(""), _nobody("12 Oak Ave")
    )
    assert named == [("unnamed", 0)] * 4


def test_reading_corrects_place_but_never_a_label() -> None:
    named = _named(
        ReadLine("drug", 1, "place", "Metformin 500 mg tab"),
        ReadLine("drug", 2, "place", "1 tab po bid with meals"),
        ReadLine("drug", 3, "label", "1 tab po bid with meals"),
    )
    assert named[2] == ("drug", 3)
    assert [name for name, _ in named[:2]] == ["drug", "sig"]
