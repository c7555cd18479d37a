"""Reads a FHIR R4 CapabilityStatement into Capabilities."""

from __future__ import annotations

from .errors import Unsupported
from .exact_json import Json
from .model import Capabilities, ResourceSupport


def read_capability_statement(statement: Json) -> Capabilities:
    """Return what the server says it can do.

    Raises:
        Unsupported: not a CapabilityStatement of an R4 server.
    """
    if not isinstance(statement, dict) or statement.get("resourceType") != "CapabilityStatement":
        raise Unsupported("The address answers /metadata with no CapabilityStatement.")
    version = str(statement.get("fhirVersion", ""))
    if not version.startswith("4.0"):
        raise Unsupported(f"The server speaks FHIR {version or 'of unknown version'}, not R4.")
    servers = [r for r in statement.get("rest", []) if r.get("mode") == "server"]
    rest = servers[0] if servers else {}
    resources = {
        str(entry.get("type")): _support(entry)
        for entry in rest.get("resource", [])
        if isinstance(entry, dict)
    }
    system = {str(i.get("code")) for i in rest.get("interaction", [])}
    software = statement.get("software") or {}
    peer = f"{software.get('name', 'FHIR server')} {software.get('version', '')}".strip()
    documents = resources.get("DocumentReference", ResourceSupport())
    return Capabilities(
        peer=peer,
        transaction="transaction" in system,
        looks_up=documents.search_identifier,
        resources=resources,
    )


def _support(entry: Json) -> ResourceSupport:
    interactions = {str(i.get("code")) for i in entry.get("interaction", [])}
    parameters = {str(p.get("name")) for p in entry.get("searchParam", [])}
    return ResourceSupport(
        create="create" in interactions,
        conditional_create=entry.get("conditionalCreate") is True,
        update_create="update" in interactions and entry.get("updateCreate") is True,
        update="update" in interactions,
        conditional_update=entry.get("conditionalUpdate") is True,
        search_identifier="search-type" in interactions and "identifier" in parameters,
    )
