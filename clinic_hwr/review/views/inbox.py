"""The inbox: what waits for whom, and the way in for new scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.access import scans_for
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState as S
from clinic_hwr.prescriptions.codec import from_json

from ..selectors import with_waiting_count

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Queue:
    """One tab of the inbox: its states, and whether the oldest comes first."""

    slug: str
    title: str
    states: tuple[S, ...]
    oldest_first: bool = False
    empty: str = "Nothing here."


QUEUES: tuple[Queue, ...] = (
    Queue("review", "Needs review", (S.IN_REVIEW,), True, "No field waits for a decision."),
    Queue("sign", "Ready to sign", (S.VERIFIED,), True, "Nothing waits for a signature."),
    Queue("working", "Being read", (S.RECEIVED, S.PAGED, S.READ), True, "No scan is being read."),
    Queue("problems", "Problems", (S.QUARANTINED, S.REJECTED), False, "No file was put aside."),
    Queue("done", "Released", (S.RELEASED, S.DELIVERED), False, "Nothing is released yet."),
    Queue("all", "All", tuple(S), False, "No scan was received yet."),
)
QUEUE_BY_SLUG = {queue.slug: queue for queue in QUEUES}

STATE_CHIPS: dict[str, str] = {
    S.IN_REVIEW: "doubt",
    S.VERIFIED: "info",
    S.RELEASED: "good",
    S.DELIVERED: "good",
    S.QUARANTINED: "stop",
}


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Show one queue; without a choice, the first that holds something."""
    sites = accessible_sites(request.user, "scan.view")
    if not sites.exists():
        raise PermissionDenied("Your account may not view scans at any site.")
    scans = scans_for(request.user)
    tabs = _tabs(scans)
    chosen = QUEUE_BY_SLUG.get(request.GET.get("queue", ""))
    if chosen is None:
        chosen = next((tab["queue"] for tab in tabs if tab["count"]), QUEUES[0])
    page = Paginator(_rows(scans, chosen), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "section": "inbox",
        "tabs": tabs,
        "queue": chosen,
        "page": page,
        "rows": [_row(scan) for scan in page.object_list],
        "upload_sites": accessible_sites(request.user, "scan.upload").order_by("name"),
        "many_sites": sites.count() > 1,
        "next_scan": _rows(scans, QUEUE_BY_SLUG["review"]).first(),
    }
    return render(request, "review/inbox.html", context)


def _tabs(scans: QuerySet[Scan]) -> list[dict[str, Any]]:
    """Return every queue with its count and the arrival of its oldest scan."""
    counted = scans.aggregate(
        **{queue.slug: Count("pk", filter=Q(state__in=queue.states)) for queue in QUEUES}
    )
    return [{"queue": queue, "count": counted[queue.slug]} for queue in QUEUES]


def _rows(scans: QuerySet[Scan], queue: Queue) -> QuerySet[Scan]:
    rows = scans.filter(state__in=queue.states).select_related(
        "site", "prescription", "lease__holder", "duplicate_of"
    )
    return with_waiting_count(rows).order_by(
        "received_at" if queue.oldest_first else "-received_at"
    )


def _row(scan: Scan) -> dict[str, Any]:
    """Return one line of the list: the scan, and who and what it is about once it is read."""
    record = getattr(scan, "prescription", None)
    prescription = from_json(record.content) if record is not None and record.content else None
    return {
        "scan": scan,
        "chip": STATE_CHIPS.get(scan.state, ""),
        "patient": prescription.patient.name if prescription else "",
        "drugs": [item.drug_text for item in prescription.medications if item.drug_text]
        if prescription
        else [],
        "lease": _lease(scan),
    }


def _lease(scan: Scan) -> Any:
    lease = getattr(scan, "lease", None)
    return lease if lease is not None and lease.is_in_force() else None
