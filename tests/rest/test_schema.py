"""The OpenAPI schema is made without a warning, is valid, and has a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from clinic_hwr.review.api.schema import openapi


def test_the_schema_is_complete_and_without_warnings() -> None:
    GENERATOR_STATS.reset()
    schema = openapi()

    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    validate_schema(schema)
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], address
            names = {each["name"] for each in operation.get("parameters", [])}
            assert ("Idempotency-Key" in names) is (method == "post"), address


@pytest.mark.django_db
def test_an_unknown_address_is_a_problem(api_client: APIClient, clinician: Any) -> None:
    assert api_client.get("/api/nowhere/").status_code == 401
    api_client.force_authenticate(clinician)
    for method in ("get", "post", "put", "delete"):
        response = getattr(api_client, method)("/api/scans/-1/")
        assert (response.status_code, response.json()["code"]) == (404, "no_route")


@pytest.mark.django_db
def test_schema_and_page_are_for_people_and_programs_with_an_account(
    api_client: APIClient, client: Client, clinician: Any, signed_in: Callable[..., Client]
) -> None:
    assert api_client.get("/api/schema/").status_code == 401
    assert client.get("/api/docs/").status_code == 302
    api_client.force_authenticate(clinician)
    assert api_client.get("/api/schema/").json()["info"]["title"] == "clinic_hwr"
    html = signed_in(clinician).get("/api/docs/").content.decode()
    assert "POST /api/fields/{field_id}/decisions/" in html
    assert "//" not in html.replace("http://", "").replace("https://", "").split("<main")[0]
