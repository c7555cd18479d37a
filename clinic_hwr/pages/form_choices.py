"""Printed choices inside of a form's region for text: what a pen marks of them is the value.

Whoever teaches a form may draw one region over "M F" and not a checkbox over each. The ink that
was added there is a circle or a tick, and says nothing without the print around it. The print is
read on the clean page, where no circle hides it, and laid over the page as the form is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .areas import centre, contains
from .checkboxes import Checkbox, find_checkboxes
from .choice_reread import reread_rows
from .choice_rows import ChoiceRow, Option, options_in, overlap_x
from .choice_sexes import in_their_language
from .choice_words import options_of
from .choices import row_answer
from .form_match import FormMatch, FormSheet
from .form_template import RegionKind, TemplateRegion
from .labels import union
from .pen_strokes import Stroke
from .registration import PagePrint, page_boxes
from .survey import PageSurvey
from .types import Box, FieldRegion, MarkDoubt, NamedBy, PrintedWord

_RULE_PX = 6  # of the form: what is no higher or wider is a rule
_BEFORE, _AROUND = 9.0, 0.5  # capitals beside a region, and above it, that are read with it
_TICKED = 0.06  # of the inside of a square: a tick or a cross has more ink
_INNER = 0.2  # of a square's side, cut off on each side
_NEAR = 1.5  # capitals: a mark may reach so far out of its region
_FEWEST = 2  # one printed word is no choice


@dataclass(frozen=True, slots=True)
class PrintedChoices:
    """The choices that a form prints in a region, in pixels of the form."""

    region: int
    options: tuple[Option, ...]
    squares: tuple[Box, ...]


def printed_choices(sheet: FormSheet) -> tuple[PrintedChoices, ...]:
    """Read the choices in the regions for text of fields that have any, in one call of OCR."""
    asked = [
        (number, area, pieces)
        for number, region in enumerate(sheet.regions)
        if region.kind in (RegionKind.TEXT, RegionKind.DIGITS) and options_of(region.field)
        for area, pieces in [_print_in(sheet, region)]
        if pieces
    ]
    if not asked:
        return ()
    gray = np.asarray(255 - sheet.print.mask, np.uint8)
    units = [float(np.median([piece.height for piece in pieces])) for _, _, pieces in asked]
    squares = [
        tuple(
            one.box_px for one in find_checkboxes(sheet.print.mask, unit)
            if contains(area, *centre(one.box_px))
        )
        for (_, area, _), unit in zip(asked, units, strict=True)
    ]  # fmt: skip
    strips = [
        (_strip(area, unit), (), some)
        for (_, area, _), unit, some in zip(asked, units, squares, strict=True)
    ]
    found = []
    for (number, area, _), some, words in zip(
        asked, squares, reread_rows(gray, strips, units), strict=True
    ):
        field = sheet.regions[number].field
        label = f"{sheet.regions[number].label} {' '.join(word.text for word in words)}"
        options = _options(words, area, some, options_of(field))
        if field == "patient_sex":
            options = in_their_language(options, label)
        if len({one.value for one in options}) >= _FEWEST:
            found.append(PrintedChoices(number, options, some))
    return tuple(found)


def form_choices(
    page: PagePrint,
    survey: PageSurvey,
    match: FormMatch,
    boxes: Sequence[Box],
    shared: Mapping[int, Sequence[Stroke]],
    strokes: Sequence[Stroke],
) -> dict[int, FieldRegion]:
    """Return what is marked among printed choices, by the number of the region over them.

    Args:
        page: the upright page with its print.
        survey: of the page without the form's print.
        match: the form it is printed on.
        boxes: where each region lies on the page.
        shared: the strokes of each region.
        strokes: of the page.
    """
    found: dict[int, FieldRegion] = {}
    owned = {stroke: number for number, some in shared.items() for stroke in some}
    for printed in printed_choices(match.sheet):
        number, box = printed.region, boxes[printed.region]
        region = match.sheet.regions[number]
        row = _row_on_page(printed, region.field, match, survey.ink)
        near = _grown(box, round(_NEAR * row.unit_px))
        mine = [
            stroke for stroke in strokes
            if owned.get(stroke, number) == number and contains(near, *centre(stroke.box_px))
        ]  # fmt: skip
        seen = replace(survey, gray=page.gray, all_ink=_ink(page, survey, row, mine))
        answer = row_answer(seen, row)
        on_print = [
            one.box_px for one in mine if any(_touch(one.box_px, o.box_px) for o in row.options)
        ]
        if answer is None or answer.mark_doubt is MarkDoubt.NONE:
            if not on_print:
                continue
            answer = FieldRegion(
                region.field, region.field_kind, union(on_print), mark_doubt=MarkDoubt.UNREAD,
                options=tuple(dict.fromkeys(one.value for one in row.options if one.value)),
            )  # fmt: skip
        elif answer.mark_doubt and on_print:
            answer = replace(answer, box_px=union(on_print))
        found[number] = replace(
            answer, group=region.group, label=region.label, named_by=NamedBy.FORM
        )
    return found


def _print_in(sheet: FormSheet, region: TemplateRegion) -> tuple[Box, list[Box]]:
    """A region in pixels of its form, and the words and squares that are printed in it."""
    height, width = sheet.print.mask.shape
    x, y, w, h = region.box
    area = Box(round(x * width), round(y * height), round(w * width), round(h * height))
    return area, [
        piece for piece in sheet.print.pieces
        if min(piece.width, piece.height) > _RULE_PX and contains(area, *centre(piece))
        and piece.height <= area.height
    ]  # fmt: skip


def _strip(area: Box, unit: float) -> Box:
    """A region and what is printed before it: its label."""
    before, around = round(_BEFORE * unit), round(_AROUND * unit)
    return Box(area.x - before, area.y - around, area.width + before + round(3 * unit),
               area.height + 2 * around)  # fmt: skip


def _options(
    words: Sequence[PrintedWord], area: Box, squares: Sequence[Box], known: Mapping[str, str]
) -> tuple[Option, ...]:
    """The choices among the words of a region, each once."""
    boxes = [Checkbox(square, False) for square in squares]
    read = [
        one for word in words for one in options_in(word, known, boxes)
        if contains(area, *centre(one.box_px))
        and not any(overlap_x(square, one.box_px) > 0.5 * one.box_px.width for square in squares)
    ]  # fmt: skip
    best: dict[str, Option] = {}
    for one in read:
        if one.value not in best or one.confidence > best[one.value].confidence:
            best[one.value] = one
    return tuple(sorted(best.values(), key=lambda one: one.box_px.x))


def _row_on_page(
    printed: PrintedChoices, field: str, match: FormMatch, ink: NDArray[np.uint8]
) -> ChoiceRow:
    """The choices of a form where they stand on the page, and which squares have ink inside."""
    form = match.sheet.print.mask.shape
    places = page_boxes(match.registration, tuple(o.box_px for o in printed.options), form)
    options = [
        replace(one, box_px=box) for one, box in zip(printed.options, places, strict=True)
    ]  # fmt: skip
    squares = page_boxes(match.registration, printed.squares, form)
    return ChoiceRow(
        field, None, tuple(options), options_of(field),
        tuple(Checkbox(box, _is_ticked(box, ink)) for box in squares),
        float(np.median([box.height for box in places])),
    )  # fmt: skip


def _is_ticked(box: Box, ink: NDArray[np.uint8]) -> bool:
    cut = max(2, round(_INNER * box.width))
    inner = ink[max(0, box.y + cut) : max(0, box.y + box.height - cut),
                max(0, box.x + cut) : max(0, box.x + box.width - cut)]  # fmt: skip
    return bool(inner.size) and float((inner > 0).mean()) > _TICKED


def _ink(
    page: PagePrint, survey: PageSurvey, row: ChoiceRow, strokes: Sequence[Stroke]
) -> NDArray[np.uint8]:
    """The ink of some strokes, and the print of the choices, which marks are around."""
    kept = np.zeros_like(survey.ink)
    for stroke in strokes:
        _copy(survey.ink, kept, stroke.box_px)
    for option in row.options:
        _copy(page.mask, kept, option.box_px)
    return kept


def _copy(source: NDArray[np.uint8], target: NDArray[np.uint8], box: Box) -> None:
    part = (slice(max(0, box.y), max(0, box.y + box.height)),
            slice(max(0, box.x), max(0, box.x + box.width)))  # fmt: skip
    target[part] |= source[part]


def _touch(stroke: Box, option: Box) -> bool:
    """Whether a stroke is at a choice: on it, or right under it."""
    below = option.height
    return (
        overlap_x(stroke, option) > 0
        and stroke.y < option.y + option.height + below
        and option.y < stroke.y + stroke.height
    )


def _grown(box: Box, by: int) -> Box:
    return Box(box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)
