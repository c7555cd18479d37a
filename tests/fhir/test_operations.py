"""``$docref``, ``$everything``, ``$validate``, ``$document``, and histories."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish

from .publications import publication
from .serving import assert_outcome, found, link, row_of, url_of
from .test_client_writes import PATIENT, sent

pytestmark = pytest.mark.django_db


def _parameters(**values: str) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": value} for name, value in values.items()],
    }


# ---- $docref ----------------------------------------------------------------------------------


def test_docref_finds_the_documents_of_a_patient(released: str, as_integration: APIClient) -> None:
    patient = row_of("Patient").fhir_id
    url = "/fhir/DocumentReference/$docref"

    for query, count in (
        ({"patient": patient}, 1),
        ({"patient": f"Patient/{patient}", "start": "2026-11-01", "end": "2026-11-30"}, 1),
        ({"patient": patient, "start": "2027"}, 0),
        ({"patient": patient, "type": "http://loinc.org|57833-6"}, 1),
        ({"patient": patient, "type": "34133-9"}, 0),
    ):
        assert len(found(as_integration.get(url, query))) == count, query
        assert len(found(sent(as_integration, "post", url, _parameters(**query)))) == count, query


@pytest.mark.parametrize("query", ["", "?patient=1&patient=2", "?patient=1&on-demand=true"])
def test_docref_needs_one_patient_and_makes_nothing(as_integration: APIClient, query: str) -> None:
    response = as_integration.get(f"/fhir/DocumentReference/$docref{query}")

    assert_outcome(response, 400, "invalid")


# ---- $everything ------------------------------------------------------------------------------


def test_everything_is_the_compartment_page_by_page(
    released: str, as_integration: APIClient, site: Site
) -> None:
    prescription_publish(record=publication(site=site, prescription_id=UUID(int=8, version=4)))
    onward: str | None = f"{url_of('Patient')}/$everything?_count=5"
    types: list[str] = []
    ids: list[str] = []
    while onward is not None:
        response = as_integration.get(onward)
        entries = found(response)
        types += [e["resource"]["resourceType"] for e in entries if e["search"]["mode"] == "match"]
        ids += [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]
        onward = link(response, "next")

    assert sorted(set(types)) == [
        "Binary", "Composition", "Device", "DocumentReference", "MedicationRequest",
        "Organization", "Patient", "Practitioner", "Provenance", "Task",
    ]  # fmt: skip
    mine = ResourceVersion.objects.filter(patient_fhir_id=row_of("Patient").fhir_id)
    assert sorted(ids) == sorted(
        mine.exclude(resource_type="Bundle").values_list("fhir_id", flat=True)
    )


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("_type=Patient,Task", ["Patient", "Task"]),
        ("_since=2030-01-01", []),
        ("_type=MedicationRequest&start=2027", []),
        ("_type=MedicationRequest&start=2026-11-20&end=2026-11-20", ["MedicationRequest"] * 2),
    ],
)
def test_everything_may_be_narrowed(
    released: str, as_integration: APIClient, query: str, types: list[str]
) -> None:
    response = as_integration.get(f"{url_of('Patient')}/$everything?{query}")

    assert sorted(e["resource"]["resourceType"] for e in found(response)) == types


def test_everything_holds_what_a_client_wrote_and_its_people(
    released: str, as_integration: APIClient
) -> None:
    doctor = sent(
        as_integration, "post", "/fhir/Practitioner",
        {"resourceType": "Practitioner", "name": [{"family": "House"}]},
    ).json()  # fmt: skip
    patient = row_of("Patient").fhir_id
    sent(
        as_integration, "post", "/fhir/DocumentReference",
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": f"Patient/{patient}"},
            "author": [{"reference": f"Practitioner/{doctor['id']}"}],
            "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}],
        },
    )  # fmt: skip

    entries = found(as_integration.get(f"/fhir/Patient/{patient}/$everything?_count=200"))

    kinds = {(e["resource"]["id"], e["search"]["mode"]) for e in entries}
    assert (doctor["id"], "include") in kinds
    documents = [e for e in entries if e["resource"]["resourceType"] == "DocumentReference"]
    assert len(documents) == 2


# ---- $validate --------------------------------------------------------------------------------


def test_validate_says_what_is_wrong_and_stores_nothing(as_integration: APIClient) -> None:
    url = "/fhir/Patient/$validate"
    bad = {**PATIENT, "gender": "F"}

    good = sent(as_integration, "post", url, PATIENT)
    for body in (bad, {"resourceType": "Parameters",
                       "parameter": [{"name": "resource", "resource": bad}]}):  # fmt: skip
        response = sent(as_integration, "post", url, body)
        assert_outcome(response, 200, "code-invalid")
    assert good.json()["issue"][0]["severity"] == "information"
    assert not ResourceVersion.objects.exists()


def test_validate_judges_by_a_profile(as_integration: APIClient) -> None:
    profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
    bare = {"resourceType": "Patient"}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": bare},
            {"name": "profile", "valueUri": profile},
        ],
    }

    base = sent(as_integration, "post", "/fhir/Patient/$validate", bare).json()
    judged = sent(as_integration, "post", "/fhir/Patient/$validate", body).json()

    assert [issue["severity"] for issue in base["issue"]] == ["information"]
    assert [issue["expression"][0] for issue in judged["issue"]] == [
        "Patient.identifier", "Patient.name", "Patient.gender",
    ]  # fmt: skip


def test_validate_takes_whole_documents(released: str, as_integration: APIClient) -> None:
    document = bundle_bytes(released).decode()

    good = sent(as_integration, "post", "/fhir/Bundle/$validate", document)
    broken = sent(
        as_integration, "post", "/fhir/Bundle/$validate",
        document.replace('"type":"document"', '"type":"collection"'),
    )  # fmt: skip

    assert good.json()["issue"][0]["severity"] == "information"
    assert broken.json()["issue"][0]["severity"] == "information"  # a Bundle, if no document


def test_validate_needs_the_type_of_the_address(as_integration: APIClient) -> None:
    for body in ({"resourceType": "Task"}, {"resourceType": "Parameters"}, []):
        response = sent(as_integration, "post", "/fhir/Patient/$validate", body)
        assert_outcome(response, 400, "structure")


# ---- histories --------------------------------------------------------------------------------


def test_histories_of_one_a_type_and_all(
    released: str, as_integration: APIClient, site: Site
) -> None:
    prescription_publish(record=publication(site=site, version=2))
    stored = ResourceVersion.objects.count()

    one = as_integration.get(f"{url_of('Composition')}/_history").json()
    kind = as_integration.get("/fhir/MedicationRequest/_history").json()
    everything = as_integration.get("/fhir/_history?_count=200").json()

    assert [e["resource"]["meta"]["versionId"] for e in one["entry"]] == ["2", "1"]
    assert kind["total"] == 4
    assert everything["total"] == len(everything["entry"]) == stored
    assert one["type"] == "history"


def test_a_history_has_pages_and_a_beginning(released: str, as_integration: APIClient) -> None:
    seen = []
    onward: str | None = "/fhir/_history?_count=5"
    while onward is not None:
        response = as_integration.get(onward)
        seen += [entry["fullUrl"] for entry in response.json()["entry"]]
        onward = link(response, "next")

    assert len(seen) == len(set(seen)) == ResourceVersion.objects.count()
    assert as_integration.get("/fhir/_history?_since=2030-01-01T00:00:00Z").json()["total"] == 0
    assert_outcome(as_integration.get("/fhir/_history?_since=now"), 400, "invalid")


# ---- compartments: nothing of another site by any way -----------------------------------------


def test_nothing_of_another_site_by_any_way(
    released: str, api_client: APIClient, outsider: AbstractBaseUser, other_site: Site
) -> None:
    """An account with papers of its own must not meet those of another site on any route."""
    prescription_publish(
        record=publication(site=other_site, prescription_id=UUID(int=7, version=4))
    )
    own = set(ResourceVersion.objects.filter(site=other_site).values_list("fhir_id", flat=True))
    foreign = set(
        ResourceVersion.objects.exclude(site=other_site).values_list("fhir_id", flat=True)
    )
    api_client.force_authenticate(outsider)
    patient, mrn = row_of("Patient").fhir_id, "MRN%200042"

    for url in (
        "/fhir/_history?_count=200",
        "/fhir/Patient/_history",
        "/fhir/Patient",
        f"/fhir/Patient?identifier={mrn}",
        f"/fhir/MedicationRequest?patient={patient}",
        f"/fhir/MedicationRequest?patient.identifier={mrn}",
        "/fhir/MedicationRequest?_include=*&_revinclude=Provenance:target",
        "/fhir/Provenance?_include:iterate=*",
        "/fhir/Organization?_revinclude=Device:organization&_revinclude=Patient:organization",
        f"/fhir/DocumentReference/$docref?patient={patient}",
        "/fhir/Bundle",
        "/fhir/Task?_include=*",
    ):
        response = api_client.get(url)
        assert response.status_code == 200, url
        text = response.content.decode()
        assert not [each for each in foreign if each in text.partition('"entry"')[2]], url
        if patient not in url:
            assert [each for each in own if each in text], url


def test_a_reference_into_another_site_leads_nowhere(
    released: str, other_site: Site, make_user: Any, api_client: APIClient
) -> None:
    """A client may write any reference; following it stays inside the client's own site."""
    api_client.force_authenticate(make_user("hilltop-gateway", other_site, Role.INTEGRATION))
    patient = row_of("Patient").fhir_id
    created = sent(
        api_client, "post", "/fhir/DocumentReference",
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": f"Patient/{patient}"},
            "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}],
        },
    )  # fmt: skip
    assert created.status_code == 201

    entries = found(api_client.get("/fhir/DocumentReference?_include=*"))
    assert [e["resource"]["resourceType"] for e in entries] == ["DocumentReference"]
    assert found(api_client.get("/fhir/DocumentReference?patient.identifier=MRN%200042")) == []
    assert api_client.get(f"/fhir/Patient/{patient}/$everything").status_code == 404
    everything = AuditEvent.objects.filter(data__interaction="everything")
    assert not everything.exists()


