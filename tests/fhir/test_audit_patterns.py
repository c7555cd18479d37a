"""AuditEvent as IHE's Basic Audit Log Patterns (BALP 1.1) want it, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.audit.services import audit_record

from .serving import found, row_of, url_of
from .test_client_writes import PATIENT, sent

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE = {"coding": [{"system": DICOM, "code": "110153", "display": "Source Role ID"}]}
DESTINATION = {"coding": [{"system": DICOM, "code": "110152", "display": "Destination Role ID"}]}
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
# pattern: action, interactions, what the client is, what a user may be
PATTERNS: dict[str, tuple[str, set[str], dict[str, Any], set[str]]] = {
    "Read": ("R", {"read", "vread"}, DESTINATION, {"IRCP"}),
    "Query": ("E", {"search", "search-type", "search-system"}, SOURCE, {"IRCP"}),
    "Create": ("C", {"create"}, SOURCE, {"AUT", "INF", "CST"}),
    "Update": ("U", {"update", "patch"}, SOURCE, {"AUT", "INF", "CST"}),
}


def faults(event: dict[str, Any]) -> list[str]:
    """Return the rules of the pattern an event claims that it breaks."""
    (profile,) = event["meta"]["profile"]
    name = profile.removeprefix(PROFILE)
    action, interactions, client, users = PATTERNS[name.removeprefix("Patient")]
    server = DESTINATION if client is SOURCE else SOURCE
    clients = [a for a in event["agent"] if a["type"] == client]
    servers = [a for a in event["agent"] if a["type"] == server]
    people = [a for a in event["agent"] if a["requestor"]]
    by_type: dict[str, list[dict[str, Any]]] = {}
    for entity in event["entity"]:
        by_type.setdefault(entity["type"]["code"], []).append(entity)
    data, patients = by_type.get("2", []), by_type.get("1", [])
    query = name.endswith("Query")
    rules = {
        "type": event["type"]
        == {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "Restful Operation",
        },
        "subtype": event["subtype"][0]["code"] in interactions
        and event["subtype"][0]["system"] == "http://hl7.org/fhir/restful-interaction",
        "action": event["action"] == action,
        "recorded": bool(event["recorded"]),
        "outcome": event["outcome"] == "0",
        "one client": len(clients) == 1 and bool(clients[0]["who"]),
        "its network": all("network" in a and "media" not in a for a in clients),
        "one server": len(servers) == 1 and bool(servers[0]["who"]),
        "its address": all("network" in a and "media" not in a for a in servers),
        "user": all(
            a["type"]["coding"][0]["code"] in users and a["who"] and "network" not in a
            for a in people
        ),
        "one data entity": len(data) == 1 and data[0]["type"]["system"] == ENTITY,
        "role": all(e["role"]["code"] in ({"24"} if query else {"4", "3", "20"}) for e in data),
        "query": not query or all("query" in e and "what" not in e for e in data),
        "what": query or all("what" in e for e in data),
        "one patient": not name.startswith("Patient")
        or (
            len(patients) == 1
            and patients[0]["what"]["reference"].startswith("Patient/")
            and patients[0]["role"] == {"system": ROLE, "code": "1", "display": "Patient"}
        ),
    }
    return [rule for rule, kept in rules.items() if not kept]


@pytest.fixture
def events(
    released: str, as_integration: APIClient, clinic_admin: AbstractBaseUser
) -> list[dict[str, Any]]:
    """What the trail says of a release and of one request of every kind."""
    as_integration.get(url_of("MedicationRequest"), headers={"X-Request-Id": "gw-1"})
    as_integration.get(f"{url_of('Practitioner')}/_history/1")
    as_integration.get("/fhir/MedicationRequest?status=active")
    created = sent(as_integration, "post", "/fhir/Patient", PATIENT).json()
    changed = {**created, "gender": "female"}
    sent(as_integration, "put", f"/fhir/Patient/{created['id']}", changed)
    admin = APIClient()
    admin.force_authenticate(clinic_admin)
    return [entry["resource"] for entry in found(admin.get("/fhir/AuditEvent"))]


def test_every_kind_of_request_follows_its_pattern(events: list[dict[str, Any]]) -> None:
    claimed = [event["meta"]["profile"][0].removeprefix(PROFILE) for event in events]
    assert claimed == [
        "PatientCreate", "PatientRead", "PatientRead", "PatientQuery", "PatientCreate",
        "PatientUpdate",
    ]  # fmt: skip
    assert [faults(event) for event in events] == [[]] * 6


def test_machines_and_the_request_are_named(events: list[dict[str, Any]]) -> None:
    published, read, *_ = events
    _, client, server = read["agent"]
    assert client["network"] == {"address": "127.0.0.1", "type": "2"}
    assert server["network"] == {"address": "http://testserver/fhir", "type": "5"}
    assert read["entity"][-1]["what"]["identifier"]["value"] == "gw-1"
    assert [a["network"]["address"] for a in published["agent"][1:]] == ["localhost"] * 2


def test_a_search_that_found_several_patients_is_no_patient_query(
    released: str, as_integration: APIClient, clinic_admin: AbstractBaseUser
) -> None:
    sent(as_integration, "post", "/fhir/Patient", PATIENT)
    as_integration.get("/fhir/Patient")
    admin = APIClient()
    admin.force_authenticate(clinic_admin)

    *_, search = (entry["resource"] for entry in found(admin.get("/fhir/AuditEvent")))

    assert search["meta"]["profile"] == [f"{PROFILE}Query"]
    assert faults(search) == []


def test_an_address_nobody_noted_is_said_to_be_unknown(
    released: str, integration: AbstractBaseUser, clinic_admin: AbstractBaseUser
) -> None:
    row = row_of("Patient")
    audit_record(  # as releases before 0.2 wrote them
        action="fhir.read", site=row.site, object_type="Patient", object_id=row.fhir_id,
        actor=integration, data={"interaction": "read", "patient": row.fhir_id},
    )  # fmt: skip
    admin = APIClient()
    admin.force_authenticate(clinic_admin)
    old = AuditEvent.objects.get(action="fhir.read")

    event = admin.get(f"/fhir/AuditEvent/{old.uuid}").json()

    reason = event["agent"][1]["network"]["_address"]["extension"][0]
    assert reason["url"].endswith("data-absent-reason")
    assert reason["valueCode"] == "unknown"
    assert faults(event) == []


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "é"])
def test_an_odd_request_id_is_not_kept(
    released: str, as_integration: APIClient, given: str
) -> None:
    as_integration.get(url_of("Patient"), HTTP_X_REQUEST_ID=given)

    assert "request_id" not in AuditEvent.objects.get(action="fhir.read").data["connection"]
