"""The FHIR server over HTTP: reads, formats, conditions, errors, and who may see what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.served import SERVED
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish
from clinic_hwr.intake.models import Scan
from clinic_hwr.review.models import PrescriptionRecord

from .publications import PDF, publication

pytestmark = pytest.mark.django_db

FHIR_JSON = "application/fhir+json"


@pytest.fixture
def released(site: Site) -> str:
    """The id of the document of one released prescription at ``site``."""
    return prescription_publish(record=publication(site=site))


@pytest.fixture
def as_integration(api_client: APIClient, integration: AbstractBaseUser) -> APIClient:
    """A client with the token of the site's integration account."""
    token = Token.objects.create(user=integration)
    api_client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.key}")
    return api_client


def _row(resource_type: str) -> ResourceVersion:
    row = ResourceVersion.objects.filter(resource_type=resource_type).order_by("pk").first()
    assert row is not None
    return row


def _url(resource_type: str) -> str:
    return f"/fhir/{resource_type}/{_row(resource_type).fhir_id}"


def _assert_outcome(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    assert response["Content-Type"] == FHIR_JSON
    outcome = json.loads(response.content)
    assert outcome["resourceType"] == "OperationOutcome"
    assert [issue["code"] for issue in outcome["issue"]] == [code]


# ---- reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource_type", sorted(set(SERVED) - {"Binary"}))
def test_a_read_answers_the_stored_bytes(
    released: str, as_integration: APIClient, resource_type: str
) -> None:
    row = _row(resource_type)

    response = as_integration.get(_url(resource_type))

    assert response.status_code == 200
    assert response["Content-Type"] == FHIR_JSON
    assert response.content == bytes(row.body)
    assert response["ETag"] == 'W/"1"'
    assert response["Last-Modified"] == "Sun, 22 Nov 2026 09:30:15 GMT"
    assert response["Cache-Control"] == "no-store"


def test_a_version_stays_readable_after_an_amendment(
    site: Site, released: str, as_integration: APIClient
) -> None:
    prescription_publish(record=publication(site=site, version=2, verifier_name="Ann Other"))
    url = _url("Composition")

    old, new = as_integration.get(f"{url}/_history/1"), as_integration.get(f"{url}/_history/2")

    assert (old["ETag"], new["ETag"]) == ('W/"1"', 'W/"2"')
    assert as_integration.get(url).content == new.content != old.content
    _assert_outcome(as_integration.get(f"{url}/_history/3"), 404, "not-found")
    _assert_outcome(as_integration.get(f"{url}/_history/first"), 404, "not-found")
    _assert_outcome(as_integration.get(f"{url}/_history/{'9' * 40}"), 404, "not-found")


def test_a_composition_leads_to_its_document(
    site: Site, released: str, as_integration: APIClient
) -> None:
    url = f"{_url('Composition')}/$document"
    assert as_integration.get(url).content == bundle_bytes(released)

    amended = prescription_publish(record=publication(site=site, version=2))

    assert as_integration.get(url).content == bundle_bytes(amended)


def test_every_reference_of_a_read_can_be_followed(
    released: str, as_integration: APIClient
) -> None:
    order = as_integration.get(_url("MedicationRequest")).json()
    scan = as_integration.get(f"/fhir/{order['supportingInformation'][0]['reference']}").json()
    attachment = scan["content"][0]["attachment"]

    pdf = as_integration.get(f"/fhir/{attachment['url']}", HTTP_ACCEPT=attachment["contentType"])

    assert pdf.content == PDF
    for element in ("subject", "requester", "recorder"):
        url = f"/fhir/{order[element]['reference']}"
        assert as_integration.get(url).status_code == 200


def test_an_unchanged_resource_is_not_sent_again(released: str, as_integration: APIClient) -> None:
    url = _url("Patient")

    for condition in (
        {"HTTP_IF_NONE_MATCH": 'W/"1"'},
        {"HTTP_IF_NONE_MATCH": '"9", "1"'},
        {"HTTP_IF_MODIFIED_SINCE": "Sun, 22 Nov 2026 09:30:15 GMT"},
    ):
        response = as_integration.get(url, **condition)
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == 'W/"1"'
    for condition in (
        {"HTTP_IF_NONE_MATCH": 'W/"2"'},
        {"HTTP_IF_MODIFIED_SINCE": "Sun, 22 Nov 2026 09:30:14 GMT"},
        {"HTTP_IF_MODIFIED_SINCE": "yesterday"},
    ):
        assert as_integration.get(url, **condition).status_code == 200


def test_head_has_the_headers_and_no_body(released: str, as_integration: APIClient) -> None:
    response = as_integration.head(_url("Patient"))

    assert (response.status_code, response.content) == (200, b"")
    assert response["ETag"] == 'W/"1"'


# ---- formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accept",
    [
        FHIR_JSON,
        "application/json",
        "*/*",
        "application/*",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml;q=0.9, application/fhir+json;q=0.1",
    ],
)
def test_fhir_json_is_served_to_who_takes_it(
    released: str, as_integration: APIClient, accept: str
) -> None:
    response = as_integration.get(_url("Patient"), HTTP_ACCEPT=accept)

    assert (response.status_code, response["Content-Type"]) == (200, FHIR_JSON)


