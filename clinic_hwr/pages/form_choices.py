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
from .form_template import RegionKind
from .labels import union
from .pen_strokes import Stroke
from .registration import PagePrint, page_boxes
from .survey import PageSurvey
from .types import Box, FieldRegion, MarkDoubt, NamedBy, PrintedWord

_RULE_PX = 6  # of the form: what is no higher or wider is a rule
_BEFORE = 9.0  # capitals beside a region that are looked at with it
_READ = 0.5  # confidence of OCR in a clean word; below it a piece of a label is read as a number
_WORD = 8.0  # capitals: a choice of one word is no wider
_GOES_ON = 4.0  # capitals from one choice to the next, beside the region
_AT = 0.5  # of a printed word's width: what was read there is that word
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
        one for number, region in enumerate(sheet.regions)
        if region.kind in (RegionKind.TEXT, RegionKind.DIGITS) and options_of(region.field)
        and (one := _asked(sheet, number)).pieces
    ]  # fmt: skip
    if not asked:
        return ()
    # A letter alone is read where a row of letters is not, and a row where a letter is not.
    strips = [(number, strip) for number, one in enumerate(asked) for strip in one.strips()]
    read = reread_rows(
        np.asarray(255 - sheet.print.mask, np.uint8),
        [(strip, (), asked[number].squares) for number, strip in strips],
        [asked[number].unit_px for number, _ in strips],
    )
    found = []
    for place, one in enumerate(asked):
        words = [
            word for (number, _), some in zip(strips, read, strict=True) if number == place
            for word in some
        ]  # fmt: skip
        region = sheet.regions[one.region]
        options = _in_a_row(_options(words, one, options_of(region.field)), one)
        if region.field == "patient_sex":
            label = " ".join([region.label, *(word.text for word in words)])
            options = in_their_language(options, label)
        if len({option.value for option in options}) >= _FEWEST:
            found.append(PrintedChoices(one.region, options, one.squares))
    return tuple(found)


def form_choices(
    page: PagePrint,
    survey: PageSurvey,
    match: FormMatch,
    printed: Sequence[PrintedChoices],
    boxes: Sequence[Box],
    shared: Mapping[int, Sequence[Stroke]],
    strokes: Sequence[Stroke],
) -> dict[int, FieldRegion]:
    """Return what is marked among printed choices, by the number of the region over them.

    Args:
        page: the upright page with its print.
        survey: of the page without the form's print.
        match: the form it is printed on.
        printed: the choices of that form.
        boxes: where each region lies on the page.
        shared: the strokes of each region.
        strokes: of the page.
    """
    found: dict[int, FieldRegion] = {}
    owned = {stroke: number for number, some in shared.items() for stroke in some}
    for choices in printed:
        number, box = choices.region, boxes[choices.region]
        region = match.sheet.regions[number]
        row = _row_on_page(choices, region.field, match, page.mask)
        around = [one.box_px for one in row.options] + [one.box_px for one in row.boxes]
        whole = union([box, *around])
        near = _grown(whole, round(_NEAR * row.unit_px))
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A region with print in it, in pixels of the form: its words, also beside it, and squares."""

    region: int
    area: Box
    pieces: tuple[Box, ...]
    squares: tuple[Box, ...]
    unit_px: float

    def strips(self) -> list[Box]:
        """What to read: the region with the label before it, without it, and each word alone."""
        unit = round(self.unit_px)
        bare = _grown(self.area, unit // 2)
        whole = _grown(union([self.area, *self.pieces]), unit // 2)
        alone = [one for one in self.pieces if one.width < _WORD * unit]
        return [whole, bare, *(_grown(one, unit // 3) for one in alone)]


def _asked(sheet: FormSheet, number: int) -> _Asked:
    height, width = sheet.print.mask.shape
    x, y, w, h = sheet.regions[number].box
    area = Box(round(x * width), round(y * height), round(w * width), round(h * height))
    print_in = [
        piece for piece in sheet.print.pieces
        if min(piece.width, piece.height) > _RULE_PX and piece.height <= 1.5 * area.height
        and area.y <= centre(piece)[1] < area.y + area.height
    ]  # fmt: skip
    inside = [piece for piece in print_in if contains(area, *centre(piece))]
    if not inside:
        return _Asked(number, area, (), (), 0.0)
    around = float(np.median([piece.height for piece in inside]))
    row = Box(area.x - round(_BEFORE * around), area.y, area.width + round(2 * _BEFORE * around),
              area.height)  # fmt: skip
    squares = tuple(
        one.box_px for one in find_checkboxes(sheet.print.mask, around)
        if contains(row, *centre(one.box_px))
    )  # fmt: skip
    if not any(contains(area, *centre(square)) for square in squares):
        squares = ()
    words = [
        piece for piece in print_in
        if contains(row, *centre(piece)) and not any(_covers(square, piece) for square in squares)
    ]  # fmt: skip
    unit = float(np.median([piece.height for piece in words])) if words else 0.0
    return _Asked(number, area, tuple(words), squares, unit)


def _covers(square: Box, piece: Box) -> bool:
    return contains(square, *centre(piece))


def _options(
    words: Sequence[PrintedWord], asked: _Asked, known: Mapping[str, str]
) -> tuple[Option, ...]:
    """The choices among the words of a region, each once, where its print stands."""
    boxes = [Checkbox(square, False) for square in asked.squares]
    taken: set[Box] = set()
    found: dict[str, Option] = {}
    for word in sorted(words, key=lambda one: -one.confidence):
        if word.confidence < _READ:
            break
        options = [one for one in options_in(word, known, boxes) if one.value not in found]
        at = [_piece_at(one.box_px, asked.pieces) for one in options]
        for one, piece in zip(options, at, strict=True):
            if piece is not None and piece not in taken:
                # "M/F" is one piece of print and two choices
                box = piece if at.count(piece) == 1 else one.box_px
                found[one.value] = replace(one, box_px=box)
        taken.update(piece for piece in at if piece is not None)
    return tuple(sorted(found.values(), key=lambda one: one.box_px.x))


def _in_a_row(options: Sequence[Option], asked: _Asked) -> tuple[Option, ...]:
    """The choices in a region, and those that go on beside it: a mark on one of them counts, too.

    A region may be drawn too small, or over the squares alone.
    """
    own = [*(one.box_px for one in options), *asked.squares]
    kept = [box for box in own if contains(asked.area, *centre(box))]
    reach = _GOES_ON * asked.unit_px
    while True:
        more = [
            box for box in own if box not in kept
            and any(-box.width <= _gap(box, other) < reach for other in kept)
        ]  # fmt: skip
        if not more:
            return tuple(one for one in options if one.box_px in kept)
        kept += more


def _gap(one: Box, other: Box) -> int:
    return max(one.x, other.x) - min(one.x + one.width, other.x + other.width)


def _piece_at(box: Box, pieces: Sequence[Box]) -> Box | None:
    """The piece of print that was read in a place; the likeliest by how much of it lies there."""
    best = max(pieces, key=lambda one: overlap_x(box, one) / one.width, default=None)
    if best is None or overlap_x(box, best) < _AT * min(best.width, box.width):
        return None
    return best


def _row_on_page(
    printed: PrintedChoices, field: str, match: FormMatch, ink: NDArray[np.uint8]
) -> ChoiceRow:
    """The choices of a form where they stand on the page; ink of any kind is inside of a square."""
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
