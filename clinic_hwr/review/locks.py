"""The one place of this room where rows are locked: always the scan, before anything under it."""

from __future__ import annotations

from uuid import UUID

from clinic_hwr.intake.models import Scan


def scan_locked(scan_id: UUID) -> Scan:
    """Return the scan with its row locked until the transaction ends.

    Every decision, lease check and release of a scan passes here, so they happen one after the
    other. SQLite has no row locks; there the IMMEDIATE transaction does the same.
    """
    return Scan.objects.select_for_update(of=("self",)).select_related("site").get(pk=scan_id)