@pytest.mark.parametrize(
    "accept",
    ["application/fhir+xml", "text/html", "application/fhir+json;q=0", "", ";;=,q",
     "application/fhir+json; fhirVersion=5.0", "application/fhir+json;q=much"],
)  # fmt: skip
def test_other_formats_are_not_acceptable(
    released: str, as_integration: APIClient, accept: str
) -> None:
    response = as_integration.get(_url("Patient"), HTTP_ACCEPT=accept)

    _assert_outcome(response, 406, "not-supported")


def test_format_overrides_accept(released: str, as_integration: APIClient) -> None:
    url = _url("Patient")

    for wanted in ("json", "application/json", "application/fhir%2Bjson", "application/fhir+json"):
        response = as_integration.get(f"{url}?_format={wanted}", HTTP_ACCEPT="text/html")
        assert response.status_code == 200, wanted
    _assert_outcome(as_integration.get(f"{url}?_format=xml"), 406, "not-supported")


def test_a_binary_is_the_pdf_unless_fhir_is_asked_for(
    released: str, as_integration: APIClient
) -> None:
    url = _url("Binary")

    for accept in ("*/*", "application/pdf", "application/pdf, application/fhir+json"):
        response = as_integration.get(url, HTTP_ACCEPT=accept)
        assert (response["Content-Type"], response.content) == ("application/pdf", PDF), accept
    for accept in (FHIR_JSON, "application/json", "application/fhir+json, */*;q=0.1"):
        response = as_integration.get(url, HTTP_ACCEPT=accept)
        assert response["Content-Type"] == FHIR_JSON, accept
        assert response.json()["contentType"] == "application/pdf"
    assert as_integration.get(f"{url}?_format=json")["Content-Type"] == FHIR_JSON
    assert as_integration.get(f"{url}/_history/1").content == PDF
    _assert_outcome(as_integration.get(url, HTTP_ACCEPT="image/png"), 406, "not-supported")


# ---- who may see what -------------------------------------------------------------------------

ROUTES = [
    *(f"{name}/{{id}}" for name in sorted(SERVED)),
    *(f"{name}/{{id}}/_history/1" for name in sorted(SERVED)),
    "Composition/{id}/$document",
]


def _addressed(route: str) -> str:
    return f"/fhir/{route.replace('{id}', _row(route.partition('/')[0]).fhir_id)}"


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_is_asked_who_they_are(released: str, api_client: APIClient, route: str) -> None:
    response = api_client.get(_addressed(route))

    _assert_outcome(response, 401, "login")
    assert response["WWW-Authenticate"] == "Bearer"
    assert not AuditEvent.objects.filter(action="fhir.read").exists()


@pytest.mark.parametrize("route", ROUTES)
def test_people_of_another_site_find_nothing(
    released: str, api_client: APIClient, outsider: AbstractBaseUser, route: str
) -> None:
    api_client.force_authenticate(outsider)

    response = api_client.get(_addressed(route))

    _assert_outcome(response, 404, "not-found")
    nowhere = route.replace("{id}", "00000000-0000-0000-0000-000000000000")
    assert api_client.get(f"/fhir/{nowhere}").content == response.content
    assert not AuditEvent.objects.filter(action="fhir.read").exists()


def test_an_account_without_a_site_may_not_even_look(
    released: str, api_client: APIClient, django_user_model: Any
) -> None:
    api_client.force_authenticate(django_user_model.objects.create_user("nobody"))

    for url in (_url("Patient"), "/fhir/Patient", _url("Binary")):
        _assert_outcome(api_client.get(url), 403, "forbidden")


def test_a_wrong_token_and_a_switched_off_account_are_strangers(
    released: str, as_integration: APIClient, integration: AbstractBaseUser, api_client: APIClient
) -> None:
    integration.is_active = False
    integration.save()
    _assert_outcome(as_integration.get(_url("Patient")), 401, "login")

    api_client.credentials(HTTP_AUTHORIZATION="Bearer 0123")
    _assert_outcome(api_client.get(_url("Patient")), 401, "login")


@pytest.mark.parametrize("role", ["clinician", "pharmacist", "clinic_admin"])
def test_a_signed_in_person_reads_with_their_session(
    released: str,
    signed_in: Callable[[AbstractBaseUser], Client],
    request: pytest.FixtureRequest,
    role: str,
) -> None:
    client = signed_in(request.getfixturevalue(role))

    assert client.get(_url("Bundle")).content == bundle_bytes(released)


