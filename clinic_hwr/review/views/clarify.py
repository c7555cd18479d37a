"""The record of the calls about one question to a prescriber; its queue is in the inbox."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Prescription

from ..access import clarification_get
from ..clarify_templates import TEMPLATES
from ..errors import ReviewError
from ..models import CallOutcome, Clarification, PrescriptionRecord, QuestionStatus
from ..services import clarification_call, clarification_withdraw
from ..wording import field_title


@sensitive_post_parameters("answer", "called", "phone", "reason")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, clarification_id: UUID) -> HttpResponse:
    """Show one question with its calls; store a call, or take the question back."""
    asked = clarification_get(request.user, clarification_id)
    if request.method != "POST":
        return _page(request, asked)
    try:
        if request.POST.get("action") == "withdraw":
            reason = request.POST.get("reason", "")
            clarification_withdraw(user=request.user, clarification_id=asked.pk, reason=reason)
            messages.success(request, "Taken back. The field is open as before.")
            return redirect("workstation", scan_id=asked.field.page.scan_id)
        call = clarification_call(
            user=request.user,
            clarification_id=asked.pk,
            outcome=request.POST.get("outcome", ""),
            called=request.POST.get("called", ""),
            phone=request.POST.get("phone", ""),
            answer=request.POST.get("answer", ""),
            read_back=request.POST.get("read_back") == "yes",
            call_id=_call_id(request),
        )
    except ReviewError as error:
        return _page(request, asked, str(error), status=400)
    if call.outcome == CallOutcome.ANSWERED:
        messages.success(request, "Answered. The scan is back in review, the answer at its field.")
        return redirect("workstation", scan_id=asked.field.page.scan_id)
    messages.info(request, "The call is recorded. The question stays open.")
    return redirect(f"{reverse('inbox')}?queue=clarify")


def _call_id(request: HttpRequest) -> UUID | None:
    """Return the number the form chose: sent twice, the call is stored once."""
    try:
        return UUID(request.POST.get("call_id", ""))
    except ValueError:
        return None


def _page(
    request: HttpRequest, asked: Clarification, problem: str = "", status: int = 200
) -> HttpResponse:
    prescription = _prescription(asked)
    context = {
        "section": "inbox",
        "problem": problem,
        "outcomes": CallOutcome.choices,
        "prescriber": prescription.prescriber if prescription else None,
        "patient": prescription.patient if prescription else None,
        "entered": request.POST,
        "is_open": asked.status == QuestionStatus.OPEN,
        **_row(asked),
    }
    return render(request, "review/clarification.html", context, status=status)


def _row(asked: Clarification) -> dict[str, Any]:
    field = asked.field
    template = TEMPLATES.get(asked.reason)
    return {
        "asked": asked,
        "scan": field.page.scan,
        "reason": template.title if template else asked.reason,
        "title": field_title(field.name, field.group),
        "whole_page": field.crop_sha256 == field.page.image_sha256,
        "calls": list(asked.calls.all()),
    }


def _prescription(asked: Clarification) -> Prescription | None:
    record = PrescriptionRecord.objects.filter(scan=asked.field.page.scan_id).first()
    return from_json(record.content) if record and record.content else None
