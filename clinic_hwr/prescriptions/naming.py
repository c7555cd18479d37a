"""Lines that no printed label names, named by what they say: a drug, directions, a quantity.

Place alone cannot tell a sig from a second drug. Once the lines are read, the drug lexicon and the
sig grammar can; the name is then marked as a guess, and a person confirms it. Lines that a label or
a form names keep their names, and what says nothing keeps the name its place gave it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

from clinic_hwr.pages.label_vocabulary import LabelVocabulary, label_vocabulary, normalised
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldKind
from clinic_hwr.prescriptions.lexicon import DrugLexicon, load_lexicon
from clinic_hwr.prescriptions.line_sense import sense_of, year_of
from clinic_hwr.prescriptions.line_sequence import (
    SequenceLine,
    names_beside_drugs,
    names_in_sequence,
)

_MEDICATION = frozenset({"drug", "sig", "quantity", "refills", "strength"})
_GUESSABLE = _MEDICATION | {"unnamed"}
# A date this many years before today is a birth date, if it is one of the two.
_OLD_YEARS = 2
# A value follows its label within so many heights of it.
_LABEL_GAP = 8.0
# Lines of one medication follow each other within so many heights, and share this much width.
_LINE_GAP, _SHARED_WIDTH = 1.2, 0.3
# "Nora Example", "N. Example": no digit, and every word with a capital.
_PERSON = re.compile(r"^[A-ZÀ-Þ][\w'’-]*\.?(?:\s[A-ZÀ-Þ]\.?)?\s[A-ZÀ-Þ][^\W\d]{2,}[\w'’-]*$")
_LINE_NUMBER = re.compile(r"^\s*\(?(\d)\s?[.)](?!\d)")
_EMBLEM = re.compile(r"^\W*(?:R|Rx|Rp|Rex|Rk|Ry|Px|Bx|Kx)\W*$", re.IGNORECASE)  # as it is read
_FEWEST_LETTERS, _NARROW = 3, 3.0  # of a drug's name; heights that no drug is less wide than
_FAR_BELOW = 3.0  # heights of a line
_ONE_VALUE = (FieldKind.SIGNATURE, FieldKind.CHECKBOX, FieldKind.PARAGRAPH)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One field with what was read in it.

    Attributes:
        name, group: as the page gave them.
        named_by: what the name was taken from, a ``pages.types.NamedBy``.
        text: the best reading, "" when nothing was read.
        alternatives: other readings, best first.
        box_px: where it stands.
        struck: whether it is crossed out, as a whole or in part.
        printed: whether it is print, as of a typed prescription or of the form.
    """

    name: str
    group: int
    named_by: str
    text: str
    alternatives: tuple[str, ...] = ()
    box_px: Box = Box(0, 0, 0, 0)  # noqa: RUF009 - frozen
    struck: bool = False
    printed: bool = False


def name_by_reading(
    lines: Sequence[ReadLine],
    *,
    lexicon: DrugLexicon | None = None,
    country: str | None = None,
    today: date | None = None,
) -> list[ReadLine]:
    """Name the lines without a label by what they say.

    Besides medications a date, "Dr ..." and "for ..." name themselves, a printed label that only
    the handwriting reader could read names what stands right of it, and a line that says nothing
    right under a drug is its directions.

    Args:
        lines: all fields of a page in reading order.
        lexicon: the drug lexicon; the packaged one when None.
        country: whose abbreviations directions are written in.
        today: tells birth dates from others; None takes the clock's.

    Returns:
        The same lines in the same order; where name or group differ from what came in, the reading
        named them. Every drug begins a medication, unless the one right above it is crossed out;
        sig, quantity and refills belong to the drug before them. A page whose drugs a label or a
        table names keeps its groups.
    """
    lexicon = lexicon or load_lexicon()
    labelled = _by_read_labels(lines, label_vocabulary())
    said = [
        sense_of(line.text, line.alternatives, line.name, lexicon, country)
        if _is_open(line) and number not in labelled
        else ""
        for number, line in enumerate(lines)
    ]
    said = _inside(lines, said)
    present = {line.name for line in lines} | set(labelled.values())
    said = _once(lines, said, present, today or date.today())
    said = _in_sequence(lines, said)
    if not any(said) and not labelled:
        return list(lines)
    said = _under_drugs(lines, said)
    said = _patient_above(lines, said, present)
    apart = _far_below(lines, said)
    named = [
        replace(line, name="unnamed", group=0)
        if number in apart
        else _renamed(line, labelled.get(number, said[number]), "drug" in said)
        for number, line in enumerate(lines)
    ]
    return _grouped(lines, named)


def _is_open(line: ReadLine) -> bool:
    """Whether the reading may name a line: nobody, or only its place, has named it."""
    return line.named_by in ("nobody", "place") and line.name in _GUESSABLE


