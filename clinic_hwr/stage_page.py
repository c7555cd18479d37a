"""First stage: the received file becomes upright pages with their printed words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from clinic_hwr.forms.recognition import active_sheets
from clinic_hwr.intake.batches import PageFacts, group_pages
from clinic_hwr.intake.decoding import Codes, DecodedPage, iterate_pages
from clinic_hwr.intake.models import Page, PageKind, Scan
from clinic_hwr.intake.rasters import raster_write
from clinic_hwr.intake.splitting import split_rule_of
from clinic_hwr.intake.storage import blob_read
from clinic_hwr.pages import (
    PrintUnread,
    TesseractMissing,
    choose_packs,
    make_upright,
    read_print,
)
from clinic_hwr.pages.blank import is_blank
from clinic_hwr.pages.form_match import FormSheet
from clinic_hwr.pages.form_turn import upright_on_form
from clinic_hwr.pages.likeness import page_look
from clinic_hwr.pages.types import Gray, PrintedWord, RowBend
from clinic_hwr.routing.models import Field, FieldReading

from .routing.line_marker import line_marker_load

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageDraft:
    """One page as it will be stored; its raster already is in the blob store.

    ``number`` is that of the page in the file; ``bend``, then ``to_original``, map upright pixels
    to pixels of the page as the file displays it.
    """

    number: int
    image_sha256: str
    width_px: int
    height_px: int
    dpi: int
    rotation_deg: int
    skew_deg: float
    to_original: NDArray[np.float64]
    bend: RowBend
    problems: tuple[str, ...]
    words: tuple[PrintedWord, ...]
    print_problem: str = ""  # missing | failed | language: why print was not, or not wholly, read
    kind: str = PageKind.CONTENT
    codes: tuple[str, ...] = ()
    look: bytes = b""

    @property
    def facts(self) -> PageFacts:
        """What decides where a prescription begins."""
        return PageFacts(self.codes, blank=self.kind == PageKind.BLANK)


def pages_make(scan: Scan) -> tuple[PageDraft, ...]:
    """Decode the file and turn every page upright, holding one page in memory at a time.

    Raises:
        FileRefused: the file turned out to be damaged or too much to decode.
    """
    codes: Codes = "all" if split_rule_of(scan).barcode else "separators"
    decoded = iterate_pages(blob_read(scan.sha256), only=scan.parent_pages, codes=codes)
    sheets = active_sheets(scan.site)
    return tuple(_draft(page, sheets) for page in decoded)


def pages_group(scan: Scan, drafts: Sequence[PageDraft]) -> list[list[int]] | None:
    """Return the prescriptions of a batch as numbers of its pages; None when it is one already.

    Raises:
        BadRule: the site's rule is none.
    """
    if scan.parent_id is not None:
        return None
    groups = group_pages([draft.facts for draft in drafts], split_rule_of(scan))
    return None if len(groups) == 1 else groups


def pages_replace(scan: Scan, drafts: Sequence[PageDraft]) -> None:
    """Store the pages of a scan in place of any from an earlier try; call it in a transaction."""
    readings = FieldReading.objects.filter(field__page__scan=scan)
    readings.delete()
    Field.objects.filter(page__scan=scan).delete()
    Page.objects.filter(scan=scan).delete()
    Page.objects.bulk_create(
        _row(scan, replace(draft, number=place)) for place, draft in enumerate(drafts, start=1)
    )
    Scan.objects.filter(pk=scan.pk).update(page_count=len(drafts))


def _draft(decoded: DecodedPage, sheets: Sequence[FormSheet]) -> PageDraft:
    kind = _kind(decoded)
    upright = make_upright(decoded.gray)
    if kind == PageKind.CONTENT:
        upright = upright_on_form(decoded.gray, upright, sheets)
    height, width = upright.gray.shape
    scale_x, scale_y = decoded.scale
    to_displayed = np.diag([1 / scale_x, 1 / scale_y, 1.0]) @ upright.to_original
    # Turning upright may also have scaled the page; the area ratio says by how much.
    shrunk = float(np.sqrt(abs(np.linalg.det(upright.to_original[:2, :2]))))
    # Nothing is read on a sheet of ours, nor on empty paper.
    content = kind == PageKind.CONTENT
    words, print_problem = _print_of(upright.gray) if content else ((), "")
    return PageDraft(
        number=decoded.number,
        image_sha256=raster_write(upright.gray),
        width_px=width,
        height_px=height,
        dpi=round(decoded.dpi / shrunk),
        rotation_deg=upright.rotation_deg,
        skew_deg=upright.skew_deg,
        to_original=to_displayed,
        bend=upright.bend,
        problems=tuple(str(one) for one in upright.problems) if content else (),
        words=words,
        print_problem=print_problem,
        kind=kind,
        codes=decoded.codes,
        look=page_look(upright.gray) if kind == PageKind.CONTENT else b"",
    )


def _kind(decoded: DecodedPage) -> str:
    if PageFacts(decoded.codes).is_separator:
        return PageKind.SEPARATOR
    return PageKind.BLANK if is_blank(decoded.gray) else PageKind.CONTENT


def _print_of(gray: Gray) -> tuple[tuple[PrintedWord, ...], str]:
    """Read the print of a page; without Tesseract the page goes on, and says so."""
    packs = getattr(settings, "CLINIC_HWR_OCR_LANGUAGES", None) or ["eng"]
    try:
        chosen, lacking = (packs[0], "") if packs == ["eng"] else choose_packs(packs)
        words = read_print(gray, languages=chosen, segmenter=line_marker_load())
    except TesseractMissing as error:
        logger.error("page.print_missing reason=%s", error)
        return (), "missing"
    except PrintUnread as error:
        logger.error("page.print_failed reason=%s", error)
        return (), "failed"
    if lacking:
        logger.warning("page.print_language_missing reason=%s", lacking)
    return words, "language" if lacking else ""


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
        bend=draft.bend.as_json(),
        problems=list(draft.problems),
        printed_words=[
            [word.text, *word.box_px.as_list(), round(word.confidence, 4)] for word in draft.words
        ],
        kind=draft.kind,
        codes=list(draft.codes),
        look=draft.look,
        print_problem=draft.print_problem,
    )
