"""What an administrator narrows the audit trail by; ids and names of actions, no patient data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet

from .models import AuditEvent


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """One set of filters; "" and None mean any. A scan or field that is no UUID finds nothing."""

    action: str = ""
    user: str = ""
    scan: str = ""
    field: str = ""
    before: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> AuditFilter:
        """Read the filters of a query string; a broken ``before`` counts as none."""
        before = query.get("before", "")
        return cls(
            action=query.get("action", "").strip(),
            user=query.get("user", "").strip(),
            scan=query.get("scan", "").strip(),
            field=query.get("field", "").strip(),
            before=int(before) if before.isascii() and before.isdigit() else None,
        )

    def apply(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return the events that pass every filter."""
        if self.action:
            events = events.filter(action=self.action)
        if self.user:
            events = events.filter(actor_name=self.user)
        if self.scan:
            scan_id = _uuid(self.scan)
            events = events.filter(scan_id=scan_id) if scan_id else events.none()
        if self.field:
            # a field's id, or its name: "sig" finds the decisions on every sig
            field_id = _uuid(self.field)
            named = {"object_id": str(field_id)} if field_id else {"data__field": self.field}
            events = events.filter(object_type="field", **named)
        if self.before is not None:
            events = events.filter(id__lt=self.before)
        return events

    def query(self, before: int | None = None) -> str:
        """Return the query string of these filters at another place of the list."""
        parts = {"action": self.action, "user": self.user, "scan": self.scan, "field": self.field}
        if before is not None:
            parts["before"] = str(before)
        return urlencode({name: value for name, value in parts.items() if value})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
