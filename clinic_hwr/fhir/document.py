"""All resources of one released paper, and the document Bundle that holds them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .ids import bundle_id, uri_identifier
from .primitives import ai_assisted, instant, reference
from .publication import PrescriptionPublication
from .resources.composition import composition, provenance
from .resources.links import Links
from .resources.medication_request import medication_request, withdrawn_request
from .resources.people import patient, prescriber, verifier
from .resources.scan import binary, document_reference
from .resources.site import model, organization
from .resources.task import review_task


@dataclass(frozen=True, slots=True)
class Document:
    """What one release writes: each resource on its own, and the Bundle.

    ``resources`` refer to each other as ``Type/id`` (relative to the server), the entries of
    ``bundle`` as ``urn:uuid:id`` so that the document means the same on any server.
    """

    resources: tuple[dict[str, Any], ...]
    bundle: dict[str, Any]
    patient_fhir_id: str


def build(record: PrescriptionPublication) -> Document:
    """Return the document of ``record``; pure, so the same record gives the same bytes."""
    links = Links(record.prescription_id)
    orders = record.prescription.medications
    targets = [
        links.composition(),
        *(links.medication(order.sequence) for order in orders),
        *(reference("MedicationRequest", each["id"]) for each in record.withdrawn),
        links.scan(),
        links.patient(),
        links.prescriber(),
    ]
    resources = [
        composition(record, links),
        patient(record, links),
        prescriber(record, links),
        verifier(record, links),
        organization(record, links),
        *(medication_request(record, links, order) for order in orders),
        *(withdrawn_request(record, each) for each in record.withdrawn),
        document_reference(record, links),
        model(record, links),
        provenance(record, links, targets),
    ]
    released_at = instant(record.released_at)
    resources = [_versioned(each, record.version, released_at) for each in resources]
    pdf = _versioned(binary(record, links), record.version, released_at)
    task = _versioned(review_task(record, links), record.version, released_at)
    return Document(
        resources=(*resources, pdf, task),
        bundle=_bundle(record, resources, pdf["data"], released_at),
        patient_fhir_id=links.id_of("patient"),
    )


def _bundle(
    record: PrescriptionPublication,
    resources: list[dict[str, Any]],
    pdf_base64: str,
    released_at: str,
) -> dict[str, Any]:
    """Return the immutable document Bundle: its first entry is the Composition."""
    fhir_id = bundle_id(record.prescription_id, record.version)
    bundle = {
        "resourceType": "Bundle",
        "id": fhir_id,
        "meta": ai_assisted(),
        "identifier": uri_identifier(fhir_id),
        "type": "document",
        "timestamp": released_at,
        "entry": [
            {
                "fullUrl": f"urn:uuid:{resource['id']}",
                "resource": _self_contained(_with_urn_references(resource), pdf_base64),
            }
            for resource in resources
        ],
    }
    return _versioned(bundle, 1, released_at)


def _versioned(resource: dict[str, Any], version: int, released_at: str) -> dict[str, Any]:
    meta = {"versionId": str(version), "lastUpdated": released_at, **resource.get("meta", {})}
    head = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta}
    return head | {key: value for key, value in resource.items() if key not in head}


def _with_urn_references(element: Any) -> Any:
    """Return a copy in which every ``Type/id`` reference is the entry's ``urn:uuid:id``."""
    if isinstance(element, list):
        return [_with_urn_references(member) for member in element]
    if not isinstance(element, dict):
        return element
    return {
        key: f"urn:uuid:{value.rpartition('/')[2]}"
        if key == "reference" and isinstance(value, str)
        else _with_urn_references(value)
        for key, value in element.items()
    }


def _self_contained(resource: dict[str, Any], pdf_base64: str) -> dict[str, Any]:
    """Return ``resource`` with the PDF inside instead of an address at this server.

    Servers may not hand a reader on to an address a client gave (US Core, Writing Clinical
    Notes), and several do not rewrite one inside an Attachment (hapi-fhir issue 854).
    """
    if resource["resourceType"] != "DocumentReference":
        return resource
    content = [
        {
            **item,
            "attachment": {
                **{key: value for key, value in item["attachment"].items() if key != "url"},
                "data": pdf_base64,
            },
        }
        for item in resource["content"]
    ]
    return {**resource, "content": content}
