"""Where a page's free writing area is, and which words share a slot with one another."""

from __future__ import annotations

from collections.abc import Sequence

from .label_vocabulary import label_vocabulary, normalised
from .labels import Label, Placement, word_rows
from .types import Box, FieldRegion, PrintedWord

# Labels that end the free writing area below an Rx.
_BELOW_RX = {
    "refills", "signature", "substitution", "prescriber_name", "prescriber_npi", "prescriber_dea",
    "prescriber_phone", "date_written", "patient_name", "notes", "patient_dob", "patient_address",
    "patient_mrn", "patient_weight", "patient_age", "patient_sex", "allergies",
}  # fmt: skip
# An Rx is about as wide as high; a word this many times as wide is a heading.
_HEADING = 3.5
# Heights of a capital: from a label in a corner to the upper rule and to the lower one at most,
# and to the lower side of a frame of several rows.
_CORNER, _CELL, _FRAME = 1.5, 5.0, 12.0
_DOUBLE = 2.0  # heights of a capital: two rules so near are one for this
_UNDER_NAME = 1.5  # heights of the name
_OF_DRUGS = {"drug", "strength", "sig", "quantity"}
_PATIENT = {
    "patient_name", "patient_dob", "patient_address", "patient_age", "patient_sex",
    "patient_weight", "date_written", "patient_mrn", "allergies",
}  # fmt: skip


def rx_area(labels: Sequence[Label], words: Sequence[PrintedWord], width: int, height: int,
            unit_px: float, level_rules: Sequence[Box] = ()) -> Box | None:  # fmt: skip
    """Return the free writing area that a printed Rx opens, or None without an Rx.

    It starts a letter above the Rx and ends at the next row of closing labels, or at a footer.

    Args:
        labels, words: of the page.
        width, height: of the page in pixels.
        unit_px: height of a printed capital.
        level_rules: horizontal rules of the page: cells of the patient end at one.
    """
    marks = [label for label in labels if label.placement is Placement.AREA]
    if not marks:
        return _area_by_position(labels, words, width, height, unit_px, level_rules)
    # The biggest one: small print may speak of "Rx" too.
    box = max((mark.box_px for mark in marks), key=lambda b: b.height)
    top = max(0, round(box.y - 0.8 * unit_px))
    left = max(0, round(box.x - unit_px))
    if box.width > _HEADING * box.height:
        # "ORDONNANCE" is a heading: what it opens stands below it, as wide as the page.
        top, left = box.y + box.height, 0
    bottom = _bottom(labels, words, box.y + box.height, height, unit_px)
    if bottom <= box.y + box.height:
        return None
    return Box(left, top, width - left, round(bottom) - top)


def _area_by_position(
    labels: Sequence[Label], words: Sequence[PrintedWord], width: int, height: int, unit_px: float,
    level_rules: Sequence[Box],
) -> Box | None:  # fmt: skip
    """The writing area of a page whose Rx was not read: below the patient's rows.

    Only between rows of patient labels and a signature line, so that notes of another kind do
    not become prescriptions.
    """
    rows = [label.box_px for label in labels if label.field in _PATIENT]
    closing = [label.box_px.y for label in labels if label.field in ("signature", "substitution")]
    rows = [box for box in rows if closing and box.y < max(closing)]
    if len(rows) < 2:
        return None
    # "S:" and "#" may be handwriting that OCR could read.
    words_of_drugs = {one.field for one in labels if sum(c.isalpha() for c in one.text) > 2}
    if len(words_of_drugs & _OF_DRUGS) > 1:
        return None  # the form says what stands where
    top = max(_end_of_cell(box, level_rules, unit_px) for box in rows)
    frame = _end_of_frame(max(rows, key=lambda box: box.y), level_rules, unit_px)
    top = max([top, *(round(y - unit_px) for y in frame)])
    bottom = _bottom(labels, words, top, height, unit_px)
    if bottom - top < 8 * unit_px:
        return None
    top += round(1.5 * unit_px)
    return Box(0, top, width, round(bottom) - top)


def _end_of_cell(label: Box, level_rules: Sequence[Box], unit_px: float) -> int:
    """y where a label in the corner of a cell, or a label without one, has its value behind it."""
    end = label.y + label.height
    along = [
        rule.y + rule.height // 2 for rule in level_rules
        if rule.x <= label.x and label.x + label.width <= rule.x + rule.width
    ]  # fmt: skip
    in_a_cell = any(0 <= label.y - y < _CORNER * unit_px for y in along)
    under = [y for y in along if unit_px < y - end < _CELL * unit_px]
    # The area begins a little below what is said here.
    return max(end, round(min(under) - unit_px)) if in_a_cell and under else end