def test_the_word_token_works_as_well_as_bearer(
    released: str, api_client: APIClient, integration: AbstractBaseUser
) -> None:
    token = Token.objects.create(user=integration)
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")

    assert api_client.get(_url("Patient")).status_code == 200


def test_what_is_not_released_cannot_be_read(
    site: Site, released: str, as_integration: APIClient
) -> None:
    scan = Scan.objects.create(site=site, sha256="0" * 64, original_name="a.pdf", size_bytes=1)
    draft = PrescriptionRecord.objects.create(
        scan=scan, content={"patient": {"name": "Draft Person"}}
    )
    would_be = publication(site=site, prescription_id=draft.pk)
    for resource in (build(would_be).bundle, *build(would_be).resources):
        url = f"/fhir/{resource['resourceType']}/{resource['id']}"
        _assert_outcome(as_integration.get(url), 404, "not-found")
    for name, served in SERVED.items():
        if served.search:
            assert str(draft.pk) not in as_integration.get(f"/fhir/{name}").content.decode()


def test_every_read_is_recorded(
    released: str, as_integration: APIClient, integration: AbstractBaseUser
) -> None:
    as_integration.get(_url("MedicationRequest"))
    as_integration.get(f"{_url('Binary')}/_history/1")
    as_integration.get(f"{_url('Composition')}/$document")
    as_integration.get(f"{_url('Patient')}x")  # nothing there, nothing seen

    events = AuditEvent.objects.filter(action="fhir.read")
    assert [(e.object_type, e.object_id, e.data["interaction"]) for e in events] == [
        ("MedicationRequest", _row("MedicationRequest").fhir_id, "read"),
        ("Binary", _row("Binary").fhir_id, "vread"),
        ("Bundle", released, "document"),
    ]
    assert {event.actor for event in events} == {integration}
    assert {event.scan_id for event in events} == {publication().scan_id}


# ---- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["/fhir/", "/fhir/Observation", "/fhir/Observation/1", "/fhir/Patient/1/2/3",
     "/fhir/Patient/1/$everything", "/fhir/Composition/1/$document", "/fhir/Patient/1",
     "/fhir/Practitioner", "/fhir/Binary"],
)  # fmt: skip
def test_an_address_that_is_not_served_is_not_found(as_integration: APIClient, url: str) -> None:
    _assert_outcome(as_integration.get(url), 404, "not-found")


@pytest.mark.parametrize("fhir_id", ["a b", "ä", "x" * 65, "a_b"])
def test_an_impossible_id_is_a_bad_request(as_integration: APIClient, fhir_id: str) -> None:
    for name in ("Patient", "Binary"):
        _assert_outcome(as_integration.get(f"/fhir/{name}/{fhir_id}"), 400, "invalid")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_nothing_is_written_over_fhir(
    released: str, as_integration: APIClient, method: str
) -> None:
    stored = ResourceVersion.objects.count()
    for url in (_url("Patient"), "/fhir/Patient", "/fhir/", _url("Binary"), "/fhir/metadata"):
        response = getattr(as_integration, method)(url, {}, format="json")
        _assert_outcome(response, 405, "not-supported")
        assert response["Allow"] == "GET, HEAD"
    assert ResourceVersion.objects.count() == stored


def test_a_failure_of_ours_is_an_outcome_too(
    released: str, as_integration: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("Maria de la Cruz")

    monkeypatch.setattr("clinic_hwr.fhir.views.audit_record", broken)

    response = as_integration.get(_url("Patient"))

    _assert_outcome(response, 500, "exception")
    assert b"Maria" not in response.content


def test_too_many_requests_say_when_to_come_back(
    released: str, as_integration: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": "1/min"}
    )
    first, second = as_integration.get(_url("Patient")), as_integration.get(_url("Patient"))

    assert first.status_code == 200
    _assert_outcome(second, 429, "throttled")
    assert 0 < int(second["Retry-After"]) <= 61


# ---- metadata ---------------------------------------------------------------------------------


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
        url = _url(each["type"])
        addresses = {
            "read": url,
            "vread": f"{url}/_history/1",
            "search-type": f"/fhir/{each['type']}",
        }
        for interaction in each["interaction"]:
            address = addresses[interaction["code"]]
            assert as_integration.get(address).status_code == 200, address
        for parameter in each.get("searchParam", []):
            address = f"/fhir/{each['type']}?{parameter['name']}=1"
            assert as_integration.get(address).status_code == 200, address
        for operation in each.get("operation", []):
            assert as_integration.get(f"{url}/${operation['name']}").status_code == 200
