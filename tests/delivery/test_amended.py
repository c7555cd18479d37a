"""A retraction that an EHR does not take is shown as failed; an old version never comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.delivery.services import delivery_replay
from clinic_hwr.fhir.models import ResourceVersion
from tests.ehr_adapters.fake_fhir_server import FakeFhirServer, fake_fhir_server
from tests.ehr_adapters.released import PRESCRIPTION_ID, retraction

pytestmark = pytest.mark.django_db

Attempt = Callable[..., Delivery]


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server that changes nothing until told."""
    with fake_fhir_server() as running:
        yield running


@pytest.fixture
def rows(
    site: Site,
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    enqueue: Callable[..., list[Delivery]],
) -> tuple[Delivery, Delivery]:
    """A release and its retraction, both on their way."""
    make_fhir_target(server.url)
    (first,) = enqueue()
    ResourceVersion.objects.create(
        site=site,
        resource_type="Bundle",
        fhir_id="bundle-2",
        body=retraction().bundle,
        last_updated=datetime.now(UTC),
        prescription_id=PRESCRIPTION_ID,
    )
    (second,) = enqueue(version=2)
    Delivery.objects.filter(pk=second.pk).update(bundle_fhir_id="bundle-2")
    return first, second


def listed() -> str:
    """Return what ``manage.py deliveries`` prints."""
    out = StringIO()
    call_command("deliveries", stdout=out)
    return out.getvalue()


def test_a_retraction_that_is_refused_is_shown_as_failed_until_a_person_has_acted(
    server: FakeFhirServer, rows: tuple[Delivery, Delivery], attempt: Attempt
) -> None:
    first, second = (row.pk for row in rows)
    assert attempt(first).status == DeliveryStatus.SENT

    failed = attempt(second)

    assert failed.status == DeliveryStatus.DEAD
    order = f"MedicationRequest/{server.only('MedicationRequest')['id']}"
    assert failed.problem.startswith("STILL IN FORCE IN THE EHR: ")
    assert order in failed.problem
    printed = listed()
    assert order in printed
    assert "ATTENTION: 1 amended or retracted prescription(s) did not get through." in printed
    for kind in ("MedicationRequest", "DocumentReference", "Composition"):
        server.only(kind)["status"] = "entered-in-error"
    delivery_replay(delivery_id=second, actor_name="boss")
    assert attempt(second).status == DeliveryStatus.SENT
    assert "ATTENTION" not in listed()


def test_a_retraction_reaches_a_server_that_can_change_things(
    server: FakeFhirServer, rows: tuple[Delivery, Delivery], attempt: Attempt
) -> None:
    server.update = True

    sent = [attempt(row.pk) for row in rows]

    assert [row.status for row in sent] == [DeliveryStatus.SENT] * 2
    assert server.only("MedicationRequest")["status"] == "entered-in-error"


def test_an_earlier_version_is_not_replayed_over_a_later_one(
    server: FakeFhirServer, rows: tuple[Delivery, Delivery], attempt: Attempt
) -> None:
    server.update_create = True
    server.search_identifier = False
    server.faults = ["422"]
    assert [attempt(row.pk).status for row in rows] == [DeliveryStatus.DEAD, DeliveryStatus.SENT]

    replayed = delivery_replay(delivery_id=rows[0].pk, actor_name="boss")

    assert replayed.status == DeliveryStatus.DEAD
    assert server.only("MedicationRequest")["status"] == "entered-in-error"
