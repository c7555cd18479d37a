"""The FHIR server over HTTP: errors, and what it says of itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from rest_framework.test import APIClient

from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.served import SERVED

from .serving import FHIR_JSON, RELEASED_TYPES, assert_outcome, url_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "url",
    ["/fhir/", "/fhir/Observation", "/fhir/Observation/1", "/fhir/Patient/1/2/3",
     "/fhir/Patient/1/$everything", "/fhir/Composition/1/$document", "/fhir/Patient/1",
     "/fhir/Patient/1/MedicationRequest", "/fhir/Binary", "/fhir/Binary/_history"],
)  # fmt: skip
def test_an_address_that_is_not_served_is_not_found(as_integration: APIClient, url: str) -> None:
    assert_outcome(as_integration.get(url), 404, "not-found")


@pytest.mark.parametrize("fhir_id", ["a b", "ä", "x" * 65, "a_b"])
def test_an_impossible_id_is_a_bad_request(as_integration: APIClient, fhir_id: str) -> None:
    for name in ("Patient", "Binary"):
        assert_outcome(as_integration.get(f"/fhir/{name}/{fhir_id}"), 400, "invalid")


@pytest.mark.parametrize("method", ["patch", "delete", "options"])
def test_other_methods_are_not_served(
    released: str, as_integration: APIClient, method: str
) -> None:
    stored = ResourceVersion.objects.count()
    for url in (url_of("Patient"), "/fhir/Patient", "/fhir/", url_of("Binary"), "/fhir/metadata"):
        response = getattr(as_integration, method)(url, {}, format="json")
        assert_outcome(response, 405, "not-supported")
        assert "GET" in response["Allow"]
    assert ResourceVersion.objects.count() == stored


def test_a_failure_of_ours_is_an_outcome_too(
    released: str, as_integration: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("Maria de la Cruz")

    monkeypatch.setattr("clinic_hwr.fhir.views.base.audit_record", broken)

    response = as_integration.get(url_of("Patient"))

    assert_outcome(response, 500, "exception")
    assert b"Maria" not in response.content


def test_too_many_requests_say_when_to_come_back(
    released: str, as_integration: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": "1/min"}
    )
    first, second = as_integration.get(url_of("Patient")), as_integration.get(url_of("Patient"))

    assert first.status_code == 200
    assert_outcome(second, 429, "throttled")
    assert 0 < int(second["Retry-After"]) <= 61


def test_the_capability_statement_is_open_and_lists_what_is_served(api_client: APIClient) -> None:
    response = api_client.get("/fhir/metadata")

    assert response["Content-Type"] == FHIR_JSON
    statement = response.json()
    CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == "http://testserver/fhir"
    (rest,) = statement["rest"]
    assert [each["type"] for each in rest["resource"]] == list(SERVED)


def test_every_interaction_the_server_claims_works(
    released: str, as_integration: APIClient
) -> None:
    (rest,) = as_integration.get("/fhir/metadata").json()["rest"]
    for each in rest["resource"]:
        if each["type"] not in RELEASED_TYPES:
            continue
        url = url_of(each["type"])
        addresses = {
            "read": url,
            "vread": f"{url}/_history/1",
            "history-instance": f"{url}/_history",
            "history-type": f"/fhir/{each['type']}/_history",
            "search-type": f"/fhir/{each['type']}",
        }
        for interaction in each["interaction"]:
            if interaction["code"] in ("create", "update"):
                continue  # test_client_writes
            address = addresses[interaction["code"]]
            assert as_integration.get(address).status_code == 200, address
        values = {"date": "2026"}
        parameters = [(p["name"], values.get(p["type"], "1")) for p in each.get("searchParam", [])]
        includes = [("_include", include) for include in each.get("searchInclude", [])]
        includes += [("_revinclude", include) for include in each.get("searchRevInclude", [])]
        for query in (parameters, includes):
            address = f"/fhir/{each['type']}?{urlencode(query)}"
            if query:
                response = as_integration.get(address, HTTP_PREFER="handling=strict")
                assert response.status_code == 200, address
    assert as_integration.get("/fhir/_history").status_code == 200
