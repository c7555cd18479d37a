"""The workstation: the sheet on the left, one field at a time on the right."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.access import scan_get
from clinic_hwr.intake.states import ScanState

from ..clarify_templates import TEMPLATES
from ..keys import keys_of
from ..presentation import field_choices, workstation_payload


@login_required
@require_safe
def workstation(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show a scan in review; any other state is told on the scan's own page."""
    scan = scan_get(request.user, scan_id)
    if scan.state not in (ScanState.IN_REVIEW, ScanState.VERIFIED):
        return redirect("scan-detail", scan_id=scan.pk)
    audit_record(
        action="document.viewed",
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=request.user,
        scan_id=scan.pk,
        data={"screen": "workstation"},
    )
    payload = workstation_payload(scan, request.user)
    may_decide = accessible_sites(request.user, "field.decide").filter(pk=scan.site_id).exists()
    context = {
        "section": "inbox",
        "scan": scan,
        "may_decide": may_decide,
        "payload": payload,
        "keys": keys_of(request.user),
        "templates": TEMPLATES.items(),
        "field_choices": field_choices(),
    }
    response = render(request, "review/workstation.html", context)
    response["Cache-Control"] = "no-store"
    return response
