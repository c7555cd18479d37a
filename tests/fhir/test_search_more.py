"""Search over HTTP: comparators, chains, includes, sorting, parts of resources, search by POST."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.models import PostedSearch, Resource
from clinic_hwr.fhir.services import prescription_publish

from .publications import PRESCRIPTION, publication
from .serving import assert_outcome, found, link

pytestmark = pytest.mark.django_db

DATES = ((date(2026, 11, 20), ""), (None, "11/2026"), (date(2025, 1, 1), ""))


@pytest.fixture
def reader(api_client: APIClient, clinician: AbstractBaseUser) -> APIClient:
    """A client signed in as a clinician of ``site``."""
    api_client.force_authenticate(clinician)
    return api_client


@pytest.fixture
def papers(site: Site) -> list[str]:
    """The patients' ids of three papers of different days, with two orders each."""
    for number, (written, text) in enumerate(DATES, 1):
        patient = replace(PRESCRIPTION.patient, name=f"Zoë Müller {number}", mrn=f"M{number}")
        paper = replace(PRESCRIPTION, date_written=written, date_text=text, patient=patient)
        prescription_publish(
            record=publication(
                paper,
                site,
                prescription_id=UUID(int=number, version=4),
                released_at=datetime(2026, 11, 20 + number, tzinfo=UTC),
            )
        )
    return _ids(Resource.objects.filter(resource_type="Patient").order_by("pk"))


def _ids(rows: Any) -> list[str]:
    return list(rows.values_list("fhir_id", flat=True))


def _patients(response: Any) -> list[str]:
    """Return the patients of the orders found, each once, in order."""
    return list(
        dict.fromkeys(
            entry["resource"]["subject"]["reference"].rpartition("/")[2]
            for entry in found(response)
            if entry["search"]["mode"] == "match"
        )
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20", [0]),
        ("eq2026-11", [0, 1]),
        ("2026", [0, 1]),
        ("ne2026", [2]),
        ("gt2026-11-20", [1]),  # the paper of "11/2026" may be of the 30th
        ("ge2026-11-20", [0, 1]),
        ("lt2026-11-20", [1, 2]),  # or of the 1st
        ("le2026-11-20", [0, 1, 2]),
        ("sa2026-10", [0, 1]),
        ("sa2026-11-20", []),
        ("eb2026", [2]),
        ("eb2026-11-21", [0, 2]),
        ("ap2026-11-20", [0, 1]),
        ("2025-01-01T12:00:00Z", []),
        ("gt2024-12-31T23:59:59-14:00", [0, 1, 2]),
        ("sa2024-12-31T23:59:59-14:00", [0, 1]),
        ("2025-01-01,2026-11-20", [0, 2]),
        ("9999", []),
        ("ge0001-01-01", [0, 1, 2]),
        ("le9999-12-31", [0, 1, 2]),
    ],
)
def test_dates_compare_as_spans(
    reader: APIClient, papers: list[str], value: str, expected: list[int]
) -> None:
    response = reader.get("/fhir/MedicationRequest", {"authoredon": value})

    assert _patients(response) == [papers[number] for number in expected]


def test_two_dates_make_a_range(reader: APIClient, papers: list[str]) -> None:
    query = "authoredon=ge2026-11-01&authoredon=lt2026-12-01&status=active&intent=order"

    assert _patients(reader.get(f"/fhir/MedicationRequest?{query}")) == papers[:2]


def test_last_updated(reader: APIClient, papers: list[str]) -> None:
    for value, count in (("gt2026-11-21", 2), ("lt2026-11-22", 1), ("2026-11-22", 1),
                         ("ge2026-11-22T00:00:00Z", 2), ("2026-11-21T00:00:00Z", 1)):  # fmt: skip
        assert len(found(reader.get("/fhir/Patient", {"_lastUpdated": value}))) == count, value


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("MedicationRequest?patient.identifier=M2", [1]),
        ("MedicationRequest?subject:Patient.identifier=M2", [1]),
        ("MedicationRequest?patient.name=zoe", [0, 1, 2]),
        ("MedicationRequest?patient.birthdate=lt1970", []),
        ("DocumentReference?author.given=John&patient.identifier=M3", [2]),
        ("MedicationRequest?status=http://hl7.org/fhir/CodeSystem/medicationrequest-status|active"
         "&patient.identifier=M1", [0]),
        ("MedicationRequest?status:not=active", []),
        ("MedicationRequest?category=community&code:missing=false&patient.identifier=M1", [0]),
        ("MedicationRequest?encounter:missing=false", []),
        ("DocumentReference?type=http://loinc.org|57833-6&category=clinical-note", [0, 1, 2]),
        ("DocumentReference?period=2026-11-20", [0]),
        ("DocumentReference?contenttype=application/pdf&date=2026", [0, 1, 2]),
        ("Composition?type=57833-6&status=final", [0, 1, 2]),
        ("MedicationRequest?_security=AIAST", [0, 1, 2]),
    ],
)  # fmt: skip
def test_by_what_us_core_and_mhd_ask_for(
    reader: APIClient, papers: list[str], url: str, expected: list[int]
) -> None:
    assert _patients(reader.get(f"/fhir/{url}")) == [papers[number] for number in expected]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("name=mull", 3), ("name=MÜLL", 3), ("family=3", 1), ("given=zoe", 3), ("name=oe", 0),
        ("name:contains=LLER 2", 1), ("name:exact=Zoë Müller 2", 1), ("name:exact=zoe", 0),
        ("gender=female&birthdate=1980-01-02", 3), ("gender=male", 0), ("address=1 main", 3),
        ("identifier:missing=true", 0), ("_id:not=x", 3),
    ],
)  # fmt: skip
def test_people_by_name_and_the_like(
    reader: APIClient, papers: list[str], query: str, count: int
) -> None:
    assert len(found(reader.get(f"/fhir/Patient?{query}"))) == count


