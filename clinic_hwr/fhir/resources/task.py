"""Task: the review of one paper, from the scan that came in to the orders somebody signed."""

from __future__ import annotations

from typing import Any

from ..ids import uri_identifier
from ..primitives import coding, compact, concept, instant
from ..publication import PrescriptionPublication
from .links import Links
from .medication_request import reason_concept

TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"


def review_task(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the finished review as Task; before a signature nothing of it leaves the house."""
    # a clock that was set back must not make a task end before it began
    begun = min(record.scan_received_at, record.released_at)
    return compact(
        {
            "resourceType": "Task",
            "id": links.id_of("review"),
            "identifier": [uri_identifier(links.id_of("review"))],
            "groupIdentifier": uri_identifier(record.prescription_id),
            "status": "entered-in-error" if record.retracted else "completed",
            "statusReason": reason_concept(record) if record.retracted else None,
            "businessStatus": {"text": _standing(record)},
            "intent": "order",
            "priority": "routine",
            "code": concept(
                coding(TASK_CODE, "approve", "Activate/approve the focal resource"),
                text="Verify what software read from a handwritten prescription",
            ),
            "focus": links.composition(),
            "for": links.patient(),
            "executionPeriod": {"start": instant(begun), "end": instant(record.released_at)},
            "authoredOn": instant(begun),
            "lastModified": instant(record.released_at),
            "requester": links.organization(),
            "owner": links.verifier(),
            "input": [{"type": {"text": "scanned paper"}, "valueReference": links.scan()}],
            "output": [
                {
                    "type": {"text": "verified order"},
                    "valueReference": links.medication(order.sequence),
                }
                for order in record.prescription.medications
            ],
        }
    )


def _standing(record: PrescriptionPublication) -> str:
    if record.retracted:
        return "retracted"
    return "signed" if record.version == 1 else "amended"
