"""The words that forms print beside their fields, and where they stand on a page."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .label_vocabulary import DOSE, PART, LabelVocabulary, label_vocabulary, normalised
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


# These stand under a line that is signed above them.
_UNDER_A_LINE = {"signature", "substitution"}
_TITLE = 1.25  # of the usual height of a label
_JOINS = ("&", "/", "+", "-", "–")  # between the words of one label
_SPACE = 0.75  # of the word height: a space of running bold print is up to 0.6


def field_of_phrase(phrase: str) -> str | None:
    """Return the field a normalised phrase names in any language, "" for a mere stop, else None."""
    return label_vocabulary().field_of(phrase)


def find_labels(
    words: Sequence[PrintedWord],
    vocabulary: LabelVocabulary | None = None,
    by_pen: Collection[int] = (),
) -> tuple[Label, ...]:
    """Find the printed labels among the words of a page, longest phrase first, in reading order.

    Args:
        words: what OCR read; ``split_glued`` parts labels from values first.
        vocabulary: the languages enabled; None: all that are known.
        by_pen: indexes of words that are handwriting as it seems: they make no sentence with print.
    """
    known = vocabulary or label_vocabulary()
    labels: list[Label] = []
    for row in word_rows(words):
        at = 0
        while at < len(row):
            label = _label_at(words, row, at, known, by_pen)
            if label is None:
                at += 1
                continue
            if not (labels and _explains(label, labels[-1])):
                labels.append(label)
            at += len(label.word_indexes)
    return tuple(_in_context(_doses(_drugs_behind_rx(labels), known)))


def _doses(labels: list[Label], known: LabelVocabulary) -> list[Label]:
    """Take "Dose" for the strength where another label asks for the directions.

    "Frequency" asks for them unless a label asks for all of them; then it only says them again, and
    is shown without a name.
    """
    asked = {n: known.columns.get(normalised(one.text)) for n, one in enumerate(labels)
             if one.field == "sig"}  # fmt: skip
    whole = any(role not in (DOSE, PART) for role in asked.values())
    strengths = any(one.field == "strength" for one in labels)
    is_strength = not strengths and (whole or PART in asked.values())

    def meant(number: int, one: Label) -> Label:
        if asked.get(number) == DOSE and is_strength:
            return replace(one, field="strength")
        if asked.get(number) == PART and whole:
            return replace(one, field="", placement=Placement.NONE)
        return one

    return [meant(number, one) for number, one in enumerate(labels)]


def split_glued(
    words: Sequence[PrintedWord], vocabulary: LabelVocabulary | None = None
) -> tuple[PrintedWord, ...]:
    """Part labels from the values that OCR glued to them: ``DOB:4/12/88`` -> ``DOB:``, ``4/12/88``.

    The box is cut where the colon stands, as if all letters were equally wide.
    """
    known = vocabulary or label_vocabulary()
    parted: list[PrintedWord] = []
    for word in words:
        head, colon, tail = word.text.partition(":")
        if colon and tail.strip() and known.field_of(normalised(head), colon=True) is not None:
            box = word.box_px
            cut = round(box.width * (len(head) + 1) / len(word.text))
            parted.append(
                replace(word, text=head + colon, box_px=Box(box.x, box.y, cut, box.height))
            )
            rest = Box(box.x + cut, box.y, max(1, box.width - cut), box.height)
            parted.append(replace(word, text=tail.strip(), box_px=rest))
        else:
            parted.append(word)
    return tuple(parted)


def _label_at(
    words: Sequence[PrintedWord], row: list[int], at: int, known: LabelVocabulary,
    by_pen: Collection[int],
) -> Label | None:  # fmt: skip
    for length in range(min(known.longest, len(row) - at), 0, -1):
        indexes = row[at : at + length]
        if not _close_together([words[i].box_px for i in indexes]):
            continue
        text = " ".join(words[i].text for i in indexes)
        if not all(_belongs(words[i].text) for i in indexes[1:-1]):
            continue
        if not all(normalised(words[i].text) for i in (indexes[0], indexes[-1])):
            continue
        if any(words[i].text.rstrip().endswith(":") for i in indexes[:-1]):
            continue  # the label ended there: "Patient: Nora" is no "patient name"
        colon = text.rstrip().endswith(":")
        field = known.field_of(normalised(text), colon=colon)
        if field is None:
            continue
        if field != "rx" and _inside_a_sentence(words, row, at, length, known, by_pen):
            continue
        box = union([words[i].box_px for i in indexes])
        if field == "rx":
            return Label("rx", text, box, Placement.AREA, tuple(indexes))
        if field == "":
            return Label("", text, box, Placement.NONE, tuple(indexes))
        where = Placement.ABOVE if field in _UNDER_A_LINE else Placement.BESIDE
        # "Signature:" with a colon is signed beside, not above.
        if colon:
            where = Placement.BESIDE
        return Label(field, text, box, where, tuple(indexes))
    return None


def _belongs(text: str) -> bool:
    """Whether a word may stand inside of a label: one with letters, or a sign between two."""
    return bool(normalised(text)) or text in _JOINS


def _explains(label: Label, before: Label) -> bool:
    """Whether what is read as a label stands in brackets behind one, and only explains it."""
    gap = label.box_px.x - (before.box_px.x + before.box_px.width)
    height = max(label.box_px.height, before.box_px.height)
    level = abs(label.box_px.y - before.box_px.y) < 0.5 * height
    return label.text.startswith("(") and level and 0 <= gap < 1.2 * height


def _drugs_behind_rx(labels: Sequence[Label]) -> list[Label]:
    """Take an Rx that is set like the labels around it, before each drug, for a drug's label."""
    signs = [one for one in labels if one.field == "rx"]
    rest = [one for one in labels if one.field in ("sig", "quantity")]

    def in_line(sign: Label) -> bool:
        box = sign.box_px
        return any(
            abs(one.box_px.x - box.x) < box.height
            and box.y < one.box_px.y < box.y + 12 * box.height
            and 0.6 < one.box_px.height / box.height < 1.7
            for one in rest
        )  # fmt: skip

    if not signs or not all(in_line(one) for one in signs):
        return list(labels)
    return [
        replace(one, field="drug", placement=Placement.BESIDE) if one.field == "rx" else one
        for one in labels
    ]


