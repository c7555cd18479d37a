"""AuditEvent: one event of the audit trail, by IHE Basic Audit Log Patterns (BALP) 1.1.

Made from the event when it is read: the trail is append-only, so the same event gives the same
bytes. The values of searches are not in the trail, so ``query`` holds the parameter names only.
Displays are written as BALP's patterns have them, as its slices are told apart by them. A search
that found several patients follows Query rather than PatientQuery, which is about one.
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
BALP = "https://profiles.ihe.net/ITI/BALP"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

_WRITES = {"create": "C", "update": "U"}
_OF_ACTION = {"fhir.created": "create", "fhir.updated": "update"}
_PATTERNS = {
    "read": "Read", "vread": "Read", "create": "Create", "update": "Update", "search-type": "Query",
}  # fmt: skip
_MACHINE_NAME, _IP_ADDRESS, _URI = "1", "2", "5"  # R4 network-type
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
        client: network address of the client; "" when nobody noted it.
        server: base address of the server; "" when nobody noted it.
        request_id: the client's own id of the request, or "".
        within: whether it happened inside the product, with no client of its own.
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
    client: str = ""
    server: str = ""
    request_id: str = ""
    within: bool = False


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
    source, destination = _role("110153", "Source"), _role("110152", "Destination")
    client, server = (destination, source) if code == "R" else (source, destination)
    here = _network(_MACHINE_NAME, "localhost")
    return compact(
        {
            "resourceType": "AuditEvent",
            "id": event.event_id,
            "meta": compact(
                {
                    "versionId": "1",
                    "lastUpdated": instant(event.at),
                    "profile": _profile(interaction, len(event.patients)),
                }
            ),
            "type": coding(TYPE, "rest", "Restful Operation"),
            "subtype": [coding(INTERACTION, interaction, interaction)],
            "action": code,
            "recorded": instant(event.at),
            "outcome": "0",
            "agent": [
                {
                    "type": {"coding": [_part_of_user(code)]},
                    "who": {"identifier": {"value": event.user}, "display": event.user},
                    "requestor": True,
                },
                {
                    "type": client,
                    "who": {
                        "display": "clinic_hwr" if event.within else "FHIR client of the account"
                    },
                    "requestor": False,
                    "network": here if event.within else _network(_IP_ADDRESS, event.client),
                },
                {
                    "type": server,
                    "who": {"display": "clinic_hwr"},
                    "requestor": False,
                    "network": here if event.within else _network(_URI, event.server),
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


def _profile(interaction: str, patients: int) -> list[str]:
    """Return the pattern of BALP that an event follows; histories and operations have none."""
    pattern = _PATTERNS.get(interaction)
    if pattern is None:
        return []
    about_one = "Patient" if patients == 1 else ""
    return [f"{BALP}/StructureDefinition/IHE.BasicAudit.{about_one}{pattern}"]


def _role(code: str, name: str) -> dict[str, Any]:
    return {"coding": [coding(DICOM, code, f"{name} Role ID")]}


def _part_of_user(code: str) -> dict[str, Any]:
    if code in _WRITES.values():
        return coding(PARTICIPATION, "AUT", "author (originator)")
    return coding(PARTICIPATION, "IRCP", "information recipient")


def _network(kind: str, address: str) -> dict[str, Any]:
    """Return the address of a machine, or that nobody noted it."""
    if address:
        return {"address": address, "type": kind}
    return {"_address": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}}


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
    if event.request_id:
        entities.append(
            {
                "what": {"identifier": {"value": event.request_id}},
                "type": coding(f"{BALP}/CodeSystem/BasicAuditEntityType", "XrequestId"),
            }
        )
    return entities
