"""Fields of a page that was registered to a form: the ink that was added, by the form's regions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .blank_form import without_form
from .comb_fields import is_boxed_writing
from .combs import dark_mask, settled
from .creases import without_creases
from .faint_ink import with_faint_ink
from .form_choices import form_choices, printed_choices
from .form_ink import form_strokes, marked_strokes
from .form_marks import FormField, covering_two, is_choice, one_mark, ticked
from .form_match import FormMatch
from .form_paper import (
    is_edge,
    is_off_paper,
    outline,
    within,
    without_clouds,
    without_specks,
)
from .form_shares import share_of, share_strokes
from .form_strikes import with_strike
from .form_template import RegionKind, TemplateRegion
from .labels import union
from .line_cores import line_cores
from .medications import name_lines
from .pen_strokes import Stroke
from .print_or_hand import print_log_odds
from .registration import PagePrint, page_boxes
from .rules import FormRules
from .strikes import find_strikes
from .survey import PageSurvey, survey_page
from .text_lines import TextLine, letter_height, text_lines
from .types import (
    FIELD_NAMES,
    Box,
    CombRun,
    FieldRegion,
    Gray,
    LineMaps,
    LineSegmenter,
    NamedBy,
    PrintedWord,
    StruckOut,
)
from .values import is_writing, printed_region

# Proof that a word is print, and OCR's confidence in it: as under an Rx in ``survey``.
_PRINT_LOG_ODDS, _PRINT_CONFIDENCE = 2.5, 0.85
_MARKS = (RegionKind.SIGNATURE, RegionKind.CHECKBOX, RegionKind.COMB)


@dataclass(frozen=True, slots=True)
class FormPage:
    """What a registered page holds.

    Attributes:
        fields: in the order of the form's regions, then what no region holds.
        boxes: where each region lies on the page.
        gray: the page without the form's print: crops are cut from it, but for combs.
        ink: (height, width) uint8, 255 where ink was added.
    """

    fields: tuple[FormField, ...]
    boxes: tuple[Box, ...]
    gray: Gray
    ink: NDArray[np.uint8]


def registered_fields(
    page: PagePrint,
    words: Sequence[PrintedWord],
    match: FormMatch,
    *,
    segmenter: LineSegmenter | None = None,
) -> FormPage:
    """Return the fields of a page by the regions of its form.

    Args:
        page: the upright page.
        words: from ``read_print`` of the same page.
        match: the form it is printed on.
        segmenter: marks the lines of writing; None: they are told apart the classical way.

    Returns:
        Fields: written or printed values, combs, marks (present or not), lines of medications,
        and ``unnamed`` for ink that no region holds. Empty regions give no field, marks do.
    """
    gray, ink = without_form(page.gray, page.mask, match.registration.warped)
    unit = _capital(page.gray, words)
    sheet = outline(match.registration, match.sheet.print.mask.shape)
    crossed = ink  # a line through words, too long to be told from a crease, is still there
    gray, ink = without_creases(gray, ink, sheet, unit)
    maps = segmenter(page.gray) if segmenter is not None else None
    # OCR has no say in what is pen: on a form that people fill in, neat writing looks like print.
    # The form's rules are off, too: what is left of straight lines parts nothing.
    survey = replace(
        survey_page(gray, ()), unit_px=unit, rules=_no_rules(ink), all_ink=crossed, maps=maps,
        cores=line_cores(maps) if maps is not None else None,
    )  # fmt: skip
    added = [word for word in words if _is_added(word, page.mask, ink)]
    printed = _printed(gray, ink, added)
    boxes = _region_boxes(match)
    if maps is not None and survey.cores is not None:
        found, crossed = (
            with_faint_ink(gray, one, maps, survey.cores.numbers, boxes)
            for one in (survey.ink, crossed)
        )
        survey = replace(survey, ink=found, all_ink=crossed)
    finder = _Finder(page, survey, printed, match, boxes, maps)
    return FormPage(tuple(finder.run()), tuple(boxes), gray, ink)


def _region_boxes(match: FormMatch) -> list[Box]:
    height, width = match.sheet.print.mask.shape
    drawn = tuple(
        Box(round(x * width), round(y * height), round(w * width), round(h * height))
        for x, y, w, h in (region.box for region in match.sheet.regions)
    )
    return page_boxes(match.registration, drawn, match.sheet.print.mask.shape)


def _is_added(word: PrintedWord, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether what OCR read is still there once the form is taken off."""
    box = word.box_px
    part = slice(max(0, box.y), box.y + box.height), slice(max(0, box.x), box.x + box.width)
    whole, left = int(np.count_nonzero(before[part])), int(np.count_nonzero(after[part]))
    return 0 < 0.5 * whole < left


def _printed(gray: Gray, ink: NDArray[np.uint8], words: Sequence[PrintedWord]) -> list[PrintedWord]:
    """The words that surely are print: the burden of proof is on print."""
    if not words:
        return []
    odds = print_log_odds(gray, ink, words)
    return [
        word for word, one in zip(words, odds, strict=True)
        if one > _PRINT_LOG_ODDS and word.confidence > _PRINT_CONFIDENCE
    ]  # fmt: skip


