"""The inbox: what waits for whom, finding a prescription again, and the way in for new scans."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState as S
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.routing.lexicons import working_lexicon

from ..access import clarifications_for
from ..clarify_templates import TEMPLATES
from ..discretion import Discretion, person_at
from ..errors import ReviewError
from ..listing import queue_rows, queue_states, scans_page, site_ids
from ..models import QuestionStatus
from ..queues import UnknownQueue, queue_get
from ..selectors import blind_scans
from ..services import field_states, scan_claim_next, scans_search
from ..services.effective import OPEN_TO_PEOPLE
from ..wording import field_title
from .delivery_notes import notes_of_scans

# What a search asked for is kept in the session on the server, and only where there is one:
# never in an address, and never in a cookie that holds the session itself.
COOKIE_SESSIONS = "django.contrib.sessions.backends.signed_cookies"
SEARCH_KEY = "review_search"

STATE_CHIPS: dict[str, str] = {
    S.IN_REVIEW: "doubt",
    S.VERIFIED: "info",
    S.RELEASED: "good",
    S.DELIVERED: "good",
    S.QUARANTINED: "stop",
}
PART_TITLES: dict[str, str] = {
    "": "Everything read",
    "patient": "Patient",
    "drug": "Drug",
    "prescriber": "Prescriber",
    "page": "Text on the page",
}


@never_cache
@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Show one queue; without a choice, the first with work in it, else with anything."""
    sites = _sites_or_denied(request.user)
    states = queue_states(request.user, sites)
    try:
        chosen = queue_get(request.GET.get("queue", ""))
    except UnknownQueue:
        holding = [each.queue for each in states if each.count]
        working = [each for each in holding if each.claim]
        chosen = next(iter([*working, *holding]), queue_get("review"))
    rows = queue_rows(request.user, sites, chosen)
    after = request.GET.get("after", "")
    page = scans_page(rows, oldest_first=chosen.oldest_first, after=after)
    context = {
        "section": "inbox",
        "tabs": [each for each in states if each.count or each.queue.shown_empty],
        "queue": chosen,
        "rows": scan_rows(page.scans, request.user),
        "after": page.after,
        "is_first": not after,
        "upload_sites": accessible_sites(request.user, "scan.upload").order_by("name"),
        "many_sites": len(sites) > 1,
        "next_queue": _next_queue(states, chosen.slug),
        "parts": PART_TITLES.items(),
    }
    return render(request, "review/inbox.html", context)


