"""The base of every REST endpoint."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .idempotency import HEADER, MAX_KEY_CHARS, answer_once

PROBLEM_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
ERRORS = {
    "400": "The request does not fit; the problem says what.",
    "401": "Sign in: send a token.",
    "403": "Not yours to do.",
    "404": "No such thing, or not at a site of yours; the two look alike.",
    "409": "Somebody or something got there first, or it cannot be done in this state.",
    "429": "Too many requests; wait as Retry-After says.",
}
WRITE_ERRORS = {
    "412": "It is not what you saw (If-Match).",
    "413": "Too large.",
    "415": "Unsupported media type.",
    "422": "Cannot be processed: the FHIR would be invalid, or the key came with another request.",
    "428": "Send If-Match.",
}


class ApiSchema(AutoSchema):
    """What is true of every endpoint: the key of a POST, and problems as errors."""

    def get_override_parameters(self) -> list[Any]:
        """Add ``Idempotency-Key`` to every POST."""
        parameters = list(super().get_override_parameters())
        if self.method == "POST":
            parameters.append(
                OpenApiParameter(
                    HEADER,
                    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS},
                    OpenApiParameter.HEADER,
                    description="A repeat with the same key gets the first answer again.",
                )
            )
        return parameters

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        errors = {**ERRORS, **(WRITE_ERRORS if self.method == "POST" else {})}
        for status, description in errors.items():
            content = {"application/problem+json": {"schema": PROBLEM_SCHEMA}}
            bodies.setdefault(status, {"description": description, "content": content})
        return bodies


def described(**facts: Any) -> Any:
    """Describe a method for the schema, as ``extend_schema`` does, on top of ``ApiSchema``.

    Of itself ``extend_schema`` builds on a setting, which a host project need not have.
    """

    def describe(method: Any) -> Any:
        method.schema = ApiSchema
        method = extend_schema(**facts)(method)
        del method.schema
        return method

    return describe


class ApiView(APIView):
    """One endpoint: signed-in callers, problems as answers to errors, POSTs that may come twice.

    Override ``problem_of`` to say what a room's own errors are in HTTP.
    """

    permission_classes = [IsAuthenticated]
    schema = ApiSchema()
    # False where a transaction must not be held open during the work, which is safe to repeat
    key_in_transaction = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the POST of every endpoint idempotent; nobody can forget to."""
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = _idempotent(cls.__dict__["post"])

    def problem_of(self, error: Exception) -> Exception:
        """Return ``error`` in the words of HTTP, itself when it is known to DRF."""
        return error

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error as RFC 9457 problem JSON."""
        return super().handle_exception(self.problem_of(exc))


def plain_request(request: Request) -> HttpRequest:
    """Return Django's request with the person whom the token signed in, for a view of pages."""
    plain: HttpRequest = request._request
    plain.user = request.user
    return plain


def _idempotent(post: Any) -> Any:
    @wraps(post)
    def wrapped(self: ApiView, request: Request, *args: Any, **kwargs: Any) -> Response:
        return answer_once(
            request,
            lambda: post(self, request, *args, **kwargs),
            in_transaction=self.key_in_transaction,
        )

    return wrapped