def _end_of_frame(label: Box, level_rules: Sequence[Box], unit_px: float) -> list[int]:
    """y of the lower side of a frame of several rows that a label stands in; [] outside of one.

    Its sides above and below are equally long. Lines to write on are several, and are no frame.
    """
    around = [
        rule for rule in level_rules
        if rule.x <= label.x and label.x + label.width <= rule.x + rule.width
    ]  # fmt: skip
    above = [rule for rule in around if rule.y < label.y - _CORNER * unit_px]
    below = [
        rule for rule in around
        if 0 < rule.y - label.y - label.height < _FRAME * unit_px
        and any(
            abs(rule.x - one.x) < unit_px and abs(rule.width - one.width) < 2 * unit_px
            for one in above
        )
    ]  # fmt: skip
    ends = sorted(rule.y + rule.height // 2 for rule in below)
    # A rule that parts the page may run right under the frame.
    return ends[:1] if ends and ends[-1] - ends[0] < _DOUBLE * unit_px else []


def _bottom(
    labels: Sequence[Label], words: Sequence[PrintedWord], below: int, height: int, unit_px: float
) -> float:
    """y where the writing area that goes on ``below`` this row ends."""
    bottom = float(height)
    for label in labels:
        if label.field in _BELOW_RX and label.box_px.y > below:
            lift = 4.0 * unit_px if label.placement is Placement.ABOVE else 1.2 * unit_px
            bottom = min(bottom, label.box_px.y - lift)
    for row in word_rows(words):
        # Four confident printed words side by side low on the page are a footer.
        first = words[row[0]].box_px
        sure = [i for i in row if words[i].confidence > 0.85]
        if first.y > 0.85 * height and len(sure) >= 4:
            bottom = min(bottom, first.y - unit_px)
    return bottom


def contains(box: Box, x: float, y: float) -> bool:
    """Whether a point lies in a box."""
    return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height


def centre(box: Box) -> tuple[float, float]:
    """Centre of a box, x and y in pixels."""
    return box.x + box.width / 2, box.y + box.height / 2


def same_row(one: Box, other: Box) -> bool:
    """Whether two printed boxes stand on one row."""
    overlap = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return overlap > 0.5 * min(one.height, other.height)


def word_slots(
    words: Sequence[PrintedWord], labels: Sequence[Label], area: Box | None
) -> list[str]:
    """Name the slot of every word: words of one slot are all print or all handwriting.

    A slot is a label, the space from one label to the next, or a run of words without a wide gap,
    in the free writing area (``rx``) or elsewhere.
    """
    slots = [""] * len(words)
    for number, label in enumerate(labels):
        for index in label.word_indexes:
            slots[index] = f"label {number}"
    for row_number, row in enumerate(word_rows(words)):
        owner, run = "", 0
        previous: Box | None = None
        for index in row:
            box = words[index].box_px
            if slots[index]:
                owner = slots[index]
            else:
                if previous is not None and box.x - (previous.x + previous.width) > 2 * box.height:
                    run += 1
                if area is not None and contains(area, *centre(box)):
                    # A stamp beside the writing must not vouch for it.
                    after = f"value of {owner}" if owner else f"row {row_number}"
                    slots[index] = f"rx {after} run {run}"
                else:
                    slots[index] = f"value of {owner}" if owner else f"row {row_number} run {run}"
            previous = box
    return slots


def reading_order(fields: Sequence[FieldRegion], unit_px: float) -> tuple[FieldRegion, ...]:
    """Sort fields top to bottom, and left to right where they stand side by side."""
    rest = sorted(fields, key=lambda field: centre(field.box_px)[1])
    ordered: list[FieldRegion] = []
    while rest:
        top = centre(rest[0].box_px)[1]
        row = [field for field in rest if centre(field.box_px)[1] - top < unit_px]
        ordered += sorted(row, key=lambda field: field.box_px.x)
        rest = rest[len(row) :]
    return tuple(ordered)


def is_address_under_name(box: Box, fields: Sequence[FieldRegion]) -> bool:
    """Whether a line stands right under the patient's name where one label asks for both.

    Args:
        box: of a line that has no name.
        fields: those that have one.
    """
    if any(one.name == "patient_address" for one in fields):
        return False
    known = label_vocabulary()
    for one in fields:
        if one.name != "patient_name" or not one.label:
            continue
        last = normalised(one.label).rsplit(" ", 1)[-1]
        under = box.y - (one.box_px.y + 0.6 * one.box_px.height)
        shared = min(box.x + box.width, one.box_px.x + one.box_px.width) - max(box.x, one.box_px.x)
        near = 0 < under < _UNDER_NAME * one.box_px.height
        if known.field_of(last) == "patient_address" and near and shared > 0:
            return True
    return False
