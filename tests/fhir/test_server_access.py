"""The FHIR server over HTTP: who may see what, and what leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.served import SERVED
from clinic_hwr.fhir.services import bundle_bytes
from clinic_hwr.intake.models import Scan
from clinic_hwr.review.models import PrescriptionRecord

from .publications import publication
from .serving import RELEASED_TYPES, assert_outcome, row_of, url_of

pytestmark = pytest.mark.django_db


ROUTES = [
    *(f"{name}/{{id}}" for name in RELEASED_TYPES),
    *(f"{name}/{{id}}/_history/1" for name in RELEASED_TYPES),
    *(f"{name}/{{id}}/_history" for name in RELEASED_TYPES),
    "Composition/{id}/$document",
    "Patient/{id}/$everything",
    "Patient/{id}/MedicationRequest",
]


def _addressed(route: str) -> str:
    return f"/fhir/{route.replace('{id}', row_of(route.partition('/')[0]).fhir_id)}"


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_is_asked_who_they_are(released: str, api_client: APIClient, route: str) -> None:
    response = api_client.get(_addressed(route))

    assert_outcome(response, 401, "login")
    assert response["WWW-Authenticate"] == "Bearer"
    assert not AuditEvent.objects.filter(action="fhir.read").exists()


@pytest.mark.parametrize("route", ROUTES)
def test_people_of_another_site_find_nothing(
    released: str, api_client: APIClient, outsider: AbstractBaseUser, route: str
) -> None:
    api_client.force_authenticate(outsider)

    response = api_client.get(_addressed(route))

    assert_outcome(response, 404, "not-found")
    nowhere = route.replace("{id}", "00000000-0000-0000-0000-000000000000")
    assert api_client.get(f"/fhir/{nowhere}").content == response.content
    assert not AuditEvent.objects.filter(action="fhir.read").exists()


def test_an_account_without_a_site_may_not_even_look(
    released: str, api_client: APIClient, django_user_model: Any
) -> None:
    api_client.force_authenticate(django_user_model.objects.create_user("nobody"))

    for url in (url_of("Patient"), "/fhir/Patient", url_of("Binary")):
        assert_outcome(api_client.get(url), 403, "forbidden")


def test_a_wrong_token_and_a_switched_off_account_are_strangers(
    released: str, as_integration: APIClient, integration: AbstractBaseUser, api_client: APIClient
) -> None:
    integration.is_active = False
    integration.save()
    assert_outcome(as_integration.get(url_of("Patient")), 401, "login")

    api_client.credentials(HTTP_AUTHORIZATION="Bearer 0123")
    assert_outcome(api_client.get(url_of("Patient")), 401, "login")


@pytest.mark.parametrize("role", ["clinician", "pharmacist", "clinic_admin"])
def test_a_signed_in_person_reads_with_their_session(
    released: str,
    signed_in: Callable[[AbstractBaseUser], Client],
    request: pytest.FixtureRequest,
    role: str,
) -> None:
    client = signed_in(request.getfixturevalue(role))

    assert client.get(url_of("Bundle")).content == bundle_bytes(released)


def test_the_word_token_works_as_well_as_bearer(
    released: str, api_client: APIClient, integration: AbstractBaseUser
) -> None:
    token = Token.objects.create(user=integration)
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")

    assert api_client.get(url_of("Patient")).status_code == 200


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
        assert_outcome(as_integration.get(url), 404, "not-found")
    for name, served in SERVED.items():
        if served.searched and served.stored:
            assert str(draft.pk) not in as_integration.get(f"/fhir/{name}").content.decode()


def test_every_read_is_recorded(
    released: str, as_integration: APIClient, integration: AbstractBaseUser
) -> None:
    as_integration.get(url_of("MedicationRequest"))
    as_integration.get(f"{url_of('Binary')}/_history/1")
    as_integration.get(f"{url_of('Composition')}/$document")
    as_integration.get(f"{url_of('Patient')}x")  # nothing there, nothing seen

    events = AuditEvent.objects.filter(action="fhir.read")
    assert [(e.object_type, e.object_id, e.data["interaction"]) for e in events] == [
        ("MedicationRequest", row_of("MedicationRequest").fhir_id, "read"),
        ("Binary", row_of("Binary").fhir_id, "vread"),
        ("Bundle", released, "document"),
    ]
    assert {event.actor for event in events} == {integration}
    assert {event.scan_id for event in events} == {publication().scan_id}
