"""The release page: what will be written, from the record, and the signature under it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Prescription

from ..access import prescription_get, scan_get_for
from ..errors import Conflict, ContentChanged, ReleaseRefused
from ..models import PrescriptionRecord, PrescriptionStatus
from ..presentation import field_title, medication_words
from ..reauthentication import WINDOW_S, TooManyTries, WrongPassword, password_confirm
from ..services import blocker_key, field_states, prescription_release, release_problems


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show what will be written; with the password of the signer, write it."""
    scan = scan_get_for(request.user, scan_id, "prescription.release")
    record = prescription_get(request.user, scan_id)
    if record.status == PrescriptionStatus.RELEASED:
        messages.info(request, "This prescription is released already.")
        return redirect("scan-detail", scan_id=scan.pk)
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
    except WrongPassword as error:
        return _page(request, scan, record, [str(error)], status=403)
    except TooManyTries as error:
        response = _page(request, scan, record, [str(error)], status=429)
        response["Retry-After"] = str(WINDOW_S)
        return response
    except ReleaseRefused as error:
        return _page(request, scan, record, list(error.problems), status=409)
    except ContentChanged as error:
        fresh = prescription_get(request.user, scan_id)
        return _page(request, scan, fresh, [str(error)], status=409)
    except Conflict as error:
        return _page(request, scan, record, [str(error)], status=409)
    except FhirInvalid as error:
        return _page(request, scan, record, _fhir_problems(error), status=422)
    messages.success(request, "Released. The FHIR document is written.")
    return redirect("scan-detail", scan_id=scan.pk)


def _page(
    request: HttpRequest,
    scan: Scan,
    record: PrescriptionRecord,
    refusals: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    prescription = from_json(record.content)
    context = {
        "section": "inbox",
        "scan": scan,
        "record": record,
        "prescription": prescription,
        "medications": [medication_words(item) for item in prescription.medications],
        "warnings": _warnings(prescription, request.POST.getlist("acknowledged")),
        "problems": release_problems(field_states(scan), prescription),
        "refusals": refusals or [],
        "fhir_invalid": status == 422,
        "resources": resources_to_write(prescription),
    }
    return render(request, "review/release.html", context, status=status)


def _fhir_problems(error: FhirInvalid) -> list[str]:
    """Return what is wrong with the document, element by element."""
    return [
        f"{issue.expression}: {issue.diagnostics}" if issue.expression else issue.diagnostics
        for issue in error.issues
    ]


def _warnings(prescription: Prescription, ticked: list[str]) -> list[dict[str, Any]]:
    """Return what the signer must take note of; a refused form keeps its ticks."""
    return [
        {
            "key": blocker_key(blocker),
            "message": blocker.message,
            "stop": blocker.severity == "stop",
            "about": field_title(blocker.field_name, blocker.group) if blocker.field_name else "",
            "ticked": blocker_key(blocker) in ticked,
        }
        for blocker in prescription.blockers
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
