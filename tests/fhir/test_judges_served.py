"""What the server answers with, beside the resources themselves, before the same judges."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from clinic_hwr.fhir.encoding import from_bytes
from clinic_hwr.fhir.structure import structure_issues

from .judges import Judges, StrictParser
from .serving import FHIR_JSON, url_of
from .test_client_writes import PATIENT, sent
from .test_transactions import provided

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(
    released: str, as_integration: APIClient, clinic_admin: AbstractBaseUser
) -> dict[str, bytes]:
    """Answers of every kind, by the request they answer."""
    admin = APIClient()
    admin.force_authenticate(clinic_admin)
    posted = sent(as_integration, "post", "/fhir", provided())
    sent(as_integration, "put", "/fhir/Patient?identifier=A-1", PATIENT)
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": "Patient/nobody"}},
            {"request": {"method": "GET", "url": "Patient?_summary=true"}},
        ],
    }
    urls = [
        "/fhir/metadata",
        "/fhir/MedicationRequest?_include=*&_revinclude=Provenance:target&nothing=1",
        "/fhir/DocumentReference?_summary=true",
        "/fhir/Patient?_elements=name",
        "/fhir/Composition?_summary=text",
        "/fhir/Patient?_summary=count",
        "/fhir/_history",
        f"{url_of('Patient')}/_history",
        f"{url_of('Patient')}/$everything",
        "/fhir/Patient/nobody",
        "/fhir/Patient?birthdate=x",
    ]
    found = {url: as_integration.get(url).content for url in urls}
    found["transaction"] = posted.content
    found["batch"] = sent(as_integration, "post", "/fhir", batch).content
    found["audit"] = admin.get("/fhir/AuditEvent").content
    return found


def test_answers_satisfy_base_r4(answers: dict[str, bytes], base_judges: Judges) -> None:
    for name, body in answers.items():
        found = base_judges.errors([json.loads(body)])
        assert found == [], (name, found[:3])


def test_answers_satisfy_our_own_checks(answers: dict[str, bytes]) -> None:
    for name, body in answers.items():
        resource = from_bytes(body)
        assert structure_issues(resource, resource["resourceType"]) == [], name


def test_answers_satisfy_hapi(answers: dict[str, bytes], hapi: StrictParser) -> None:
    for name, body in answers.items():
        assert hapi.complaint(body) == "", name


def test_outcomes_of_broken_bodies_are_sound(
    as_integration: APIClient, base_judges: Judges
) -> None:
    for body in ("{", '{"resourceType":"Patient","gender":"F"}', "[1]"):
        response = as_integration.post("/fhir/Patient", body, content_type=FHIR_JSON)
        assert base_judges.errors([response.json()]) == []
