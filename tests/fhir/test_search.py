"""Search over HTTP: what is found, page by page, and what is refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractBaseUser
from fhir.resources.R4B.bundle import Bundle
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.services import prescription_publish

from .publications import publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(api_client: APIClient, clinician: AbstractBaseUser) -> APIClient:
    """A client signed in as a clinician of ``site``."""
    api_client.force_authenticate(clinician)
    return api_client


@pytest.fixture
def papers(site: Site) -> list[str]:
    """The patients' ids of three released papers with two orders each."""
    for number in (1, 2, 3):
        prescription_publish(
            record=publication(site=site, prescription_id=UUID(int=number, version=4))
        )
    rows = ResourceVersion.objects.filter(resource_type="Patient").order_by("pk")
    return list(rows.values_list("fhir_id", flat=True))


def _found(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    bundle = response.json()
    Bundle.model_validate(bundle)
    assert bundle["type"] == "searchset"
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def test_everything_of_a_type_is_found_in_order(reader: APIClient, papers: list[str]) -> None:
    response = reader.get("/fhir/Patient")

    assert _found(response) == papers
    assert response.json()["total"] == 3
    entry = response.json()["entry"][0]
    assert entry["fullUrl"] == f"http://testserver/fhir/Patient/{papers[0]}"
    assert entry["search"] == {"mode": "match"}


def test_results_are_the_stored_bytes(reader: APIClient, papers: list[str]) -> None:
    row = ResourceVersion.objects.filter(resource_type="MedicationRequest").order_by("pk").first()
    assert row is not None

    response = reader.get(f"/fhir/MedicationRequest?_id={row.fhir_id}")

    assert bytes(row.body) in response.content
    assert b'"value":1.50' in response.content


def test_by_id(reader: APIClient, papers: list[str]) -> None:
    assert _found(reader.get(f"/fhir/Patient?_id={papers[1]}")) == [papers[1]]
    assert _found(reader.get(f"/fhir/Patient?_id={papers[2]},{papers[0]}")) == [
        papers[0],
        papers[2],
    ]
    assert _found(reader.get(f"/fhir/Patient?_id={papers[1]}&_id={papers[0]}")) == []


@pytest.mark.parametrize("reference", ["{}", "Patient/{}", "http://testserver/fhir/Patient/{}"])
@pytest.mark.parametrize(
    ("resource_type", "count"),
    [("MedicationRequest", 2), ("DocumentReference", 1), ("Composition", 1)],
)
def test_by_patient(
    reader: APIClient, papers: list[str], resource_type: str, count: int, reference: str
) -> None:
    patient = reference.format(papers[1])

    response = reader.get(f"/fhir/{resource_type}?patient={patient}")

    assert len(_found(response)) == count
    for entry in response.json()["entry"]:
        assert entry["resource"]["subject"] == {"reference": f"Patient/{papers[1]}"}


def test_by_identifier(reader: APIClient, papers: list[str]) -> None:
    own = f"urn:uuid:{papers[1]}"
    for token in (own, f"urn:ietf:rfc:3986|{own}", f"nothing,{own}"):
        assert _found(reader.get("/fhir/Patient", {"identifier": token})) == [papers[1]]
    assert _found(reader.get("/fhir/Patient", {"identifier": "MRN 0042"})) == papers
    assert _found(reader.get("/fhir/Patient", {"identifier": "urn:ietf:rfc:3986|"})) == papers
    assert _found(reader.get("/fhir/Patient", {"identifier": f"|{own}"})) == []
    assert _found(reader.get("/fhir/Patient", {"identifier": f"urn:other|{own}"})) == []
    assert _found(reader.get("/fhir/Patient", {"identifier": r"MRN\, 0042"})) == []


def test_only_the_newest_version_is_found(site: Site, reader: APIClient, papers: list[str]) -> None:
    prescription_publish(
        record=publication(site=site, prescription_id=UUID(int=1, version=4), version=2)
    )

    response = reader.get(f"/fhir/Patient?_id={papers[0]}")

    assert [e["resource"]["meta"]["versionId"] for e in response.json()["entry"]] == ["2"]


def test_pages_follow_each_other_without_gap_or_repeat(
    site: Site, reader: APIClient, papers: list[str]
) -> None:
    url: str | None = "/fhir/MedicationRequest?_count=4"
    pages: list[list[str]] = []
    while url is not None:
        response = reader.get(url)
        pages.append(_found(response))
        links = {link["relation"]: link["url"] for link in response.json()["link"]}
        assert response.json()["total"] == 6
        assert links["self"] == "http://testserver/fhir/MedicationRequest?_count=4"
        url = links.get("next")

    assert [len(page) for page in pages] == [4, 2]
    assert len({each for page in pages for each in page}) == 6


def test_a_count_of_nothing_only_counts(reader: APIClient, papers: list[str]) -> None:
    response = reader.get("/fhir/Patient?_count=0")

    assert _found(response) == []
    assert response.json()["total"] == 3


@pytest.mark.parametrize(
    "query",
    ["_count=many", "_count=-1", "patient=Group/1", "_id=", "identifier=,", "identifier:exact=1",
     "_cursor=x", "_cursor=W10", "_cursor=WyJ4IiwxXQ", "_search=1", "status:of=x",
     "_sort=requester", "_include=Nothing:patient", "_include=MedicationRequest:status",
     "_summary=some", "_total=all", "_summary=true&_elements=status", "authoredon=yesterday",
     "authoredon=2026-13", "authoredon=2026-02-30", "authoredon=xx2026", "patient.nothing=1",
     "patient.organization.name=x", "status.code=1", "status:missing=perhaps", "status=a%00b",
     "patient:Nothing.identifier=x", "_lastUpdated=now"],
)  # fmt: skip
def test_a_search_that_cannot_be_answered_is_refused(
    reader: APIClient, papers: list[str], query: str
) -> None:
    response = reader.get(f"/fhir/MedicationRequest?{query}")

    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "invalid"


def test_a_lenient_search_drops_what_it_does_not_know_and_says_so(
    reader: APIClient, papers: list[str]
) -> None:
    url = f"/fhir/Patient?shoe-size=44&_id={papers[0]}"
    for prefer in ({}, {"HTTP_PREFER": "handling=lenient"}):
        response = reader.get(url, **prefer)

        *matches, warning = response.json()["entry"]
        assert [each["resource"]["id"] for each in matches] == [papers[0]]
        assert warning["search"] == {"mode": "outcome"}
        (issue,) = warning["resource"]["issue"]
        assert (issue["severity"], issue["code"]) == ("warning", "not-supported")
        assert "shoe-size" in issue["diagnostics"]
        (link,) = response.json()["link"]
        assert link["url"] == f"http://testserver/fhir/Patient?_id={papers[0]}"


def test_a_strict_search_refuses_what_it_does_not_know(
    reader: APIClient, papers: list[str]
) -> None:
    response = reader.get("/fhir/Patient?shoe-size=44", HTTP_PREFER="handling=strict")

    assert response.status_code == 400
    assert "shoe-size" in response.json()["issue"][0]["diagnostics"]


def test_people_of_another_site_find_nothing(
    api_client: APIClient, outsider: AbstractBaseUser, papers: list[str]
) -> None:
    api_client.force_authenticate(outsider)

    for query in ("", f"?_id={papers[0]}", "?identifier=MRN%200042"):
        response = api_client.get(f"/fhir/Patient{query}")
        assert _found(response) == []
        assert response.json()["total"] == 0


def test_who_belongs_to_two_sites_finds_both(
    api_client: APIClient, outsider: AbstractBaseUser, site: Site, papers: list[str]
) -> None:
    Membership.objects.create(user=outsider, site=site, role=Role.CLINICIAN)
    api_client.force_authenticate(outsider)

    assert _found(api_client.get("/fhir/Patient")) == papers


def test_a_search_is_recorded_without_its_values(
    reader: APIClient, site: Site, papers: list[str], clinician: AbstractBaseUser
) -> None:
    reader.get("/fhir/Patient", {"identifier": "MRN 0042"})
    reader.get("/fhir/Patient", {"identifier": "MRN of nobody"})

    first, second = AuditEvent.objects.filter(action="fhir.read")
    assert (first.site, first.actor, first.object_type) == (site, clinician, "Patient")
    assert first.data == {
        "interaction": "search-type",
        "parameters": ["identifier"],
        "found": papers,
        "patients": sorted(papers),
        "connection": {"client": "127.0.0.1", "server": "http://testserver/fhir"},
    }
    assert second.data["found"] == []
