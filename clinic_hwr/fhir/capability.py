"""The CapabilityStatement, generated from the table of what is served."""

from __future__ import annotations

from typing import Any

import clinic_hwr

from .primitives import compact
from .served import SERVED, Served

# The day this description last changed in meaning; R4 wants one.
_CHANGED = "2026-11-22"
_DOCUMENT_OPERATION = "http://hl7.org/fhir/OperationDefinition/Composition-document"


def capability_statement(base_url: str) -> dict[str, Any]:
    """Return the CapabilityStatement of the server at ``base_url`` (no slash at its end)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _CHANGED,
        "kind": "instance",
        "software": {"name": "clinic_hwr", "version": clinic_hwr.__version__},
        "implementation": {
            "description": "Released prescriptions, read from scanned paper and verified.",
            "url": base_url,
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read only. Everything here was verified and released by a "
                "person; each account sees the sites it belongs to.",
                "security": {
                    "cors": False,
                    "description": "A token of this installation (Authorization: Bearer) or a "
                    "signed-in session, with the permission fhir.read at the site.",
                },
                "resource": [_resource(name, served) for name, served in SERVED.items()],
            }
        ],
    }


def _resource(name: str, served: Served) -> dict[str, Any]:
    interactions = ["read", "vread", *(["search-type"] if served.search else [])]
    return compact(
        {
            "type": name,
            "supportedProfile": [served.profile] if served.profile else None,
            "interaction": [{"code": code} for code in interactions],
            "versioning": "versioned",
            "readHistory": True,
            "updateCreate": False,
            "conditionalCreate": False,
            "conditionalRead": "full-support",
            "conditionalUpdate": False,
            "conditionalDelete": "not-supported",
            "searchParam": [{"name": param, "type": kind} for param, kind in served.search],
            "operation": [{"name": "document", "definition": _DOCUMENT_OPERATION}]
            if served.documents
            else None,
        }
    )
