"""The scans that wait for this person as the second or third pair of eyes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.access import scans_for

from ..selectors import waiting_for_second, with_waiting_count

PAGE_SIZE = 50


@never_cache
@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show them oldest first. No drug is named: it is what the person is to read themselves."""
    if not accessible_sites(request.user, "field.decide").exists():
        raise PermissionDenied("Your account may not decide fields at any site.")
    scans = waiting_for_second(scans_for(request.user), request.user)
    ordered = with_waiting_count(scans).select_related("site").order_by("state_changed_at", "pk")
    page = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"section": "second", "page": page}
    return render(request, "review/second_checks.html", context)
