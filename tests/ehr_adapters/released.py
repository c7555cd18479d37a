"""A released document as the product serves it, small enough to read."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

from ehr_adapters import Submission, SubmissionKey

PATIENT_NAME = "Zebediah Quillfeather"
DRUG_TEXT = "Amoxicillin 500 mg"
SIG_TEXT = "1 cap po tid x 10d"
AMENDED_SIG = "1 cap po bid x 5d"
PDF = b"%PDF-1.4\n% the scan\n%%EOF\n"
PRESCRIPTION_ID = uuid.UUID("5b0f4c1e-2e5f-4a39-9c2b-0d6c1f4b7a10")

_IDS = {
    kind: str(uuid.uuid5(PRESCRIPTION_ID, kind))
    for kind in (
        "Composition",
        "Patient",
        "Practitioner",
        "Device",
        "MedicationRequest",
        "DocumentReference",
        "Provenance",
        "Binary",
    )
}


def ref(kind: str) -> dict[str, str]:
    """Return a relative reference into the sample document."""
    return {"reference": f"{kind}/{_IDS[kind]}"}


def resources(*, scan_in_binary: bool = False) -> list[dict[str, Any]]:
    """Return the resources of the sample document, the Composition first."""
    attachment: dict[str, Any] = {
        "contentType": "application/pdf",
        "size": len(PDF),
        "hash": base64.b64encode(hashlib.sha1(PDF, usedforsecurity=False).digest()).decode(),
    }
    data = base64.b64encode(PDF).decode()
    if scan_in_binary:
        attachment["url"] = f"Binary/{_IDS['Binary']}"
    else:
        attachment["data"] = data
    bodies: list[dict[str, Any]] = [
        {
            "resourceType": "Composition",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{PRESCRIPTION_ID}"},
            "status": "final",
            "type": {"coding": [{"system": "http://loinc.org", "code": "57833-6"}]},
            "subject": ref("Patient"),
            "date": "2026-11-20T10:00:00Z",
            "author": [ref("Practitioner")],
            "title": "Prescription",
            "section": [{"title": "Scan", "entry": [ref("DocumentReference")]}],
        },
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:oid:1.2.36.146.595.217.0.1", "value": "MRN 00417"}],
            "name": [{"text": PATIENT_NAME}],
        },
        {"resourceType": "Practitioner", "name": [{"text": "Dr Imogen Vantongeren"}]},
        {"resourceType": "Device", "deviceName": [{"name": "clinic_hwr", "type": "model-name"}]},
        {
            "resourceType": "MedicationRequest",
            "identifier": [
                {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{_IDS['MedicationRequest']}"}
            ],
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": DRUG_TEXT},
            "subject": ref("Patient"),
            "requester": ref("Practitioner"),
            "dosageInstruction": [
                {
                    "text": SIG_TEXT,
                    "doseAndRate": [{"doseQuantity": {"value": "@1.50@", "unit": "capsule"}}],
                }
            ],
            "supportingInformation": [ref("DocumentReference")],
        },
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": "57833-6"}]},
            "subject": ref("Patient"),
            "date": "2026-11-20T10:00:00Z",
            "author": [ref("Practitioner")],
            "content": [{"attachment": attachment}],
            "context": {"related": [ref("MedicationRequest")]},
        },
        {
            "resourceType": "Provenance",
            "target": [ref("MedicationRequest")],
            "recorded": "2026-11-20T10:00:00Z",
            "agent": [{"who": ref("Device")}],
        },
    ]
    if scan_in_binary:
        bodies.append({"resourceType": "Binary", "contentType": "application/pdf", "data": data})
    for body in bodies:
        body["id"] = _IDS[body["resourceType"]]
    return bodies


def document_bytes(*, scan_in_binary: bool = False, **changes: dict[str, Any]) -> bytes:
    """Return the sample document Bundle; its dose is the decimal 1.50, with the zero.

    ``changes`` are elements to put in place of others, by resource type.
    """
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{PRESCRIPTION_ID}"},
        "timestamp": "2026-11-20T10:00:00Z",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{body['id']}",
                "resource": body | changes.get(body["resourceType"], {}),
            }
            for body in resources(scan_in_binary=scan_in_binary)
        ],
    }
    return json.dumps(bundle).replace('"@1.50@"', "1.50").encode()


def submission(*, maybe_sent: bool = False, version: int = 1) -> Submission:
    """Return the sample document as a submission."""
    key = SubmissionKey(PRESCRIPTION_ID, version)
    return Submission(key=key, bundle=document_bytes(), maybe_sent=maybe_sent)


def retraction(*, version: int = 2, maybe_sent: bool = False) -> Submission:
    """Return the version that withdraws the whole prescription."""
    error = {"status": "entered-in-error"}
    bundle = document_bytes(Composition=error, MedicationRequest=error, DocumentReference=error)
    return Submission(SubmissionKey(PRESCRIPTION_ID, version), bundle, maybe_sent)


def amendment(*, version: int = 2, maybe_sent: bool = False) -> Submission:
    """Return a version whose directions are others."""
    bundle = document_bytes(
        Composition={"status": "amended"},
        MedicationRequest={"dosageInstruction": [{"text": AMENDED_SIG}]},
        DocumentReference={"docStatus": "amended"},
    )
    return Submission(SubmissionKey(PRESCRIPTION_ID, version), bundle, maybe_sent)