@login_required
@require_safe
def queue_moved(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead from an address of before to its queue in the inbox."""
    return redirect(f"{reverse('inbox')}?queue={slug}")


@login_required
@require_POST
def claim_next(request: HttpRequest) -> HttpResponse:
    """Take the longest waiting free scan of a queue and open it."""
    slug = request.POST.get("queue", "review")
    try:
        lease = scan_claim_next(user=request.user, queue=slug)
    except (UnknownQueue, ReviewError) as error:
        messages.error(request, str(error))
        return redirect("inbox")
    if lease is None:
        messages.info(request, "Nothing free is waiting here; colleagues hold what is left.")
        return redirect("inbox")
    return redirect(queue_get(slug).opens, scan_id=lease.scan_id)


@never_cache
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Show what a search finds; asked by POST, so that no name gets into an address."""
    sites = _sites_or_denied(request.user)
    keeps = settings.SESSION_ENGINE != COOKIE_SESSIONS
    if request.method == "POST":
        asked = {name: request.POST.get(name, "") for name in ("text", "part", "before")}
        if keeps:
            request.session[SEARCH_KEY] = asked
            return redirect("inbox-search")
    else:
        asked = request.session.get(SEARCH_KEY, {}) if keeps else {}
    if not asked.get("text", "").strip():
        request.session.pop(SEARCH_KEY, None)
        return redirect("inbox")
    before = asked.get("before", "")
    found = scans_search(
        user=request.user,
        text=asked["text"],
        part=asked.get("part", ""),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    rows = scan_rows([hit.scan for hit in found.hits], request.user)
    for row, hit in zip(rows, found.hits, strict=True):
        row["parts"] = [PART_TITLES[part] for part in hit.parts]
        row["lines"] = hit.lines
    context = {
        "section": "inbox",
        "asked": asked,
        "rows": rows,
        "before": found.before,
        "is_first": not before,
        "many_sites": len(sites) > 1,
        "parts": PART_TITLES.items(),
    }
    return render(request, "review/search.html", context)


def scan_rows(scans: Any, user: Any) -> list[dict[str, Any]]:
    """Return the lines of a list of scans, with their questions and deliveries (five queries)."""
    notes = notes_of_scans(scans)
    blind = blind_scans(scan.pk for scan in scans)
    questions = _questions(scans, user, blind)
    return [
        {
            **_row(scan, scan.pk in blind),
            "note": notes.get(scan.pk),
            "questions": questions.get(scan.pk, ()),
        }
        for scan in scans
    ]


def _questions(scans: Any, user: Any, blind: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return what prescribers are asked and answered of scans in work that ``user`` may decide.

    What is said may name a drug: where ``user`` is still to enter that blind, only the reason is
    told.
    """
    works = [scan.pk for scan in scans if scan.state in OPEN_TO_PEOPLE]
    rows = clarifications_for(user).filter(field__page__scan__in=works)
    found: dict[UUID, list[dict[str, Any]]] = {}
    shown = rows.exclude(status=QuestionStatus.WITHDRAWN).prefetch_related("calls__by")
    for asked in shown.order_by("asked_at"):
        field = asked.field
        template = TEMPLATES.get(asked.reason)
        calls = list(asked.calls.all())
        said = " ".join([asked.question, *(call.answer for call in calls)])
        found.setdefault(field.page.scan_id, []).append(
            {
                "asked": asked,
                "title": field_title(field.name, field.group),
                "reason": template.title if template else asked.reason,
                "told": field.page.scan_id not in blind or _may_tell(field.page.scan, user, said),
                "is_open": asked.status == QuestionStatus.OPEN,
                "whole_page": field.crop_sha256 == field.page.image_sha256,
                "calls": calls,
                "last": calls[-1] if calls else None,
            }
        )
    return found


def _may_tell(scan: Scan, user: Any, said: str) -> bool:
    """Whether words tell ``user`` nothing of what they are to enter blind (seven queries)."""
    lexicon = working_lexicon(scan.site.slug)
    return Discretion(field_states(scan), person_at(scan, user), lexicon).may_tell(said)


def _sites_or_denied(user: Any) -> list[Any]:
    sites = site_ids(user)
    if not sites:
        raise PermissionDenied("Your account may not view scans at any site.")
    return sites


def _next_queue(states: Any, chosen: str) -> Any:
    """Return the queue that "next" takes from: the one shown if it holds work, else the first."""
    working = [each for each in states if each.queue.claim and each.count]
    shown = [each for each in working if each.queue.slug == chosen]
    return next(iter([*shown, *working]), None)


def _row(scan: Scan, blind: bool) -> dict[str, Any]:
    """Return one line of the list: the scan, and who and what it is about once it is read.

    No drug is named while somebody is to enter it ``blind``.
    """
    record = getattr(scan, "prescription", None)
    prescription = from_json(record.content) if record is not None and record.content else None
    retracted = record is not None and record.retracted_at is not None
    return {
        "scan": scan,
        "chip": "stop" if retracted else STATE_CHIPS.get(scan.state, ""),
        "label": "Retracted" if retracted else scan.get_state_display(),
        "patient": prescription.patient.name if prescription else "",
        "drugs": [item.drug_text for item in prescription.medications if item.drug_text]
        if prescription and not blind
        else [],
        "blind": blind,
        "lease": _lease(scan),
        "opens": _opens(scan),
    }


def _opens(scan: Scan) -> str:
    """Return the name of the address a scan opens at, by its state."""
    return {S.IN_REVIEW: "workstation", S.VERIFIED: "release"}.get(S(scan.state), "scan-detail")


def _lease(scan: Scan) -> Any:
    lease = getattr(scan, "lease", None)
    works = scan.state in OPEN_TO_PEOPLE and lease is not None and lease.is_in_force()
    return lease if works else None
