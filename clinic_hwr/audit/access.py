"""The only way to audit events: administrators, at their own sites."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites

from .models import AuditEvent


def events_for(user: Any) -> QuerySet[AuditEvent]:
    """Return the events of every site at which ``user`` may view the audit trail."""
    return AuditEvent.objects.filter(site__in=accessible_sites(user, "audit.view"))


def event_get(user: Any, event_uuid: UUID) -> AuditEvent:
    """Return one event that ``user`` may view, else raise ``Http404``."""
    event = events_for(user).select_related("site", "actor").filter(uuid=event_uuid).first()
    if event is None:
        raise Http404("No audit event with this number.")
    return event
