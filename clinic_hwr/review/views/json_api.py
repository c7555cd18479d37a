"""The JSON endpoints of the workstation: claim, prolong, decide, add, name, and the state anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from clinic_hwr.intake.access import scan_get
from clinic_hwr.routing.models import Field

from ..errors import (
    Conflict,
    InvalidDecision,
    InvalidField,
    LeaseHeld,
    ReviewError,
    StaleDecision,
)
from ..models import DecisionKind
from ..presentation import decision_json, workstation_payload
from ..services import (
    field_add,
    field_decide,
    field_name,
    field_reopen,
    lease_heartbeat,
    lease_release,
    scan_claim,
)

JsonView = Callable[..., HttpResponse]


def problem(status: int, code: str, detail: str, **extra: Any) -> JsonResponse:
    """Return an RFC 9457 problem; ``code`` is stable, ``detail`` is for people."""
    titles = {
        400: "Bad request",
        401: "Sign in",
        403: "Forbidden",
        404: "Not found",
        409: "Conflict",
    }
    body = {"type": "about:blank", "title": titles[status], "status": status, "code": code}
    return JsonResponse(
        {**body, "detail": detail, **extra},
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


def json_view(view: JsonView) -> JsonView:
    """Answer problem JSON instead of redirects and HTML errors."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return problem(401, "session_ended", "Your session has ended. Sign in again.")
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return problem(404, "not_found", "There is nothing here for you.")
        except PermissionDenied as error:
            return problem(403, "forbidden", str(error))
        except StaleDecision as error:
            current = decision_json(error.current)
            submitted = {"kind": error.submitted_kind, "value": error.submitted_value}
            return problem(409, error.code, str(error), current=current, submitted=submitted)
        except LeaseHeld as error:
            until = error.expires_at.isoformat()
            return problem(409, error.code, str(error), holder=error.holder_name, until=until)
        except Conflict as error:
            return problem(409, error.code, str(error))
        except ReviewError as error:
            return problem(400, error.code, str(error))
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


@json_view
@require_safe
def scan_state(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Answer what the workstation shows now."""
    return JsonResponse(workstation_payload(scan_get(request.user, scan_id)))


@json_view
@require_POST
def lease_claim(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Claim the scan for the person who asks."""
    lease = scan_claim(user=request.user, scan_id=scan_id)
    return JsonResponse({"token": str(lease.token), "expires_at": lease.expires_at.isoformat()})


@json_view
@require_POST
def lease_prolong(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Keep the lease alive."""
    token = _uuid(_body(request), "lease_token")
    expires_at = lease_heartbeat(user=request.user, scan_id=scan_id, token=token)
    return JsonResponse({"expires_at": expires_at.isoformat()})


@json_view
@require_POST
def lease_end(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Give the scan back."""
    token = _uuid(_body(request), "lease_token")
    lease_release(user=request.user, scan_id=scan_id, token=token)
    return HttpResponse(status=204)


@json_view
@require_POST
def decide(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Store one decision and answer the workstation's new state."""
    body = _body(request)
    kind, value = body.get("kind"), body.get("value", "")
    number, seconds = body.get("expected_number"), body.get("active_seconds", 0.0)
    if not isinstance(kind, str) or not isinstance(value, str):
        raise InvalidDecision("kind and value must be text.")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise InvalidDecision("expected_number must be a whole number from 0.")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise InvalidDecision("active_seconds must be a number.")
    token, decision_id = _uuid(body, "lease_token"), _uuid(body, "decision_id")
    if kind == DecisionKind.REOPENED:
        decision = field_reopen(
            user=request.user,
            field_id=field_id,
            expected_number=number,
            lease_token=token,
            decision_id=decision_id,
        )
    else:
        decision = field_decide(
            user=request.user,
            field_id=field_id,
            kind=kind,
            value=value,
            expected_number=number,
            lease_token=token,
            active_seconds=float(seconds),
            decision_id=decision_id,
        )
    state = workstation_payload(decision.field.page.scan)
    return JsonResponse({"decision": decision_json(decision), "state": state})


@json_view
@require_POST
def add(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Add a field that the page finder missed, and answer the workstation's new state."""
    body = _body(request)
    field = field_add(
        user=request.user,
        scan_id=scan_id,
        lease_token=_uuid(body, "lease_token"),
        name=str(body.get("name", "")),
        group=_whole(body, "group", 0),
        page_number=_whole(body, "page", 1),
        box_px=_box(body),
        field_id=_uuid(body, "field_id"),
    )
    return _named(field)


@json_view
@require_POST
def name(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Say what a field is, and answer the workstation's new state."""
    body = _body(request)
    field = field_name(
        user=request.user,
        field_id=field_id,
        lease_token=_uuid(body, "lease_token"),
        name=str(body.get("name", "")),
        group=_whole(body, "group", 0),
    )
    return _named(field)


def _named(field: Field) -> HttpResponse:
    """Answer which field it is, and the new state."""
    return JsonResponse({"field": str(field.pk), "state": workstation_payload(field.page.scan)})


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    """Return ``body[name]`` as a whole number, else raise ``InvalidField``."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidField(f"{name} must be a whole number.")
    return value


def _box(body: dict[str, Any]) -> list[int] | None:
    """Return ``body["box"]``: None, or whole numbers; else raise ``InvalidField``."""
    box = body.get("box")
    if box is None:
        return None
    if not isinstance(box, list) or not all(type(part) is int for part in box):
        raise InvalidField("box must be a list of whole numbers.")
    return box


def _body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object of the request, else raise ``InvalidDecision``."""
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise InvalidDecision("The request is no JSON.") from error
    if not isinstance(body, dict):
        raise InvalidDecision("The request must be a JSON object.")
    return body


def _uuid(body: dict[str, Any], name: str) -> UUID:
    """Return ``body[name]`` as a UUID, else raise ``InvalidDecision``."""
    try:
        return UUID(str(body[name]))
    except (KeyError, ValueError) as error:
        raise InvalidDecision(f"{name} must be a UUID.") from error
