"""The audit browser: a filtered list, one entry, and the ink it is about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic_hwr.accounts.access import accessible_sites

from .access import event_get, events_for
from .crops import crop_read
from .filters import AuditFilter
from .formatting import ACTION_TITLES, action_title, event_sentence, field_words
from .models import AuditEvent
from .verification import event_is_intact, events_verify

PAGE_SIZE = 50


@never_cache
@login_required
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the newest events first; ``before`` pages on by id, so a growing trail stays fast."""
    _require_viewer(request)
    chosen = AuditFilter.from_query(request.GET)
    found = chosen.apply(events_for(request.user).select_related("site").order_by("-id"))
    events = list(found[: PAGE_SIZE + 1])
    shown = events[:PAGE_SIZE]
    context = {
        "section": "audit",
        "filter": chosen,
        "actions": ACTION_TITLES.items(),
        "rows": [_row(event) for event in shown],
        "verification": events_verify(shown),
        "older": chosen.query(before=shown[-1].pk) if len(events) > PAGE_SIZE else "",
        "newest": chosen.query() if chosen.before else "",
    }
    return render(request, "audit/list.html", context)


@never_cache
@login_required
@require_safe
def audit_event(request: HttpRequest, event_uuid: UUID) -> HttpResponse:
    """Show one event with everything that was stored."""
    _require_viewer(request)
    event = event_get(request.user, event_uuid)
    context = {"section": "audit", "row": _row(event), "event": event}
    return render(request, "audit/event.html", context)


@never_cache
@login_required
@require_safe
def audit_crop(request: HttpRequest, event_uuid: UUID) -> HttpResponse:
    """Answer the crop as the person saw it, by the hash that the event names."""
    sha256 = event_get(request.user, event_uuid).data.get("crop_sha256")
    image = crop_read(sha256) if sha256 else None
    if image is None:
        raise Http404("This event has no crop in the store.")
    return HttpResponse(image, content_type="image/png")


def _require_viewer(request: HttpRequest) -> None:
    if not accessible_sites(request.user, "audit.view").exists():
        raise PermissionDenied("The audit trail is for administrators.")


def _row(event: AuditEvent) -> dict[str, Any]:
    row = {
        "event": event,
        "title": action_title(event.action),
        "sentence": event_sentence(event),
        "is_field": event.action.startswith("field."),
        "is_name": event.action in ("field.added", "field.named"),
        "intact": event_is_intact(event),
    }
    if row["is_field"]:
        row["field"] = field_words(event.data.get("field", ""), event.data.get("group", 0))
    if row["is_name"]:
        data = event.data
        row["old_name"] = field_words(data["old"], data["old_group"])
        row["new_name"] = field_words(data["new"], data["group"])
    return row
