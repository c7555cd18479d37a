"""Ids and identifiers of what is published: computed, never drawn, and free of patient data.

The prescription id is a random UUID; every other id is a version 5 UUID (RFC 9562) below it, so
publishing the same paper twice names the same resources, and nobody can guess a patient from an
id. Identifiers of our own use the system that FHIR reserves for values that are URIs themselves.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

# Any fixed UUID serves; this one names "installation-independent things of clinic_hwr".
PRODUCT_NAMESPACE = UUID("5b0f8f52-6a55-4c0e-9d53-1b8f3f0f6c11")
URI_SYSTEM = "urn:ietf:rfc:3986"


def resource_id(prescription_id: UUID, role: str, sequence: int = 0) -> str:
    """Return the logical id of the resource that plays ``role`` (the n-th of its kind)."""
    return str(uuid5(prescription_id, f"{role}/{sequence}"))


def bundle_id(prescription_id: UUID, version: int) -> str:
    """Return the id of the document; a document never changes, so each version has its own."""
    return resource_id(prescription_id, "document", version)


def uri_identifier(value: str | UUID) -> dict[str, Any]:
    """Return an Identifier whose value is a UUID."""
    return {"system": URI_SYSTEM, "value": f"urn:uuid:{value}"}


def mrn_system(site_id: UUID) -> str:
    """Return the system of a site's medical record numbers when the site has named none."""
    return f"urn:uuid:{uuid5(site_id, 'mrn')}"


def verifier_identity(site_id: UUID, verifier_id: str) -> UUID:
    """Return what names one reviewer over all papers of a site."""
    return uuid5(site_id, f"verifier/{verifier_id}")


def model_identity(model_version: str) -> UUID:
    """Return what names one recognizer over all installations."""
    return uuid5(PRODUCT_NAMESPACE, f"model/{model_version}")
