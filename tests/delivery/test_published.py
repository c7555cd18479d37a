"""The real document of a release, all the way into a FHIR server and a folder."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction
from fhir.resources.R4B.bundle import Bundle

from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.fhir.ids import resource_id
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish
from clinic_hwr.fhir.store import newest_bodies
from ehr_adapters import exact_json
from ehr_adapters.documents import references
from tests.ehr_adapters.fake_fhir_server import ALL_TYPES, FakeFhirServer, fake_fhir_server
from tests.fhir.judges import SCRIPT, Judges
from tests.fhir.publications import PDF, SIG_TEXT, publication

pytestmark = pytest.mark.django_db

Attempt = Callable[..., Delivery]


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server that takes every type a document has."""
    with fake_fhir_server() as running:
        running.types = (*ALL_TYPES, "Organization")
        yield running


def released(site: Site) -> list[Delivery]:
    """Publish the example of the FHIR tests; returns its outbox rows."""
    with transaction.atomic():
        prescription_publish(record=publication(site=site))
    return list(Delivery.objects.all())


def test_the_released_document_arrives_whole(
    site: Site,
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    attempt: Attempt,
) -> None:
    make_fhir_target(server.url)
    (row,) = released(site)

    row = attempt(row.pk)

    assert (row.status, row.problem) == (DeliveryStatus.SENT, "")
    orders = list(server.store["MedicationRequest"].values())
    assert len(orders) == len(publication(site=site).prescription.medications)
    assert SIG_TEXT in {d["text"] for order in orders for d in order.get("dosageInstruction", ())}
    scan = server.only("DocumentReference")["content"][0]["attachment"]
    assert base64.b64decode(scan["data"]) == PDF
    stored = {f"{kind}/{key}" for kind, rows in server.store.items() for key in rows}
    for order in orders:
        assert order["subject"]["reference"] in stored
        assert order["requester"]["reference"] in stored


def test_the_transaction_passes_independent_judges(
    site: Site,
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    attempt: Attempt,
) -> None:
    make_fhir_target(server.url)
    attempt(released(site)[0].pk)
    body = server.writes()[0][3]

    assert Bundle.model_validate_json(body).type == "transaction"

    if shutil.which("node") is None or not (SCRIPT.parent / "node_modules").is_dir():
        pytest.skip("the npm validators are not installed (npm ci in tests/fhir/validators)")
    judges = Judges(None)
    try:
        assert judges.errors([json.loads(body)]) == []
    finally:
        judges.close()


def test_a_server_that_takes_documents_only_gets_a_valid_one(
    site: Site,
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    attempt: Attempt,
) -> None:
    server.transaction = False
    make_fhir_target(server.url)

    row = attempt(released(site)[0].pk)

    assert row.status == DeliveryStatus.SENT
    assert row.problem.startswith("The EHR does not take: ")
    assert "MedicationRequest" in row.problem
    document = server.only("DocumentReference")
    contained = {resource["id"] for resource in document["contained"]}
    assert document["subject"]["reference"].removeprefix("#") in contained
    assert Bundle.model_validate_json(
        exact_json.dumps(
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document}]}
        )
    )


def test_the_folder_gets_the_bytes_that_the_fhir_server_serves(
    site: Site, folder_target: DeliveryTarget, drop: Path, attempt: Attempt
) -> None:
    (row,) = released(site)

    row = attempt(row.pk)

    assert (drop / row.remote_id).read_bytes() == bundle_bytes(row.bundle_fhir_id)
    assert (drop / row.remote_id).with_suffix(".pdf").read_bytes() == PDF


WAYS_TO_CHANGE = [
    {"update_create": True},
    {"conditional_update": True},
    {"update": True},
]


@pytest.mark.parametrize("way", WAYS_TO_CHANGE, ids=lambda way: next(iter(way)))
def test_an_order_that_an_amendment_drops_is_not_active_at_the_ehr_any_more(
    site: Site,
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    attempt: Attempt,
    way: dict[str, bool],
) -> None:
    for name, value in way.items():
        setattr(server, name, value)
    make_fhir_target(server.url)
    first = publication(site=site)
    (row,) = released(site)
    attempt(row.pk)
    kept, gone = first.prescription.medications
    stored = newest_bodies(first.prescription_id, "MedicationRequest")
    dropped = [
        each
        for each in stored
        if each["id"] == resource_id(first.prescription_id, "medication", gone.sequence)
    ]
    with transaction.atomic():
        prescription_publish(
            record=replace(
                first,
                version=2,
                prescription=replace(first.prescription, medications=(replace(kept, refills=0),)),
                withdrawn=tuple(dropped),
                reason="misread",
            )
        )

    row = attempt(Delivery.objects.get(prescription_version=2).pk)

    assert (row.status, row.problem) == (DeliveryStatus.SENT, "")
    at_ehr = {
        each["identifier"][0]["value"].removeprefix("urn:uuid:"): each
        for each in server.store["MedicationRequest"].values()
    }
    assert len(server.store["MedicationRequest"]) == len(stored) == 2
    assert at_ehr.pop(dropped[0]["id"])["status"] == "entered-in-error"
    (standing,) = at_ehr.values()
    assert standing["status"] == "active"
    assert standing["dispenseRequest"]["numberOfRepeatsAllowed"] == 0
    assert server.only("DocumentReference")["status"] == "current"
    assert server.only("Composition")["status"] == "amended"
    places = {f"{kind}/{key}" for kind, by_id in server.store.items() for key in by_id}
    assert set(references(list(server.store["MedicationRequest"].values()))) <= places
