"""Fields of a page that was registered to a form: the ink that was added, by the form's regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .blank_form import without_form
from .comb_fields import is_boxed_writing
from .combs import dark_mask, settled
from .form_ink import form_strokes
from .form_marks import FormField, covering_two, is_choice, one_mark, ticked
from .form_match import FormMatch
from .form_template import RegionKind, TemplateRegion
from .labels import union
from .medications import name_lines
from .pen_strokes import Stroke
from .print_or_hand import print_log_odds
from .registration import PagePrint, Registration, page_boxes
from .rules import FormRules
from .strikes import find_strikes, struck_together
from .survey import PageSurvey, survey_page
from .text_lines import letter_height, text_lines
from .types import FIELD_NAMES, Box, CombRun, FieldRegion, Gray, PrintedWord
from .values import is_writing, printed_region

# A stroke belongs to the region that holds most of it; so much at least. People write over edges.
_SHARE = 0.3
# Proof that a word is print, and OCR's confidence in it: as under an Rx in ``survey``.
_PRINT_LOG_ODDS, _PRINT_CONFIDENCE = 2.5, 0.85
_MARGIN = 0.5  # of a capital: how far beside a region a stroke may start


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


def registered_fields(page: PagePrint, words: Sequence[PrintedWord], match: FormMatch) -> FormPage:
    """Return the fields of a page by the regions of its form.

    Args:
        page: the upright page.
        words: from ``read_print`` of the same page.
        match: the form it is printed on.

    Returns:
        Fields: written or printed values, combs, marks (present or not), lines of medications,
        and ``unnamed`` for ink that no region holds. Empty regions give no field, marks do.
    """
    gray, ink = without_form(page.gray, page.mask, match.registration.warped)
    # OCR has no say in what is pen: on a form that people fill in, neat writing looks like print.
    survey = replace(survey_page(gray, ()), unit_px=_capital(page.gray, words))
    added = [word for word in words if _is_added(word, page.mask, ink)]
    printed = _printed(gray, ink, added)
    boxes = _region_boxes(match)
    finder = _Finder(page, survey, printed, match, boxes)
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
    ) -> None:
        self.survey = survey
        self.printed = printed
        self.regions = match.sheet.regions
        self.boxes = boxes
        self.dark = dark_mask(page.gray, page.mask)
        on_paper = _on_paper(match.registration, match.sheet.print.mask.shape)
        pieces = form_strokes(survey.gray, survey.ink, boxes, survey.unit_px)
        strokes = [s for s in pieces if not _is_edge(s, page.gray.shape, on_paper)]
        self.strokes = _without_specks(strokes, survey.unit_px)
        self.shared = _shared(self.strokes, boxes, _MARGIN * survey.unit_px)
        self.absent = page_boxes(
            match.registration, match.registration.fit.absent, match.sheet.print.mask.shape
        )

    def run(self) -> list[FormField]:
        fields: list[FormField] = []
        taken: set[Stroke] = set()
        for number, (region, box) in enumerate(zip(self.regions, self.boxes, strict=True)):
            strokes = self.shared.get(number, [])
            found = self._region(region, box, strokes)
            if found or region.kind in (RegionKind.CHECKBOX, RegionKind.COMB):
                taken.update(strokes)
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
        looked_at = [
            n for n, one in enumerate(fields)
            if one.field.present is None and not one.field.comb
            and not is_choice(one, self.regions)
        ]  # fmt: skip
        lines = [fields[n].field.lines_px or (fields[n].field.box_px,) for n in looked_at]
        letter = letter_height(self.strokes, self.survey.unit_px)
        boxes = [box for some in lines for box in some]
        # With what the survey took for rules: the form's own are off, a straight one is a strike.
        ink = self.survey.ink if self.survey.all_ink is None else self.survey.all_ink
        said = iter(find_strikes(ink, _no_rules(ink), boxes, letter))
        kept = list(fields)
        for n, some in zip(looked_at, lines, strict=True):
            struck = struck_together([next(said) for _ in some])
            kept[n] = replace(kept[n], field=replace(kept[n].field, struck_out=struck))
        return kept

    def _region(
        self, region: TemplateRegion, box: Box, strokes: Sequence[Stroke]
    ) -> list[FieldRegion]:
        ink = union([stroke.box_px for stroke in strokes]) if strokes else None
        written = ink is not None and is_writing(self.survey, ink)
        if region.kind is RegionKind.SIGNATURE:
            return [self._named(region, ink if ink and written else box, present=written)]
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
        if region.kind is RegionKind.FREE_TEXT:
            return [self._block(region, ink, strokes)]
        return [self._named(region, ink)]

    def _named(
        self, region: TemplateRegion, box: Box, *, present: bool | None = None
    ) -> FieldRegion:
        return FieldRegion(
            region.field, region.field_kind, box, group=region.group, label=region.label,
            present=present,
        )  # fmt: skip

    def _as_print(self, region: TemplateRegion, box: Box, ink: Box) -> FieldRegion | None:
        """A value that was printed into the region, all of it; None for writing."""
        words = [word for word in self.printed if _share(word.box_px, box) > 0.5]
        width = sum(word.box_px.width for word in words)
        if width < 0.7 * ink.width:
            return None
        words.sort(key=lambda word: (round(word.box_px.y / self.survey.unit_px), word.box_px.x))
        return printed_region(region.field, words, label=region.label, group=region.group)

    def _block(self, region: TemplateRegion, ink: Box, strokes: Sequence[Stroke]) -> FieldRegion:
        lines = tuple(
            line.box_px
            for line in text_lines(self.survey, strokes)
            if is_writing(self.survey, line.box_px)
        )
        return FieldRegion(
            region.field, region.field_kind, ink, group=region.group, label=region.label,
            lines_px=lines or (ink,),
        )  # fmt: skip

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
        lines = [
            line
            for line in text_lines(self.survey, strokes)
            if is_writing(self.survey, line.box_px)
        ]
        letter = letter_height(strokes, self.survey.unit_px)
        named = name_lines([line.box_px for line in lines], letter)
        return [
            FieldRegion(one.name, FIELD_NAMES[one.name], line.box_px, group=one.group, label="Rx")
            for line, one in zip(lines, named, strict=True)
        ]

    def _is_doubtful(self, box: Box) -> bool:
        near = round(3 * self.survey.unit_px)
        around = Box(box.x - near, box.y - near, box.width + 2 * near, box.height + 2 * near)
        return any(_share(piece, around) > 0 for piece in self.absent)


def _capital(gray: Gray, words: Sequence[PrintedWord]) -> float:
    """Height of a printed capital: of what OCR read surely, else as on most forms."""
    heights = [word.box_px.height for word in words if word.confidence > 0.8]
    return float(np.median(heights)) if heights else max(gray.shape) / 100


def _without_specks(strokes: Sequence[Stroke], unit: float) -> list[Stroke]:
    """Drop the dots of a noisy fax: small, and no letter near that they could be the dot of."""
    big = [s for s in strokes if max(s.box_px.width, s.box_px.height) > 0.45 * unit]
    if not big:
        return []
    boxes = np.array([s.box_px.as_list() for s in big], np.float64)
    kept = []
    for stroke in strokes:
        box = stroke.box_px
        size = max(box.width, box.height)
        if size <= 0.45 * unit:
            x, y = stroke.middle
            dx = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 0] - boxes[:, 2]), 0)
            dy = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 1] - boxes[:, 3]), 0)
            reach = (1.0 if size > 0.2 * unit else 0.6) * unit
            if np.hypot(dx, dy).min() > reach:
                continue
        kept.append(stroke)
    return kept


def _shared(
    strokes: Sequence[Stroke], boxes: Sequence[Box], margin: float
) -> dict[int, list[Stroke]]:
    """Give each stroke to the region that holds most of it, small regions before large ones."""
    grow = round(margin)
    wide = [Box(b.x - grow, b.y - grow, b.width + 2 * grow, b.height + 2 * grow) for b in boxes]
    shared: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        best: tuple[float, float, float] = (0.0, 0.0, 0.0)
        owner = None
        for number, (box, around) in enumerate(zip(boxes, wide, strict=True)):
            inside = _share(stroke.box_px, around)
            if inside < _SHARE:
                continue
            # a mark around a small box covers it though most of the mark is outside
            rank = (_share(stroke.box_px, box), inside, -float(box.width * box.height))
            if owner is None or rank > best:
                owner, best = number, rank
        if owner is not None:
            shared.setdefault(owner, []).append(stroke)
    return shared


def _share(inner: Box, outer: Box) -> float:
    """Share of a box that lies inside of another."""
    width = min(inner.x + inner.width, outer.x + outer.width) - max(inner.x, outer.x)
    height = min(inner.y + inner.height, outer.y + outer.height) - max(inner.y, outer.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(1, inner.width * inner.height)


def _no_rules(ink: NDArray[np.uint8]) -> FormRules:
    return FormRules(np.zeros_like(ink), (), ())


def _on_paper(registration: Registration, shape: tuple[int, ...]) -> NDArray[np.float64]:
    height, width = shape[0], shape[1]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    return registration.to_page(corners, (width, height))


def _is_edge(stroke: Stroke, shape: tuple[int, ...], paper: NDArray[np.float64]) -> bool:
    """Whether a stroke is the edge of the sheet in a photo, or what lies beside it."""
    box = stroke.box_px
    x, y = stroke.middle
    sides = np.roll(paper, -1, axis=0) - paper
    to = np.array([x, y]) - paper
    inside = (sides[:, 0] * to[:, 1] - sides[:, 1] * to[:, 0]) / np.linalg.norm(sides, axis=1)
    if inside.min() > 0.01 * max(shape):
        return False
    at_border = (
        box.x <= 2 or box.y <= 2
        or box.x + box.width >= shape[1] - 2 or box.y + box.height >= shape[0] - 2
    )  # fmt: skip
    long = max(box.width, box.height) > 12 * min(box.width, box.height)
    return at_border or long or max(box.width, box.height) > 0.3 * max(shape)
