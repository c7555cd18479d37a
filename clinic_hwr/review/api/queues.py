"""REST: queues, claiming, leases, search."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.intake.access import scan_get
from clinic_hwr.rest.etags import tagged
from clinic_hwr.rest.views import described

from ..listing import COUNT_CAP, queue_rows, queue_states, scans_page, site_ids
from ..models import ReviewLease
from ..queues import queue_get
from ..services import (
    lease_heartbeat,
    lease_release,
    lease_take_over,
    scan_claim,
    scan_claim_next,
    scans_search,
)
from . import serializers as shapes_of
from .base import ReviewApi
from .shapes import lease_answer, scan_lines


class QueuesApi(ReviewApi):
    """``/api/queues/``."""

    @described(operation_id="queues_list", tags=["queues"], responses=shapes_of.QueuesAnswer)
    def get(self, request: Request) -> Response:
        """List every queue with its count and the arrival of its oldest scan."""
        states = queue_states(request.user, site_ids(request.user))
        found = [
            {
                "slug": each.queue.slug,
                "title": each.queue.title,
                "count": min(each.count, COUNT_CAP),
                "more": each.is_capped,
                "oldest_received_at": each.oldest,
                "claimable": bool(each.queue.claim),
            }
            for each in states
        ]
        return tagged(request, {"queues": found})


class QueueApi(ReviewApi):
    """``/api/queues/{slug}/``."""

    @described(
        tags=["queues"],
        parameters=[OpenApiParameter("after", str, description="From the page before.")],
        responses=shapes_of.QueuePageAnswer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """List one page of a queue in its own order."""
        chosen = queue_get(slug)
        page = scans_page(
            queue_rows(request.user, site_ids(request.user), chosen),
            oldest_first=chosen.oldest_first,
            after=request.query_params.get("after", ""),
        )
        return tagged(request, {"scans": scan_lines(page.scans), "after": page.after})


class QueueClaimApi(ReviewApi):
    """``/api/queues/{slug}/claim/``."""

    @described(tags=["queues"], request=None, responses={200: shapes_of.LeaseAnswer, 204: None})
    def post(self, request: Request, slug: str) -> Response:
        """Take the first free scan of a queue: its lease, or 204 when none is free."""
        lease = scan_claim_next(user=request.user, queue=slug)
        if lease is None:
            return Response(status=204)
        return Response(lease_answer(lease, lease.scan_id, request.user))


class LeaseApi(ReviewApi):
    """``/api/scans/{id}/lease/``."""

    @described(tags=["leases"], responses=shapes_of.LeaseAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Say who holds a scan."""
        scan = scan_get(request.user, scan_id)
        lease = ReviewLease.objects.select_related("holder").filter(scan=scan).first()
        return tagged(request, lease_answer(lease, scan.pk, request.user))

    @described(tags=["leases"], request=None, responses=shapes_of.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Claim a scan; 409 with the holder while a colleague has it."""
        lease = scan_claim(user=request.user, scan_id=scan_id)
        return Response(lease_answer(lease, scan_id, request.user))


class HeartbeatApi(ReviewApi):
    """``/api/scans/{id}/lease/heartbeat/``."""

    body = shapes_of.LeaseBody

    @described(tags=["leases"], request=body, responses=shapes_of.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Prolong a lease."""
        token = self.checked(request)["lease_token"]
        until = lease_heartbeat(user=request.user, scan_id=scan_id, token=token)
        holder = request.user.get_full_name() or request.user.get_username()
        return Response({"scan_id": scan_id, "token": token, "holder": holder, "expires_at": until})


class LeaseReleaseApi(ReviewApi):
    """``/api/scans/{id}/lease/release/``."""

    body = shapes_of.LeaseBody

    @described(tags=["leases"], request=body, responses={204: None})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Give a scan back."""
        token = self.checked(request)["lease_token"]
        lease_release(user=request.user, scan_id=scan_id, token=token)
        return Response(status=204)


class TakeOverApi(ReviewApi):
    """``/api/scans/{id}/lease/take-over/``."""

    body = shapes_of.TakeOverBody

    @described(tags=["leases"], request=body, responses=shapes_of.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Take a scan away from a colleague, with a reason; supervisors only, audited."""
        reason = self.checked(request)["reason"]
        lease = lease_take_over(user=request.user, scan_id=scan_id, reason=reason)
        return Response(lease_answer(lease, scan_id, request.user))


class SearchApi(ReviewApi):
    """``/api/search/``."""

    body = shapes_of.SearchBody

    @described(tags=["search"], request=body, responses=shapes_of.SearchAnswer)
    def post(self, request: Request) -> Response:
        """Find prescriptions of one's own sites by any words, newest first; audited."""
        found = scans_search(user=request.user, **self.checked(request))
        lines = scan_lines([hit.scan for hit in found.hits])
        hits = [
            {**line, "parts": hit.parts, "lines": hit.lines}
            for line, hit in zip(lines, found.hits, strict=True)
        ]
        return Response({"hits": hits, "before": found.before})