# ---- includes ---------------------------------------------------------------------------------


def _modes(response: Any) -> dict[str, list[str]]:
    modes: dict[str, list[str]] = {"match": [], "include": []}
    for entry in found(response):
        modes[entry["search"]["mode"]].append(entry["resource"]["resourceType"])
    return modes


def test_what_results_refer_to_comes_along_once(reader: APIClient, papers: list[str]) -> None:
    query = f"patient={papers[0]}&_include=MedicationRequest:patient&_include=*"

    modes = _modes(reader.get(f"/fhir/MedicationRequest?{query}"))

    assert modes["match"] == ["MedicationRequest"] * 2
    assert sorted(modes["include"]) == ["Patient", "Practitioner"]


def test_what_refers_to_results_comes_along(reader: APIClient, papers: list[str]) -> None:
    query = f"patient={papers[0]}&_revinclude=Provenance:target"

    response = reader.get(f"/fhir/MedicationRequest?{query}")

    assert _modes(response)["include"] == ["Provenance"]
    assert response.json()["total"] == 2


def test_includes_iterate(reader: APIClient, papers: list[str]) -> None:
    query = (
        f"patient={papers[0]}&_revinclude=Provenance:target&_include:iterate=Provenance:agent"
        "&_include:iterate=Device:organization"
    )

    modes = _modes(reader.get(f"/fhir/MedicationRequest?{query}"))

    assert sorted(modes["include"]) == ["Device", "Organization", "Practitioner", "Provenance"]


def test_includes_reach_no_other_type_than_asked_for(reader: APIClient, papers: list[str]) -> None:
    query = f"patient={papers[0]}&_include=MedicationRequest:requester:Organization"

    assert _modes(reader.get(f"/fhir/MedicationRequest?{query}"))["include"] == []


# ---- pages and order --------------------------------------------------------------------------


def _walk(reader: APIClient, url: str) -> list[dict[str, Any]]:
    entries, onward = [], url
    for _ in range(20):
        response = reader.get(onward)
        entries += found(response)
        following = link(response, "next")
        if following is None:
            return entries
        onward = following
    raise AssertionError("the pages never end")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("authoredon", [2, 1, 0]), ("-authoredon", [0, 1, 2]), ("_lastUpdated", [0, 1, 2]),
     ("-_lastUpdated,_id", [2, 1, 0]), ("status,-authoredon", [0, 1, 2])],
)  # fmt: skip
def test_sorted_pages_have_no_gap_and_no_repeat(
    reader: APIClient, papers: list[str], sort: str, expected: list[int]
) -> None:
    entries = _walk(reader, f"/fhir/MedicationRequest?_sort={sort}&_count=1")

    ids = [entry["resource"]["id"] for entry in entries]
    assert len(ids) == len(set(ids)) == 6
    patients = [e["resource"]["subject"]["reference"].rpartition("/")[2] for e in entries]
    assert list(dict.fromkeys(patients)) == [papers[number] for number in expected]


def test_what_comes_in_meanwhile_disturbs_no_page(
    reader: APIClient, papers: list[str], site: Site
) -> None:
    first = reader.get("/fhir/MedicationRequest?_count=2&_sort=-_lastUpdated")
    onward = link(first, "next")
    assert onward is not None

    prescription_publish(
        record=publication(
            site=site,
            prescription_id=UUID(int=9, version=4),
            released_at=datetime(2026, 12, 1, tzinfo=UTC),
        )
    )

    seen = [e["resource"]["id"] for e in found(first)]
    rest = [e["resource"]["id"] for e in _walk(reader, onward)]
    assert len(rest) == 4
    assert not set(seen) & set(rest)


def test_ids_of_any_order_are_sorted(reader: APIClient, papers: list[str]) -> None:
    entries = _walk(reader, "/fhir/Patient?_sort=_id&_count=1")

    assert [entry["resource"]["id"] for entry in entries] == sorted(papers)


# ---- parts of resources -----------------------------------------------------------------------


