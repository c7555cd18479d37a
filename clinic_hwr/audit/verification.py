"""Checking that audit events are as they were written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from .models import AuditEvent
from .services import canonical_bytes

CHUNK_ROWS = 2000  # constant memory however long the trail is


@dataclass(frozen=True, slots=True)
class Verification:
    """How many events were checked, and the ids of those that are not as they were written."""

    checked: int
    altered: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """Whether every event is as it was written."""
        return not self.altered


def event_is_intact(event: AuditEvent) -> bool:
    """Whether the row still hashes to its ``content_hash``."""
    return hashlib.sha256(canonical_bytes(event)).hexdigest() == event.content_hash


def events_verify(events: Iterable[AuditEvent] | None = None) -> Verification:
    """Check ``events``, or the whole trail, row by row.

    A row that was removed leaves no hash to check: that needs the chain of a sealed trail.
    """
    if events is None:
        events = AuditEvent.objects.order_by("id").iterator(chunk_size=CHUNK_ROWS)
    checked = 0
    altered = []
    for event in events:
        checked += 1
        if not event_is_intact(event):
            altered.append(event.pk)
    return Verification(checked, tuple(altered))
