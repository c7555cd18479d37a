"""Warnings that a paper, or its order, came in before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.types import Blocker, EarlierOrder

from .builders import TODAY, whole_paper

READ = interpret(whole_paper(), today=TODAY)
ORDER = EarlierOrder(
    scan_id="7f",
    received="2026-11-20 14:03",
    patient_name=READ.patient.name,
    birth_date=READ.patient.birth_date,
    date_written=READ.date_written,
    drugs=tuple(item.drug.name for item in READ.medications if item.drug),
)


def warned(*earlier: EarlierOrder) -> list[Blocker]:
    return list(interpret(whole_paper(), today=TODAY, earlier=earlier).blockers)


def test_same_order_is_warned_about_with_its_scan() -> None:
    (found,) = warned(ORDER)

    assert (found.code, found.severity, found.scan_id) == ("same_order", "warn", "7f")
    assert found.message == (
        "The same patient, drug and date are on the scan received 2026-11-20 14:03: compare them "
        "before it is given twice."
    )


def test_same_paper_is_warned_about_whatever_was_read_on_it() -> None:
    (found,) = warned(EarlierOrder("7f", "2026-11-20 14:03", same_paper=True))

    assert (found.code, found.severity, found.scan_id) == ("same_paper", "warn", "7f")


@pytest.mark.parametrize(
    "other",
    [
        replace(ORDER, date_written=date(2020, 1, 1)),
        replace(ORDER, date_written=None),
        replace(ORDER, drugs=("warfarin",)),
        replace(ORDER, drugs=()),
        replace(ORDER, patient_name="Xaver Quill", birth_date=None),
    ],
    ids=["another date", "no date", "another drug", "no drug", "another patient"],
)
def test_another_order_is_no_warning(other: EarlierOrder) -> None:
    assert warned(other) == []


def test_name_read_with_another_letter_is_the_same_patient() -> None:
    name = READ.patient.name
    misread = replace(ORDER, patient_name=f"{name[:-1]}x")

    assert [found.code for found in warned(misread)] == ["same_order"]


def test_several_earlier_scans_are_one_warning() -> None:
    (found,) = warned(ORDER, replace(ORDER, scan_id="80"))

    assert "2026-11-20 14:03, and 1 more" in found.message
