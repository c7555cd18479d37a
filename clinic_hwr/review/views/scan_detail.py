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
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.forms.models import PageForm
from clinic_hwr.intake.access import scan_get, scans_for
from clinic_hwr.intake.models import Page, ScanTransition, StageRun
from clinic_hwr.intake.states import TRANSITIONS, ScanState
from clinic_hwr.prescriptions.codec import from_json

from ..errors import ReviewError
from ..models import PrescriptionRecord
from ..presentation import medication_words
from ..selectors import blind_scans
from ..services import lease_take_over, may_take_over, scan_reject
from ..services.effective import OPEN_TO_PEOPLE
from ..services.leases import lease_of_others
from ..services.rejection import REJECT_CODES
from .delivery_notes import deliveries_of, ehr_states, note_of
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
    blind = bool(blind_scans([scan.pk]))
    prescription = from_json(record.content) if record and record.content and not blind else None
    ehrs = ehr_states(record, deliveries_of([record.pk])) if record else []
    works = scan.state in OPEN_TO_PEOPLE
    lease = lease_of_others(user=request.user, scan_id=scan.pk) if works else None
    sites = accessible_sites(request.user, "field.decide").filter(pk=scan.site_id)
    context = {
        "section": "inbox",
        "scan": scan,
        "chip": "stop" if record and record.retracted_at else STATE_CHIPS.get(scan.state, ""),
        "record": record,
        "prescription": prescription,
        "blind": blind,
        "medications": [medication_words(item) for item in prescription.medications]
        if prescription
        else [],
        "pages": Page.objects.filter(scan=scan),
        "page_forms": PageForm.objects.filter(page__scan=scan, version__isnull=False)
        .select_related("version__form", "page")
        .order_by("page__number"),
        "transitions": [_step(row) for row in ScanTransition.objects.filter(scan=scan)],
        "runs": StageRun.objects.filter(scan=scan).exclude(outcome="done"),
        "copies": scans_for(request.user).filter(duplicate_of=scan),
        "retracted": record is not None and record.retracted_at is not None,
        "ehrs": ehrs,
        "note": note_of(record, ehrs) if record else None,
        "lease": lease,
        "may_take_over": lease is not None and may_take_over(request.user, scan),
        "may_amend": record is not None
        and record.released_at is not None
        and record.retracted_at is None
        and accessible_sites(request.user, "prescription.release").filter(pk=scan.site_id).exists(),
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


@login_required
@require_POST
def take_over(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Take a scan away from the colleague who holds it."""
    try:
        lease = lease_take_over(
            user=request.user, scan_id=scan_id, reason=request.POST.get("reason", "")
        )
    except ReviewError as error:
        messages.error(request, str(error))
        return redirect("scan-detail", scan_id=scan_id)
    if lease.holder_id is None:
        messages.success(request, "The scan is free; whoever opens it next has it.")
        return redirect("scan-detail", scan_id=scan_id)
    return redirect("workstation", scan_id=scan_id)


def _step(row: ScanTransition) -> dict[str, object]:
    return {
        "label": ScanState(row.to_state).label,
        "reason": row.reason.replace("_", " "),
        "at": row.at,
    }


def _document_url(record: PrescriptionRecord | None) -> str:
    """Return the address of the newest released document, "" when there is none."""
    if record is None:
        return ""
    rows = ResourceVersion.objects.filter(prescription_id=record.pk, resource_type="Bundle")
    bundle = rows.order_by("version", "pk").last()
    if bundle is None:
        return ""
    return reverse("fhir:metadata").removesuffix("metadata") + f"Bundle/{bundle.fhir_id}"
