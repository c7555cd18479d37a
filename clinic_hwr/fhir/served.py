"""What the FHIR server serves: one table that routes, search and CapabilityStatement come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from .primitives import US_CORE


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter.

    Attributes:
        name: as in a query.
        kind: token | reference | date | string.
        paths: the elements it looks at, dotted, from the resource.
        target: of references: the one type that counts, "" for all.
    """

    name: str
    kind: str
    paths: tuple[str, ...]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """One resource type as served.

    Attributes:
        parameters: what it is searched by beside ``COMMON``, by name.
        profile: the profile every resource of the type that the product makes claims, "" for none.
        searched: whether there is a search at all.
        writable: whether integration accounts may create and update it.
        stored: whether it lies in the store; audit events are made from the audit trail instead.
        operations: name -> canonical address of operations on it.
    """

    parameters: dict[str, Parameter] = field(default_factory=dict)
    profile: str = ""
    searched: bool = True
    writable: bool = False
    stored: bool = True
    operations: dict[str, str] = field(default_factory=dict)

    def all_parameters(self) -> dict[str, Parameter]:
        """Return every search parameter of the type, those of all resources included."""
        if not self.stored:
            return {"_id": COMMON["_id"], **self.parameters}
        return {**COMMON, **self.parameters} if self.searched else {}


def _named(*parameters: Parameter) -> dict[str, Parameter]:
    return {each.name: each for each in parameters}


def _token(name: str, *paths: str) -> Parameter:
    return Parameter(name, "token", paths or (name,))


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, "date", paths or (name,))


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, "string", paths or (name,))


def _reference(name: str, *paths: str, target: str = "") -> Parameter:
    return Parameter(name, "reference", paths or (name,), target)


# ``_id`` and ``_lastUpdated`` are columns of the store, the others are indexed like any parameter.
COMMON = _named(
    _token("_id", "id"),
    _date("_lastUpdated", "meta.lastUpdated"),
    _token("_profile", "meta.profile"),
    _token("_security", "meta.security"),
    _token("_tag", "meta.tag"),
)
_IDENTIFIER = _token("identifier")
_STATUS = _token("status")
_SUBJECT = (_reference("subject"), _reference("patient", "subject", target="Patient"))
_PERSON = (
    _IDENTIFIER,
    _token("active"),
    _string("name", "name"),
    _string("family", "name.family"),
    _string("given", "name.given"),
    _token("telecom"),
    _token("phone", "telecom"),
    _token("email", "telecom"),
    _string("address", "address"),
    _token("gender"),
)
_OPERATIONS = "http://hl7.org/fhir/OperationDefinition"

SERVED: dict[str, Served] = {
    "AuditEvent": Served(
        _named(
            _date("date", "recorded"),
            _token("action"),
            _reference("entity", "entity.what"),
            _reference("patient", "entity.what", target="Patient"),
        ),
        stored=False,
    ),
    "Binary": Served(searched=False, writable=True),
    "Bundle": Served(_named(_IDENTIFIER, _date("timestamp"), _token("type"))),
    "Composition": Served(
        _named(
            _IDENTIFIER, _STATUS, *_SUBJECT, _token("type"), _date("date"), _string("title"),
            _token("confidentiality"), _token("category"), _reference("author"),
            _reference("attester", "attester.party"), _reference("entry", "section.entry"),
        ),
        operations={"document": f"{_OPERATIONS}/Composition-document"},
    ),
    "Device": Served(
        _named(
            _IDENTIFIER, _STATUS, _reference("organization", "owner"),
            _string("device-name", "deviceName.name"),
        )
    ),
    "DocumentReference": Served(
        _named(
            _IDENTIFIER, _STATUS, *_SUBJECT, _token("type"), _token("category"), _date("date"),
            _date("period", "context.period"), _reference("author"), _reference("authenticator"),
            _reference("custodian"), _reference("encounter", "context.encounter"),
            _reference("related", "context.related"), _reference("relatesto", "relatesTo.target"),
            _token("relation", "relatesTo.code"), _token("security-label", "securityLabel"),
            _token("contenttype", "content.attachment.contentType"),
            _token("format", "content.format"), _token("event", "context.event"),
            _token("facility", "context.facilityType"),
            _token("setting", "context.practiceSetting"),
            _string("description"), _date("creation", "content.attachment.creation"),
        ),
        f"{US_CORE}/us-core-documentreference",
        writable=True,
        operations={
            "docref": "http://hl7.org/fhir/us/core/OperationDefinition/docref",
        },
    ),
    "List": Served(
        _named(
            _IDENTIFIER, _STATUS, *_SUBJECT, _token("code"), _date("date"), _string("title"),
            _reference("source"), _reference("item", "entry.item"),
        ),
        writable=True,
    ),
    "MedicationRequest": Served(
        _named(
            _IDENTIFIER, _STATUS, *_SUBJECT, _token("intent"), _token("category"),
            _token("priority"), _date("authoredon", "authoredOn"), _reference("requester"),
            _token("code", "medicationCodeableConcept"), _reference("encounter"),
            _reference("medication", "medicationReference"),
            _token("group-identifier", "groupIdentifier"),
            _reference("intended-performer", "performer"),
            _reference("intended-dispenser", "dispenseRequest.performer"),
            _date("date", "dosageInstruction.timing.event"),
        ),
        f"{US_CORE}/us-core-medicationrequest",
        writable=True,
    ),
    "Organization": Served(
        _named(_IDENTIFIER, _token("active"), _string("name"), _string("address"), _token("type")),
        f"{US_CORE}/us-core-organization",
        writable=True,
    ),
    "Patient": Served(
        _named(
            *_PERSON, _date("birthdate", "birthDate"),
            _reference("organization", "managingOrganization"),
            _reference("general-practitioner", "generalPractitioner"),
        ),
        f"{US_CORE}/us-core-patient",
        writable=True,
        operations={"everything": f"{_OPERATIONS}/Patient-everything"},
    ),
    "Practitioner": Served(
        _named(*_PERSON), f"{US_CORE}/us-core-practitioner", writable=True
    ),
    "Provenance": Served(
        _named(
            _reference("target"), _reference("patient", "target", target="Patient"),
            _reference("agent", "agent.who"), _token("agent-type", "agent.type"),
            _reference("entity", "entity.what"), _date("recorded"),
        ),
        f"{US_CORE}/us-core-provenance",
    ),
    "Task": Served(
        _named(
            _IDENTIFIER, _STATUS, _token("intent"), _token("code"), _token("priority"),
            _token("business-status", "businessStatus"),
            _token("group-identifier", "groupIdentifier"),
            _reference("subject", "for"), _reference("patient", "for", target="Patient"),
            _reference("focus"), _reference("owner"), _reference("requester"),
            _date("authored-on", "authoredOn"), _date("modified", "lastModified"),
            _date("period", "executionPeriod"),
        )
    ),
}  # fmt: skip
