"""Amending and retracting what was released: what changes, what the EHRs hold, and a signature."""

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

from ..access import prescription_get, scan_get_for
from ..errors import InvalidField, ReviewError
from ..models import DecisionKind, PrescriptionRecord, PrescriptionStatus
from ..presentation import field_choices, field_title, medication_words
from ..reauthentication import WINDOW_S, password_confirm
from ..services import (
    Amendment,
    FieldChange,
    FieldState,
    amendment_preview,
    amendment_sign,
    field_states,
    retraction_sign,
)
from .delivery_notes import deliveries_of, ehr_states
from .signing import SIGNATURE_ERRORS, refusal_of, warnings_of

NEW_LINES = 5  # drug, strength, directions, quantity and refills of a medication that was missed
GONE = frozenset({DecisionKind.NOT_APPLICABLE.value, DecisionKind.NOT_PRESENT.value})


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Let values be corrected; then show both versions; then, with a signature, release it."""
    scan, record = _released(request, scan_id)
    if not _may_change(request, record):
        return redirect("scan-detail", scan_id=scan.pk)
    states = field_states(scan)
    if request.method != "POST" or "back" in request.POST:
        return _form(request, scan, record, states)
    try:
        changes = _changes(request, states)
        preview = amendment_preview(user=request.user, scan_id=scan.pk, changes=changes)
    except ReviewError as error:
        return _form(request, scan, record, states, [str(error)], status=400)
    if not preview.changed:
        return _form(request, scan, record, states, ["Nothing is changed yet."], status=400)
    if "sign" not in request.POST:
        return _preview(request, scan, record, preview)
    try:
        password_confirm(request.user, request.POST.get("password", ""))
        amendment_sign(
            user=request.user,
            scan_id=scan.pk,
            changes=changes,
            reason=request.POST.get("reason", ""),
            expected_version=_number(request.POST.get("version", "")),
            expected_content_sha256=request.POST.get("content_sha256", ""),
            acknowledged=request.POST.getlist("acknowledged"),
        )
    except SIGNATURE_ERRORS as error:
        refusals, status = refusal_of(error)
        return _waiting(_preview(request, scan, record, preview, refusals, status=status))
    messages.success(request, "Amended. The new version is written and on its way.")
    return redirect("scan-detail", scan_id=scan.pk)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retract(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show what a retraction ends; with a signature, end it."""
    scan, record = _released(request, scan_id)
    if not _may_change(request, record):
        return redirect("scan-detail", scan_id=scan.pk)
    refusals: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            password_confirm(request.user, request.POST.get("password", ""))
            retraction_sign(
                user=request.user,
                scan_id=scan.pk,
                reason=request.POST.get("reason", ""),
                expected_version=_number(request.POST.get("version", "")),
            )
        except SIGNATURE_ERRORS as error:
            refusals, status = refusal_of(error)
        else:
            messages.success(request, "Retracted. The EHRs are being told.")
            return redirect("scan-detail", scan_id=scan.pk)
    prescription = from_json(record.content)
    context = {
        "section": "inbox",
        "scan": scan,
        "record": record,
        "prescription": prescription,
        "medications": [medication_words(item) for item in prescription.medications],
        "ehrs": ehr_states(record, deliveries_of([record.pk])),
        "next_version": record.version + 1,
        "refusals": refusals,
        "reason": request.POST.get("reason", ""),
    }
    return _waiting(render(request, "review/retract.html", context, status=status))


def _released(request: HttpRequest, scan_id: UUID) -> tuple[Scan, PrescriptionRecord]:
    scan = scan_get_for(request.user, scan_id, "prescription.release")
    return scan, prescription_get(request.user, scan_id)


def _may_change(request: HttpRequest, record: PrescriptionRecord) -> bool:
    """Whether there is a version in force to change; says why when there is none."""
    if record.status != PrescriptionStatus.RELEASED:
        messages.info(request, "This prescription is not released yet: correct its fields.")
        return False
    if record.retracted_at is not None:
        messages.info(request, "This prescription was retracted; scan the paper again.")
        return False
    return True


def _form(
    request: HttpRequest,
    scan: Scan,
    record: PrescriptionRecord,
    states: Sequence[FieldState],
    refusals: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    rows = [
        {
            "state": state,
            "title": field_title(state.field.name, state.field.group),
            "name": f"value-{state.field.pk}",
            "gone_name": f"gone-{state.field.pk}",
            "value": request.POST.get(f"value-{state.field.pk}", state.value),
            "gone": f"gone-{state.field.pk}" in request.POST
            if request.method == "POST"
            else _is_gone(state),
            "whole_page": state.field.crop_sha256 == state.field.page.image_sha256,
        }
        for state in states
    ]
    context = {
        "section": "inbox",
        "scan": scan,
        "record": record,
        "rows": rows,
        "new_lines": [_new_line(request, number) for number in range(NEW_LINES)],
        "field_choices": field_choices(),
        "refusals": refusals,
    }
    return render(request, "review/amend.html", context, status=status)


def _preview(
    request: HttpRequest,
    scan: Scan,
    record: PrescriptionRecord,
    preview: Amendment,
    refusals: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    kept = [
        (name, value)
        for name, value in request.POST.items()
        if name.startswith(("value-", "gone-", "new-"))
    ]
    context = {
        "section": "inbox",
        "scan": scan,
        "record": record,
        "kept": kept,
        "preview": preview,
        "changed": [
            {"title": field_title(name, group), "old": old, "new": new}
            for name, group, old, new in preview.changed
        ],
        "before": [medication_words(item) for item in preview.before.medications],
        "after": [medication_words(item) for item in preview.after.medications],
        "warnings": warnings_of(preview.after, request.POST.getlist("acknowledged")),
        "ehrs": ehr_states(record, deliveries_of([record.pk])),
        "next_version": record.version + 1,
        "refusals": refusals,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "review/amend_preview.html", context, status=status)


def _changes(request: HttpRequest, states: Sequence[FieldState]) -> list[FieldChange]:
    """Return what the form says differently from the version in force."""
    changes = []
    for state in states:
        value = request.POST.get(f"value-{state.field.pk}")
        if value is None:
            continue
        value = value.strip()
        if f"gone-{state.field.pk}" in request.POST:
            if not _is_gone(state):
                changes.append(FieldChange(state.field.pk, DecisionKind.NOT_APPLICABLE))
        elif value and value != state.value:
            changes.append(FieldChange(state.field.pk, DecisionKind.CORRECTED, value))
        elif not value and state.value:
            title = field_title(state.field.name, state.field.group)
            raise InvalidField(f"{title} is empty: type a value, or tick that it is not there.")
    for number in range(NEW_LINES):
        line = _new_line(request, number)
        if line["value"].strip():
            group = _number(line["group"] or "0")
            changes.append(
                FieldChange(None, DecisionKind.CORRECTED, line["value"], line["name"], group)
            )
    return changes


def _new_line(request: HttpRequest, number: int) -> dict[str, str]:
    return {
        "number": str(number),
        **{
            part: request.POST.get(f"new-{part}-{number}", "")
            for part in ("name", "group", "value")
        },
    }


def _is_gone(state: FieldState) -> bool:
    return state.decision is not None and state.decision.kind in GONE


def _number(text: str) -> int:
    """Return a whole number of a form; -1, which no version and no medication has, for others."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _waiting(response: HttpResponse) -> Any:
    if response.status_code == 429:
        response["Retry-After"] = str(WINDOW_S)
    return response