def _renamed(line: ReadLine, name: str, drugs_are_known: bool) -> ReadLine:
    if name:
        # What names itself belongs to the page; medications are numbered afterwards.
        group = line.group if name in _MEDICATION else 0
        return replace(line, name=name, group=group) if name != line.name else line
    if (
        drugs_are_known
        and _is_crumb(line.text)
        and line.named_by == "place"
        and line.name == "drug"
    ):
        # "1" or "j" at a drug's place is a piece of another line.
        return replace(line, name="unnamed", group=0)
    return line


def _may_be_notice(line: ReadLine) -> bool:
    """Whether a line may be what a form says to everybody."""
    return line.printed and not re.search(r"\d", line.text)


def _is_crumb(text: str) -> bool:
    """Whether too little was read for the name of a drug."""
    return len(re.findall(r"[A-Za-z]", text)) < _FEWEST_LETTERS


def _by_read_labels(lines: Sequence[ReadLine], known: LabelVocabulary) -> dict[int, str]:
    """Names from labels that OCR missed and the reader of handwriting read, by line number."""
    free = [n for n, line in enumerate(lines) if _is_open(line) and line.name == "unnamed"]
    present = {line.name for line in lines}
    named: dict[int, str] = {}
    for number in free:
        phrase = normalised(lines[number].text)
        field = known.fields.get(phrase)
        if field is None or FIELD_NAMES.get(field) in (None, *_ONE_VALUE) or field in present:
            continue
        if field in _MEDICATION or field in named.values():
            continue
        value = _right_of(lines, number, [n for n in free if n != number and n not in named])
        if value is not None and known.field_of(normalised(lines[value].text)) is None:
            named[value] = field
    return named


def _right_of(lines: Sequence[ReadLine], label: int, others: Sequence[int]) -> int | None:
    """The next line on the row of a label, or None."""
    box = lines[label].box_px
    best, nearest = None, _LABEL_GAP * box.height
    for number in others:
        other = lines[number].box_px
        shared = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
        gap = other.x - (box.x + box.width)
        if shared > 0.4 * min(box.height, other.height) and -0.5 * box.height < gap < nearest:
            best, nearest = number, gap
    return best


def _inside(lines: Sequence[ReadLine], said: Sequence[str]) -> list[str]:
    """Leave a mere name out that stands above the place under an Rx: somebody is allergic to it."""
    tops = [
        line.box_px.y for line in lines
        if line.named_by == "place" and line.name in _MEDICATION and line.box_px.height
    ]  # fmt: skip
    return [
        "" if name == "drug" and line.name == "unnamed" and tops and not re.search(r"\d", line.text)
        and line.box_px.y + line.box_px.height / 2 < min(tops) else name
        for line, name in zip(lines, said, strict=True)
    ]  # fmt: skip


def _once(
    lines: Sequence[ReadLine], said: Sequence[str], present: set[str], today: date
) -> list[str]:
    """Turn dates into the date written or the date of birth; keep names a page has once."""
    taken = set(present)
    result = []
    for line, name in zip(lines, said, strict=True):
        if name == "date":
            year = year_of(line.text) or 0
            year += 0 if year > 99 else 2000 if year <= today.year % 100 else 1900
            name = "patient_dob" if year < today.year - _OLD_YEARS else "date_written"
        if name and name not in _MEDICATION:
            if name in taken:
                name = ""
            taken.add(name)
        result.append(name)
    return result


def _is_label(text: str, known: LabelVocabulary) -> bool:
    """Whether a line reads as a printed label that OCR passed over."""
    short = len(text.split()) <= 3 and text.rstrip().endswith(":")
    return short or bool(_EMBLEM.match(text)) or known.field_of(normalised(text)) is not None


def _in_sequence(lines: Sequence[ReadLine], said: Sequence[str]) -> list[str]:
    """Name lines that say nothing by the order, or the columns, of those around them.

    Print without a figure among orders written by hand is the form's own: "(Bitte Leerräume
    durchstreichen)". With one it may be writing that OCR could read.
    """
    known = label_vocabulary()
    by_hand = any(
        name in _MEDICATION and not line.printed for line, name in zip(lines, said, strict=True)
    )
    places = [
        number for number, line in enumerate(lines)
        if not (_is_open(line) and _is_label(line.text, known))
        and not (by_hand and _may_be_notice(line) and not said[number])
    ]  # fmt: skip
    in_place = [
        SequenceLine(one.box_px, one.text, said[number], one.name, _is_open(one))
        for number in places
        for one in [lines[number]]
    ]
    labelled = any(line.name == "drug" and not _is_open(line) for line in lines)
    names = names_beside_drugs(in_place) if labelled else names_in_sequence(in_place)
    # What is as wide as a drug is one, though no more than a letter could be read of it.
    found = {
        places[number]: name for number, name in names.items()
        if not (name == "drug" and _is_crumb(in_place[number].text)
                and in_place[number].box_px.width < _NARROW * in_place[number].box_px.height)
    }  # fmt: skip
    return [found.get(number, name) for number, name in enumerate(said)]