def test_a_summary_keeps_what_r4_marks_and_says_so(reader: APIClient, papers: list[str]) -> None:
    entry = found(reader.get("/fhir/DocumentReference?_summary=true&_count=1"))[0]

    resource = entry["resource"]
    assert resource["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert "securityLabel" not in resource
    assert resource["status"] == "current"
    assert "url" in resource["content"][0]["attachment"]
    assert "authenticator" not in resource  # not marked in R4


def test_elements_keep_what_is_asked_for_and_what_r4_demands(
    reader: APIClient, papers: list[str]
) -> None:
    entry = found(reader.get("/fhir/MedicationRequest?_elements=authoredOn&_count=1"))[0]

    assert set(entry["resource"]) == {
        "resourceType", "id", "meta", "status", "intent", "medicationCodeableConcept", "subject",
        "authoredOn",
    }  # fmt: skip


def test_text_data_and_count(reader: APIClient, papers: list[str]) -> None:
    (text,) = found(reader.get("/fhir/Composition?_summary=text&_count=1"))
    (data,) = found(reader.get("/fhir/Composition?_summary=data&_count=1"))
    count = reader.get("/fhir/Composition?_summary=count").json()

    assert {"text", "status", "title"} <= text["resource"].keys()
    assert "section" not in text["resource"]
    assert "section" in data["resource"]
    assert "text" not in data["resource"]
    assert (count["total"], "entry" in count) == (3, False)


def test_a_read_may_be_of_a_part(reader: APIClient, papers: list[str]) -> None:
    body = reader.get(f"/fhir/Patient/{papers[0]}?_elements=gender").json()

    assert set(body) == {"resourceType", "id", "meta", "gender"}


def test_a_total_may_be_left_out(reader: APIClient, papers: list[str]) -> None:
    assert "total" not in reader.get("/fhir/Patient?_total=none").json()
    assert reader.get("/fhir/Patient?_total=accurate").json()["total"] == 3


def test_what_is_too_much_to_count_is_not_counted(
    reader: APIClient, papers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_hwr.fhir.searching.pages.COUNTED", 2)

    for url in ("/fhir/Patient", "/fhir/_history"):
        assert "total" not in reader.get(url).json(), url
    assert reader.get("/fhir/Patient?_total=accurate").json()["total"] == 3
    assert len(found(reader.get("/fhir/Patient"))) == 3


@pytest.mark.parametrize("url", ["/fhir/Bundle?_count=3", "/fhir/Bundle/_history?_count=3"])
def test_a_page_of_heavy_documents_ends_early(
    reader: APIClient, papers: list[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr("clinic_hwr.fhir.searching.weight.MAX_PAGE_BYTES", 30_000)
    ids, onward, pages = [], url, 0
    while onward:
        response = reader.get(onward)
        ids += [entry["resource"]["id"] for entry in response.json()["entry"]]
        onward = link(response, "next") or ""
        pages += 1

    assert pages > 1
    assert len(ids) == len(set(ids)) == 3


def test_includes_that_are_too_much_are_refused(
    reader: APIClient, papers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_hwr.fhir.searching.includes.MAX_INCLUDED", 2)

    response = reader.get("/fhir/Patient?_revinclude=MedicationRequest:patient")

    assert_outcome(response, 400, "too-costly")
    assert len(found(reader.get("/fhir/Patient?_count=1&_revinclude=Provenance:target"))) == 2


# ---- by POST ----------------------------------------------------------------------------------


def test_a_search_by_post_keeps_its_values_out_of_addresses(
    reader: APIClient, papers: list[str]
) -> None:
    url, form = "/fhir/Patient/_search?_count=1", "name=zo%C3%AB"
    response = reader.post(url, form, content_type="application/x-www-form-urlencoded")

    assert len(found(response)) == 1
    onward = link(response, "next")
    assert onward is not None
    assert "zo" not in onward
    ids = [found(response)[0]["resource"]["id"]]
    ids += [entry["resource"]["id"] for entry in _walk(reader, onward)]
    assert ids == papers
    assert PostedSearch.objects.count() == 1


def test_the_pages_of_a_search_by_post_are_for_who_searched(
    reader: APIClient, papers: list[str], pharmacist: AbstractBaseUser
) -> None:
    response = reader.post(
        "/fhir/Patient/_search", "_count=1", content_type="application/x-www-form-urlencoded"
    )
    onward = link(response, "next")
    assert onward is not None
    other = APIClient()
    other.force_authenticate(pharmacist)

    assert other.get(onward).status_code == 400


def test_a_search_by_post_takes_forms_only(reader: APIClient) -> None:
    response = reader.post("/fhir/Patient/_search", "{}", content_type="application/json")

    assert response.status_code == 415


def test_the_compartment_of_a_patient(reader: APIClient, papers: list[str]) -> None:
    response = reader.get(f"/fhir/Patient/{papers[1]}/MedicationRequest?status=active")

    assert _patients(response) == [papers[1]]
    assert len(found(response)) == 2
    assert reader.get(f"/fhir/Patient/{papers[1]}/Organization").status_code == 404
