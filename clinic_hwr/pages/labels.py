"""The words that forms print beside their fields, and where they stand on a page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from .types import Box, PrintedWord


class Placement(StrEnum):
    """Where the value of a label is."""

    BESIDE = "beside"  # right of the label on its row, else below it
    ABOVE = "above"  # over the rule that stands over the label: signature lines
    AREA = "area"  # the free writing area that begins here: Rx
    NONE = "none"  # names nothing we read, but ends the value before it


@dataclass(frozen=True, slots=True)
class Label:
    """A printed label on a page. ``field`` is "" when it only ends its neighbour's value."""

    field: str
    text: str
    box_px: Box
    placement: Placement
    word_indexes: tuple[int, ...]


_PHRASES: dict[str, tuple[str, ...]] = {
    "patient_name": (
        "name", "patient", "patient name", "patients name", "name of patient", "pt", "pt name",
        "full name", "patient full name",
    ),
    # "pop" and "pate": how Tesseract now and then reads DOB and Date
    "patient_dob": ("dob", "d o b", "date of birth", "birth date", "birthdate", "born", "pop"),
    "patient_age": ("age", "age yrs"),
    "patient_sex": ("sex", "gender", "age sex"),
    "patient_weight": ("weight", "wt", "weight kg", "wt kg"),
    "patient_address": ("address", "patient address", "addr"),
    "patient_mrn": (
        "mrn", "mr #", "mr no", "medical record no", "medical record #", "record no",
        "hospital no", "chart no", "chart #", "patient id", "nhs number", "uhid",
    ),
    "allergies": ("allergies", "allergy", "drug allergies", "known allergies"),
    "date_written": ("date", "date written", "date issued", "date of issue", "rx date", "dated",
        "pate"),
    "prescriber_name": (
        "physician", "prescriber", "provider", "doctor", "ordering physician", "prescriber name",
        "physician name", "doctors name", "print name", "prescribed by",
    ),
    "prescriber_npi": ("npi", "npi #", "npi no", "npi number"),
    "prescriber_dea": ("dea", "dea #", "dea no", "dea number"),
    "prescriber_phone": ("phone", "tel", "telephone", "ph", "tel no", "phone no"),
    "drug": ("drug", "medication", "medicine", "drug name"),
    "strength": ("strength",),
    "sig": ("sig", "directions", "instructions", "directions for use", "label directions"),
    "quantity": ("disp", "dispense", "qty", "quantity", "#", "disp #", "quantity dispensed"),
    "refills": ("refill", "refills", "refill s", "no of refills", "repeat", "repeats"),
    "signature": (
        "signature", "signed", "physician signature", "physicians signature", "md signature",
        "prescriber signature", "prescribers signature", "doctors signature",
        "signature of prescriber", "authorized signature", "dispense as written",
        "do not substitute", "brand medically necessary", "daw",
    ),
    "substitution": (
        "substitution permitted", "substitution permissible", "may substitute",
        "generic substitution permitted", "product selection permitted", "substitution allowed",
        "voluntary formulary permitted",
    ),
    "notes": (
        "notes", "note", "comments", "comment", "remarks", "clinical notes", "additional notes",
        "other notes", "notes to pharmacist", "note to pharmacist", "notes to pharmacy",
        "note to pharmacy", "comments to pharmacist", "additional comments",
    ),
    "rx": ("rx", "r x"),
    "": (
        "fax", "lic", "license", "license no", "licence no", "label", "time", "height", "ht",
        "room", "bed", "ward", "diagnosis", "dx", "bp", "pulse", "temp", "reg no", "email",
        "city", "state", "zip", "rn", "nurse", "ext", "www",
    ),
}  # fmt: skip

# These stand under a line that is signed above them.
_UNDER_A_LINE = {"signature", "substitution"}
_BY_PHRASE = {phrase: name for name, phrases in _PHRASES.items() for phrase in phrases}
_LONGEST = max(len(phrase.split()) for phrase in _BY_PHRASE)
# A phrase of five letters or more may have one letter in six misread.
_FUZZY_FROM, _FUZZY_RATIO = 5, 83.0
_SPACE = 0.75  # of the word height: a space of running bold print is up to 0.6


def normalised(text: str) -> str:
    """Lower case, letters, digits and # only: ``Refill(s):`` -> ``refill s``."""
    return re.sub(r"\s+", " ", re.sub(r"[^a-z0-9#]+", " ", text.lower().replace("'", ""))).strip()


