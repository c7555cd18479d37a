"""Second stage: the fields of every page are found, cut out and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytesseract
from django.conf import settings

from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.rasters import raster_read, raster_write
from clinic_hwr.pages import crop_field, find_fields
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

_MARKS = frozenset({FieldKind.SIGNATURE, FieldKind.CHECKBOX})
"""Kinds that are there or not there; nothing is read in them."""

UNREAD = "none"
"""Model name of the reading of a page in which no field was found: no model looked at it."""


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """One field as it will be stored; ``reading`` is None for marks."""

    page_id: int
    position: int
    region: FieldRegion
    crop_sha256: str
    reading: Reading | None


def fields_read(scan: Scan) -> tuple[FieldDraft, ...]:
    """Find and read the fields of every page of a scan, a page at a time.

    A page without any field still gives one unnamed field, the whole page: a person sees it.
    """
    reader = reader_load()
    pages = scan.pages.order_by("number")
    return tuple(draft for page in pages for draft in _page_fields(page, reader))


def fields_replace(scan: Scan, drafts: Sequence[FieldDraft]) -> None:
    """Store fields and readings in place of any from an earlier try; call it in a transaction.

    Only tries that never reached a person can be replaced: decisions protect their fields.
    """
    FieldReading.objects.filter(field__page__scan=scan).delete()
    Field.objects.filter(page__scan=scan).delete()
    fields = [_field_row(draft) for draft in drafts]
    Field.objects.bulk_create(fields)
    FieldReading.objects.bulk_create(
        _reading_row(field, draft.reading)
        for field, draft in zip(fields, drafts, strict=True)
        if draft.reading is not None
    )


def reader_load() -> Reader:
    """Return the recognizer, loaded once a process; a worker calls it before its first scan.

    Raises:
        InstallationFault: the recognizer's weights are not installed.
    """
    # Imported on use: torch takes seconds and 300 MB that a web process need not pay.
    from clinic_hwr.recognition.inference import limit_threads
    from clinic_hwr.recognition.runtime import WeightsNotFound, load_reader

    limit_threads(getattr(settings, "CLINIC_HWR_READER_THREADS", 1))
    try:
        return load_reader(getattr(settings, "CLINIC_HWR_ARCH", None))
    except WeightsNotFound as error:
        raise InstallationFault(str(error)) from error


def _page_fields(page: Page, reader: Reader) -> list[FieldDraft]:
    gray = raster_read(page.image_sha256)
    upright = UprightPage(
        gray, page.rotation_deg, page.skew_deg, np.array(page.to_original, dtype=np.float64)
    )
    regions = find_fields(upright, _words(page))
    if not regions:
        return [_whole_page(page, gray)]
    crops = [crop_field(gray, region.box_px) for region in regions]
    readings = _readings(regions, crops, reader)
    return [
        FieldDraft(page.pk, position, region, raster_write(crop), reading)
        for position, (region, crop, reading) in enumerate(
            zip(regions, crops, readings, strict=True)
        )
    ]


def _words(page: Page) -> tuple[PrintedWord, ...]:
    return tuple(
        PrintedWord(text, Box(x, y, width, height), confidence)
        for text, x, y, width, height, confidence in page.printed_words
    )


def _readings(
    regions: Sequence[FieldRegion], crops: Sequence[Gray], reader: Reader
) -> list[Reading | None]:
    """Read all handwriting of a page in one batch; print keeps what OCR read."""
    handwritten = [
        index
        for index, region in enumerate(regions)
        if region.printed_text is None and region.kind not in _MARKS
    ]
    readings: list[Reading | None] = [_print_reading(region) for region in regions]
    if handwritten:
        read = reader.read(
            [crops[index] for index in handwritten],
            kinds=[str(regions[index].kind) for index in handwritten],
        )
        for index, reading in zip(handwritten, read, strict=True):
            readings[index] = reading
    return readings


def _print_reading(region: FieldRegion) -> Reading | None:
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
    return str(pytesseract.get_tesseract_version())


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
    )


def _reading_row(field: Field, reading: Reading) -> FieldReading:
    return FieldReading(
        field=field,
        text=reading.text,
        p_correct=reading.p_correct,
        chars=[[char.char, round(char.confidence, 4)] for char in reading.chars],
        alternatives=[[other.text, round(other.confidence, 4)] for other in reading.alternatives],
        scores=dict(reading.scores),
        model=reading.model,
    )
