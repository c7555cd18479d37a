"""DocumentReference and Binary: the scanned paper itself, as PDF."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ..ids import uri_identifier
from ..primitives import LOINC, US_CORE, coding, compact, concept, instant, reference
from ..publication import PrescriptionPublication
from .links import Links
from .medication_request import written_date

# LOINC 57833-6: the type of the document and of the composition alike.
PRESCRIPTION_TYPE = concept(coding(LOINC, "57833-6", "Prescription for medication"))
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
FORMAT = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
PDF = "application/pdf"


def document_reference(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the scan as US Core DocumentReference; its attachment points at the Binary.

    It is IHE MHD minimal metadata as well, which wants a masterIdentifier and forbids docStatus and
    custodian: both are in the Composition.

    ``hash`` is SHA-1 because R4 says so; it finds damage, it protects nothing.
    """
    day, _, _ = written_date(record.prescription)
    digest = hashlib.sha1(record.scan_pdf, usedforsecurity=False).digest()
    return compact(
        {
            "resourceType": "DocumentReference",
            "id": links.id_of("scan"),
            "meta": {"profile": [f"{US_CORE}/us-core-documentreference"]},
            "masterIdentifier": uri_identifier(record.scan_id),
            "identifier": [uri_identifier(links.id_of("scan")), uri_identifier(record.scan_id)],
            "status": "entered-in-error" if record.retracted else "current",
            "type": PRESCRIPTION_TYPE,
            "category": [concept(coding(CATEGORY, "clinical-note", "Clinical Note"))],
            "subject": links.patient(),
            "date": instant(record.scan_received_at),
            "author": [links.prescriber()],
            "authenticator": links.verifier(),
            "description": "Scanned handwritten prescription",
            "content": [
                {
                    "attachment": {
                        "contentType": PDF,
                        "url": f"Binary/{links.id_of('scan-pdf')}",
                        "size": len(record.scan_pdf),
                        "hash": base64.b64encode(digest).decode("ascii"),
                        "title": "Scanned prescription",
                        "creation": instant(record.scan_received_at),
                    },
                    "format": coding(
                        FORMAT, "urn:ihe:iti:xds:2017:mimeTypeSufficient", "mimeType Sufficient"
                    ),
                }
            ],
            # the day it is of, from end to end: a period without an end would go on for ever
            "context": {"period": {"start": day, "end": day}} if day else None,
        }
    )


def document_status(record: PrescriptionPublication) -> str:
    """Return how far the document has come (R4 composition-status)."""
    if record.retracted:
        return "entered-in-error"
    return "final" if record.version == 1 else "amended"


def binary(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the PDF as Binary; who may see the DocumentReference may see it."""
    return {
        "resourceType": "Binary",
        "id": links.id_of("scan-pdf"),
        "contentType": PDF,
        "securityContext": reference("DocumentReference", links.id_of("scan")),
        "data": base64.b64encode(record.scan_pdf).decode("ascii"),
    }
