"""REST: the audit trail, for administrators."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.rest.views import ApiView, described
from clinic_hwr.review.api.serializers import AuditAnswer

from .access import events_for
from .filters import AuditFilter
from .verification import event_is_intact

PAGE_SIZE = 100


class AuditApi(ApiView):
    """``/api/audit/``."""

    @described(
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
        if not accessible_sites(request.user, "audit.view").exists():
            raise PermissionDenied("The audit trail is for administrators.")
        query = {name: text.replace("\x00", "") for name, text in request.query_params.items()}
        if len(query.get("before", "")) > 18:
            query["before"] = ""
        chosen = AuditFilter.from_query(query)
        rows = chosen.apply(events_for(request.user).select_related("site").order_by("-id"))
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        events = [
            {
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
            for event in shown
        ]
        before = shown[-1].pk if len(found) > PAGE_SIZE else None
        return Response({"events": events, "before": before}, headers={"Cache-Control": "no-store"})
