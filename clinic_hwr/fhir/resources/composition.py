"""Composition and Provenance: what the document says, and how it came to say it."""

from __future__ import annotations

from typing import Any

from ..ids import bundle_id, uri_identifier
from ..primitives import ai_assisted, coding, compact, concept, instant, reference
from ..publication import PrescriptionPublication
from . import narrative
from .links import Links
from .medication_request import reason_concept
from .scan import PRESCRIPTION_TYPE, document_status

LIST_EMPTY_REASON = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
PARTICIPANT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def composition(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the Composition: the prescriber's orders, attested by the person who verified them."""
    orders = record.prescription.medications
    previous = bundle_id(record.prescription_id, record.version - 1)
    return compact(
        {
            "resourceType": "Composition",
            "id": links.id_of("composition"),
            "meta": ai_assisted(),
            "text": narrative.summary(record),
            "identifier": uri_identifier(links.id_of("composition")),
            "status": document_status(record),
            "type": PRESCRIPTION_TYPE,
            "subject": links.patient(),
            "date": instant(record.released_at),
            "author": [links.prescriber()],
            "title": "Prescription",
            "confidentiality": "N",
            "attester": [
                {
                    "mode": "professional",
                    "time": instant(record.released_at),
                    "party": links.verifier(),
                }
            ],
            "custodian": links.organization(),
            "relatesTo": [{"code": "replaces", "targetIdentifier": uri_identifier(previous)}]
            if record.version > 1
            else None,
            "section": [
                compact(
                    {
                        "title": "Medications",
                        "text": narrative.medications(orders),
                        "entry": [links.medication(order.sequence) for order in orders],
                        "emptyReason": None
                        if orders
                        else concept(coding(LIST_EMPTY_REASON, "unavailable", "Unavailable")),
                    }
                ),
                {
                    "title": "Source document",
                    "text": narrative.source(),
                    "entry": [links.scan()],
                },
                *_withdrawn(record),
            ],
        }
    )


def _withdrawn(record: PrescriptionPublication) -> list[dict[str, Any]]:
    """Return the section of orders that the version before had in error."""
    if not record.withdrawn:
        return []
    return [
        {
            "title": "Withdrawn",
            "text": narrative.withdrawn(record),
            "entry": [reference("MedicationRequest", each["id"]) for each in record.withdrawn],
        }
    ]


def _activity(record: PrescriptionPublication) -> dict[str, Any]:
    if record.retracted:
        return concept(coding(DATA_OPERATION, "NULLIFY", "nullify"))
    if record.version > 1:
        return concept(coding(DATA_OPERATION, "UPDATE", "revise"))
    return concept(coding(DATA_OPERATION, "CREATE", "create"))


def provenance(
    record: PrescriptionPublication, links: Links, targets: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the Provenance of ``targets``: assembled by the model, verified by the person."""
    why = reason_concept(record)
    return compact(
        {
            "resourceType": "Provenance",
            "id": links.id_of("provenance"),
            "meta": {
                "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"]
            },
            "target": targets,
            "recorded": instant(record.released_at),
            "reason": [why] if why else None,
            "activity": _activity(record),
            "agent": [
                {
                    "type": concept(coding(PARTICIPANT_TYPE, "assembler", "Assembler")),
                    "who": links.model(),
                    "onBehalfOf": links.organization(),
                },
                {
                    "type": concept(coding(PARTICIPANT_TYPE, "verifier", "Verifier")),
                    "who": links.verifier(),
                    "onBehalfOf": links.organization(),
                },
            ],
            "entity": [{"role": "source", "what": links.scan()}],
        }
    )
