"""REST: fields, decisions, pictures, rejecting."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_hwr.intake.access import scan_get
from clinic_hwr.intake.views import field_crop, page_image
from clinic_hwr.problems import Problem
from clinic_hwr.rest.etags import required_tag, tagged
from clinic_hwr.rest.views import described

from ..access import field_get
from ..discretion import person_at
from ..services import (
    FieldState,
    field_add,
    field_decide,
    field_name,
    field_reopen,
    field_states,
    scan_reject,
)
from . import serializers as shapes_of
from .base import ReviewApi
from .shapes import field_answer, field_tag

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the field."
)


def _state(user: object, field_id: UUID) -> FieldState:
    """Return the state of one field that ``user`` may see."""
    field = field_get(user, field_id)
    for state in field_states(field.page.scan):
        if state.field.pk == field.pk:
            return state
    raise Http404("No field with this number.")


def field_response(user: object, field_id: UUID, status: int = 200) -> Response:
    """Return one field as ``user`` may see it, with its ETag."""
    state = _state(user, field_id)
    headers = {"ETag": field_tag(state), "Cache-Control": "no-store"}
    person = person_at(state.field.page.scan, user)
    return Response(field_answer(state, person), status=status, headers=headers)


def _number(request: Request) -> int:
    """Return the decision number of ``If-Match``."""
    tag = required_tag(request)
    if not (tag.isascii() and tag.isdigit() and len(tag) < 9):
        raise Problem(412, "This is no ETag of a field; read the field first.", code="no_etag")
    return int(tag)


class FieldsApi(ReviewApi):
    """``/api/scans/{id}/fields/``."""

    body = shapes_of.AddBody

    @described(tags=["fields"], responses=shapes_of.FieldsAnswer)
    def get(self, request: Request, scan_id: UUID) -> Response:
        """List the fields of a scan in reading order."""
        scan = scan_get(request.user, scan_id)
        states = field_states(scan)
        person = person_at(scan, request.user)
        answer = {
            "scan_id": str(scan.pk),
            "status": scan.state,
            "fields_waiting": sum(state.needs_human for state in states),
            "items": [field_answer(state, person) for state in states],
        }
        return tagged(request, answer)

    @described(tags=["fields"], request=body, responses={201: shapes_of.FieldAnswer})
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

    @described(tags=["fields"], responses=shapes_of.FieldAnswer)
    def get(self, request: Request, field_id: UUID) -> Response:
        """Return one field; its ETag goes into ``If-Match`` of a decision."""
        state = _state(request.user, field_id)
        person = person_at(state.field.page.scan, request.user)
        return tagged(request, field_answer(state, person), field_tag(state))


class DecideApi(ReviewApi):
    """``/api/fields/{id}/decisions/``."""

    body = shapes_of.DecideBody

    @described(
        tags=["fields"], parameters=[IF_MATCH], request=body, responses=shapes_of.FieldAnswer
    )
    def post(self, request: Request, field_id: UUID) -> Response:
        """Decide a field; 412 with both values when somebody decided it since."""
        number, asked = _number(request), self.checked(request)
        field_decide(user=request.user, field_id=field_id, expected_number=number, **asked)
        return field_response(request.user, field_id)


class ReopenApi(ReviewApi):
    """``/api/fields/{id}/reopen/``."""

    body = shapes_of.ReopenBody

    @described(
        tags=["fields"], parameters=[IF_MATCH], request=body, responses=shapes_of.FieldAnswer
    )
    def post(self, request: Request, field_id: UUID) -> Response:
        """Take the decision in force back (undo)."""
        number, asked = _number(request), self.checked(request)
        field_reopen(user=request.user, field_id=field_id, expected_number=number, **asked)
        return field_response(request.user, field_id)


class NameApi(ReviewApi):
    """``/api/fields/{id}/name/``."""

    body = shapes_of.NameBody

    @described(tags=["fields"], request=body, responses=shapes_of.FieldAnswer)
    def post(self, request: Request, field_id: UUID) -> Response:
        """Say what a field is."""
        field_name(user=request.user, field_id=field_id, **self.checked(request))
        return field_response(request.user, field_id)


class FieldCropApi(ReviewApi):
    """``/api/fields/{id}/crop/``."""

    @described(tags=["fields"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, field_id: UUID) -> HttpResponse:
        """Return the ink of a field as PNG; audited."""
        return field_crop(_plain(request), field_id)


class PageImageApi(ReviewApi):
    """``/api/scans/{id}/pages/{number}/image/``."""

    @described(tags=["scans"], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, scan_id: UUID, number: int) -> HttpResponse:
        """Return one upright page as PNG; audited."""
        if number > 32_767:
            raise Http404("This scan has no such page.")
        return page_image(_plain(request), scan_id, number)


class RejectApi(ReviewApi):
    """``/api/scans/{id}/reject/``."""

    body = shapes_of.RejectBody

    @described(tags=["scans"], request=body, responses={204: None})
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Take a scan out of work for good, with a reason."""
        scan_reject(user=request.user, scan_id=scan_id, **self.checked(request))
        return Response(status=204)


def _plain(request: Request) -> HttpRequest:
    """Return Django's request with the person whom the token signed in."""
    plain = request._request
    plain.user = request.user
    return plain
