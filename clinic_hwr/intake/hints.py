"""Telling a worker that a scan waits; only a hint, the database stays the queue of record."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

_DEFAULT_HINT = "clinic_hwr.tasks.hint_scan"


def hint_on_commit(scan_id: UUID) -> None:
    """Call the configured hint once the transaction at hand has committed.

    The hint is named by the setting ``CLINIC_HWR_HINT`` because the rooms know nothing of the
    pipeline that walks through them. A hint that fails (broker down) is logged by Django and
    otherwise ignored: the reaper finds the scan.
    """
    hint = getattr(settings, "CLINIC_HWR_HINT", _DEFAULT_HINT)
    transaction.on_commit(lambda: import_string(hint)(scan_id), robust=True)
