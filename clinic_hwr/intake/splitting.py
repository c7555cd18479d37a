"""Services of batches: one scan a prescription, each with its pages of the parent's bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .batches import SplitRule, parse_rule
from .decoding import pdf_of_scan
from .models import Page, PageKind, Scan, ScanTransition, SiteIntake
from .safety import Problem
from .services import scan_audit, scan_transition
from .states import ScanState
from .storage import blob_read


def split_rule_of(scan: Scan) -> SplitRule:
    """Return the rule for a scan: the one asked for at upload, else the site's."""
    if scan.split_rule:
        return parse_rule(scan.split_rule)
    chosen = SiteIntake.objects.filter(site_id=scan.site_id).values_list("split_rule", flat=True)
    return parse_rule(chosen.first() or "")


def scan_split(*, scan: Scan, groups: Sequence[Sequence[int]]) -> list[Scan]:
    """Make a scan of every group of pages; call it in the transaction that holds ``scan``.

    The new scans keep the parent's bytes, sender and time of receipt and say which of its pages
    they are; none is read twice. The parent rests in state ``split``.

    Args:
        scan: the batch, in state ``received``.
        groups: numbers of the parent's pages (from 1), one group a prescription, in order.

    Audit: ``scan.split``, and ``scan.received`` for every part.
    """
    parts = [_part(scan, place, list(numbers)) for place, numbers in enumerate(groups)]
    words = f"{len(parts)} prescriptions" if parts else "separator sheets only"
    scan_transition(
        scan=scan,
        to=ScanState.SPLIT,
        reason=words,
        problem_code=Problem.SPLIT,
        problem=(
            f"This batch was split: its {words} are scans of their own."
            if parts
            else "There are only separator sheets in this file: nothing to read."
        ),
    )
    facts = {"parts": len(parts), "rule": scan.split_rule}
    scan_audit("scan.split", scan, None, facts, actor_name="pipeline")
    return parts


def scan_pdf(scan: Scan) -> bytes:
    """Return the pages of a scan as a PDF that may leave the house.

    Of a part of a batch only its own pages, and never a separator sheet.

    Raises:
        FileRefused, BlobMissing, BlobDamaged: the original cannot be read any more.
    """
    separators = set(
        Page.objects.filter(scan=scan, kind=PageKind.SEPARATOR).values_list("number", flat=True)
    )
    numbers = list(scan.parent_pages) or list(range(1, scan.page_count + 1))
    wanted = [n for place, n in enumerate(numbers, start=1) if place not in separators]
    all_of_it = not scan.parent_pages and not separators
    return pdf_of_scan(blob_read(scan.sha256), only=() if all_of_it else wanted)


def _part(scan: Scan, place: int, numbers: list[int]) -> Scan:
    part = Scan(
        site=scan.site,
        sha256=scan.sha256,
        original_name=scan.original_name,
        content_type=scan.content_type,
        size_bytes=scan.size_bytes,
        source=scan.source,
        sent_by=scan.sent_by,
        source_ref=scan.source_ref,
        uploaded_by=scan.uploaded_by,
        parent=scan,
        parent_pages=numbers,
        page_count=len(numbers),
    )
    part.save(force_insert=True)
    # They came with the batch; a microsecond apart, so that lists keep the order of the paper.
    part.received_at = scan.received_at + timedelta(microseconds=place)
    part.save(update_fields=["received_at"])
    ScanTransition.objects.create(scan=part, from_state="", to_state=ScanState.RECEIVED)
    facts = {"sha256": part.sha256, "parent": str(scan.pk), "pages": numbers}
    scan_audit("scan.received", part, None, facts, actor_name="pipeline")
    return part
