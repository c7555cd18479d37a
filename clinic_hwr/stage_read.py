"""Second stage: the fields of every page are found, cut out and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import pytesseract
from django.conf import settings

from clinic_hwr.forms.recognition import (
    FieldRegionOf,
    FormResult,
    active_sheets,
    form_result,
    page_forms_replace,
)
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Page, PageKind, Scan
from clinic_hwr.intake.rasters import raster_read, raster_write
from clinic_hwr.pages import crop_cells, crop_field, find_fields
from clinic_hwr.pages.form_match import FormSheet
from clinic_hwr.pages.types import (
    Box,
    FieldKind,
    FieldRegion,
    Gray,
    PrintedWord,
    UprightPage,
)
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reader, Reading
from clinic_hwr.routing.models import Field, FieldReading

from .quantities_apart import with_quantities_apart
from .routing.line_marker import line_marker_load
from .special_readers import block_reader_load, comb_reader_load
from .unknown_pages import named_by_reading, without_mere_print

if TYPE_CHECKING:
    from clinic_hwr.recognition.comb_reader import CombReader

MARKS = frozenset({FieldKind.SIGNATURE, FieldKind.CHECKBOX})
"""Kinds that are there or not there; nothing is read in them."""

NBEST = 5

MARKED = "marks"
"""Model name of the reading of printed choices whose marks do not say which is meant."""

UNREAD = "none"
"""Model name of the reading of a page in which no field was found: no model looked at it."""


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """One field as it will be stored; ``reading`` is None for marks.

    ``form`` is what the site's forms say of its page, None where it has none; ``form_region`` the
    region of the form it was written in.
    """

    page_id: int
    position: int
    region: FieldRegion
    crop_sha256: str
    reading: Reading | None
    form: FormResult | None = None
    form_region: FieldRegionOf | None = None


def fields_read(scan: Scan) -> tuple[FieldDraft, ...]:
    """Find and read the fields of every page of a scan, a page at a time.

    A page without any field still gives one unnamed field, the whole page: a person sees it.
    Separator sheets and blank backs give none, unless there is nothing else.
    """
    reader = reader_load()
    sheets = active_sheets(scan.site)
    pages = scan.pages.order_by("number").exclude(kind=PageKind.SEPARATOR)
    written = pages.filter(kind=PageKind.CONTENT)
    pages = written if written.exists() else pages
    return tuple(draft for page in pages for draft in _page_fields(page, reader, sheets))


def fields_replace(scan: Scan, drafts: Sequence[FieldDraft]) -> None:
    """Store fields and readings in place of any from an earlier try; call it in a transaction.

    Only tries that never reached a person can be replaced: decisions protect their fields.
    """
    FieldReading.objects.filter(field__page__scan=scan).delete()
    Field.objects.filter(page__scan=scan).delete()
    fields = [_field_row(draft) for draft in drafts]
    Field.objects.bulk_create(fields)
    FieldReading.objects.bulk_create(
        reading_row(field, draft.reading)
        for field, draft in zip(fields, drafts, strict=True)
        if draft.reading is not None
    )
    page_forms_replace(
        scan,
        {draft.page_id: draft.form for draft in drafts if draft.form is not None}.items(),
        [
            (draft.page_id, field.pk, draft.form_region)
            for field, draft in zip(fields, drafts, strict=True)
            if draft.form_region is not None
        ],
    )


def reader_load() -> Reader:
    """Return the recognizer of words and lines; a worker calls it before its first scan.

    Raises:
        InstallationFault: its weights are not installed, or the settings do not fit together.
    """
    # Imported on use: torch takes seconds and 300 MB that a web process need not pay.
    from clinic_hwr.recognition.decoding.choice import BadDecoding, choose_decoding
    from clinic_hwr.recognition.inference import limit_threads
    from clinic_hwr.recognition.runtime import LOADING_ERRORS, load_reader

    limit_threads(getattr(settings, "CLINIC_HWR_READER_THREADS", 1))
    try:
        decoding = choose_decoding(
            getattr(settings, "CLINIC_HWR_DECODER", ""),
            getattr(settings, "CLINIC_HWR_DICTIONARY", ""),
            getattr(settings, "CLINIC_HWR_WORD_MODE", ""),
        )
        return load_reader(getattr(settings, "CLINIC_HWR_ARCH", None), decoding=decoding)
    except (*LOADING_ERRORS, BadDecoding) as error:
        raise InstallationFault(str(error.args[0])) from error


@dataclass(frozen=True, slots=True)
class PageFound:
    """What the page finder found on a page.

    ``gray`` is the page; ``ink`` the page without the print of its form, where that is known.
    """

    gray: Gray
    ink: Gray
    words: tuple[PrintedWord, ...]
    regions: tuple[FieldRegion, ...]
    form: FormResult | None

    def crops(self, regions: Sequence[FieldRegion]) -> list[Gray]:
        """Cut regions out; the reader of cells wants their print, and so does a person."""
        return [
            crop_cells(self.gray, region.box_px)
            if region.comb
            else crop_field(self.ink, region.box_px)
            for region in regions
        ]


def page_find(page: Page, sheets: Sequence[FormSheet] = ()) -> PageFound:
    """Find the fields of a page: by the form it is printed on, if it is one of ``sheets``."""
    gray = raster_read(page.image_sha256)
    words = _words(page)
    segmenter = line_marker_load()
    form = form_result(gray, words, sheets, segmenter=segmenter)
    if form is not None and form.page is not None:
        regions = tuple(one.field for one in form.page.fields)
        return PageFound(gray, form.page.gray, words, regions, form)
    way = page.transform()
    upright = UprightPage(gray, page.rotation_deg, page.skew_deg, way.matrix, way.bend)
    languages = getattr(settings, "CLINIC_HWR_LABEL_LANGUAGES", None) or None
    regions = find_fields(upright, words, languages=languages, segmenter=segmenter)
    return PageFound(gray, gray, words, tuple(regions), form)


def page_readings(
    found: PageFound, regions: Sequence[FieldRegion], reader: Reader
) -> list[Reading | None]:
    """Read regions of a page, those that were found or others; None for marks."""
    return _readings(found, regions, found.crops(regions), reader)


def _page_fields(page: Page, reader: Reader, sheets: Sequence[FormSheet] = ()) -> list[FieldDraft]:
    found = page_find(page, sheets)
    form, regions = found.form, found.regions
    if not regions:
        return [replace(_whole_page(page, found.gray), form=form)]
    crops = found.crops(regions)
    readings = _readings(found, regions, crops, reader)
    regions, readings, origins = with_quantities_apart(
        found.ink, regions, readings, lambda some: page_readings(found, some, reader)
    )
    crops = found.crops(regions)
    places: Sequence[FieldRegionOf | None]
    # Of a form's fields only free lines are open.
    regions = named_by_reading(page, regions, readings)
    if form is not None and form.page is not None:
        places = [
            None if one.region is None else FieldRegionOf(one.region, one.doubtful)
            for one in map(form.page.fields.__getitem__, origins)
        ]
    else:
        regions, crops, readings = without_mere_print(regions, crops, readings)
        if not regions:
            return [replace(_whole_page(page, found.gray), form=form)]
        places = [None] * len(regions)
    return [
        FieldDraft(page.pk, position, region, raster_write(crop), reading, form, place)
        for position, (region, crop, reading, place) in enumerate(
            zip(regions, crops, readings, places, strict=True)
        )
    ]


def _words(page: Page) -> tuple[PrintedWord, ...]:
    return tuple(
        PrintedWord(text, Box(x, y, width, height), confidence)
        for text, x, y, width, height, confidence in page.printed_words
    )


def _readings(
    found: PageFound, regions: Sequence[FieldRegion], crops: Sequence[Gray], reader: Reader
) -> list[Reading | None]:
    """Read the handwriting of a page, all its lines in one batch; print keeps what OCR read."""
    readings: list[Reading | None] = [print_reading(region) for region in regions]
    lines: list[tuple[int, str, Gray]] = []  # number of the region, kind, crop
    for index, (region, crop) in enumerate(zip(regions, crops, strict=True)):
        if region.printed_text is not None or region.mark_doubt or region.kind in MARKS:
            continue
        special = _special_reading(found.gray, region, crop)
        if special is not None:
            readings[index] = special
        else:
            lines += [(index, kind, part) for kind, part in _line_crops(found.ink, region, crop)]
    if lines:
        read = reader.read([crop for _, _, crop in lines], kinds=[kind for _, kind, _ in lines])
        parts: dict[int, list[Reading]] = {}
        for (index, _, _), reading in zip(lines, read, strict=True):
            parts.setdefault(index, []).append(reading)
        for index, some in parts.items():
            readings[index] = _by_lines(regions[index], some)
    return readings


def _special_reading(gray: Gray, region: FieldRegion, crop: Gray) -> Reading | None:
    """Read cells by characters and free text as a block; None for what is read by lines."""
    if region.comb:
        combs = comb_reader_load()
        return _comb_reading(gray, region, combs) if combs else None
    if region.kind is FieldKind.PARAGRAPH:
        blocks = block_reader_load()
        # Of more lines than its canvas holds the letters would be too small to read.
        if blocks and len(region.lines_px) <= blocks.most_lines:
            return blocks.read(crop)
    return None


def _comb_reading(gray: Gray, region: FieldRegion, reader: CombReader) -> Reading:
    from clinic_hwr.recognition.comb_reader import CombCrop, allowed_in_cells, is_whole

    cells = sum(run.cells for run in region.comb)
    allowed = iter(allowed_in_cells(region.name, region.kind, cells))
    runs = [
        CombCrop(crop_cells(gray, run.box_px), run.cells, tuple(islice(allowed, run.cells)))
        for run in region.comb
    ]
    reading = reader.read(runs)
    if is_whole(region.name, region.kind, cells):
        return reading
    # A part of a date or an identifier may read well and still be wrong.
    return replace(reading, p_correct=0.0, scores={**reading.scores, "cells_missing": 1.0})


def _line_crops(gray: Gray, region: FieldRegion, crop: Gray) -> Iterator[tuple[str, Gray]]:
    """Kind and crop of each piece of a field; most have one."""
    many = len(region.lines_px) > 1
    if region.lines_px and (many or region.kind is FieldKind.PARAGRAPH):
        kind = FieldKind.TEXT if region.kind is FieldKind.PARAGRAPH else region.kind
        for line in region.lines_px:
            yield kind, crop_field(gray, line)
    elif region.comb:
        yield region.kind, crop_field(gray, region.box_px)
    else:
        yield region.kind, crop


def _by_lines(region: FieldRegion, readings: Sequence[Reading]) -> Reading:
    """Join lines; a block says that it was read that way."""
    from clinic_hwr.recognition.pieces import join_pieces

    joined = join_pieces(readings, NBEST)
    if region.kind is not FieldKind.PARAGRAPH:
        return joined
    scores = {**joined.scores, "lines": float(len(readings))}
    return replace(joined, model=f"{joined.model} (lines)", scores=scores)


def print_reading(region: FieldRegion) -> Reading | None:
    """Return what OCR read in a printed region; None for handwriting and marks."""
    if region.mark_doubt and region.kind not in MARKS:
        # No model reads a circle: what is marked is shown, and nothing is chosen.
        shown = tuple(Alternative(option, 0.0) for option in region.options)
        return Reading(text="", p_correct=0.0, chars=(), alternatives=shown, model=MARKED)
    if region.printed_text is None:
        return None
    return Reading(
        text=region.printed_text,
        p_correct=region.confidence,
        chars=tuple(CharConfidence(char, region.confidence) for char in region.printed_text),
        alternatives=(Alternative(region.printed_text, region.confidence),),
        model=f"tesseract {_tesseract_version()}",
    )


@cache
def _tesseract_version() -> str:
    try:
        return str(pytesseract.get_tesseract_version())
    except (OSError, SystemExit):  # it read the page, and is gone since
        return "unknown"


def _whole_page(page: Page, gray: Gray) -> FieldDraft:
    height, width = gray.shape
    region = FieldRegion("unnamed", FieldKind.TEXT, Box(0, 0, width, height))
    unread = Reading(text="", p_correct=0.0, chars=(), alternatives=(), model=UNREAD)
    return FieldDraft(page.pk, 0, region, page.image_sha256, unread)


def _field_row(draft: FieldDraft) -> Field:
    region = draft.region
    return Field(
        page_id=draft.page_id,
        position=draft.position,
        name=region.name,
        kind=region.kind,
        group=region.group,
        label=region.label[:80],
        x_px=region.box_px.x,
        y_px=region.box_px.y,
        width_px=region.box_px.width,
        height_px=region.box_px.height,
        crop_sha256=draft.crop_sha256,
        is_print=region.printed_text is not None,
        present=region.present,
        named_by=region.named_by,
        struck_out=region.struck_out,
        mark_doubt=region.mark_doubt,
    )


def reading_row(field: Field, reading: Reading) -> FieldReading:
    """Return a reading as it is stored, not saved yet."""
    return FieldReading(
        field=field,
        text=reading.text,
        p_correct=reading.p_correct,
        chars=[[char.char, round(char.confidence, 4)] for char in reading.chars],
        alternatives=[[other.text, round(other.confidence, 4)] for other in reading.alternatives],
        scores=dict(reading.scores),
        model=reading.model,
    )