# ---- AuditEvent -------------------------------------------------------------------------------


def test_the_audit_trail_over_fhir(
    released: str, as_integration: APIClient, clinic_admin: AbstractBaseUser
) -> None:
    as_integration.get(url_of("Patient"))
    as_integration.get("/fhir/MedicationRequest?status=active")
    created = sent(as_integration, "post", "/fhir/Patient", PATIENT).json()
    admin = APIClient()
    admin.force_authenticate(clinic_admin)

    events = [entry["resource"] for entry in found(admin.get("/fhir/AuditEvent"))]

    assert [(e["action"], e["subtype"][0]["code"]) for e in events] == [
        ("C", "create"), ("R", "read"), ("E", "search-type"), ("C", "create"),
    ]  # fmt: skip
    published, read, _, _ = events
    patient = f"Patient/{row_of('Patient').fhir_id}"
    assert published["entity"][0]["what"]["reference"] == patient
    assert read["agent"][0]["who"]["identifier"]["value"] == "gateway"
    one = admin.get(f"/fhir/AuditEvent/{read['id']}")
    assert one.json() == read
    for query, count in (
        ("action=R", 1), ("action=C", 2), ("action=E", 1), ("date=gt2020", 4), ("date=lt2020", 0),
        (f"entity=Patient/{created['id']}", 1), (f"patient={patient}", 2), (f"_id={read['id']}", 1),
        ("_id=x", 0), ("_count=0", 0),
    ):  # fmt: skip
        assert len(found(admin.get(f"/fhir/AuditEvent?{query}"))) == count, query


