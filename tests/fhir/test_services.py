"""Publishing writes everything or nothing, once, and hands over to delivery."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryTarget
from clinic_hwr.fhir.encoding import from_bytes
from clinic_hwr.fhir.models import Resource, ResourceVersion, SearchToken
from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.fhir.services import bundle_bytes, prescription_publish, scan_pdf_bytes
from clinic_hwr.fhir.store import newest_document, released_prescription_ids

from .publications import AMOXICILLIN, PDF, PRESCRIPTION, publication, with_medication

pytestmark = pytest.mark.django_db


def test_a_release_stores_every_resource_and_the_document(site: Site) -> None:
    record = publication(site=site)

    bundle_id = prescription_publish(record=record)

    rows = ResourceVersion.objects.all()
    assert sorted(row.resource_type for row in rows) == [
        "Binary",
        "Bundle",
        "Composition",
        "Device",
        "DocumentReference",
        "MedicationRequest",
        "MedicationRequest",
        "Organization",
        "Patient",
        "Practitioner",
        "Practitioner",
        "Provenance",
        "Task",
    ]
    assert {row.site_id for row in rows} == {site.pk}
    assert {row.scan_id for row in rows} == {record.scan_id}
    assert {row.document_fhir_id for row in rows} == {bundle_id}
    (patient,) = [row for row in rows if row.resource_type == "Patient"]
    assert {row.patient_fhir_id for row in rows} == {patient.fhir_id}
    assert json.loads(bundle_bytes(bundle_id))["id"] == bundle_id
    assert scan_pdf_bytes(bundle_id) == PDF


def test_stored_entries_and_stored_resources_say_the_same(site: Site) -> None:
    bundle_id = prescription_publish(record=publication(site=site))

    for entry in from_bytes(bundle_bytes(bundle_id))["entry"]:
        inside = entry["resource"]
        row = ResourceVersion.objects.get(
            resource_type=inside["resourceType"], fhir_id=inside["id"]
        )
        outside = from_bytes(bytes(row.body))
        assert inside["meta"] == outside["meta"]
        assert inside.keys() == outside.keys()


def test_a_dose_is_stored_with_its_digits(site: Site) -> None:
    bundle_id = prescription_publish(record=publication(site=site))

    assert b'"doseQuantity":{"value":1.50,' in bundle_bytes(bundle_id)
    order = ResourceVersion.objects.filter(resource_type="MedicationRequest").first()
    assert order is not None
    assert b'"doseQuantity":{"value":1.50,' in bytes(order.body)
    dose = from_bytes(bytes(order.body))["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert dose["value"].as_tuple() == Decimal("1.50").as_tuple()


def test_publishing_again_changes_nothing(site: Site) -> None:
    target = DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder")
    record = publication(site=site)
    first = prescription_publish(record=record)
    stored = list(ResourceVersion.objects.values_list("pk", "body"))

    again = prescription_publish(record=replace(record, verifier_name="Somebody Else"))

    assert again == first
    assert list(ResourceVersion.objects.values_list("pk", "body")) == stored
    assert Delivery.objects.filter(target=target).count() == 1


def test_the_delivery_is_queued_with_the_document(site: Site) -> None:
    target = DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder")
    record = publication(site=site)

    bundle_id = prescription_publish(record=record)

    delivery = Delivery.objects.get()
    assert delivery.target == target
    assert delivery.prescription_id == record.prescription_id
    assert (delivery.prescription_version, delivery.bundle_fhir_id) == (1, bundle_id)


def test_what_is_invalid_leaves_no_trace(site: Site) -> None:
    DeliveryTarget.objects.create(site=site, name="EHR", adapter="folder")

    with pytest.raises(FhirInvalid):
        prescription_publish(record=replace(with_medication(drug_text=""), site=site))

    assert not ResourceVersion.objects.exists()
    assert not Resource.objects.exists()
    assert not SearchToken.objects.exists()
    assert not Delivery.objects.exists()


def test_a_release_that_fails_later_takes_the_document_along(site: Site) -> None:
    class Later(Exception):
        pass

    with pytest.raises(Later), transaction.atomic():
        prescription_publish(record=publication(site=site))
        raise Later

    assert not ResourceVersion.objects.exists()


def test_an_amendment_is_a_new_version_and_a_new_document(site: Site) -> None:
    first = prescription_publish(record=publication(site=site))
    fewer = replace(PRESCRIPTION, medications=(AMOXICILLIN,))

    second = prescription_publish(record=publication(fewer, site=site, version=2))

    assert first != second
    compositions = ResourceVersion.objects.filter(resource_type="Composition")
    assert [(row.version, row.document_fhir_id) for row in compositions] == [
        (1, first),
        (2, second),
    ]
    assert len({row.fhir_id for row in compositions}) == 1
    assert bundle_bytes(first) != bundle_bytes(second)
    prescription_id = publication().prescription_id
    newest = newest_document(prescription_id)
    assert newest is not None
    assert newest.fhir_id == second
    assert released_prescription_ids() == [prescription_id]


def test_a_scan_of_five_megabytes_is_stored_whole(site: Site) -> None:
    scan = PDF + bytes(range(256)) * 20_480  # US Core: servers take at least 5 MiB inline

    bundle_id = prescription_publish(record=publication(site=site, scan_pdf=scan))

    assert scan_pdf_bytes(bundle_id) == scan
    entries: list[dict[str, Any]] = from_bytes(bundle_bytes(bundle_id))["entry"]
    (attachment,) = [
        entry["resource"]["content"][0]["attachment"]
        for entry in entries
        if entry["resource"]["resourceType"] == "DocumentReference"
    ]
    assert base64.b64decode(attachment["data"]) == scan


def test_what_was_never_released_is_not_there() -> None:
    with pytest.raises(ResourceVersion.DoesNotExist):
        bundle_bytes("7f3c1f3e-0a3b-4c69-9d6e-3f1c0e8a1b01")
    assert newest_document(UUID(int=1)) is None
