"""Beside the stages: a box that a person drew is read, by the readers that read the first time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from clinic_hwr.forms.models import PageForm
from clinic_hwr.forms.recognition import version_sheets
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Page
from clinic_hwr.pages.form_match import FormSheet
from clinic_hwr.pages.struck_fields import struck_together
from clinic_hwr.pages.types import Box, FieldKind, FieldRegion, PrintedWord
from clinic_hwr.recognition.types import Reading
from clinic_hwr.review.services import (
    BoxClaim,
    InkFound,
    box_claim,
    box_fail,
    box_reading_store,
    box_wait,
    boxes_waiting,
)
from clinic_hwr.routing.models import Field
from clinic_hwr.stage_read import (
    MARKS,
    PageFound,
    page_find,
    page_readings,
    print_reading,
    reader_load,
    reading_row,
)

logger = logging.getLogger(__name__)

# A person draws around the ink, roughly: what lies in the box to this share is meant by it.
INSIDE = 0.6
# A mark is often smaller or larger than the box drawn for it: any real overlap is meant.
TOUCHES = 0.3


def boxes_read(*, worker: str, scan_id: UUID | None = None) -> int:
    """Read the boxes that wait, of one scan or of all; returns how many were done with."""
    done = 0
    for box_id in list(boxes_waiting(scan_id).values_list("pk", flat=True)):
        claim = box_claim(box_id, worker=worker)
        if claim is not None:
            done += _read_one(claim)
    return done


def _read_one(claim: BoxClaim) -> bool:
    try:
        ink = ink_read(claim.box.field)
    except InstallationFault as fault:
        logger.error("box.installation_fault field=%s fault=%s", claim.box.field_id, fault)
        box_wait(claim, str(fault))
        return False
    except Exception:  # whatever a reader raises is one failed try, counted and shown
        logger.exception("box.failed field=%s attempt=%s", claim.box.field_id, claim.box.attempts)
        box_fail(claim)
        return False
    stored = box_reading_store(claim=claim, ink=ink)
    logger.info("box.%s field=%s version=%s", stored, claim.box.field_id, claim.box.version)
    return True


def ink_read(field: Field) -> InkFound:
    """Return what is in the box of ``field``, as the first time: found on the page, then read.

    The page is searched again for what belongs to the box: cells, lines, print, marks, strikes.

    Raises:
        InstallationFault: the weights of a reader are not installed.
    """
    box = Box(*field.box_px)
    found = page_find(field.page, _sheets(field.page))
    if FieldKind(field.kind) in MARKS:
        return InkFound(None, present=_present(field, box, found.regions))
    region = _region(field, box, found)
    struck = struck_together([each.struck_out for each in _inside(box, found.regions)])
    printed = print_reading(region)
    reading: Reading | None = printed
    if printed is None:
        (reading,) = page_readings(found, [region], reader_load())
    row = None if reading is None else reading_row(field, reading)
    return InkFound(row, is_print=printed is not None, struck_out=str(struck))


def _sheets(page: Page) -> Sequence[FormSheet]:
    """Return the form that the page was recognized as when it was read the first time."""
    known = PageForm.objects.select_related("version").filter(page=page, refusal="").first()
    return () if known is None or known.version is None else version_sheets(known.version)


def _region(field: Field, box: Box, found: PageFound) -> FieldRegion:
    """Return the box as a region to read, with the cells, lines or print that lie in it."""
    inside = _inside(box, found.regions)
    combs = [each for each in inside if each.comb]
    text, confidence = _print(box, inside, found.words)
    lines = [line for each in inside for line in each.lines_px or (each.box_px,)]
    return FieldRegion(
        name=field.name,
        kind=FieldKind(field.kind),
        box_px=box,
        group=field.group,
        printed_text=text,
        confidence=confidence,
        comb=combs[0].comb if len(combs) == 1 == len(inside) else (),
        lines_px=tuple(_clipped(row, box) for row in _rows(lines)),
    )


def _inside(box: Box, regions: Sequence[FieldRegion]) -> list[FieldRegion]:
    return [each for each in regions if _share(each.box_px, box) >= INSIDE]


def _print(
    box: Box, inside: Sequence[FieldRegion], words: Sequence[PrintedWord]
) -> tuple[str | None, float]:
    """Return the print in a box and OCR's confidence; (None, 0) where anything is handwritten."""
    printed = [each for each in inside if each.printed_text is not None]
    if not printed or len(printed) < len(inside):
        return None, 0.0
    meant = [word for word in words if _share(word.box_px, box) >= INSIDE]
    if not meant:
        return None, 0.0
    rows = _rows([word.box_px for word in meant])
    meant.sort(key=lambda word: (_row_of(word.box_px, rows), word.box_px.x))
    return " ".join(word.text for word in meant), min(word.confidence for word in meant)


def _present(field: Field, box: Box, regions: Sequence[FieldRegion]) -> bool | None:
    """Return what the page finder says of a mark in the box; None when it found none there."""
    same = [
        each
        for each in regions
        if each.kind == field.kind
        and max(_share(each.box_px, box), _share(box, each.box_px)) >= TOUCHES
    ]
    return same[0].present if len(same) == 1 else None


def _rows(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join boxes that stand side by side; returns the rows from top to bottom."""
    rows: list[Box] = []
    for box in sorted(boxes, key=lambda each: each.y + each.height / 2):
        last = rows[-1] if rows else None
        if last is not None and last.y <= box.y + box.height / 2 <= last.y + last.height:
            rows[-1] = _around(last, box)
        else:
            rows.append(box)
    return tuple(rows)


def _row_of(box: Box, rows: Sequence[Box]) -> int:
    middle = box.y + box.height / 2
    return min(range(len(rows)), key=lambda n: abs(rows[n].y + rows[n].height / 2 - middle))


def _clipped(row: Box, box: Box) -> Box:
    x, y = max(row.x, box.x), max(row.y, box.y)
    right = min(row.x + row.width, box.x + box.width)
    bottom = min(row.y + row.height, box.y + box.height)
    return Box(x, y, right - x, bottom - y)


def _around(one: Box, other: Box) -> Box:
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Box(x, y, right - x, bottom - y)


def _share(inner: Box, outer: Box) -> float:
    """Return how much of ``inner`` lies in ``outer``, 0..1."""
    width = min(inner.x + inner.width, outer.x + outer.width) - max(inner.x, outer.x)
    height = min(inner.y + inner.height, outer.y + outer.height) - max(inner.y, outer.y)
    area = inner.width * inner.height
    return max(0, width) * max(0, height) / area if area else 0.0
