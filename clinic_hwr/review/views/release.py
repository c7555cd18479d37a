"""The release page: what will be written, from the record, and the signature under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Prescription

from ..access import prescription_get, scan_get_for
from ..models import PrescriptionRecord, PrescriptionStatus
from ..presentation import field_title, medication_words
from ..reauthentication import WINDOW_S, password_confirm
from ..selectors import blind_scans
from ..services import (
    FieldState,
    field_states,
    prescription_current,
    prescription_release,
    release_problems,
)
from .signing import SIGNATURE_ERRORS, refusal_of, warnings_of

# The ink that is shown beside each medication: what a pharmacist compares last.
INK_NAMES = ("drug", "strength", "sig", "quantity", "refills")


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show what will be written; with the password of the signer, write it."""
    scan = scan_get_for(request.user, scan_id, "prescription.release")
    prescription_current(scan=scan)
    record = prescription_get(request.user, scan_id)
    if record.status == PrescriptionStatus.RELEASED:
        return _released(request, scan)
    if blind_scans([scan.pk]):
        messages.info(request, "Some values are still to be entered by everybody needed.")
        return redirect("workstation", scan_id=scan.pk)
    if request.method != "POST":
        return _page(request, scan, record)
    try:
        password_confirm(request.user, request.POST.get("password", ""))
        prescription_release(
            user=request.user,
            scan_id=scan.pk,
            expected_content_sha256=request.POST.get("content_sha256", ""),
            acknowledged=request.POST.getlist("acknowledged"),
        )
    except SIGNATURE_ERRORS as error:
        refusals, status = refusal_of(error)
        fresh = prescription_get(request.user, scan_id)
        if fresh.status == PrescriptionStatus.RELEASED:  # the same form was sent twice at once
            return _released(request, scan)
        response = _page(request, scan, fresh, refusals, status=status)
        if status == 429:
            response["Retry-After"] = str(WINDOW_S)
        return response
    messages.success(request, "Released. The FHIR document is written.")
    return redirect("scan-detail", scan_id=scan.pk)


def _released(request: HttpRequest, scan: Scan) -> HttpResponse:
    messages.info(request, "This prescription is released already.")
    return redirect("scan-detail", scan_id=scan.pk)


def _page(
    request: HttpRequest,
    scan: Scan,
    record: PrescriptionRecord,
    refusals: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    prescription = from_json(record.content)
    states = field_states(scan)
    context = {
        "section": "inbox",
        "scan": scan,
        "record": record,
        "prescription": prescription,
        "medications": [
            {**medication_words(item), "ink": ink_of(states, item.sequence)}
            for item in prescription.medications
        ],
        "pages": scan.pages.all(),
        "warnings": warnings_of(prescription, request.POST.getlist("acknowledged")),
        "problems": release_problems(states, prescription),
        "refusals": refusals or [],
        "fhir_invalid": status == 422,
        "resources": resources_to_write(prescription),
    }
    return render(request, "review/release.html", context, status=status)


def ink_of(states: Sequence[FieldState], sequence: int) -> list[dict[str, Any]]:
    """Return the crops of one medication, with who decided each field."""
    return [
        {
            "field": state.field,
            "title": field_title(state.field.name),
            "open": state.needs_human,
            "by": (
                state.decision.reviewer.get_full_name() or state.decision.reviewer.get_username()
            )
            if state.decision
            else "",
        }
        for state in states
        if (state.field.group or 1) == sequence
        and state.field.name in INK_NAMES
        and state.field.crop_sha256 != state.field.page.image_sha256
    ]


def resources_to_write(prescription: Prescription) -> list[tuple[str, str]]:
    """Return the FHIR resources of the document: type, and what it stands for."""
    return [
        ("Composition", "the document and its sections"),
        ("Patient", prescription.patient.name),
        ("Practitioner", prescription.prescriber.name or "prescriber, not named on the paper"),
        *(("MedicationRequest", item.drug_text) for item in prescription.medications),
        ("DocumentReference", "the scan as PDF"),
        ("Provenance", "read by the device, verified by you"),
    ]
