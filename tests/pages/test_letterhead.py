"""The head of a page names a prescriber, also without title or degree, and nobody else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import find_fields
from clinic_hwr.pages.letterhead import head_fields
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.types import Box, PrintedWord, UprightPage


def _head(*rows: str) -> dict[str, str | None]:
    """Fields of a head whose rows are centred under one another; each word 0.6 as wide as high."""
    gray = np.full((1400, 1000), 255, np.uint8)
    words = []
    for number, row in enumerate(rows):
        wide = 14 * len(row)
        x, y = 500 - wide // 2, 60 + 40 * number
        for word in row.split():
            words.append(PrintedWord(word, Box(x, y, 14 * len(word), 24), 0.95))
            gray[y : y + 24 : 3, x : x + 14 * len(word)] = 0
            x += 14 * (len(word) + 1)
    # Not every word of this drawing looks printed: the head is what is asked here.
    survey = replace(survey_page(gray, words), words=tuple(words), labels=())
    return {field.name: field.printed_text for field in head_fields(survey, set())}


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (("Harbor Health Center", "Samuel Trialson", "Family Medicine", "4 Oak St"),
         "Samuel Trialson"),
        (("Samuel Q. Trialson", "General Dentistry", "4 Oak St"), "Samuel Q. Trialson"),
        (("Harbor Health Center", "Anne-Marie Müller", "4 Oak St"), "Anne-Marie Müller"),
        (("Harbor Health Center", "Dr. Zoe Trialson", "Samuel Trialson"), "Dr. Zoe Trialson"),
    ],
)  # fmt: skip
def test_a_name_is_found_with_and_without_its_title(rows: tuple[str, ...], name: str) -> None:
    assert _head(*rows)["prescriber_name"] == name


@pytest.mark.parametrize(
    "rows",
    [
        ("Harbor Health Center", "Main Street", "Riverton"),
        ("Harbor Health Center", "Discharge Medication Sheet"),
        ("Physician Order Sheet", "All Orders Signed"),
        ("Harbor Health Center", "Family Medicine"),
    ],
)
def test_what_is_no_name_is_not_taken_for_one(rows: tuple[str, ...]) -> None:
    assert "prescriber_name" not in _head(*rows)


@pytest.mark.parametrize(
    ("above", "whose"), [("Dr. Samuel Trialson", "nobody"), ("Ward 7", "patient_mrn")]
)
def test_a_registration_number_under_a_doctors_name_is_not_the_patients(
    above: str, whose: str
) -> None:
    page = np.full((1400, 1000), 255, np.uint8)
    words = []
    for row, y in ((above, 60), ("Reg. No. 73339", 90), ("Name:", 400)):
        x = 100
        for text in row.split():
            cv2.putText(page, text, (x, y + 14), cv2.FONT_HERSHEY_DUPLEX, 0.6, 30, 1)
            (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.6, 1)
            words.append(PrintedWord(text, Box(x, y, width, 14), 0.95))
            x += width + 8

    fields = find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words, forms=[])

    found = [one.name for one in fields if one.printed_text == "73339"]
    assert (found or ["nobody"]) == [whose]
