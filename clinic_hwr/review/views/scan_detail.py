"""The page of one scan: where it stands, why, what was done with it; and rejecting it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.services import audit_record
from clinic_hwr.delivery.models import Delivery
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.intake.access import scan_get, scans_for
from clinic_hwr.intake.models import Page, ScanTransition, StageRun
from clinic_hwr.intake.states import TRANSITIONS, ScanState
from clinic_hwr.prescriptions.codec import from_json

from ..errors import ReviewError
from ..models import PrescriptionRecord
from ..presentation import medication_words
from ..services import scan_reject
from ..services.rejection import REJECT_CODES
from .inbox import STATE_CHIPS


@never_cache
@login_required
@require_safe
def scan_detail(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show one scan of any state."""
    scan = scan_get(request.user, scan_id)
    audit_record(
        action="document.viewed",
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=request.user,
        scan_id=scan.pk,
        data={"screen": "scan"},
    )
    record = PrescriptionRecord.objects.select_related("released_by").filter(scan=scan).first()
    prescription = from_json(record.content) if record and record.content else None
    sites = accessible_sites(request.user, "field.decide").filter(pk=scan.site_id)
    context = {
        "section": "inbox",
        "scan": scan,
        "chip": STATE_CHIPS.get(scan.state, ""),
        "record": record,
        "prescription": prescription,
        "medications": [medication_words(item) for item in prescription.medications]
        if prescription
        else [],
        "pages": Page.objects.filter(scan=scan),
        "transitions": [_step(row) for row in ScanTransition.objects.filter(scan=scan)],
        "runs": StageRun.objects.filter(scan=scan).exclude(outcome="done"),
        "copies": scans_for(request.user).filter(duplicate_of=scan),
        "deliveries": _deliveries(record),
        "document_url": _document_url(record),
        "may_review": scan.state in (ScanState.IN_REVIEW, ScanState.VERIFIED),
        "may_reject": ScanState.REJECTED in TRANSITIONS[ScanState(scan.state)] and sites.exists(),
        "may_retry": scan.state == ScanState.QUARANTINED
        and scan.duplicate_of_id is None
        and accessible_sites(request.user, "scan.retry").filter(pk=scan.site_id).exists(),
        "reject_codes": REJECT_CODES.items(),
    }
    return render(request, "review/scan_detail.html", context)


@login_required
@require_POST
def reject(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Take a scan out of work with a reason."""
    try:
        scan_reject(
            user=request.user,
            scan_id=scan_id,
            code=request.POST.get("code", ""),
            reason=request.POST.get("reason", ""),
        )
    except ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Rejected. The file itself is kept.")
    return redirect("scan-detail", scan_id=scan_id)


def _step(row: ScanTransition) -> dict[str, object]:
    return {
        "label": ScanState(row.to_state).label,
        "reason": row.reason.replace("_", " "),
        "at": row.at,
    }


def _deliveries(record: PrescriptionRecord | None) -> list[Delivery]:
    if record is None:
        return []
    rows = Delivery.objects.filter(prescription_id=record.pk).select_related("target")
    return list(rows.order_by("created_at"))


def _document_url(record: PrescriptionRecord | None) -> str:
    """Return the address of the newest released document, "" when there is none."""
    if record is None:
        return ""
    rows = ResourceVersion.objects.filter(prescription_id=record.pk, resource_type="Bundle")
    bundle = rows.order_by("version", "pk").last()
    if bundle is None:
        return ""
    return reverse("fhir:metadata").removesuffix("metadata") + f"Bundle/{bundle.fhir_id}"
