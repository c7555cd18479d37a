"""REST: fields, decisions, pictures, rejecting."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.intake.access import scan_get
from clinic_hwr.intake.views import field_crop, page_image
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import required_tag, tagged
from clinic_hwr.rest.views import described, plain_request

from ..access import field_get
from ..services import (
    FieldState,
    field_add,
    field_decide,
    field_name,
    field_reopen,
    field_states,
    scan_reject,
)
from . import answers, bodies
from .base import ReviewApi
from .shapes import field_answers, field_tag

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the field."
)


def _field(user: object, field_id: UUID) -> tuple[FieldState, dict[str, Any]]:
    """Return the state of one field that ``user`` may see, and what they may see of it."""
    scan = field_get(user, field_id).page.scan
    states = field_states(scan)
    for state, answer in zip(states, field_answers(scan, states, user), strict=True):
        if state.field.pk == field_id:
            return state, answer
    raise Http404("No field with this number.")


def field_response(user: object, field_id: UUID, status: int = 200) -> Response:
    """Return one field as ``user`` may see it, with its ETag."""
    state, answer = _field(user, field_id)
    headers = {"ETag": field_tag(state), "Cache-Control": "no-store"}
    return Response(answer, status=status, headers=headers)


_TAG = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,8}r?))?", re.ASCII)


def _seen(request: Request) -> tuple[int, str]:
    """Return the decision number of ``If-Match``, and which ink was seen."""
    found = _TAG.fullmatch(required_tag(request))
    if found is None:
        raise Problem(412, "This is no ETag of a field; read the field first.", code="no_etag")
    return int(found[1]), found[2] or ""


class FieldsApi(ReviewApi):
    """``/api/scans/{id}/fields/``."""

    body = bodies.AddBody

    @described(tags=["fields"], responses=answers.FieldsAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """List the fields of a scan in reading order."""
        scan = scan_get(request.user, scan_id)
        states = field_states(scan)
        answer = {
            "scan_id": str(scan.pk),
            "status": scan.state,
            "fields_waiting": sum(state.needs_human for state in states),
            "items": field_answers(scan, states, request.user),
        }
        return tagged(request, answer)

    @described(tags=["fields"], request=body, responses={201: answers.FieldAnswer})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Add a field that the page finder missed."""
        asked = self.checked(request)
        field = field_add(
            user=request.user,
            scan_id=scan_id,
            lease_token=asked["lease_token"],
            name=asked["name"],
            group=asked["group"],
            page_number=asked["page"],
            box_px=asked["box_px"],
            field_id=asked["field_id"],
        )
        return field_response(request.user, field.pk, status=201)


class FieldApi(ReviewApi):
    """``/api/fields/{id}/``."""

    @described(tags=["fields"], responses=answers.FieldAnswer)
    def get(self, request: Request, field_id: UUID) -> Response:
        """Return one field; its ETag goes into ``If-Match`` of a decision."""
        state, answer = _field(request.user, field_id)
        return tagged(request, answer, field_tag(state))


class DecideApi(ReviewApi):
    """``/api/fields/{id}/decisions/``."""

    body = bodies.DecideBody

    @described(tags=["fields"], parameters=[IF_MATCH], request=body, responses=answers.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Decide a field; 412 with both values when somebody decided it since."""
        (number, ink), asked = _seen(request), self.checked(request)
        field_decide(
            user=request.user, field_id=field_id, expected_number=number, ink_seen=ink, **asked
        )
        return field_response(request.user, field_id)


class ReopenApi(ReviewApi):
    """``/api/fields/{id}/reopen/``."""

    body = bodies.ReopenBody

    @described(tags=["fields"], parameters=[IF_MATCH], request=body, responses=answers.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Take the decision in force back (undo)."""
        (number, _), asked = _seen(request), self.checked(request)
        field_reopen(user=request.user, field_id=field_id, expected_number=number, **asked)
        return field_response(request.user, field_id)


class NameApi(ReviewApi):
    """``/api/fields/{id}/name/``."""

    body = bodies.NameBody

    @described(tags=["fields"], request=body, responses=answers.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Say what a field is."""
        field_name(user=request.user, field_id=field_id, **self.checked(request))
        return field_response(request.user, field_id)


class FieldCropApi(ReviewApi):
    """``/api/fields/{id}/crop/``."""

    @described(tags=["fields"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, field_id: UUID) -> HttpResponse:
        """Return the ink of a field as PNG; audited."""
        return field_crop(plain_request(request), field_id)


class PageImageApi(ReviewApi):
    """``/api/scans/{id}/pages/{number}/image/``."""

    @described(tags=["scans"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, scan_id: UUID, number: int) -> HttpResponse:
        """Return one upright page as PNG; audited."""
        if number > 32_767:
            raise Http404("This scan has no such page.")
        return page_image(plain_request(request), scan_id, number)


class RejectApi(ReviewApi):
    """``/api/scans/{id}/reject/``."""

    body = bodies.RejectBody

    @described(tags=["scans"], request=body, responses={204: None})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Take a scan out of work for good, with a reason."""
        scan_reject(user=request.user, scan_id=scan_id, **self.checked(request))
        return Response(status=204)
