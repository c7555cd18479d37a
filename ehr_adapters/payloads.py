"""What is sent to a FHIR server: pure functions from document and capabilities to resources."""

from __future__ import annotations

import base64
from enum import StrEnum
from urllib.parse import quote

from .documents import Entry, ReleasedDocument, Resource, references, with_references
from .errors import Rejected
from .exact_json import Json
from .model import Capabilities, Identifier, SubmissionKey

# R4 types of our documents by how they carry a business identifier.
_MANY_IDENTIFIERS = frozenset(
    {
        "DocumentReference",
        "MedicationRequest",
        "Medication",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Device",
        "Location",
        "Encounter",
    }
)
_ONE_IDENTIFIER = frozenset({"Composition"})
# People and things that the EHR may know already: found by identifier, never overwritten.
_SHARED = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Encounter"}
)
# The prescription itself. Everything else may stay behind when the server does not take it.
_ESSENTIAL = frozenset({"MedicationRequest", "DocumentReference"})
# What a DocumentReference may carry inside itself when it travels alone.
_CONTAINABLE = _SHARED | {"Device"}


class Route(StrEnum):
    """The two ways to write, best first."""

    TRANSACTION = "transaction"
    DOCUMENT = "document"


def choose_route(
    document: ReleasedDocument, capabilities: Capabilities
) -> tuple[Route, tuple[Entry, ...]] | None:
    """Return the best way to write ``document`` and the entries that go, or None.

    A transaction needs every essential resource and all that it refers to. Composition, Provenance
    and the like stay behind when the server does not create them. Binaries never travel: their
    data goes inline, as servers do not rewrite attachment addresses (hapi-fhir #854).
    """
    if capabilities.transaction:
        sent = [
            entry
            for entry in document.entries
            if entry.type != "Binary" and capabilities.of(entry.type).create
        ]
        while (dangling := _first_dangling(document, sent)) is not None:
            sent.remove(dangling)
        essential = [entry for entry in document.entries if entry.type in _ESSENTIAL]
        if all(entry in sent for entry in essential):
            return Route.TRANSACTION, tuple(sent)
    if capabilities.of("DocumentReference").create:
        return Route.DOCUMENT, (document.document_reference,)
    return None


def _first_dangling(document: ReleasedDocument, sent: list[Entry]) -> Entry | None:
    for entry in sent:
        for reference in references(entry.resource):
            target = document.resolve(reference)
            if target is not None and target not in sent and target.type != "Binary":
                return entry
    return None


def transaction_bundle(
    document: ReleasedDocument,
    entries: tuple[Entry, ...],
    capabilities: Capabilities,
    key: SubmissionKey,
) -> Resource:
    """Return the transaction that writes ``entries`` at most once.

    What is ours goes by PUT to its own deterministic id where the server allows that, else by
    conditional create on its identifier; people and places always by conditional create.
    """
    urls = {id(entry): placeholder(entry, key) for entry in entries}

    def rewrite(reference: str) -> str | None:
        target = document.resolve(reference)
        return urls.get(id(target), reference) if target is not None else reference

    rows: list[Json] = []
    for entry in entries:
        resource = identified(entry, document, key)
        resource = with_references(resource, rewrite)
        request = create_request(resource, capabilities)
        rows.append({"fullUrl": urls[id(entry)], "resource": resource, "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": rows}


def create_request(resource: Resource, capabilities: Capabilities) -> Resource:
    """Return the Bundle request that creates ``resource`` at most once; takes a foreign id out."""
    kind = str(resource["resourceType"])
    support = capabilities.of(kind)
    if kind not in _SHARED and support.update_create and resource.get("id"):
        return {"method": "PUT", "url": f"{kind}/{resource['id']}"}
    resource.pop("id", None)
    request: Resource = {"method": "POST", "url": kind}
    condition = if_none_exist(resource)
    if support.conditional_create and condition:
        request["ifNoneExist"] = condition
    return request


def document_alone(document: ReleasedDocument, key: SubmissionKey) -> Resource:
    """Return the DocumentReference by itself: people contained, the scan inline, no loose ends."""
    contained: dict[str, Resource] = {}

    def inline(reference: str) -> str | None:
        target = document.resolve(reference)
        if target is None:
            return None
        if target.type not in _CONTAINABLE:
            return None
        local = str(target.resource.get("id") or key.derived_uuid(_name(target)))
        if local not in contained:
            contained[local] = {}  # reserves the place: references may form a circle
            body = {k: v for k, v in target.resource.items() if k != "meta"} | {"id": local}
            contained[local] = with_references(body, inline)
        return f"#{local}"

    resource = with_references(identified(document.document_reference, document, key), inline)
    resource.pop("id", None)
    if contained:
        resource["contained"] = [*resource.get("contained", []), *contained.values()]
    return dict(resource)


def identified(entry: Entry, document: ReleasedDocument, key: SubmissionKey) -> Resource:
    """Return a copy of the resource with the identifiers that make a re-send recognisable."""
    resource: Resource = dict(entry.resource)
    if entry.type == "DocumentReference":
        versions = [{"system": each.system, "value": each.value} for each in key.identifiers]
        others = [
            each
            for each in resource.get("identifier", [])
            if {k: each.get(k) for k in ("system", "value")} not in versions
        ]
        # first, because that is the one conditional writes and look-ups go by
        resource["identifier"] = [*versions, *others]
        resource["content"] = _inline_scan(document)
    elif entry.type in _MANY_IDENTIFIERS and if_none_exist(resource) == "":
        derived = f"urn:uuid:{key.derived_uuid(_name(entry))}"
        ours = {"system": "urn:ietf:rfc:3986", "value": derived}
        resource["identifier"] = [*resource.get("identifier", []), ours]
    return resource


def if_none_exist(resource: Resource) -> str:
    """Return the If-None-Exist search of a resource, "" when it has no full identifier."""
    found = business_identifier(resource)
    return "" if found is None else "identifier=" + quote(found.token, safe=":/|.-_~")


def business_identifier(resource: Resource) -> Identifier | None:
    """Return the first full identifier of a resource, None when it has none."""
    kind = str(resource["resourceType"])
    found = resource.get("identifier", [])
    if kind in _ONE_IDENTIFIER:
        found = [found]
    elif kind not in _MANY_IDENTIFIERS:
        return None
    for identifier in found:
        if isinstance(identifier, dict) and identifier.get("system") and identifier.get("value"):
            return Identifier(str(identifier["system"]), str(identifier["value"]))
    return None


def _inline_scan(document: ReleasedDocument) -> list[Json]:
    content = document.document_reference.resource["content"]
    attachment = content[0]["attachment"]
    if attachment.get("data"):
        return list(content)
    data = base64.b64encode(document.attachment_bytes()).decode()
    inlined = {k: v for k, v in attachment.items() if k != "url"} | {"data": data}
    return [{**content[0], "attachment": inlined}, *content[1:]]


def placeholder(entry: Entry, key: SubmissionKey) -> str:
    """Return the fullUrl under which ``entry`` travels in a transaction."""
    return f"urn:uuid:{key.derived_uuid(_name(entry))}"


def _name(entry: Entry) -> str:
    name = entry.local_reference or entry.full_url
    if not name:
        raise Rejected(f"A {entry.type} of the released document has no id.")
    return name
