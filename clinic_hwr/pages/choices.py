"""Printed choices one of which a pen marks: circled, underlined, ticked in a box, crossed over.

A mark that may mean two things gives the field without a value and says why: a person chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .areas import centre, same_row
from .checkboxes import Checkbox
from .choice_marks import CHOSEN, Mark, MarkKind, row_marks
from .choice_reread import reread_rows
from .choice_rows import (
    ChoiceRow,
    Option,
    beside_label,
    choice_rows,
    gap_to,
    hidden_boxes,
    inside,
    options_in,
    overlap_x,
    scale_of,
    stand_before,
    within_rules,
)
from .choice_sexes import are_glued, in_their_language, may_have_a_third
from .choice_words import SEXES
from .circled_phrases import circled_phrase
from .labels import Label, union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import FIELD_NAMES, Box, FieldRegion, MarkDoubt, PrintedWord

_FEWEST_UNMARKED = 3  # so many printed choices are a row of choices also when none is marked
_WORD_WIDE = 1.25  # width to height of a loop around more than one character
_BY_PLACE = 0.7  # confidence in a choice that OCR did not read, told by what stands beside it


@dataclass(frozen=True, slots=True)
class ChoiceFound:
    """A field of marked choices, the pen strokes it used up, and the label it answers."""

    field: FieldRegion
    strokes: frozenset[Stroke]
    label: Label | None


def choice_fields(survey: PageSurvey, words: Sequence[PrintedWord]) -> list[ChoiceFound]:
    """Return the fields of a page whose values are marked among printed choices.

    Args:
        survey: of the page.
        words: all that OCR read, choices among them that look like writing.
    """
    found = []
    rows = list(choice_rows(survey, words))
    for row in _reread(survey, rows) if words else rows:
        if row.field == "patient_sex":
            asks = row.label.text if row.label else ""
            row = replace(row, options=in_their_language(row.options, asks))
        field = row_answer(survey, row) or _glued(survey, row)
        if field is not None:
            around = [field.box_px, *(one.box_px for one in row.options)]
            around += [one.box_px for one in row.boxes]
            used = frozenset(
                s for s in survey.strokes
                if any(inside(s.box_px, box, 0.35 * row.unit_px) for box in around)
            )  # fmt: skip
            found.append(ChoiceFound(field, used, row.label))
    if not any(one.field.name == "substitution" and one.field.present is not None for one in found):
        circled = circled_phrase(survey, words, [one.field.box_px for one in found])
        if circled is not None:
            found = [one for one in found if one.field.name != "substitution"]
            found.append(ChoiceFound(circled[0], circled[1], None))
    return found


def _glued(survey: PageSurvey, row: ChoiceRow) -> FieldRegion | None:
    """A row of sexes whose boxes were not seen and were read as letters: to be asked, no value."""
    if row.field != "patient_sex" or row.label is None:
        return None
    beside = beside_label(survey, row.label)
    words = [one for one in survey.words if inside(one.box_px, beside, 0.0)]
    if not are_glued([one.text for one in words]):
        return None
    return _field(row, None, union([one.box_px for one in words]), MarkDoubt.UNREAD, ())


def _reread(survey: PageSurvey, rows: Sequence[ChoiceRow]) -> list[ChoiceRow]:
    """Rows whose marked choices OCR did not read, or read with their circles, read once more."""
    marks = {n: _marks(survey, row) for n, row in enumerate(rows)}
    loops = {
        n: [mark.box_px for mark in some if mark.kind is MarkKind.RING and mark.holds]
        for n, some in marks.items()
    }
    again = [n for n, row in enumerate(rows) if _is_unclear(row, loops[n])]
    areas = [(_area(rows[n], loops[n]), loops[n], [b.box_px for b in rows[n].boxes]) for n in again]
    better = list(rows)
    for n, words in zip(
        again, reread_rows(survey.gray, areas, [survey.unit_px] * len(areas)), strict=True
    ):
        better[n] = _with_words(survey, rows[n], words)
    return better


def _is_unclear(row: ChoiceRow, loops: Sequence[Box]) -> bool:
    plain = [o.box_px for o in row.plain]
    held = all(any(inside(box, loop, 0.0) for box in plain) for loop in loops)
    return bool(loops and not held) or 0 < len(plain) < len(row.boxes) or (
        bool(row.boxes) and not plain
    )  # fmt: skip


def _area(row: ChoiceRow, loops: Sequence[Box]) -> Box:
    """A row with its label, a little more than its choices on the right."""
    boxes = [o.box_px for o in row.options] + [b.box_px for b in row.boxes] + list(loops)
    # A label under which the choices stand belongs to another row.
    beside = [row.label.box_px] if row.label and same_row(row.label.box_px, union(boxes)) else []
    whole = union(boxes + beside)
    unit = round(row.unit_px)
    middles = [centre(box)[1] for box in boxes]
    middle = round(float(np.median(middles)))
    return Box(whole.x - unit, middle - round(1.1 * unit), whole.width + 10 * unit,
               round(2.2 * unit))  # fmt: skip


def _with_words(survey: PageSurvey, row: ChoiceRow, words: Sequence[PrintedWord]) -> ChoiceRow:
    """A row with what was read anew, and of the old what stands where nothing was."""
    start = row.label.box_px.x + row.label.box_px.width if row.label else 0
    under = row.label is not None and not any(
        same_row(row.label.box_px, word.box_px) for word in words
    )
    new = [
        one for word in words if under or word.box_px.x + word.box_px.width > start
        for one in options_in(word, row.words, row.boxes)
        if not any(overlap_x(b.box_px, one.box_px) > 0.5 * one.box_px.width for b in row.boxes)
    ]  # fmt: skip
    if not new:
        return row
    kept = [
        one for one in row.plain
        if not any(overlap_x(one.box_px, other.box_px) > 0 for other in new)
    ]  # fmt: skip
    options = sorted([*new, *kept], key=lambda one: one.box_px.x)
    hidden = hidden_boxes(survey, options, row.boxes)
    return replace(row, options=tuple(options), boxes=(*row.boxes, *hidden))


def row_answer(survey: PageSurvey, row: ChoiceRow) -> FieldRegion | None:
    """What the marks of a row say; None when it is no row of choices."""
    row, marks = _without_other_rows(survey, row)
    unread = 0
    chosen: list[tuple[Option | None, Box]] = []
    crossed: list[tuple[Option | None, Box]] = []
    strange = any(mark.kind is MarkKind.OTHER for mark in marks)
    for mark in marks:
        if mark.kind is MarkKind.OTHER:
            continue
        under = _under_mark(mark, row)
        if not under and not mark.holds and _unread(mark, row) is None:
            continue  # a loop around nothing is a letter, but where a number has to be
        if mark.kind is MarkKind.RING and len(under) == 1:
            under = _checked(under[0], mark, row)
        unread += not under
        side = chosen if mark.kind in CHOSEN else crossed
        side += [(one, mark.box_px) for one in under] or [(_unread(mark, row), mark.box_px)]
    boxed, seen = _ticked(row)
    chosen += boxed
    rows = len(row.options) + len(row.boxes) + unread
    if strange and not chosen and row.options:
        around = union([one.box_px for one in row.options])
        return _field(row, None, around, MarkDoubt.UNREAD, _shown(row.options))
    if not chosen and not crossed:
        values = {one.value for one in row.options}
        asked = row.field in ("refills", "patient_sex") and len(values) >= (
            _FEWEST_UNMARKED if row.field == "refills" else 2
        )
        if asked or (row.field == "substitution" and row.options):
            around = union([one.box_px for one in row.options])
            return _field(row, None, around, MarkDoubt.NONE, ())
        return None
    if rows < 2 and not boxed and not (row.label and unread):
        return None  # a single word with a circle around it is writing, or a stamp
    values = {one.value if one else "" for one, _ in chosen}
    around = union([box for _, box in chosen or crossed])
    if not chosen:
        return _field(row, None, around, MarkDoubt.CROSSED, _shown(row.options))
    over = {one.value for one, _ in crossed if one}
    if len(values) > 1 or over & values:
        doubt = MarkDoubt.SEVERAL if len(values) > 1 else MarkDoubt.CROSSED
        return _field(row, None, around, doubt, _shown([one for one, _ in chosen if one]))
    option = chosen[0][0]
    if option is None or not option.value or strange or (boxed and not seen):
        return _field(row, None, around, MarkDoubt.UNREAD, _shown(row.options))
    return _field(row, option, around, MarkDoubt.NO, (option.value,))


def _shown(options: Sequence[Option]) -> tuple[str, ...]:
    """The values to choose among, each once."""
    return tuple(dict.fromkeys(one.value for one in options if one.value))


def _marks(survey: PageSurvey, row: ChoiceRow) -> list[Mark]:
    plain = [o.box_px for o in row.plain]
    slot = beside_label(survey, row.label) if row.label else None
    if slot is not None and not row.options:
        slot = within_rules(survey, slot)
    return row_marks(
        survey, [o.box_px for o in row.options], plain, [b.box_px for b in row.boxes],
        [row.label.box_px] if row.label else [], row.unit_px, slot,
    )  # fmt: skip


def _checked(option: Option, mark: Mark, row: ChoiceRow) -> list[Option]:
    """What OCR read inside of a circle, if nothing speaks against it: a circled 1 is read as (4).

    Returns:
        The choice, or [] where it is to be told by its place, if at all.
    """
    others = tuple(one for one in row.options if one is not option)
    if any(one.value == option.value for one in others):
        return []
    if not option.value.isdigit():
        return [option]
    place = _number_by_place(mark.box_px, replace(row, options=others), outside=True)
    if place != option.value:
        known = sum(one.value.isdigit() for one in others)
        return [option] if place is None and known < 2 else []
    wide = mark.box_px.width > _WORD_WIDE * mark.box_px.height
    return [] if wide and len(option.value) == 1 else [option]


def _under_mark(mark: Mark, row: ChoiceRow) -> list[Option]:
    """The choices that a mark covers: by their middle, or by a good part of their width."""
    box = mark.box_px
    found = []
    for one in row.options:
        middle = centre(one.box_px)[0]
        share = overlap_x(box, one.box_px) / max(1, one.box_px.width)
        under = box.x <= middle < box.x + box.width or share > 0.4
        if under if mark.kind is MarkKind.RING else mark.option_px == one.box_px:
            found.append(one)
    return found


def _unread(mark: Mark, row: ChoiceRow) -> Option | None:
    """A choice that OCR did not read inside of its circle, told by the others of the row."""
    if row.field == "refills":
        if mark.box_px.width > _WORD_WIDE * mark.box_px.height:
            return None  # around NR or PRN
        # One whose box is too large may be marked itself: it says only what stands before it.
        numbers = tuple(one for one in row.options if one.value.isdigit())
        tellers = (replace(row, options=some) for some in (row.plain, numbers))
        told = (_number_by_place(mark.box_px, one) for one in tellers)
        number = next((one for one in told if one is not None), None)
        return None if number is None else Option(number, mark.box_px, _BY_PLACE)
    rest = _missing(row)
    return None if rest is None else Option(rest, mark.box_px, _BY_PLACE)


def _missing(row: ChoiceRow) -> str | None:
    """The one choice of two that OCR did not read, where it read the other."""
    if len({one.value for one in row.options}) != 1:
        return None
    value = row.options[0].value
    if row.label is not None and may_have_a_third(row.label.text):
        return None
    pairs = (("M", "F"), ("Male", "Female"), ("Yes", "No"), ("AM", "PM"))
    for pair in pairs:
        if value in pair and (len(value) > 1 or row.words.keys() <= SEXES.keys()):
            return pair[1 - pair.index(value)]
    return None


def _number_by_place(box: Box, row: ChoiceRow, *, outside: bool = False) -> str | None:
    """Read a number off its place among the evenly spaced numbers of a row.

    Before the first and behind the last there may stand words as well (NR, PRN): there it says
    nothing, unless NR was read elsewhere or ``outside`` asks for it.
    """
    scale = scale_of(row.options)
    number = None if scale is None else scale.number_at(centre(box)[0])
    if scale is None or number is None:
        return None
    numbers = scale.numbers
    low, high = min(numbers), max(numbers)
    words = any(not option.value.isdigit() for option in row.options)
    # Before 1 there stands 0 or NR, which say the same.
    next_to = number in (low - 1, high + 1) and (words or (number, low) == (0, 1))
    if not (low < number < high or outside or next_to):
        return None
    return str(number) if 0 <= number <= 12 and number not in numbers else None


def _without_other_rows(survey: PageSurvey, row: ChoiceRow) -> tuple[ChoiceRow, list[Mark]]:
    """A row and its marks without what stands far from its numbers: a box of its own, ticked.

    Only beside a circle around one of the numbers; else a mark far off may be around a choice that
    OCR did not read.
    """
    marks = _marks(survey, row)
    scale = scale_of(row.options) if row.field == "refills" else None
    if scale is None:
        return row, marks

    def is_far(box: Box) -> bool:
        return scale.is_far_from(centre(box)[0])

    if not any(mark.kind is MarkKind.RING and not is_far(mark.box_px) for mark in marks):
        return row, marks
    options = tuple(one for one in row.options if not (one.value.isdigit() and is_far(one.box_px)))
    boxes = row.boxes
    if all(is_far(one.box_px) for one in boxes):
        boxes = ()
    wide = [_WORD_WIDE * mark.box_px.height < mark.box_px.width for mark in marks]
    kept = [
        mark for mark, word in zip(marks, wide, strict=True)
        if not is_far(mark.box_px) or (mark.kind is MarkKind.RING and word)
    ]  # fmt: skip
    return replace(row, options=options, boxes=boxes), kept


def _ticked(row: ChoiceRow) -> tuple[list[tuple[Option | None, Box]], bool]:
    """The choices whose boxes are marked, and whether every choice's box was seen.

    Boxes stand before their choices, or behind them. A box that was not found may be ticked too.
    """
    if not row.boxes:
        return [], True
    before = stand_before(row.options, row.boxes)
    pairs: list[tuple[Checkbox, Option | None]] = []
    for one in row.boxes:
        near = [
            (gap, option) for option in row.options
            if (gap := gap_to(one.box_px, option.box_px, before)) is not None
        ]  # fmt: skip
        pairs.append((one, min(near, key=lambda item: item[0])[1] if near else None))
    owned = [option for _, option in pairs if option is not None]
    ticked: list[tuple[Option | None, Box]] = []
    for one, option in pairs:
        if not one.marked:
            continue
        if option is not None and owned.count(option) > 1:
            option = None  # two boxes claim one choice: the other was not read
        if option is None and len(pairs) == 2 and len(owned) == 1:
            rest = _missing(row)
            option = None if rest is None else Option(rest, one.box_px, _BY_PLACE)
        if option is None and row.field == "refills":
            known = tuple(
                Option(o.value, box.box_px, o.confidence)
                for box, o in pairs if o is not None and owned.count(o) == 1
            )  # fmt: skip
            number = _number_by_place(one.box_px, replace(row, options=known))
            option = None if number is None else Option(number, one.box_px, _BY_PLACE)
        ticked.append((option, one.box_px))
    return ticked, len(row.boxes) >= max(2, len({one.value for one in row.options}))


def _field(
    row: ChoiceRow, option: Option | None, box: Box, doubt: MarkDoubt, shown: tuple[str, ...]
) -> FieldRegion:
    kind = FIELD_NAMES[row.field]
    label = row.label.text if row.label else ""
    if row.field == "substitution":
        present = None
        if option is not None:
            present = option.value in ("Yes", "Generic")
        return FieldRegion(row.field, kind, box, label=label, present=present,
                           mark_doubt=doubt, options=shown)  # fmt: skip
    return FieldRegion(
        row.field, kind, box, label=label, printed_text=option.value if option else None,
        confidence=option.confidence if option else 0.0, mark_doubt=doubt, options=shown,
    )  # fmt: skip
