"""Writing audit events."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any
from uuid import UUID

from django.utils import timezone

from clinic_hwr.accounts.models import Site

from .models import AuditEvent


def canonical_bytes(event: AuditEvent) -> bytes:
    """Return the bytes that ``content_hash`` is the SHA-256 of (sorted keys, NFC, UTC us)."""
    row = {
        "schema": 1,
        "uuid": str(event.uuid),
        "at": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "action": event.action,
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "site": str(event.site_id),
        "object": [event.object_type, event.object_id],
        "scan": str(event.scan_id) if event.scan_id else None,
        "reason": event.reason,
        "data": event.data,
    }
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return unicodedata.normalize("NFC", text).encode()


def audit_record(
    *,
    action: str,
    site: Site,
    object_type: str,
    object_id: str | int | UUID,
    actor: Any = None,
    actor_name: str = "",
    scan_id: UUID | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append one audit event; call it inside the transaction of the change itself.

    ``data`` must be JSON (decimals and dates as text). ``actor`` is a user, or None for a
    process, which then gives its name as ``actor_name``.
    """
    event = AuditEvent(
        at=timezone.now(),
        action=action,
        actor=actor,
        actor_name=actor.get_username() if actor is not None else (actor_name or "system"),
        site=site,
        object_type=object_type,
        object_id=str(object_id),
        scan_id=scan_id,
        reason=reason,
        data=data or {},
    )
    event.content_hash = hashlib.sha256(canonical_bytes(event)).hexdigest()
    event.save()
    return event