def test_the_audit_trail_has_pages(
    released: str, as_integration: APIClient, clinic_admin: AbstractBaseUser
) -> None:
    for _ in range(4):
        as_integration.get(url_of("Patient"))
    admin = APIClient()
    admin.force_authenticate(clinic_admin)
    seen = []
    onward: str | None = "/fhir/AuditEvent?_count=2"
    while onward is not None:
        response = admin.get(onward)
        seen += [entry["resource"]["id"] for entry in found(response)]
        onward = link(response, "next")

    assert len(seen) == len(set(seen)) == 5


def test_the_audit_trail_is_for_who_may_see_it(
    released: str, as_integration: APIClient, make_user: Any, other_site: Site
) -> None:
    assert_outcome(as_integration.get("/fhir/AuditEvent"), 403, "forbidden")
    elsewhere = APIClient()
    elsewhere.force_authenticate(make_user("other-admin", other_site, Role.ADMIN))
    assert found(elsewhere.get("/fhir/AuditEvent")) == []
    event = AuditEvent.objects.get(action="fhir.published")
    assert_outcome(elsewhere.get(f"/fhir/AuditEvent/{event.uuid}"), 404, "not-found")
    assert_outcome(elsewhere.get("/fhir/AuditEvent/x"), 404, "not-found")