def _patient_above(lines: Sequence[ReadLine], said: Sequence[str], present: set[str]) -> list[str]:
    """Take the first line above all drugs that reads as first and last name for the patient's."""
    result = list(said)
    drugs = [
        line.box_px.y for line, name in zip(lines, said, strict=True)
        if "drug" in (name, line.name)
    ]  # fmt: skip
    if not drugs or "patient_name" in present | set(said):
        return result
    for number, line in enumerate(lines):
        above = line.box_px.y + line.box_px.height / 2 < min(drugs)
        free = _is_open(line) and line.name == "unnamed" and not said[number]
        if free and above and _PERSON.match(line.text.strip()):
            result[number] = "patient_name"
            break
    return result


def _far_below(lines: Sequence[ReadLine], said: Sequence[str]) -> set[int]:
    """Lines taken for drugs by their place that stand far below the last one that says something.

    The place under an Rx may reach down to the signature, which would be one more drug.
    """
    told = [
        line.box_px for line, name in zip(lines, said, strict=True)
        if name in _MEDICATION and line.box_px.height
    ]  # fmt: skip
    if not told:
        return set()
    height = median(box.height for box in told)
    bottom = max(box.y + box.height for box in told)
    return {
        number for number, line in enumerate(lines)
        if line.named_by == "place" and line.name == "drug" and not said[number]
        and line.box_px.y - bottom > _FAR_BELOW * height
    }  # fmt: skip


def _under_drugs(lines: Sequence[ReadLine], said: Sequence[str]) -> list[str]:
    """Take an unreadable line right under a drug that was read for its directions."""
    result = list(said)
    above: int | None = None
    for number, line in enumerate(lines):
        if result[number] == "drug":
            above = number
        elif above is not None and not result[number]:
            free = _is_open(line) and line.name == "unnamed" and len(line.text.split()) > 1
            notice = _may_be_notice(line) and not lines[above].printed
            if free and not notice and _follows(line.box_px, lines[above].box_px):
                result[number] = "sig"
                above = None
        elif result[number]:
            above = None
    return result


def _follows(box: Box, above: Box) -> bool:
    """Whether a line stands right under another."""
    gap = box.y - (above.y + above.height)
    shared = min(box.x + box.width, above.x + above.width) - max(box.x, above.x)
    return (
        box.y + box.height / 2 > above.y + above.height / 2
        and gap < _LINE_GAP * max(box.height, above.height)
        and shared > _SHARED_WIDTH * min(box.width, above.width)
    )


def _grouped(before: Sequence[ReadLine], named: Sequence[ReadLine]) -> list[ReadLine]:
    """Number the medications anew where the reading changed what is a drug."""
    fixed = [
        line for line in named
        if line.named_by not in ("nobody", "place") and line.name == "drug" and line.group
    ]  # fmt: skip
    if fixed:
        return _joined_to(fixed, before, named)
    # Labels number what they name by counting: wrong once a drug between them was found.
    anew = {n for n, line in enumerate(before) if line.name == "drug"} != {
        n for n, line in enumerate(named) if line.name == "drug"
    }
    current = 0
    replaced = False
    result = []
    for old, line in zip(before, named, strict=True):
        counted = anew and line.named_by == "label" and line.group > 0
        if line.name not in _MEDICATION or not (_is_open(old) or counted):
            result.append(line)
            continue
        # A drug right under one that is crossed out takes its place. "2." behind what was nobody's
        # says that the first drug was not found: its directions must not go for the second.
        if line.name == "drug" and not replaced:
            current += 2 if _number_of(line.text) == current + 2 else 1
        replaced = line.name == "drug" and line.struck
        result.append(replace(line, group=max(current, 1)))
    return result


def _number_of(text: str) -> int:
    """The number before a line, 0 without one."""
    found = _LINE_NUMBER.match(text)
    return int(found[1]) if found else 0


def _joined_to(
    drugs: Sequence[ReadLine], before: Sequence[ReadLine], named: Sequence[ReadLine]
) -> list[ReadLine]:
    """Give lines to the labelled drug above them; a drug that was read is one more medication."""
    most = max(line.group for line in drugs)
    current = 0
    result = []
    for old, line in zip(before, named, strict=True):
        if line.name == "drug" and line.group and line in drugs:
            current = line.group
        if not _is_open(old) or line.name not in _MEDICATION:
            result.append(line)
        elif line.name == "drug" and old.name != "drug":
            most += 1
            current = most
            result.append(replace(line, group=current))
        elif old.name != line.name:
            result.append(replace(line, group=current or drugs[0].group))
        else:
            result.append(line)
    return result
