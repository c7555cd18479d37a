"""AuditEvent: one event of the audit trail, shaped after IHE Basic Audit Log Patterns (BALP).

Made from the event when it is read: the trail is append-only, so the same event gives the same
bytes. The values of searches are not in the trail, so ``query`` holds the parameter names only.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..primitives import coding, compact, instant

TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
OBJECT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"

_WRITES = {"create": "C", "update": "U"}
_OF_ACTION = {"fhir.created": "create", "fhir.updated": "update"}
ACTIONS = frozenset({"fhir.read", "fhir.published", *_OF_ACTION})


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """What the trail says of one event.

    Attributes:
        fhir_type: the resource type it is about.
        fhir_id: the resource it is about, "" for searches.
        patients: ids of the patients it is about.
        parameters: names of search parameters.
        user: the account or process.
        source: what names the site.
    """

    event_id: str
    at: datetime
    action: str
    interaction: str
    fhir_type: str
    fhir_id: str
    patients: tuple[str, ...]
    parameters: tuple[str, ...]
    user: str
    source: str


def interaction_of(action: str, said: str) -> str:
    """Return the restful interaction of an event; operations of ours are just that."""
    named = _OF_ACTION.get(action, said)
    return "operation" if named in ("document", "everything", "") else named


def action_code(interaction: str) -> str:
    """Return the R4 action code: C, R, U, or E for searches and operations."""
    return "R" if interaction in ("read", "vread") else _WRITES.get(interaction, "E")


def audit_event(event: AuditedEvent) -> dict[str, Any]:
    """Return the event as AuditEvent."""
    interaction = interaction_of(event.action, event.interaction)
    code = action_code(interaction)
    # reading takes data to the client, writing and asking takes something to the server
    client, server = ("110152", "110153") if code == "R" else ("110153", "110152")
    return compact(
        {
            "resourceType": "AuditEvent",
            "id": event.event_id,
            "meta": {"versionId": "1", "lastUpdated": instant(event.at)},
            "type": coding(TYPE, "rest", "RESTful Operation"),
            "subtype": [coding(INTERACTION, interaction)],
            "action": code,
            "recorded": instant(event.at),
            "outcome": "0",
            "agent": [
                {
                    "type": {"coding": [coding(PARTICIPATION, "IRCP", "information recipient")]},
                    "who": {"identifier": {"value": event.user}, "display": event.user},
                    "requestor": True,
                },
                {
                    "type": {"coding": [coding(DICOM, client)]},
                    "who": {"display": "FHIR client of the account"},
                    "requestor": False,
                },
                {
                    "type": {"coding": [coding(DICOM, server)]},
                    "who": {"display": "clinic_hwr"},
                    "requestor": False,
                },
            ],
            "source": {
                "site": event.source,
                "observer": {"display": "clinic_hwr"},
                "type": [coding(SOURCE_TYPE, "4", "Application Server")],
            },
            "entity": _entities(event),
        }
    )


def _entities(event: AuditedEvent) -> list[dict[str, Any]]:
    entities = [
        {
            "what": {"reference": f"Patient/{patient}"},
            "type": coding(OBJECT_TYPE, "1", "Person"),
            "role": coding(OBJECT_ROLE, "1", "Patient"),
        }
        for patient in event.patients
    ]
    if event.fhir_id:
        entities.append(
            {
                "what": {"reference": f"{event.fhir_type}/{event.fhir_id}"},
                "type": coding(OBJECT_TYPE, "2", "System Object"),
                "role": coding(OBJECT_ROLE, "4", "Domain Resource"),
            }
        )
    elif event.action == "fhir.read":
        asked = f"{event.fhir_type}?{'&'.join(event.parameters)}".encode()
        entities.append(
            {
                "type": coding(OBJECT_TYPE, "2", "System Object"),
                "role": coding(OBJECT_ROLE, "24", "Query"),
                "query": base64.b64encode(asked).decode("ascii"),
            }
        )
    return entities
