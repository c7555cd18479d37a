"""Generated requests to the FHIR routes: whatever is asked, an answer in FHIR and no 500."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.authtoken.models import Token

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.services import prescription_publish
from tests.rest.fuzzing import send_all

from .publications import PRESCRIPTION, publication

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TYPES = ["MedicationRequest", "Patient", "DocumentReference", "Provenance", "Bundle", "Nonsense"]
SEARCH = [
    "patient",
    "identifier",
    "status",
    "authoredon",
    "_id",
    "_lastUpdated",
    "_include",
    "_revinclude",
    "_count",
    "_sort",
    "_summary",
    "_elements",
    "category",
    "period",
]
OPERATIONS = ["$validate", "$docref", "$everything", "$document", "$nonsense"]
TEXT = {"schema": {"type": "string", "maxLength": 60}}
JSON = {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}}}


def _path(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", **schema}}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string", "pattern": "^[ -~]{1,30}$"}}


def fhir_schema() -> dict[str, Any]:
    """Return the routes of the FHIR server as OpenAPI: addresses, parameters, any resource."""
    kind = _path("type", enum=TYPES)
    number = _path("id", minLength=1, maxLength=70)
    search = [{"name": name, "in": "query", **TEXT} for name in SEARCH]
    answers = {"responses": {"default": {"description": "FHIR"}}}
    body = {"requestBody": {"required": True, "content": JSON}}
    guards = [_header(name) for name in ("If-Match", "If-None-Exist", "Prefer")]
    return {
        "openapi": "3.0.3",
        "info": {"title": "FHIR", "version": "4.0.1"},
        "components": {
            "schemas": {
                "Resource": {
                    "type": "object",
                    "properties": {
                        "resourceType": {"type": "string", "enum": TYPES},
                        "id": {"type": "string", "maxLength": 70},
                        "type": {"type": "string"},
                        "status": {},
                        "identifier": {},
                        "entry": {"type": "array", "items": {}},
                        "parameter": {"type": "array", "items": {}},
                    },
                    "required": ["resourceType"],
                    "additionalProperties": True,
                }
            }
        },
        "paths": {
            "/fhir": {"post": {**body, **answers}},
            "/fhir/{type}": {
                "get": {"parameters": [kind, *search], **answers},
                "post": {"parameters": [kind, *guards], **body, **answers},
            },
            "/fhir/{type}/{id}": {
                "get": {"parameters": [kind, number, *search[-4:]], **answers},
                "put": {"parameters": [kind, number, *guards], **body, **answers},
            },
            "/fhir/{type}/{id}/_history": {"get": {"parameters": [kind, number], **answers}},
            "/fhir/{type}/{id}/_history/{version}": {
                "get": {"parameters": [kind, number, _path("version", minLength=1)], **answers}
            },
            "/fhir/{type}/{id}/{operation}": {
                "get": {
                    "parameters": [kind, number, _path("operation", enum=OPERATIONS), *search],
                    **answers,
                }
            },
            "/fhir/{type}/{operation}": {
                "post": {
                    "parameters": [kind, _path("operation", enum=[*OPERATIONS, "_search"])],
                    **body,
                    **answers,
                }
            },
        },
    }


@pytest.mark.timeout(600)
def test_generated_requests(live_server: Any, site: Site, integration: Any, settings: Any) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"user": "1000000/s", "anon": "1000000/s"},
    }
    prescription_publish(record=publication(PRESCRIPTION, site))
    stored = dict(ResourceVersion.objects.values_list("resource_type", "fhir_id"))

    def change(case: Any) -> None:
        kind = case.path_parameters.get("type")
        if "id" in case.path_parameters and len(repr(case.query)) % 3:
            case.path_parameters["id"] = stored.get(kind, "none")

    seen = send_all(
        fhir_schema(),
        url=live_server.url,
        headers={"Authorization": f"Token {Token.objects.create(user=integration).key}"},
        change=change,
        examples=60,
        conformance=False,
    )

    assert len(seen) == 9
    assert 200 in seen["GET /fhir/{type}"] | seen["GET /fhir/{type}/{id}"]
    assert 400 in seen["POST /fhir/{type}"] | seen["POST /fhir"]