def _in_context(labels: Sequence[Label]) -> list[Label]:
    """Take the names off labels that speak of another person than the one they would name.

    An address over the patient's rows is the practice's; a phone inside of them is the patient's,
    and the product has no field for it: what stands there is shown without a name.
    """
    labels = _without_titles(labels)
    rows = [one.box_px.y for one in labels if one.field in ("patient_name", "patient_dob")]
    if not rows:
        return labels
    top, bottom = min(rows), max(rows)
    addresses = [one for one in labels if one.field == "patient_address"]
    if len(addresses) > 1:
        bottom = max(bottom, *(one.box_px.y for one in addresses))
    kept = []
    for label in labels:
        height = label.box_px.height
        foreign = label.field == "patient_address" and (
            len(addresses) > 1 and label.box_px.y < top - 1.5 * height
        )
        patients = label.field == "prescriber_phone" and (
            top - 0.5 * height <= label.box_px.y <= bottom + 2.5 * height
        )
        if foreign or patients:
            label = replace(label, field="", placement=Placement.NONE)
        kept.append(label)
    return kept


def _without_titles(labels: Sequence[Label]) -> list[Label]:
    """Take the name off a heading such as PRESCRIPTION: large, and above all other labels."""
    rest = [one for one in labels if one.field not in ("drug", "rx", "")]
    if not rest:
        return list(labels)
    top = min(one.box_px.y for one in rest)
    usual = sorted(one.box_px.height for one in rest)[len(rest) // 2]

    def is_title(one: Label) -> bool:
        box = one.box_px
        return one.field == "drug" and box.y + box.height < top and box.height > _TITLE * usual

    return [
        replace(one, field="", placement=Placement.NONE) if is_title(one) else one
        for one in labels
    ]  # fmt: skip


def _inside_a_sentence(
    words: Sequence[PrintedWord], row: list[int], at: int, length: int, known: LabelVocabulary,
    by_pen: Collection[int],
) -> bool:  # fmt: skip
    """Whether running text goes on before or behind a phrase: then it labels nothing."""
    first, last = words[row[at]], words[row[at + length - 1]]
    if at > 0 and row[at - 1] not in by_pen:
        before = words[row[at - 1]]
        gap = first.box_px.x - (before.box_px.x + before.box_px.width)
        label = known.fields.get(normalised(before.text))
        if gap < _SPACE * first.box_px.height and label is None:
            return True
    if last.text.endswith(":") or at + length == len(row) or row[at + length] in by_pen:
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
