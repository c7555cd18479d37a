"""Batches and transactions: all or none, references among entries, and documents by ITI-65."""

from __future__ import annotations

import base64
import copy
import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.fhir.models import ResourceVersion

from .serving import assert_outcome, found, url_of
from .test_client_writes import PATIENT, sent

pytestmark = pytest.mark.django_db

CONTENT = b"%PDF-1.4 a letter"
PATIENT_URL = "urn:uuid:00000000-0000-4000-8000-000000000001"
DOCUMENT_URL = "urn:uuid:00000000-0000-4000-8000-000000000002"
BINARY_URL = "urn:uuid:00000000-0000-4000-8000-000000000003"
LIST_URL = "urn:uuid:00000000-0000-4000-8000-000000000004"


def _entry(full_url: str, resource: dict[str, Any], **request: str) -> dict[str, Any]:
    asked = {"method": "POST", "url": resource["resourceType"], **request}
    return {"fullUrl": full_url, "resource": resource, "request": asked}


def _bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _get(url: str) -> dict[str, Any]:
    return {"request": {"method": "GET", "url": url}}


def provided() -> dict[str, Any]:
    """Return a Provide Document Bundle (ITI-65, minimal metadata)."""
    digest = hashlib.sha1(CONTENT, usedforsecurity=False).digest()
    attachment = {
        "contentType": "application/pdf",
        "url": BINARY_URL,
        "size": len(CONTENT),
        "hash": base64.b64encode(digest).decode(),
    }
    submission = {
        "system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
        "code": "submissionset",
    }
    bundle = _bundle(
        _entry(
            LIST_URL,
            {
                "resourceType": "List",
                "status": "current",
                "mode": "working",
                "code": {"coding": [submission]},
                "subject": {"reference": PATIENT_URL},
                "date": "2026-11-26T08:00:00Z",
                "entry": [{"item": {"reference": DOCUMENT_URL}}],
            },
        ),
        _entry(
            DOCUMENT_URL,
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:5"},
                "subject": {"reference": PATIENT_URL},
                "content": [{"attachment": attachment}],
            },
        ),
        _entry(
            BINARY_URL,
            {
                "resourceType": "Binary",
                "contentType": "application/pdf",
                "data": base64.b64encode(CONTENT).decode(),
            },
        ),
        _entry(PATIENT_URL, PATIENT, ifNoneExist="identifier=urn:oid:1.2.3|A-1"),
    )
    profile = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.ProvideBundle"
    return {**bundle, "meta": {"profile": [profile]}}


@pytest.mark.parametrize("url", ["/fhir", "/fhir/"])
def test_a_document_is_provided_found_and_retrieved(as_integration: APIClient, url: str) -> None:
    """ITI-65, ITI-67 and ITI-68 in a row."""
    response = sent(as_integration, "post", url, provided())

    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["type"] == "transaction-response"
    assert [e["response"]["status"] for e in answer["entry"]] == ["201 Created"] * 4
    assert all(e["response"]["etag"] == 'W/"1"' for e in answer["entry"])
    (entry,) = found(
        as_integration.get("/fhir/DocumentReference?patient.identifier=urn:oid:1.2.3|A-1")
    )
    document = entry["resource"]
    pdf = as_integration.get(f"/fhir/{document['content'][0]['attachment']['url']}")
    assert (pdf["Content-Type"], pdf.content) == ("application/pdf", CONTENT)
    (submission,) = found(as_integration.get("/fhir/List?code=submissionset"))
    item = submission["resource"]["entry"][0]["item"]
    assert item == {"reference": f"DocumentReference/{document['id']}"}


def test_providing_again_finds_the_same_patient(as_integration: APIClient) -> None:
    answers = [sent(as_integration, "post", "/fhir", provided()).json() for _ in range(2)]

    statuses = [[e["response"]["status"] for e in each["entry"]] for each in answers]
    assert statuses[1] == ["201 Created", "201 Created", "201 Created", "200 OK"]
    assert len(found(as_integration.get("/fhir/Patient"))) == 1
    assert len(found(as_integration.get("/fhir/DocumentReference?patient.identifier=A-1"))) == 2


PROVIDED_BROKEN: dict[str, Any] = {
    "no submission set": lambda b: b["entry"].pop(0),
    "no document": lambda b: b["entry"].pop(1),
    "no binary": lambda b: b["entry"].pop(2),
    "no transaction": lambda b: b.update(type="batch"),
    "another hash": lambda b: b["entry"][1]["resource"]["content"][0]["attachment"].update(
        hash="AAAA"
    ),
    "another size": lambda b: b["entry"][1]["resource"]["content"][0]["attachment"].update(size=1),
    "another type": lambda b: b["entry"][2]["resource"].update(contentType="image/png"),
}


@pytest.mark.parametrize("fault", PROVIDED_BROKEN)
def test_a_submission_that_breaks_iti_65_is_refused(as_integration: APIClient, fault: str) -> None:
    bundle = copy.deepcopy(provided())
    PROVIDED_BROKEN[fault](bundle)

    response = sent(as_integration, "post", "/fhir", bundle)

    assert response.status_code == 422, response.content
    assert response.json()["resourceType"] == "OperationOutcome"
    assert not ResourceVersion.objects.exists()


