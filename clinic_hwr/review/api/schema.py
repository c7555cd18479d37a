"""The OpenAPI schema of the whole REST API, and a page that shows it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response

import clinic_hwr
from clinic_hwr.problems import Problem
from clinic_hwr.rest.views import described

from .base import ReviewApi

DESCRIPTION = (
    "Send a token as `Authorization: Token ...`. Errors are RFC 9457 problems with a stable "
    "`code`. Every POST takes an `Idempotency-Key`. What can change under you has an ETag: send it "
    "back as `If-Match`. Names of patients never go into addresses."
)


def openapi() -> dict[str, Any]:
    """Return the schema as OpenAPI 3."""
    patterns = [path("api/", include("clinic_hwr.review.api.urls"))]
    schema: dict[str, Any] = SchemaGenerator(patterns=patterns).get_schema(public=True)
    schema["info"] = {
        "title": "clinic_hwr",
        "version": clinic_hwr.__version__,
        "description": DESCRIPTION,
    }
    return schema


class SchemaApi(ReviewApi):
    """``/api/schema/``."""

    @described(exclude=True)
    def get(self, request: Request) -> Response:
        """Return the schema of this API."""
        return Response(openapi())


class UnknownApi(ReviewApi):
    """Every other address under ``/api/``: a problem, not Django's page."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 to any method, once the caller is signed in."""
        super().initial(request, *args, **kwargs)
        raise Problem(404, "There is no such address; they all end with a slash.", code="no_route")


@login_required
@require_safe
def docs_page(request: HttpRequest) -> HttpResponse:
    """Show the schema as plain HTML; nothing comes from elsewhere."""
    schema = openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            groups.setdefault(tag, []).append(
                {"path": address, "method": method.upper(), **_operation(schema, operation)}
            )
    # every second part of Markdown that is split at its backticks is code
    about = [
        {"text": text, "code": bool(number % 2)}
        for number, text in enumerate(DESCRIPTION.split("`"))
    ]
    context = {
        "section": "api",
        "groups": sorted(groups.items()),
        "info": schema["info"],
        "about": about,
    }
    return render(request, "rest/docs.html", context)


def _operation(schema: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    name = next((each["schema"].get("$ref", "").rpartition("/")[2] for each in body.values()), "")
    properties = schema["components"]["schemas"].get(name, {}).get("properties", {})
    required = schema["components"]["schemas"].get(name, {}).get("required", [])
    return {
        "summary": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "fields": [
            {
                "name": each,
                "type": about.get("type", "object"),
                "about": about.get("description", ""),
                "required": each in required,
            }
            for each, about in properties.items()
        ],
        "statuses": [status for status in operation.get("responses", {}) if status.startswith("2")],
    }
