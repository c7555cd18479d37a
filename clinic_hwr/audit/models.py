"""The append-only record of who did what to which object."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models


class AuditEventIsImmutable(RuntimeError):
    """An attempt to change or delete an audit event."""


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses the bulk paths that would change or remove events."""

    def update(self, **kwargs: Any) -> int:
        raise AuditEventIsImmutable("Audit events are never changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AuditEventIsImmutable("Audit events are never deleted.")


class AuditEvent(models.Model):
    """One thing that happened; written in the transaction of the change it records."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=60, db_index=True)  # e.g. field.corrected
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_name = models.CharField(max_length=150)  # the user name, or the name of a process
    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.PROTECT, related_name="+")
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64, db_index=True)
    scan_id = models.UUIDField(null=True, db_index=True)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)  # old, new, crop sha256, model, seconds ...
    content_hash = models.CharField(max_length=64)  # SHA-256 of the canonical JSON of the row

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditEventIsImmutable("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AuditEventIsImmutable("Audit events are never deleted.")
