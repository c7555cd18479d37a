"""The JSON endpoints of the workstation: lease, decisions, fields, questions, and its state."""

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
from clinic_hwr.routing.lexicons import working_lexicon
from clinic_hwr.routing.models import Field

from ..drug_search import drug_names
from ..errors import (
    Conflict,
    InvalidDecision,
    InvalidField,
    InvalidKeys,
    LeaseHeld,
    ReviewError,
    StaleDecision,
)
from ..keys import keys_bind, keys_reset
from ..models import DecisionKind
from ..presentation import decision_json, workstation_payload
from ..services import (
    Effort,
    clarification_ask,
    decision_store,
    field_add,
    field_box_undo,
    field_name,
    field_rebox,
    lease_heartbeat,
    lease_release,
    prescription_current,
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
    """Answer what the workstation shows this person now; brings the draft up to date."""
    return JsonResponse(workstation_payload(scan_get(request.user, scan_id), request.user))


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
    prescription_current(scan=scan_get(request.user, scan_id))  # nobody asks for the state again
    return HttpResponse(status=204)


@json_view
@require_POST
def decide(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Store one decision. The page asks for the new state once nothing more is on its way."""
    body = _body(request)
    kind, value = body.get("kind"), body.get("value", "")
    number, seconds = body.get("expected_number"), body.get("active_seconds", 0.0)
    keys, clicks = body.get("keys_used", 0), body.get("clicks_used", 0)
    if not isinstance(kind, str) or not isinstance(value, str):
        raise InvalidDecision("kind and value must be text.")
    if not isinstance(number, int) or not _is_count(number):
        raise InvalidDecision("expected_number must be a whole number from 0.")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise InvalidDecision("active_seconds must be a number.")
    if not _is_count(keys) or not _is_count(clicks):
        raise InvalidDecision("keys_used and clicks_used must be whole numbers from 0.")
    decision = decision_store(
        user=request.user,
        field_id=field_id,
        kind=kind,
        value=value,
        expected_number=number,
        lease_token=_uuid(body, "lease_token"),
        effort=Effort(float(seconds), keys, clicks),
        decision_id=_uuid(body, "decision_id"),
    )
    answer = {"number": decision.number, "kind": decision.kind, "at": decision.created_at}
    if decision.blind and kind == DecisionKind.CORRECTED:
        answer["kind"] = kind  # "accepted" would tell that the machine read the same
    return JsonResponse({"decision": answer})


@json_view
@require_POST
def box(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Move a field to other ink, and answer the workstation's new state."""
    body = _body(request)
    found = _box(body)
    if found is None:
        raise InvalidField("box must be [x, y, width, height].")
    token = _uuid(body, "lease_token")
    field = field_rebox(user=request.user, field_id=field_id, lease_token=token, box_px=found)
    return _named(request, field)


@json_view
@require_POST
def box_undo(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Bring the box before back, and answer the workstation's new state."""
    body = _body(request)
    field = field_box_undo(
        user=request.user,
        field_id=field_id,
        lease_token=_uuid(body, "lease_token"),
        box_version=_whole(body, "box_version", 0),
    )
    return _named(request, field)


@json_view
@require_POST
def ask(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Put a question to the prescriber, and answer the workstation's new state."""
    body = _body(request)
    asked = clarification_ask(
        user=request.user,
        field_id=field_id,
        lease_token=_uuid(body, "lease_token"),
        reason=str(body.get("reason", "")),
        question=str(body.get("question", "")),
        clarification_id=_uuid(body, "clarification_id"),
    )
    return _named(request, asked.field)


@json_view
@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Give one action other keys, or all of them those of the file; answer the whole map."""
    body = _body(request)
    if body.get("reset") is True:
        return JsonResponse({"keys": keys_reset(user=request.user)})
    wanted = body.get("keys")
    if not isinstance(wanted, list) or not all(isinstance(key, str) for key in wanted):
        raise InvalidKeys("keys must be a list of keys.")
    bound = keys_bind(user=request.user, action=str(body.get("action", "")), keys=wanted)
    return JsonResponse({"keys": bound})


@json_view
@require_POST
def drugs(request: HttpRequest) -> HttpResponse:
    """Answer the drug names that begin with what was typed; posted, so that no address holds it."""
    body = _body(request)
    lexicon = working_lexicon(scan_get(request.user, _uuid(body, "scan")).site.slug)
    return JsonResponse({"drugs": drug_names(str(body.get("text", "")), lexicon)})


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
    return _named(request, field)


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
    return _named(request, field)


def _named(request: HttpRequest, field: Field) -> HttpResponse:
    """Answer which field it is, and the new state."""
    state = workstation_payload(field.page.scan, request.user)
    return JsonResponse({"field": str(field.pk), "state": state})


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


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
