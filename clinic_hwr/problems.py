"""Errors of the REST API as RFC 9457 problem JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

PROBLEM_TYPE = "application/problem+json"


class Problem(APIException):
    """An error with a sentence for people and, if wanted, further members (RFC 9457, 3.2)."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        """Take the HTTP status, what to tell the person, and further members of the object."""
        super().__init__(detail)
        self.status_code = status
        self.members = members


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of problems."""

    media_type = PROBLEM_TYPE
    format = "problem"


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer what DRF would answer, in the shape of RFC 9457; set it as EXCEPTION_HANDLER.

    Unknown exceptions are left to Django (a 500 that says nothing of what happened inside).
    """
    response = exception_handler(error, context)  # type: ignore[arg-type]
    if response is None:
        return None
    members = error.members if isinstance(error, Problem) else {}
    answer = Response(
        {
            "type": "about:blank",
            "title": HTTPStatus(response.status_code).phrase,
            "status": response.status_code,
            "detail": _sentence(response.data),
            **_fields(response.data),
            **members,
        },
        status=response.status_code,
        headers={name: value for name, value in response.items() if name.lower() != "content-type"},
    )
    # The client's Accept header chose among the formats of success; a problem has its own.
    answer.accepted_renderer = ProblemRenderer()
    answer.accepted_media_type = PROBLEM_TYPE
    answer.renderer_context = dict(context)
    answer.content_type = PROBLEM_TYPE
    context["request"].accepted_renderer = answer.accepted_renderer
    context["request"].accepted_media_type = PROBLEM_TYPE
    return answer


def problem_response(status: int, detail: str, **members: Any) -> HttpResponse:
    """Return a problem for views that are not of the REST framework."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return HttpResponse(json.dumps(body), status=status, content_type=PROBLEM_TYPE)


def _sentence(data: Any) -> str:
    """Return DRF's error as one sentence."""
    if isinstance(data, Mapping) and "detail" in data:
        return str(data["detail"])
    if isinstance(data, list) and data and isinstance(data[0], ErrorDetail):
        return " ".join(str(item) for item in data)
    return "Some of the values sent cannot be used; see errors."


def _fields(data: Any) -> dict[str, Any]:
    """Return the errors by field of the request, where there are any."""
    if isinstance(data, Mapping) and "detail" not in data:
        return {"errors": data}
    return {}
