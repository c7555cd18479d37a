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
from ..presentation import workstation_payload
from ..queues import queue_get
from ..services import (
    lease_heartbeat,
    lease_release,
    lease_take_over,
    scan_claim,
    scan_claim_next,
    scans_search,
)
from . import answers, bodies
from .base import ReviewApi
from .shapes import lease_answer, scan_lines


class QueuesApi(ReviewApi):
    """``/api/queues/``."""

    @described(operation_id="queues_list", tags=["queues"], responses=answers.QueuesAnswer)
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
        responses=answers.QueuePageAnswer,
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

    @described(tags=["queues"], request=None, responses={200: answers.LeaseAnswer, 204: None})
    def post(self, request: Request, slug: str) -> Response:
        """Take the first free scan of a queue: its lease, or 204 when none is free."""
        lease = scan_claim_next(user=request.user, queue=slug)
        if lease is None:
            return Response(status=204)
        return Response(lease_answer(lease, lease.scan_id, request.user))


class DraftApi(ReviewApi):
    """``/api/scans/{id}/draft/``."""

    @described(tags=["scans"], responses=answers.DraftAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Say what a scan in review means so far: medications in words, warnings, its pages."""
        shown = workstation_payload(scan_get(request.user, scan_id), request.user)
        return tagged(
            request,
            {
                "scan_id": str(scan_id),
                "status": shown["scan"]["state"],
                "fields_waiting": shown["waiting"],
                "medications": shown["meaning"],
                "notes": [
                    {"message": note["message"], "severity": note["severity"]}
                    for note in shown["notes"]
                ],
                "pages": [
                    {
                        "number": page["number"],
                        "width_px": page["width"],
                        "height_px": page["height"],
                        "form": page["form"],
                        "print_problem": page["print_problem"],
                    }
                    for page in shown["pages"]
                ],
                "undoable": [
                    {"field_id": step["field"], "what": step["what"]} for step in shown["undoable"]
                ],
            },
        )


class LeaseApi(ReviewApi):
    """``/api/scans/{id}/lease/``."""

    @described(tags=["leases"], responses=answers.LeaseAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """Say who holds a scan."""
        scan = scan_get(request.user, scan_id)
        lease = ReviewLease.objects.select_related("holder").filter(scan=scan).first()
        return tagged(request, lease_answer(lease, scan.pk, request.user))

    @described(tags=["leases"], request=None, responses=answers.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Claim a scan; 409 with the holder while a colleague has it."""
        lease = scan_claim(user=request.user, scan_id=scan_id)
        return Response(lease_answer(lease, scan_id, request.user))


class HeartbeatApi(ReviewApi):
    """``/api/scans/{id}/lease/heartbeat/``."""

    body = bodies.LeaseBody

    @described(tags=["leases"], request=body, responses=answers.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Prolong a lease."""
        token = self.checked(request)["lease_token"]
        until = lease_heartbeat(user=request.user, scan_id=scan_id, token=token)
        holder = request.user.get_full_name() or request.user.get_username()
        return Response({"scan_id": scan_id, "token": token, "holder": holder, "expires_at": until})


class LeaseReleaseApi(ReviewApi):
    """``/api/scans/{id}/lease/release/``."""

    body = bodies.LeaseBody

    @described(tags=["leases"], request=body, responses={204: None})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Give a scan back."""
        token = self.checked(request)["lease_token"]
        lease_release(user=request.user, scan_id=scan_id, token=token)
        return Response(status=204)


class TakeOverApi(ReviewApi):
    """``/api/scans/{id}/lease/take-over/``."""

    body = bodies.TakeOverBody

    @described(tags=["leases"], request=body, responses=answers.LeaseAnswer)
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Take a scan away from a colleague, with a reason; supervisors only, audited."""
        reason = self.checked(request)["reason"]
        lease = lease_take_over(user=request.user, scan_id=scan_id, reason=reason)
        return Response(lease_answer(lease, scan_id, request.user))


class SearchApi(ReviewApi):
    """``/api/search/``."""

    body = bodies.SearchBody

    @described(tags=["search"], request=body, responses=answers.SearchAnswer)
    def post(self, request: Request) -> Response:
        """Find prescriptions of one's own sites by any words, newest first; audited."""
        found = scans_search(user=request.user, **self.checked(request))
        lines = scan_lines([hit.scan for hit in found.hits])
        hits = [
            {**line, "parts": hit.parts, "lines": hit.lines}
            for line, hit in zip(lines, found.hits, strict=True)
        ]
        return Response({"hits": hits, "before": found.before})
