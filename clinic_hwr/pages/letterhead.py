"""Prescriber and practice from the printed head of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .label_vocabulary import normalised
from .labels import Label, union, word_rows
from .survey import PageSurvey
from .types import Box, FieldRegion, PrintedWord
from .values import printed_region

_CREDENTIALS = re.compile(
    r"\b(M\.?\s?D|D\.?\s?O|MBBS|MBChB|NP|FNP|APRN|PA|PA-C|DDS|DMD|DPM|DVM|FRCP|MRCP)\b\.?(?=$|[\s,])"
)
_TITLE = re.compile(r"^(Dra?|Doctora?|Docteure?|Prof|Drs)\b\.?\s", re.IGNORECASE)
_PRACTICE = re.compile(
    r"\b(clinic|hospital|medical|medicine|health|healthcare|cent(er|re)|practice|surgery|"
    r"pediatrics|associates|group|family|physicians|care|dental|cabinet|clinique|h[oô]pital|"
    r"cl[ií]nica|consultorio|centro|praxis|\w*praxis|klinik|\w*klinik|mvz|krankenhaus)\b",
    re.IGNORECASE,
)
_SPECIALTIES = {
    "family medicine", "internal medicine", "general practice", "pediatrics", "family practice",
    "emergency medicine", "general medicine", "paediatrics", "general dentistry", "dentistry",
    "psychiatry", "neurology", "dermatology", "cardiology", "oncology", "urology", "gynecology",
    "obstetrics and gynecology", "orthopedics", "geriatrics", "endocrinology", "ophthalmology",
    "gastroenterology", "rheumatology", "nephrology", "pulmonology", "general surgery",
}  # fmt: skip
# A name without title or degree: two to four capitalised words, one of them may be an initial.
_NAME_WORD = re.compile(r"^[A-ZÀ-ÞŁŚŻ][a-zà-ÿłśżąęćńóź'’]+(?:-[A-ZÀ-Þ][a-zà-ÿ]+)?,?$|^[A-Z]\.$")
_NO_NAME = re.compile(
    r"\b(street|st|road|rd|avenue|ave|lane|ln|drive|blvd|boulevard|suite|floor|unit|box|"
    r"prescription|order|orders|sheet|form|record|request|discharge|medication|department|"
    r"license|patient|name|date|phone|signature|physician|provider|prescriber|page|refill|"
    r"rezept|receta|ordonnance|récépissé|rue|calle|avenida|straße|strasse|university|state)\b",
    re.IGNORECASE,
)
_PATIENT_FIELDS = {"patient_name", "patient_dob", "patient_address", "patient_age", "allergies"}
_REGISTRATIONS = {"reg no", "regn no", "registration no", "reg number", "registration number"}
_NEAR_NAME = 6.0  # label heights from the top of a name to that of its registration
_HEAD_SHARE = 0.3  # of the page height, when no patient label ends the head


def head_fields(survey: PageSurvey, present: set[str]) -> list[FieldRegion]:
    """Return prescriber_name and practice_name of the printed head, unless already found.

    Args:
        survey: the page.
        present: names of fields found so far.
    """
    bottom = _head_bottom(survey)
    runs = _printed_runs(survey)
    lines = [line for line in runs if _box(line).y + _box(line).height <= bottom]
    fields = []
    prescriber = next((line for line in lines if _names_a_person(line)), None)
    if prescriber is None:
        prescriber = _plain_name(lines)
    if prescriber is None:
        # European forms print the prescriber's stamp at the foot: its lines belong together.
        prescriber = next((line for line in runs if _names_a_person(line)), None)
        if prescriber is not None:
            lines += [line for line in runs if line not in lines and _beneath(line, prescriber)]
    if prescriber is not None and "prescriber_name" not in present:
        fields.append(printed_region("prescriber_name", prescriber))
    others = [line for line in lines if line is not prescriber]
    named = [
        line
        for line in others
        if _PRACTICE.search(_text(line)) and normalised(_text(line)) not in _SPECIALTIES
    ]
    if named and "practice_name" not in present:
        # The name of the house is set largest.
        fields.append(printed_region("practice_name", max(named, key=_letter_height)))
    return fields


def is_registration(survey: PageSurvey, label: Label) -> bool:
    """Whether a registration number is that of the prescriber, whose name or degree is above it.

    "Reg. No." is also what hospitals call the number of a patient.
    """
    box = label.box_px
    if normalised(label.text) not in _REGISTRATIONS or box.y > _head_bottom(survey):
        return False
    return any(
        (_names_a_person(line) or _CREDENTIALS.search(_text(line)))
        and 0 <= box.y - (above := _box(line)).y <= _NEAR_NAME * box.height
        and above.x < box.x + 4 * box.width
        and box.x < above.x + above.width + 2 * box.height
        for line in _printed_runs(survey)
    )


def _beneath(line: Sequence[PrintedWord], above: Sequence[PrintedWord]) -> bool:
    """Whether a line follows another in one printed block."""
    box, top = _box(line), _box(above)
    down = box.y - (top.y + top.height)
    return 0 <= down < 4 * top.height and abs(box.x - top.x) < 6 * top.height


def _head_bottom(survey: PageSurvey) -> float:
    """y where the head ends: at the first patient label outside of a sticker, or a share."""
    height = survey.gray.shape[0]
    rows = [label.box_px.y for label in survey.labels if label.field in _PATIENT_FIELDS]
    left_rows = [
        label.box_px.y for label in survey.labels
        if label.field in _PATIENT_FIELDS and label.box_px.x < 0.5 * survey.gray.shape[1]
    ]  # fmt: skip
    return float(min(left_rows or rows, default=round(_HEAD_SHARE * height)))


def _printed_runs(survey: PageSurvey) -> list[list[PrintedWord]]:
    """Runs of printed words without a wide gap and without labels, top to bottom."""
    labels = {index for label in survey.labels for index in label.word_indexes
              if label.field not in ("patient_name", "")}  # fmt: skip
    runs: list[list[PrintedWord]] = []
    for row in word_rows(survey.words):
        runs.append([])
        for index in row:
            word = survey.words[index]
            last = runs[-1][-1].box_px if runs[-1] else None
            gap = word.box_px.x - (last.x + last.width) if last else 0
            closed = runs[-1] and _CREDENTIALS.search(runs[-1][-1].text)
            if index in labels or gap > 1.6 * word.box_px.height or closed:
                runs.append([])
            if index not in labels:
                runs[-1].append(word)
    return [run for run in runs if run]


def _names_a_person(line: Sequence[PrintedWord]) -> bool:
    text = _text(line)
    if _TITLE.search(text):
        return True
    return len(line) >= 2 and _CREDENTIALS.search(text) is not None


def _plain_name(lines: Sequence[list[PrintedWord]]) -> list[PrintedWord] | None:
    """The name of a head that prints neither title nor degree.

    It stands next to the specialty, or right under the name of the house; elsewhere two
    capitalised words may be anything.
    """
    for number, line in enumerate(lines):
        text = _text(line)
        if not 2 <= len(line) <= 4 or not all(_NAME_WORD.match(word.text) for word in line):
            continue
        if _PRACTICE.search(text) or _NO_NAME.search(text) or normalised(text) in _SPECIALTIES:
            continue
        behind = lines[number + 1] if number + 1 < len(lines) else None
        before = lines[number - 1] if number else None
        if behind is not None and normalised(_text(behind)) in _SPECIALTIES:
            return line
        if before is not None and _PRACTICE.search(_text(before)) and _follows(line, before):
            return line
    return None


def _follows(line: Sequence[PrintedWord], above: Sequence[PrintedWord]) -> bool:
    """Whether a line stands right under another, centred or flush with it."""
    box, top = _box(line), _box(above)
    down = box.y - (top.y + top.height)
    aligned = min(
        abs(box.x - top.x),
        abs(box.x + box.width / 2 - top.x - top.width / 2),
        abs(box.x + box.width - top.x - top.width),
    )
    return -0.3 * top.height <= down < 2 * top.height and aligned < 2 * top.height


def _text(line: Sequence[PrintedWord]) -> str:
    return " ".join(word.text for word in line)


def _box(line: Sequence[PrintedWord]) -> Box:
    return union([word.box_px for word in line])


def _letter_height(line: Sequence[PrintedWord]) -> int:
    return min(word.box_px.height for word in line)