def field_of_phrase(phrase: str) -> str | None:
    """Return the field a normalised phrase names, "" for a mere stop, None for no label."""
    if phrase in _BY_PHRASE:
        return _BY_PHRASE[phrase]
    if len(phrase) < _FUZZY_FROM or any(char.isdigit() for char in phrase):
        return None
    same_length = [known for known in _BY_PHRASE if len(known) >= _FUZZY_FROM
                   and known.count(" ") == phrase.count(" ")]  # fmt: skip
    best = max(same_length, key=lambda known: fuzz.ratio(known, phrase), default=None)
    if best is None:
        return None
    return _BY_PHRASE[best] if fuzz.ratio(best, phrase) >= _FUZZY_RATIO else None


def find_labels(words: Sequence[PrintedWord]) -> tuple[Label, ...]:
    """Find the printed labels among the words of a page, longest phrase first, in reading order."""
    labels: list[Label] = []
    for row in word_rows(words):
        at = 0
        while at < len(row):
            label = _label_at(words, row, at)
            if label is None:
                at += 1
                continue
            labels.append(label)
            at += len(label.word_indexes)
    return tuple(labels)


def _label_at(words: Sequence[PrintedWord], row: list[int], at: int) -> Label | None:
    for length in range(min(_LONGEST, len(row) - at), 0, -1):
        indexes = row[at : at + length]
        if not _close_together([words[i].box_px for i in indexes]):
            continue
        text = " ".join(words[i].text for i in indexes)
        if not all(normalised(words[i].text) for i in indexes):
            continue
        field = field_of_phrase(normalised(text))
        if field is None or (field != "rx" and _inside_a_sentence(words, row, at, length)):
            continue
        box = union([words[i].box_px for i in indexes])
        if field == "rx":
            return Label("rx", text, box, Placement.AREA, tuple(indexes))
        if field == "":
            return Label("", text, box, Placement.NONE, tuple(indexes))
        where = Placement.ABOVE if field in _UNDER_A_LINE else Placement.BESIDE
        # "Signature:" with a colon is signed beside, not above.
        if text.rstrip().endswith(":"):
            where = Placement.BESIDE
        return Label(field, text, box, where, tuple(indexes))
    return None


def _inside_a_sentence(words: Sequence[PrintedWord], row: list[int], at: int, length: int) -> bool:
    """Whether running text goes on before or behind a phrase: then it labels nothing."""
    first, last = words[row[at]], words[row[at + length - 1]]
    if at > 0:
        before = words[row[at - 1]]
        gap = first.box_px.x - (before.box_px.x + before.box_px.width)
        if gap < _SPACE * first.box_px.height and field_of_phrase(normalised(before.text)) is None:
            return True
    if last.text.endswith(":") or at + length == len(row):
        return False
    behind = words[row[at + length]]
    gap = behind.box_px.x - (last.box_px.x + last.box_px.width)
    text = behind.text.strip()
    # "Date of birth (MM/DD/YYYY)": what is in brackets explains the label.
    is_value = any(char.isdigit() for char in text) or text in ":#" or text.startswith("(")
    return gap < _SPACE * last.box_px.height and not is_value


def word_rows(words: Sequence[PrintedWord]) -> list[list[int]]:
    """Group word indexes to rows, top to bottom, each left to right."""
    order = sorted(range(len(words)), key=lambda i: words[i].box_px.y + words[i].box_px.height / 2)
    rows: list[list[int]] = []
    for index in order:
        box = words[index].box_px
        middle = box.y + box.height / 2
        for row in reversed(rows[-4:]):
            last = words[row[-1]].box_px
            if abs(last.y + last.height / 2 - middle) < 0.5 * min(last.height, box.height):
                row.append(index)
                break
        else:
            rows.append([index])
    for row in rows:
        row.sort(key=lambda i: words[i].box_px.x)
    return rows


def _close_together(boxes: Sequence[Box]) -> bool:
    height = max(box.height for box in boxes)
    return all(
        right.x - (left.x + left.width) < 1.2 * height for left, right in itertools.pairwise(boxes)
    )


def union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around all boxes (at least one)."""
    x0, y0 = min(b.x for b in boxes), min(b.y for b in boxes)
    x1, y1 = max(b.x + b.width for b in boxes), max(b.y + b.height for b in boxes)
    return Box(x0, y0, x1 - x0, y1 - y0)
