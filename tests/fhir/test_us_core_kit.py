"""The checks of the US Core test kit (Inferno, generated for 7.0.0), written as tests.

For each profile: read by id; every search the profile demands by GET and POST; every result obeys
the search; must-support elements are seen at least once over all results (a choice counts once);
references resolve; ``_revinclude=Provenance:target`` works. What is served is judged by the
profile itself in ``test_judges``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.services import prescription_publish

from .publications import PRESCRIPTION, publication
from .serving import found, url_of

pytestmark = pytest.mark.django_db

PROFILES = ("DocumentReference", "MedicationRequest", "Patient", "Practitioner", "Provenance")
# Searches the kit makes; {id}, {patient} and the like are taken from what is served.
SEARCHES = [
    ("MedicationRequest", "patient={patient}&intent=order"),
    ("MedicationRequest", "patient={patient}&intent=order&status=active"),
    ("MedicationRequest", "patient={patient}&intent=order&authoredon={authored}"),
    ("MedicationRequest", "patient={patient}&intent=order&authoredon=gt2020-01-01"),
    ("MedicationRequest", "patient={patient}&intent=order&authoredon=le{authored}"),
    ("MedicationRequest", "patient=Patient/{patient}&intent=order,plan"),
    ("DocumentReference", "patient={patient}"),
    ("DocumentReference", "_id={document}"),
    ("DocumentReference", "patient={patient}&category={category}"),
    ("DocumentReference", "patient={patient}&category={category}&date={date}"),
    ("DocumentReference", "patient={patient}&category={category}&date=gt2020-01-01T00:00:00Z"),
    ("DocumentReference", "patient={patient}&type=http://loinc.org|57833-6"),
    ("DocumentReference", "patient={patient}&status=current"),
    ("DocumentReference", "patient={patient}&type=57833-6&period=lt2030"),
    ("Patient", "_id={patient}"),
    ("Patient", "identifier={mrn}"),
    ("Patient", "name=Maria"),
    ("Patient", "birthdate=1980-01-02&name=cruz"),
    ("Patient", "gender=female&name=maria"),
    ("Patient", "birthdate=1980-01-02&family=de la"),
    ("Patient", "family=de la cruz&gender=female"),
    ("Practitioner", "_id={practitioner}"),
    ("Practitioner", "name=smith"),
    ("Practitioner", "identifier=http://hl7.org/fhir/sid/us-npi|1234567893"),
    ("Provenance", "target=MedicationRequest/{order}"),
]
# Must-support elements that a prescription on paper can have. Not there, and why: encounter and
# reason (never on the paper forms we read), identifier.use, race, ethnicity and the like
# (demographics a paper does not carry), content.format of other kinds.
MUST_SUPPORT = {
    "MedicationRequest": [
        "status", "intent", "category", "reportedBoolean", "medicationCodeableConcept", "subject",
        "authoredOn", "requester", "dosageInstruction.text", "dosageInstruction.timing",
        "dosageInstruction.doseAndRate.doseQuantity", "dispenseRequest.numberOfRepeatsAllowed",
        "dispenseRequest.quantity",
    ],
    "DocumentReference": [
        "identifier", "status", "type", "category", "subject", "date", "author",
        "content.attachment.contentType", "content.attachment.url", "content.format",
        "context.period",
    ],
    "Patient": [
        "identifier.system", "identifier.value", "name.family", "name.given", "gender",
        "birthDate", "address",
    ],
    "Practitioner": [
        "identifier.system", "identifier.value", "name.family", "telecom.system", "telecom.value",
    ],
    "Provenance": ["target", "recorded", "agent.type", "agent.who", "agent.onBehalfOf"],
}  # fmt: skip


@pytest.fixture
def papers(site: Site) -> None:
    """Two papers of the same content."""
    for number in (1, 2):
        paper = replace(PRESCRIPTION, patient=replace(PRESCRIPTION.patient, mrn=f"M{number}"))
        prescription_publish(
            record=publication(paper, site, prescription_id=UUID(int=number, version=4))
        )


def _first(resource_type: str) -> dict[str, Any]:
    rows = ResourceVersion.objects.filter(resource_type=resource_type).order_by("pk")
    return {"id": rows[0].fhir_id}


def _values() -> dict[str, str]:
    category = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
    return {
        "patient": _first("Patient")["id"],
        "document": _first("DocumentReference")["id"],
        "practitioner": _first("Practitioner")["id"],
        "order": _first("MedicationRequest")["id"],
        "authored": "2026-11-20",
        "date": "2026-11-22",
        "mrn": "M1",
        "category": f"{category}|clinical-note",
    }


def _pairs(query: str) -> list[tuple[str, str]]:
    filled = query.format(**_values())
    return [(name, value) for name, _, value in (p.partition("=") for p in filled.split("&"))]


@pytest.mark.parametrize("name", PROFILES)
def test_read_gives_the_resource_asked_for(
    papers: None, as_integration: APIClient, name: str
) -> None:
    body = as_integration.get(url_of(name)).json()

    assert (body["resourceType"], body["id"]) == (name, url_of(name).rpartition("/")[2])


@pytest.mark.parametrize(("name", "query"), SEARCHES)
def test_a_demanded_search_finds_by_get_and_post(
    papers: None, as_integration: APIClient, name: str, query: str
) -> None:
    pairs = _pairs(query)
    got = found(as_integration.get(f"/fhir/{name}", pairs, HTTP_PREFER="handling=strict"))
    form = urlencode(pairs)
    posted = found(
        as_integration.post(
            f"/fhir/{name}/_search", form, content_type="application/x-www-form-urlencoded"
        )
    )

    assert got, "the search finds what is there"
    assert got == posted
    assert {entry["resource"]["resourceType"] for entry in got} == {name}
    for asked, value in pairs:
        for entry in got:
            assert _obeys(entry["resource"], asked, value), (asked, value)


def _obeys(resource: dict[str, Any], asked: str, value: str) -> bool:
    """Tell whether ``resource`` has what the search asked for."""
    if asked in ("patient", "target"):
        target = value if "/" in value else f"Patient/{value}"
        held = resource.get("subject") or resource["target"]
        references = [held] if isinstance(held, dict) else held
        return target in [each["reference"] for each in references]
    if asked == "_id":
        return resource["id"] == value
    if asked in ("intent", "status", "gender"):
        return resource[asked] in value.split(",")
    if asked in ("category", "type"):
        concepts = resource[asked] if isinstance(resource[asked], list) else [resource[asked]]
        codes = [coding["code"] for each in concepts for coding in each["coding"]]
        return value.rpartition("|")[2] in codes
    if asked == "identifier":
        return value.rpartition("|")[2] in [each["value"] for each in resource["identifier"]]
    if asked in ("name", "family"):
        words = str(resource["name"]).lower()
        return value.lower() in words
    return True  # dates: test_search_more compares them one by one


@pytest.mark.parametrize("name", sorted(MUST_SUPPORT))
def test_must_support_elements_are_seen(papers: None, as_integration: APIClient, name: str) -> None:
    resources = [entry["resource"] for entry in found(as_integration.get(f"/fhir/{name}"))]

    missing = [
        path
        for path in MUST_SUPPORT[name]
        if not any(list(_at(resource, path.split("."))) for resource in resources)
    ]

    assert missing == []


def _at(value: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for member in value:
            yield from _at(member, names)
    elif not names:
        yield value
    elif isinstance(value, dict) and names[0] in value:
        yield from _at(value[names[0]], names[1:])


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _references(member)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for member in value.values():
            yield from _references(member)


@pytest.mark.parametrize("name", PROFILES)
def test_every_reference_resolves(papers: None, as_integration: APIClient, name: str) -> None:
    resources = [entry["resource"] for entry in found(as_integration.get(f"/fhir/{name}"))]
    targets = sorted({target for each in resources for target in _references(each)})

    for target in targets:
        body = as_integration.get(f"/fhir/{target}").json()
        assert f"{body['resourceType']}/{body['id']}" == target
    assert targets or name in ("Practitioner",)


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"Provenance"}))
def test_provenance_comes_along(papers: None, as_integration: APIClient, name: str) -> None:
    fhir_id = url_of(name).rpartition("/")[2]

    entries = found(as_integration.get(f"/fhir/{name}?_id={fhir_id}&_revinclude=Provenance:target"))

    (provenance,) = [e["resource"] for e in entries if e["search"]["mode"] == "include"]
    assert provenance["resourceType"] == "Provenance"
    assert {"reference": f"{name}/{fhir_id}"} in provenance["target"]


def test_the_capability_statement_says_what_the_kit_looks_for(as_integration: APIClient) -> None:
    (rest,) = as_integration.get("/fhir/metadata").json()["rest"]
    resources = {each["type"]: each for each in rest["resource"]}

    for name in PROFILES:
        assert any(
            profile.rpartition("/")[2] == f"us-core-{name.lower()}"
            for profile in resources[name]["supportedProfile"]
        )
        names = {each["name"] for each in resources[name]["searchParam"]}
        asked = {n for kind, query in SEARCHES if kind == name for n, _ in
                 (pair.split("=", 1) for pair in query.split("&"))}  # fmt: skip
        assert asked <= names
    assert "Provenance:target" in resources["MedicationRequest"]["searchRevInclude"]
    assert [each["name"] for each in resources["DocumentReference"]["operation"]] == [
        "docref",
        "validate",
    ]
