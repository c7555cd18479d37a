"""Trying a form on the past pages of its site before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic_hwr.accounts.access import require
from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.access import scans_for
from clinic_hwr.intake.models import Page
from clinic_hwr.intake.rasters import raster_read
from clinic_hwr.pages.form_match import FormMatch
from clinic_hwr.pages.types import Box, Gray, PrintedWord
from clinic_hwr.routing.line_marker import line_marker_load

from .access import CONFIGURE
from .models import FormVersion
from .recognition import FormResult, form_result, version_sheets

MOST_PAGES = 8
"""Pages tried at a time: half a second each on one core, and a person waits."""


@dataclass(frozen=True, slots=True)
class TriedPage:
    """A past page and what a version of a form makes of it."""

    page: Page
    result: FormResult | None

    @property
    def recognised(self) -> bool:
        """Whether the page is printed on the form."""
        return self.result is not None and isinstance(self.result.match, FormMatch)


def version_try(*, user: Any, version: FormVersion, before: int = 0) -> list[TriedPage]:
    """Lay a version over the newest past pages of its site that ``user`` may see.

    Args:
        user: who asks.
        version: in any state.
        before: only pages with a smaller number than this; 0 starts at the newest.

    Raises:
        PermissionDenied: ``user`` may not configure the site.

    Audit: ``form.tested``, and with it that the pages' pictures were looked at.
    """
    require(user, version.form.site, CONFIGURE)
    pages = Page.objects.filter(scan__in=scans_for(user).filter(site=version.form.site))
    if before:
        pages = pages.filter(pk__lt=before)
    found = list(pages.select_related("scan").order_by("-pk")[:MOST_PAGES])
    sheets = version_sheets(version)
    tried = [TriedPage(page, _tried(page, sheets)) for page in found]
    audit_record(
        action="form.tested",
        site=version.form.site,
        object_type="form",
        object_id=version.pk,
        actor=user,
        data={
            "form": version.form.name,
            "version": version.number,
            "pages": [page.pk for page in found],
            "recognised": sum(one.recognised for one in tried),
        },
    )
    return tried


def page_try(*, user: Any, version: FormVersion, page: Page) -> FormResult | None:
    """Lay a version over one page; the caller has checked that ``user`` may see it."""
    require(user, version.form.site, CONFIGURE)
    return _tried(page, version_sheets(version))


def region_ink(result: FormResult, number: int) -> Gray | None:
    """Return the crop of one region of a recognised page, without the form's print."""
    if result.page is None or not 0 <= number < len(result.page.boxes):
        return None
    box = _inside(result.page.boxes[number], result.page.gray.shape)
    crop = result.page.gray[box.y : box.y + box.height, box.x : box.x + box.width]
    return crop if crop.size else None


def _tried(page: Page, sheets: Any) -> FormResult | None:
    words = tuple(
        PrintedWord(text, Box(x, y, width, height), confidence)
        for text, x, y, width, height, confidence in page.printed_words
    )
    return form_result(raster_read(page.image_sha256), words, sheets, segmenter=line_marker_load())


def _inside(box: Box, shape: tuple[int, ...]) -> Box:
    x0, y0 = max(0, box.x), max(0, box.y)
    x1, y1 = min(shape[1], box.x + box.width), min(shape[0], box.y + box.height)
    return Box(x0, y0, max(0, x1 - x0), max(0, y1 - y0))
