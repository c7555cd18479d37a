"""What integration accounts write: create, update, conditions, preferences, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import Resource, ResourceVersion

from .serving import FHIR_JSON, assert_outcome, found, url_of

pytestmark = pytest.mark.django_db

PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "A-1"}],
    "name": [{"family": "Okafor", "given": ["Ada"]}],
    "gender": "female",
    "birthDate": "1970-01-01",
}


def sent(client: APIClient, method: str, url: str, body: Any, **headers: str) -> Any:
    """Send ``body`` as FHIR JSON."""
    data = body if isinstance(body, str) else json.dumps(body)
    return getattr(client, method)(url, data, content_type=FHIR_JSON, **headers)


def test_a_create_gives_the_id_the_version_and_the_place(
    as_integration: APIClient, site: Site, integration: AbstractBaseUser
) -> None:
    response = sent(as_integration, "post", "/fhir/Patient", {**PATIENT, "id": "mine"})

    body = response.json()
    assert response.status_code == 201
    assert body["id"] != "mine"
    assert body["meta"]["versionId"] == "1"
    place = f"http://testserver/fhir/Patient/{body['id']}/_history/1"
    assert (response["Location"], response["ETag"]) == (place, 'W/"1"')
    assert as_integration.get(place).content == response.content
    row = ResourceVersion.objects.get()
    assert (row.site, row.patient_fhir_id, row.prescription_id) == (site, body["id"], None)
    event = AuditEvent.objects.get(action="fhir.created")
    assert (event.actor, event.object_id) == (integration, body["id"])


def test_decimals_keep_their_digits(as_integration: APIClient) -> None:
    order = (
        '{"resourceType":"MedicationRequest","status":"draft","intent":"plan",'
        '"medicationCodeableConcept":{"text":"x"},"subject":{"reference":"Patient/1"},'
        '"dispenseRequest":{"quantity":{"value":1.50}}}'
    )

    response = sent(as_integration, "post", "/fhir/MedicationRequest", order)

    assert response.status_code == 201
    assert b'"value":1.50' in response.content


def test_an_update_is_the_next_version(as_integration: APIClient) -> None:
    url = f"/fhir/Patient/{sent(as_integration, 'post', '/fhir/Patient', PATIENT).json()['id']}"
    body = {**PATIENT, "id": url.rpartition("/")[2], "gender": "other"}

    response = sent(as_integration, "put", url, body, HTTP_IF_MATCH='W/"1"')

    assert (response.status_code, response["ETag"]) == (200, 'W/"2"')
    assert as_integration.get(url).json()["gender"] == "other"
    assert as_integration.get(f"{url}/_history/1").json()["gender"] == "female"
    assert len(found(as_integration.get("/fhir/Patient?gender=other"))) == 1
    assert found(as_integration.get("/fhir/Patient?gender=female")) == []
    history = as_integration.get(f"{url}/_history").json()
    assert [(e["request"]["method"], e["response"]["etag"]) for e in history["entry"]] == [
        ("PUT", 'W/"2"'),
        ("POST", 'W/"1"'),
    ]


@pytest.mark.parametrize("if_match", ['W/"2"', '"7"', 'W/"x"'])
def test_an_update_of_what_changed_meanwhile_is_refused(
    as_integration: APIClient, if_match: str
) -> None:
    created = sent(as_integration, "post", "/fhir/Patient", PATIENT).json()

    response = sent(
        as_integration, "put", f"/fhir/Patient/{created['id']}", created, HTTP_IF_MATCH=if_match
    )

    assert_outcome(response, 412, "conflict")
    assert ResourceVersion.objects.count() == 1


def test_a_binary_is_updated_and_its_versions_are_not(as_integration: APIClient) -> None:
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}
    url = f"/fhir/Binary/{sent(as_integration, 'post', '/fhir/Binary', body).json()['id']}"
    changed = {**body, "id": url.rpartition("/")[2], "data": "aG8="}

    response = sent(as_integration, "put", url, changed)

    assert (response.status_code, as_integration.get(url).content) == (200, b"ho")
    refused = sent(as_integration, "put", f"{url}/_history/1", changed)
    assert_outcome(refused, 405, "not-supported")


def test_an_update_never_strips_a_label(as_integration: APIClient) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    created = sent(
        as_integration, "post", "/fhir/Patient", {**PATIENT, "meta": {"security": [label]}}
    ).json()

    response = sent(
        as_integration, "put", f"/fhir/Patient/{created['id']}", {**PATIENT, "id": created["id"]}
    )

    assert response.json()["meta"]["security"] == [label]


# ---- conditions -------------------------------------------------------------------------------


def test_a_conditional_create_happens_once(as_integration: APIClient) -> None:
    condition = {"HTTP_IF_NONE_EXIST": "identifier=urn:oid:1.2.3|A-1"}

    first, second = (
        sent(as_integration, "post", "/fhir/Patient", PATIENT, **condition) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 200)
    assert first["Location"] == second["Location"]
    assert ResourceVersion.objects.count() == 1


def test_a_condition_in_the_address_counts_as_well(as_integration: APIClient) -> None:
    """Aidbox and fhirpy say it there."""
    first, second = (
        sent(as_integration, "post", "/fhir/Patient?identifier=A-1", PATIENT) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 200)


def test_a_condition_that_finds_several_is_refused(as_integration: APIClient) -> None:
    for _ in range(2):
        sent(as_integration, "post", "/fhir/Patient", PATIENT)

    for method, url, headers in (
        ("post", "/fhir/Patient", {"HTTP_IF_NONE_EXIST": "identifier=A-1"}),
        ("put", "/fhir/Patient?identifier=A-1", {}),
    ):
        response = sent(as_integration, method, url, PATIENT, **headers)
        assert_outcome(response, 412, "multiple-matches")
    assert ResourceVersion.objects.count() == 2


@pytest.mark.parametrize("condition", ["", "shoe-size=44", "_count=1", "birthdate=x", "a=b&" * 201])
def test_a_condition_that_means_nothing_is_refused(
    as_integration: APIClient, condition: str
) -> None:
    response = sent(as_integration, "post", "/fhir/Patient", PATIENT, HTTP_IF_NONE_EXIST=condition)

    assert_outcome(response, 400, "invalid")
    assert not ResourceVersion.objects.exists()


def test_a_conditional_update_creates_then_updates(as_integration: APIClient) -> None:
    url = "/fhir/Patient?identifier=urn:oid:1.2.3|A-1"

    first, second = (sent(as_integration, "put", url, PATIENT) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert second["ETag"] == 'W/"2"'


def test_a_condition_finds_nothing_at_another_site(
    as_integration: APIClient,
    other_site: Site,
    make_user: Callable[..., AbstractBaseUser],
) -> None:
    sent(as_integration, "post", "/fhir/Patient", PATIENT)
    elsewhere = APIClient()
    elsewhere.force_authenticate(make_user("other-gateway", other_site, Role.INTEGRATION))

    response = sent(
        elsewhere, "post", "/fhir/Patient", PATIENT, HTTP_IF_NONE_EXIST="identifier=A-1"
    )

    assert response.status_code == 201
    assert Resource.objects.values("site").distinct().count() == 2


# ---- preferences ------------------------------------------------------------------------------


def test_the_answer_is_as_long_as_preferred(as_integration: APIClient) -> None:
    minimal = sent(as_integration, "post", "/fhir/Patient", PATIENT, HTTP_PREFER="return=minimal")
    told = sent(
        as_integration, "post", "/fhir/Patient", PATIENT, HTTP_PREFER="return=OperationOutcome"
    )

    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal["Location"].startswith("http://testserver/fhir/Patient/")
    assert told.json()["issue"][0]["severity"] == "information"


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["clinician", "pharmacist", "clinic_admin"])
def test_people_write_in_the_workstation_and_not_here(
    api_client: APIClient, request: pytest.FixtureRequest, role: str
) -> None:
    api_client.force_authenticate(request.getfixturevalue(role))

    assert_outcome(sent(api_client, "post", "/fhir/Patient", PATIENT), 403, "forbidden")
    assert_outcome(sent(api_client, "put", "/fhir/Patient?identifier=1", PATIENT), 403, "forbidden")
    assert not ResourceVersion.objects.exists()


def test_what_was_signed_cannot_be_written_over(released: str, as_integration: APIClient) -> None:
    stored = ResourceVersion.objects.count()
    for name in ("MedicationRequest", "Patient", "DocumentReference", "Practitioner"):
        body = as_integration.get(url_of(name)).json()
        if name == "MedicationRequest":
            body["status"] = "draft"
        assert_outcome(sent(as_integration, "put", url_of(name), body), 422, "business-rule")
    assert ResourceVersion.objects.count() == stored


def test_an_active_order_needs_a_signature(as_integration: APIClient) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "requester": {"display": "Dr. Who"},
    }

    refused = sent(as_integration, "post", "/fhir/MedicationRequest", order)
    reported = sent(
        as_integration, "post", "/fhir/MedicationRequest", {**order, "reportedBoolean": True}
    )

    assert_outcome(refused, 422, "business-rule")
    assert reported.status_code == 201


@pytest.mark.parametrize("name", ["Bundle", "Composition", "Device", "Provenance", "Task"])
def test_what_only_the_product_writes_is_refused(as_integration: APIClient, name: str) -> None:
    response = sent(as_integration, "post", f"/fhir/{name}", {"resourceType": name})

    assert_outcome(response, 405, "not-supported")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "structure"),
        ("{", 400, "structure"),
        ("[]", 400, "structure"),
        ("null", 400, "structure"),
        ("\ufeff{}", 400, "structure"),
        ('{"resourceType":"Patient","resourceType":"Patient"}', 400, "structure"),
        ('{"resourceType":"Observation"}', 400, "structure"),
        ('{"resourceType":"Patient","multipleBirthInteger":NaN}', 400, "structure"),
        ('{"resourceType":"Patient","multipleBirthInteger":' + "9" * 5000 + "}", 400, "structure"),
        ("[" * 100_000, 400, "structure"),
        ('{"resourceType":"Patient","a":' + "[" * 400 + "1" + "]" * 400 + "}", 400, "structure"),
        ('{"resourceType":"Patient","multipleBirthInteger":1e999999999}', 422, "value"),
    ],
)
def test_a_body_that_is_no_resource_is_refused(
    as_integration: APIClient, body: str, status: int, code: str
) -> None:
    assert_outcome(sent(as_integration, "post", "/fhir/Patient", body), status, code)


def test_other_formats_and_packed_bodies_are_refused(as_integration: APIClient) -> None:
    for content_type in ("application/fhir+xml", "text/plain", "multipart/form-data; boundary=x"):
        response = as_integration.post("/fhir/Patient", b"x", content_type=content_type)
        assert_outcome(response, 415, "not-supported")
    packed = sent(as_integration, "post", "/fhir/Patient", PATIENT, HTTP_CONTENT_ENCODING="gzip")
    assert_outcome(packed, 415, "not-supported")


def test_a_body_that_is_too_long_is_refused(
    as_integration: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_hwr.fhir.views.base.MAX_BODY_BYTES", 100)

    assert_outcome(sent(as_integration, "post", "/fhir/Patient", PATIENT), 413, "too-long")


def test_ids_of_address_and_body_must_agree(as_integration: APIClient) -> None:
    created = sent(as_integration, "post", "/fhir/Patient", PATIENT).json()
    url = f"/fhir/Patient/{created['id']}"

    for body in (PATIENT, {**PATIENT, "id": "other"}):
        assert_outcome(sent(as_integration, "put", url, body), 400, "value")


def test_nobody_chooses_an_id(as_integration: APIClient) -> None:
    body = {**PATIENT, "id": "mine"}

    assert_outcome(sent(as_integration, "put", "/fhir/Patient/mine", body), 404, "not-found")
    assert_outcome(sent(as_integration, "put", "/fhir/Patient?identifier=A-1", body), 400, "value")


def test_an_account_of_two_sites_names_the_site(
    as_integration: APIClient, integration: AbstractBaseUser, other_site: Site
) -> None:
    Membership.objects.create(user=integration, site=other_site, role=Role.INTEGRATION)

    assert_outcome(sent(as_integration, "post", "/fhir/Patient", PATIENT), 400, "required")
    there = sent(as_integration, "post", "/fhir/Patient", PATIENT, HTTP_X_CLINIC_SITE="hilltop")
    assert there.status_code == 201
    assert ResourceVersion.objects.get().site == other_site
    nowhere = sent(as_integration, "post", "/fhir/Patient", PATIENT, HTTP_X_CLINIC_SITE="x")
    assert_outcome(nowhere, 403, "forbidden")


# ---- documents --------------------------------------------------------------------------------


def _document(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "57833-6"}]},
        "subject": {"reference": "Patient/1"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
        **changes,
    }


def test_a_document_supersedes_the_one_it_replaces(as_integration: APIClient) -> None:
    old = sent(as_integration, "post", "/fhir/DocumentReference", _document()).json()
    target = {"reference": f"DocumentReference/{old['id']}"}

    new = sent(
        as_integration,
        "post",
        "/fhir/DocumentReference",
        _document(relatesTo=[{"code": "replaces", "target": target}]),
    )

    assert new.status_code == 201
    kept = as_integration.get(f"/fhir/DocumentReference/{old['id']}").json()
    assert (kept["status"], kept["meta"]["versionId"]) == ("superseded", "2")


def test_a_document_of_six_megabytes_is_taken(as_integration: APIClient) -> None:
    content = bytes(range(256)) * 24_576
    attachment = {"contentType": "application/pdf", "data": base64.b64encode(content).decode()}

    response = sent(
        as_integration,
        "post",
        "/fhir/DocumentReference",
        _document(content=[{"attachment": attachment}]),
        HTTP_PREFER="return=minimal",
    )

    assert response.status_code == 201


def test_a_page_of_a_client_is_served_as_a_file(as_integration: APIClient) -> None:
    page = base64.b64encode(b"<script>alert(1)</script>").decode()
    created = sent(
        as_integration,
        "post",
        "/fhir/Binary",
        {"resourceType": "Binary", "contentType": "text/html", "data": page},
    ).json()

    response = as_integration.get(f"/fhir/Binary/{created['id']}", HTTP_ACCEPT="*/*")

    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Disposition"] == "attachment"
    assert "sandbox" in response["Content-Security-Policy"]
