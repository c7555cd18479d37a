"""REST: the audit trail, for administrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.rest.etags import tagged
from clinic_hwr.rest.views import ApiView, described, plain_request
from clinic_hwr.review.api.answers import AuditAnswer, AuditLine

from .access import event_get, events_for
from .filters import AuditFilter
from .models import AuditEvent
from .verification import event_is_intact
from .views import audit_crop

PAGE_SIZE = 100


class AuditApi(ApiView):
    """``/api/audit/``."""

    @described(
        operation_id="audit_list",
        tags=["audit"],
        parameters=[
            OpenApiParameter("action", str, description="field.corrected ..."),
            OpenApiParameter("user", str, description="The user name of who did it."),
            OpenApiParameter("scan", str, description="A scan's id."),
            OpenApiParameter("field", str, description="A field's id, or its name."),
            OpenApiParameter("before", int, description="From the page before."),
        ],
        responses=AuditAnswer,
    )
    def get(self, request: Request) -> Response:
        """List the newest events of one's sites; administrators only."""
        _require_viewer(request)
        query = {name: text.replace("\x00", "") for name, text in request.query_params.items()}
        if len(query.get("before", "")) > 18:
            query["before"] = ""
        chosen = AuditFilter.from_query(query)
        rows = chosen.apply(events_for(request.user).select_related("site").order_by("-id"))
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        events = [_line(event) for event in shown]
        before = shown[-1].pk if len(found) > PAGE_SIZE else None
        return Response({"events": events, "before": before}, headers={"Cache-Control": "no-store"})


class AuditEventApi(ApiView):
    """``/api/audit/{uuid}/``."""

    @described(tags=["audit"], responses=AuditLine)
    def get(self, request: Request, event_uuid: UUID) -> Response:
        """Return one event with everything that was stored."""
        _require_viewer(request)
        return tagged(request, _line(event_get(request.user, event_uuid)))


class AuditCropApi(ApiView):
    """``/api/audit/{uuid}/crop/``."""

    @described(tags=["audit"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, event_uuid: UUID) -> HttpResponse:
        """Return the ink that an event is about, as the person saw it, as PNG."""
        _require_viewer(request)
        return audit_crop(plain_request(request), event_uuid)


def _require_viewer(request: Request) -> None:
    if not accessible_sites(request.user, "audit.view").exists():
        raise PermissionDenied("The audit trail is for administrators.")


def _line(event: AuditEvent) -> dict[str, Any]:
    return {
        "uuid": event.uuid,
        "at": event.at,
        "action": event.action,
        "actor": event.actor_name,
        "site": event.site.slug,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "scan_id": event.scan_id,
        "reason": event.reason,
        "data": event.data,
        "intact": event_is_intact(event),
    }