def test_a_transaction_that_fails_leaves_nothing(as_integration: APIClient) -> None:
    bad = {**PATIENT, "gender": "F"}

    response = sent(as_integration, "post", "/fhir", _bundle(_entry("", PATIENT), _entry("", bad)))

    issue = assert_outcome(response, 422, "code-invalid")
    assert issue["expression"] == ["Bundle.entry[1].resource.gender"]
    assert not ResourceVersion.objects.exists()


def test_the_parts_of_a_batch_stand_alone(as_integration: APIClient) -> None:
    bundle = _bundle(
        _entry("", {**PATIENT, "gender": "F"}),
        _entry("", PATIENT),
        _get("Patient/nobody"),
        _get("Patient?gender=female"),
        _get("metadata"),
        {"request": {"method": "DELETE", "url": "Patient/1"}},
        _get(""),
        kind="batch",
    )

    response = sent(as_integration, "post", "/fhir", bundle)

    entries = response.json()["entry"]
    assert [e["response"]["status"] for e in entries] == [
        "422", "201 Created", "404", "200 OK", "200 OK", "405", "400",
    ]  # fmt: skip
    assert entries[0]["response"]["outcome"]["issue"][0]["code"] == "code-invalid"
    assert entries[3]["resource"]["total"] == 1
    assert ResourceVersion.objects.count() == 1


def test_reads_of_a_batch_obey_the_compartment(
    released: str, api_client: APIClient, outsider: AbstractBaseUser
) -> None:
    api_client.force_authenticate(outsider)
    urls = [url_of("Patient").removeprefix("/fhir/"), "Patient", "MedicationRequest?_include=*"]

    response = sent(api_client, "post", "/fhir", _bundle(*map(_get, urls), kind="batch"))

    entries = response.json()["entry"]
    assert entries[0]["response"]["status"] == "404"
    assert [e["resource"]["total"] for e in entries[1:]] == [0, 0]


def test_who_may_not_write_may_still_send_a_batch_of_reads(
    released: str, api_client: APIClient, clinician: AbstractBaseUser
) -> None:
    api_client.force_authenticate(clinician)

    response = sent(
        api_client, "post", "/fhir", _bundle(_get("Patient"), _entry("", PATIENT), kind="batch")
    )

    assert [e["response"]["status"] for e in response.json()["entry"]] == ["200 OK", "403"]
    whole = sent(api_client, "post", "/fhir", _bundle(_entry("", PATIENT)))
    assert_outcome(whole, 403, "forbidden")


def test_an_update_and_conditional_references_in_a_transaction(as_integration: APIClient) -> None:
    known = sent(as_integration, "post", "/fhir/Patient", PATIENT).json()
    order = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "plan",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient?identifier=urn:oid:1.2.3|A-1"},
    }
    changed = {**PATIENT, "id": known["id"], "active": True}

    response = sent(
        as_integration,
        "post",
        "/fhir",
        _bundle(
            _entry("", order),
            _entry("", changed, method="PUT", url=f"Patient/{known['id']}", ifMatch='W/"1"'),
            _get(f"Patient/{known['id']}"),
        ),
    )

    assert response.status_code == 200, response.content
    entries = response.json()["entry"]
    assert entries[0]["resource"]["subject"] == {"reference": f"Patient/{known['id']}"}
    assert entries[2]["resource"]["active"] is True
    nobody = copy.deepcopy(order)
    nobody["subject"]["reference"] = "Patient?identifier=nobody"
    refused = sent(as_integration, "post", "/fhir", _bundle(_entry("", nobody)))
    assert_outcome(refused, 412, "not-found")


@pytest.mark.parametrize(
    ("bundle", "status"),
    [
        ({"resourceType": "Patient"}, 400),
        (_bundle(kind="document"), 400),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, 400),
        (_bundle({"fullUrl": "x"}), 400),
        (_bundle({"request": {"method": "GET", "url": 3}}), 400),
        (_bundle({"request": {"method": "LOOK", "url": "Patient"}}), 400),
        (_bundle(*[_get("Patient")] * 501), 413),
        (_bundle(_entry("urn:uuid:1", PATIENT), _entry("urn:uuid:1", PATIENT)), 400),
        (_bundle(_entry("", PATIENT, ifNoneExist="identifier=1"),
                 _entry("", PATIENT, ifNoneExist="identifier=1")), 400),
        (_bundle({"request": {"method": "POST", "url": "Patient"}}), 400),
        (_bundle({"request": {"method": "DELETE", "url": "Patient/1"}}), 405),
    ],
)  # fmt: skip
def test_a_bundle_that_cannot_be_carried_out_is_refused(
    as_integration: APIClient, bundle: Any, status: int
) -> None:
    response = sent(as_integration, "post", "/fhir", bundle)

    assert response.status_code == status, response.content
    assert response.json()["resourceType"] == "OperationOutcome"
    assert not ResourceVersion.objects.exists()
