"""First stage: the received file becomes upright pages with their printed words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.intake.decoding import DecodedPage, iterate_pages
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.rasters import raster_write
from clinic_hwr.intake.storage import blob_read
from clinic_hwr.pages import make_upright, read_print
from clinic_hwr.pages.types import PrintedWord
from clinic_hwr.routing.models import Field, FieldReading


@dataclass(frozen=True, slots=True)
class PageDraft:
    """One page as it will be stored; its raster already is in the blob store.

    ``to_original`` maps upright pixels to pixels of the page as the file displays it.
    """

    number: int
    image_sha256: str
    width_px: int
    height_px: int
    dpi: int
    rotation_deg: int
    skew_deg: float
    to_original: NDArray[np.float64]
    words: tuple[PrintedWord, ...]


def pages_make(scan: Scan) -> tuple[PageDraft, ...]:
    """Decode the file and turn every page upright, holding one page in memory at a time.

    Raises:
        FileRefused: the file turned out to be damaged or too much to decode.
    """
    decoded = iterate_pages(blob_read(scan.sha256))
    return tuple(_draft(number, page) for number, page in enumerate(decoded, start=1))


def pages_replace(scan: Scan, drafts: Sequence[PageDraft]) -> None:
    """Store the pages of a scan in place of any from an earlier try; call it in a transaction."""
    readings = FieldReading.objects.filter(field__page__scan=scan)
    readings.delete()
    Field.objects.filter(page__scan=scan).delete()
    Page.objects.filter(scan=scan).delete()
    Page.objects.bulk_create(_row(scan, draft) for draft in drafts)
    Scan.objects.filter(pk=scan.pk).update(page_count=len(drafts))


def _draft(number: int, decoded: DecodedPage) -> PageDraft:
    upright = make_upright(decoded.gray)
    height, width = upright.gray.shape
    scale_x, scale_y = decoded.scale
    to_displayed = np.diag([1 / scale_x, 1 / scale_y, 1.0]) @ upright.to_original
    # Turning upright may also have scaled the page; the area ratio says by how much.
    shrunk = float(np.sqrt(abs(np.linalg.det(upright.to_original[:2, :2]))))
    return PageDraft(
        number=number,
        image_sha256=raster_write(upright.gray),
        width_px=width,
        height_px=height,
        dpi=round(decoded.dpi / shrunk),
        rotation_deg=upright.rotation_deg,
        skew_deg=upright.skew_deg,
        to_original=to_displayed,
        words=read_print(upright.gray),
    )


def _row(scan: Scan, draft: PageDraft) -> Page:
    return Page(
        scan=scan,
        number=draft.number,
        image_sha256=draft.image_sha256,
        width_px=draft.width_px,
        height_px=draft.height_px,
        dpi=draft.dpi,
        rotation_deg=draft.rotation_deg,
        skew_deg=draft.skew_deg,
        to_original=draft.to_original.tolist(),
        printed_words=[
            [word.text, *word.box_px.as_list(), round(word.confidence, 4)] for word in draft.words
        ],
    )
