"""Before a scan is routed: which earlier scans of the site may be of the same paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import QuerySet

from clinic_hwr.intake.models import Likeness, Page, PageKind, Scan
from clinic_hwr.intake.rasters import raster_read
from clinic_hwr.pages.likeness import LOOKS_ALIKE, SAME_PAPER, looks_alike, same_paper_score

_CANDIDATES = 3
"""Pages compared stroke by stroke; each takes some tenths of a second."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Another scan that may be of the same paper, and the share of the ink in the same place."""

    scan_id: UUID
    score: float


def alike_scans(scan: Scan) -> tuple[Alike, ...]:
    """Compare the pages of a scan with those its site received within the days looked back.

    The days are the setting ``CLINIC_HWR_ALIKE_DAYS`` (default 60; 0 looks at none).
    """
    days = int(getattr(settings, "CLINIC_HWR_ALIKE_DAYS", 60))
    mine = list(Page.objects.filter(scan=scan, kind=PageKind.CONTENT))
    if days <= 0 or not mine:
        return ()
    others = [row for row in _others(scan, days).values_list("pk", "look") if row[1]]
    best: dict[UUID, float] = {}
    for page in mine:
        scores = looks_alike(bytes(page.look), [bytes(look) for _, look in others])
        order = np.argsort(-scores)[:_CANDIDATES]
        for index in order[scores[order] >= LOOKS_ALIKE]:
            other = Page.objects.get(pk=others[int(index)][0])
            score = _score(page, other)
            if score >= SAME_PAPER:
                best[other.scan_id] = max(score, best.get(other.scan_id, 0.0))
    return tuple(Alike(found, round(score, 3)) for found, score in best.items())


def alike_replace(scan: Scan, alike: Sequence[Alike]) -> None:
    """Store what was found in place of any from an earlier try; call it in a transaction."""
    Likeness.objects.filter(scan=scan).delete()
    Likeness.objects.bulk_create(
        Likeness(scan=scan, other_id=item.scan_id, score=item.score) for item in alike
    )


def _others(scan: Scan, days: int) -> QuerySet[Page]:
    """Return the written pages of other scans; a batch and its parts are the same paper anyway."""
    pages = Page.objects.filter(
        scan__site_id=scan.site_id,
        scan__received_at__gte=scan.received_at - timedelta(days=days),
        scan__received_at__lte=scan.received_at,
        scan__parts__isnull=True,
        kind=PageKind.CONTENT,
    )
    return pages.exclude(scan=scan).exclude(scan_id=scan.parent_id)


def _score(page: Page, other: Page) -> float:
    return same_paper_score(raster_read(page.image_sha256), raster_read(other.image_sha256))
