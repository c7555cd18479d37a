"""Short ways to write down the fields of a paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.types import Blocker, FieldValue, Prescription

TODAY = date(2026, 11, 22)


def field(name: str, text: str = "", group: int = 0, **more: Any) -> FieldValue:
    """One field, read by a machine with probability 0.9 unless told otherwise."""
    more.setdefault("p_correct", 0.9)
    return FieldValue(field_id=f"{name}-{group}", name=name, group=group, text=text, **more)


def whole_paper(*changes: FieldValue, without: tuple[str, ...] = ()) -> list[FieldValue]:
    """A paper on which no check finds anything, with fields replaced, added or left out."""
    paper = {
        (value.name, value.group): value
        for value in (
            field("patient_name", "Jane Doe"),
            field("patient_dob", "02/14/1961"),
            field("date_written", "11/20/2026"),
            field("prescriber_npi", "1234567893"),
            field("drug", "Lisinopril 10 mg tab", 1),
            field("sig", "1 tab po daily x 30 days", 1),
            field("quantity", "#30", 1),
            field("refills", "2", 1),
            field("signature", present=True),
        )
    }
    for value in changes:
        paper[value.name, value.group] = value
    return [value for value in paper.values() if value.name not in without]


def read(*changes: FieldValue, without: tuple[str, ...] = (), **more: Any) -> Prescription:
    """Interpret the whole paper with changes."""
    more.setdefault("today", TODAY)
    return interpret(whole_paper(*changes, without=without), **more)


def only(prescription: Prescription, code: str) -> Blocker:
    """The one blocker of a code; fails when there is none or more."""
    found = [blocker for blocker in prescription.blockers if blocker.code == code]
    assert len(found) == 1, prescription.blockers
    return found[0]


def codes(prescription: Prescription) -> set[str]:
    """All blocker codes."""
    return {blocker.code for blocker in prescription.blockers}


def decided(value: FieldValue) -> FieldValue:
    """The same value after a person confirmed it."""
    return replace(value, human=True, p_correct=1.0, alternatives=())