class _Finder:
    """One pass over a registered page."""

    def __init__(
        self,
        page: PagePrint,
        survey: PageSurvey,
        printed: Sequence[PrintedWord],
        match: FormMatch,
        boxes: Sequence[Box],
        maps: LineMaps | None,
    ) -> None:
        self.printed = printed
        self.regions = match.sheet.regions
        self.boxes = boxes
        self.dark = dark_mask(page.gray, page.mask)
        on_paper = outline(match.registration, match.sheet.print.mask.shape)
        marks = [
            box for region, box in zip(self.regions, boxes, strict=True) if region.kind in _MARKS
        ]
        printed_in = printed_choices(match.sheet)
        marks += [boxes[one.region] for one in printed_in]
        if maps is not None and survey.cores is not None:
            ink, pieces = marked_strokes(
                survey.gray, survey.ink, marks, survey.unit_px, maps, survey.cores
            )
            survey = replace(survey, ink=ink)
        else:
            pieces = form_strokes(survey.gray, survey.ink, boxes, survey.unit_px)
        self.survey = survey
        strokes = [s for s in pieces if not is_edge(s, page.gray.shape, on_paper)]
        strokes = without_specks(strokes, survey.unit_px)
        self.seen = self._seen(strokes)
        if survey.cores is not None:
            strokes = without_clouds(strokes, self.seen, survey.unit_px)
            strokes = [
                s for s in strokes
                if s in self.seen or not is_off_paper(s, page.gray.shape, on_paper)
            ]  # fmt: skip
        self.strokes = strokes
        self.letter = letter_height(strokes, survey.unit_px)
        self.shared = share_strokes(
            self.strokes, boxes, survey.unit_px,
            lines=[line.strokes for line in text_lines(survey, self.strokes)],
            seen=self.seen,
            written={n for n, one in enumerate(self.regions) if one.kind not in _MARKS},
            letter_px=self.letter,
        )  # fmt: skip
        self.choices = form_choices(
            page, survey, match, printed_in, boxes, self.shared, self.strokes
        )
        self.absent = page_boxes(
            match.registration, match.registration.fit.absent, match.sheet.print.mask.shape
        )

    def _seen(self, strokes: Sequence[Stroke]) -> set[Stroke]:
        """Strokes that a segmenter has seen in a line of writing; empty without one."""
        cores = self.survey.cores
        if cores is None:
            return set()
        return {one for one in strokes if cores.holding(self.survey.ink, one.box_px)}

    def run(self) -> list[FormField]:
        fields: list[FormField] = []
        taken: set[Stroke] = set()
        for number, (region, box) in enumerate(zip(self.regions, self.boxes, strict=True)):
            strokes = self.shared.get(number, [])
            choice = self.choices.get(number)
            found = [choice] if choice else self._region(region, box, strokes)
            if region.kind in _MARKS:
                taken.update(strokes)
            else:
                taken.update(_in_fields(strokes, found))
            doubtful = self._is_doubtful(box)
            fields += [FormField(field, number, doubtful) for field in found]
        covered = covering_two(self.regions, self.boxes, self.shared)
        fields = one_mark(ticked(fields, self.regions, covered), self.regions)
        fields = self._with_strikes(fields)
        rest = [stroke for stroke in self.strokes if stroke not in taken]
        for line in text_lines(self.survey, rest):
            if is_writing(self.survey, line.box_px):
                unnamed = FieldRegion("unnamed", FIELD_NAMES["unnamed"], line.box_px)
                fields.append(FormField(unnamed, None))
        return fields

    def _with_strikes(self, fields: Sequence[FormField]) -> list[FormField]:
        """Say of values whether they are crossed out; the form's print is off."""
        kept: list[FormField] = []
        for one in fields:
            if (
                one.field.present is None
                and not one.field.comb
                and not one.field.options
                and not is_choice(one, self.regions)
            ):
                # A free line stands for itself: what replaces it is the line below.
                free = one.field.named_by is NamedBy.PLACE
                strokes = [] if free else _in_fields(self.strokes, [one.field])
                said = with_strike(one.field, strokes, self.letter, self._struck)
                kept += [replace(one, field=field) for field in said]
            else:
                kept.append(one)
        return kept

    def _struck(self, boxes: Sequence[Box], doubts: bool) -> list[StruckOut]:
        # With what the survey took for rules: the form's own are off, a straight one is a strike.
        ink = self.survey.ink if self.survey.all_ink is None else self.survey.all_ink
        rules, maps = _no_rules(ink), self.survey.maps
        asked = [doubts] * len(boxes)
        return find_strikes(self.survey.gray, ink, rules, boxes, self.letter, maps, ask_of=asked)

    def _region(
        self, region: TemplateRegion, box: Box, strokes: Sequence[Stroke]
    ) -> list[FieldRegion]:
        ink = union([stroke.box_px for stroke in strokes]) if strokes else None
        written = ink is not None and is_writing(self.survey, ink)
        if region.kind is RegionKind.SIGNATURE:
            signed = within(ink, box, self.survey.unit_px) if ink and written else box
            return [self._named(region, signed, present=written)]
        if region.kind is RegionKind.CHECKBOX:
            # Some ink that is no clear mark: nobody knows, so a person looks.
            present = True if written else None if strokes else False
            return [self._named(region, ink or box, present=present)]
        if region.kind is RegionKind.COMB:
            return self._comb(region, box, strokes)
        if region.kind is RegionKind.MEDICATIONS:
            return self._medications(strokes)
        if ink is None or not written:
            return []
        printed = self._as_print(region, box, ink)
        if printed is not None:
            return [printed]
        lines = self._lines(strokes)
        if region.kind is RegionKind.FREE_TEXT:
            return [self._block(region, ink, lines)]
        return [self._value(region, ink, lines)]

    def _lines(self, strokes: Sequence[Stroke]) -> list[TextLine]:
        """Lines of writing; where a segmenter has seen some, what it has not is none."""
        lines = [
            line for line in text_lines(self.survey, strokes)
            if is_writing(self.survey, line.box_px)
        ]  # fmt: skip
        seen = [line for line in lines if not self.seen.isdisjoint(line.strokes)]
        return seen or lines

    def _value(self, region: TemplateRegion, ink: Box, lines: Sequence[TextLine]) -> FieldRegion:
        """A value; one on several rows is read row by row."""
        boxes = [line.box_px for line in lines]
        rows = any(two.y > one.y + 0.6 * one.height for one, two in itertools.pairwise(boxes))
        field = self._named(region, union(boxes) if boxes else ink)
        return replace(field, lines_px=tuple(boxes)) if rows else field

    def _named(
        self, region: TemplateRegion, box: Box, *, present: bool | None = None
    ) -> FieldRegion:
        return FieldRegion(
            region.field, region.field_kind, box, group=region.group, label=region.label,
            present=present, named_by=NamedBy.FORM,
        )  # fmt: skip

    def _as_print(self, region: TemplateRegion, box: Box, ink: Box) -> FieldRegion | None:
        """A value that was printed into the region, all of it; None for writing."""
        words = [word for word in self.printed if share_of(word.box_px, box) > 0.5]
        width = sum(word.box_px.width for word in words)
        if width < 0.7 * ink.width:
            return None
        words.sort(key=lambda word: (round(word.box_px.y / self.survey.unit_px), word.box_px.x))
        return printed_region(region.field, words, label=region.label, group=region.group)

    def _block(self, region: TemplateRegion, ink: Box, lines: Sequence[TextLine]) -> FieldRegion:
        return replace(
            self._named(region, ink), lines_px=tuple(line.box_px for line in lines) or (ink,)
        )

    def _comb(
        self, region: TemplateRegion, box: Box, strokes: Sequence[Stroke]
    ) -> list[FieldRegion]:
        run = settled(CombRun(box, region.cells), self.dark)
        pieces = [stroke.box_px for stroke in strokes]
        if not is_boxed_writing(run.box_px, pieces):
            return []
        return [
            FieldRegion(
                region.field, region.field_kind, union([run.box_px, *pieces]),
                group=region.group, label=region.label, comb=(run,),
            )
        ]  # fmt: skip

    def _medications(self, strokes: Sequence[Stroke]) -> list[FieldRegion]:
        boxes = [line.box_px for line in self._lines(strokes)]
        letter = letter_height(strokes, self.survey.unit_px)
        named = name_lines(boxes, letter)
        return [
            FieldRegion(
                one.name, FIELD_NAMES[one.name], box, group=one.group, label="Rx",
                named_by=NamedBy.PLACE,
            )
            for box, one in zip(boxes, named, strict=True)
        ]  # fmt: skip

    def _is_doubtful(self, box: Box) -> bool:
        near = round(3 * self.survey.unit_px)
        around = Box(box.x - near, box.y - near, box.width + 2 * near, box.height + 2 * near)
        return any(share_of(piece, around) > 0 for piece in self.absent)


def _capital(gray: Gray, words: Sequence[PrintedWord]) -> float:
    """Height of a printed capital: of what OCR read surely, else as on most forms."""
    heights = [word.box_px.height for word in words if word.confidence > 0.8]
    return float(np.median(heights)) if heights else max(gray.shape) / 100


def _in_fields(strokes: Sequence[Stroke], fields: Sequence[FieldRegion]) -> list[Stroke]:
    """The strokes that stand in one of some fields."""
    boxes = [box for field in fields for box in field.lines_px or (field.box_px,)]
    return [s for s in strokes if any(share_of(s.box_px, box) > 0.5 for box in boxes)]


def _no_rules(ink: NDArray[np.uint8]) -> FormRules:
    return FormRules(np.zeros_like(ink), (), ())
