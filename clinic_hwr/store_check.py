"""Is every received file still what it was, and can every page be made again from it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clinic_hwr.intake.decoding import iterate_pages
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.safety import FileRefused
from clinic_hwr.intake.storage import (
    BlobDamaged,
    BlobMissing,
    blob_is_writable,
    blob_names,
    blob_read,
    strangers,
)
from clinic_hwr.review.models import FieldBox
from clinic_hwr.routing.models import Field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the store.

    Attributes:
        code: missing, damaged, writable, not_derivable, orphan or stranger.
        name: the blob, or the file's place.
        detail: what it belongs to, ids only.
        severe: something that was received is not there as it came.
    """

    code: str
    name: str
    detail: str
    severe: bool


def store_faults(*, derive: bool = False) -> Iterator[Fault]:
    """Check originals, pictures and what else lies in the store; yields what is wrong.

    Args:
        derive: also decode every original that became pages, and count them.
    """
    owners = _owners()
    stored = set(blob_names())
    for name in sorted(owners):
        if name not in stored:
            yield Fault("missing", name, owners[name], severe=True)
    for name in sorted(stored):
        yield from _blob_faults(name, owners.get(name, ""))
    for path in strangers():
        yield Fault("stranger", str(path.name), "no blob of ours", severe=False)
    if derive:
        yield from _underivable()


def _owners() -> dict[str, str]:
    """Return what every blob that the database knows belongs to; originals come last and win."""
    owners = dict.fromkeys(FieldBox.objects.values_list("crop_sha256", flat=True), "box of a field")
    owners |= dict.fromkeys(Field.objects.values_list("crop_sha256", flat=True), "field")
    for sha256, scan in Page.objects.values_list("image_sha256", "scan_id").iterator():
        owners[sha256] = f"page of scan {scan}"
    for sha256, scan in Scan.objects.values_list("sha256", "pk").iterator():
        owners[sha256] = f"original of scan {scan}"
    return owners


def _blob_faults(name: str, owner: str) -> Iterator[Fault]:
    try:
        blob_read(name)
    except BlobMissing:  # taken away while we looked
        yield Fault("missing", name, owner, severe=bool(owner))
        return
    except BlobDamaged:
        yield Fault("damaged", name, owner or "nobody's", severe=bool(owner))
    if blob_is_writable(name):
        yield Fault("writable", name, owner or "nobody's", severe=False)
    if not owner:
        # A stage that was tried again leaves the pictures of its first try behind.
        yield Fault("orphan", name, "known to no row", severe=False)


def _underivable() -> Iterator[Fault]:
    for scan in Scan.objects.filter(pages__isnull=False).distinct().iterator():
        expected = scan.pages.count()
        try:
            data = blob_read(scan.sha256)
            made = sum(1 for _ in iterate_pages(data, only=scan.parent_pages))
        except (FileRefused, BlobMissing, BlobDamaged) as error:
            yield Fault("not_derivable", scan.sha256, f"scan {scan.pk}: {error}", severe=True)
            continue
        if made != expected:
            detail = f"scan {scan.pk}: {made} pages of {expected}"
            yield Fault("not_derivable", scan.sha256, detail, severe=True)
