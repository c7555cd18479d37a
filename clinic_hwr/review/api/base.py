"""What the endpoints of review share: their errors in HTTP, and the checked body of a request."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.problems import Problem
from clinic_hwr.rest.views import ApiView

from ..errors import (
    Conflict,
    ContentChanged,
    LeaseHeld,
    ReadingChanged,
    ReleaseRefused,
    ReviewError,
    StaleBox,
    StaleDecision,
)
from ..presentation import decision_json
from ..queues import UnknownQueue
from ..reauthentication import WINDOW_S, TooManyTries, WrongPassword

IF_MATCH_KEYS = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the keys."
)


class ReviewApi(ApiView):
    """One endpoint of review; set ``body`` to the serializer of its request."""

    body: type[serializers.Serializer] | None = None

    def checked(self, request: Request) -> dict[str, Any]:
        """Return the validated body of the request; a wrong one is answered with 400."""
        if self.body is None:
            return {}
        serializer = self.body(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def problem_of(self, error: Exception) -> Exception:
        """Return the refusals of the review services as problems; ``code`` is stable."""
        if isinstance(error, UnknownQueue):
            return Problem(404, str(error), code="unknown_queue")
        if isinstance(error, FhirInvalid):
            issues = [{"at": each.expression, "text": each.diagnostics} for each in error.issues]
            return Problem(
                422, "The document would not be valid FHIR.", code="fhir_invalid", issues=issues
            )
        if isinstance(error, ReviewError):
            return _problem(error)
        return super().problem_of(error)


def _problem(error: ReviewError) -> Problem:
    members: dict[str, Any] = {"code": error.code}
    status = 409 if isinstance(error, Conflict) else 400
    if isinstance(error, StaleDecision):
        status = 412
        members["current"] = decision_json(error.current)
        members["submitted"] = {"kind": error.submitted_kind, "value": error.submitted_value}
    elif isinstance(error, ContentChanged | ReadingChanged | StaleBox):
        status = 412
    elif isinstance(error, LeaseHeld):
        members |= {"holder": error.holder_name, "until": error.expires_at.isoformat()}
    elif isinstance(error, ReleaseRefused):
        status = 409
        members["problems"] = list(error.problems)
    elif isinstance(error, WrongPassword):
        status = 403
    elif isinstance(error, TooManyTries):
        status = 429
        members["retry_after_s"] = WINDOW_S
    return Problem(status, str(error), **members)
