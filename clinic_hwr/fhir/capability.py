"""The CapabilityStatement, generated from the table of what is served."""

from __future__ import annotations

from typing import Any

import clinic_hwr

from .primitives import compact
from .served import SERVED, Served

# The day this description last changed in meaning; R4 wants one.
_CHANGED = "2026-11-26"
_VALIDATE = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
_MHD = "https://profiles.ihe.net/ITI/MHD/CapabilityStatement"


def capability_statement(base_url: str) -> dict[str, Any]:
    """Return the CapabilityStatement of the server at ``base_url`` (no slash at its end)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _CHANGED,
        "kind": "instance",
        "instantiates": [f"{_MHD}/IHE.MHD.DocumentRecipient", f"{_MHD}/IHE.MHD.DocumentResponder"],
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
                "documentation": "What the product writes was verified and released by a person, "
                "and no client can change it. Integration accounts keep resources of their own "
                "beside it. Each account sees the sites it belongs to.",
                "security": {
                    "cors": False,
                    "description": "A token of this installation (Authorization: Bearer) or a "
                    "signed-in session; fhir.read to read, fhir.write to write at a site.",
                },
                "resource": [_resource(name, served) for name, served in SERVED.items()],
                "interaction": [
                    {"code": code} for code in ("transaction", "batch", "history-system")
                ],
                "compartment": ["http://hl7.org/fhir/CompartmentDefinition/patient"],
            }
        ],
    }


def _resource(name: str, served: Served) -> dict[str, Any]:
    interactions = ["read"]
    if served.stored:
        interactions += ["vread", "history-instance"]
        interactions += ["history-type"] if served.searched else []
    interactions += ["create", "update"] if served.writable else []
    interactions += ["search-type"] if served.searched else []
    operations = dict(served.operations)
    if served.stored:
        operations["validate"] = _VALIDATE
    includes = served.stored and served.searched
    return compact(
        {
            "type": name,
            "supportedProfile": [served.profile] if served.profile else None,
            "interaction": [{"code": code} for code in interactions],
            "versioning": "versioned" if served.stored else "no-version",
            "readHistory": served.stored,
            "updateCreate": False,
            "conditionalCreate": served.writable,
            "conditionalRead": "full-support" if served.stored else "not-supported",
            "conditionalUpdate": served.writable,
            "conditionalDelete": "not-supported",
            "referencePolicy": ["literal"],
            "searchInclude": [f"{name}:{each}" for each in _references(served)]
            if includes
            else None,
            "searchRevInclude": _pointing_at(name) if includes else None,
            "searchParam": [
                {"name": each.name, "type": each.kind} for each in served.all_parameters().values()
            ],
            "operation": [
                {"name": operation, "definition": canonical}
                for operation, canonical in operations.items()
            ],
        }
    )


def _references(served: Served) -> list[str]:
    return [each.name for each in served.parameters.values() if each.kind == "reference"]


def _pointing_at(name: str) -> list[str]:
    """Return the ``Source:parameter`` that may point at ``name``, by the targets that are known."""
    return [
        f"{source}:{each.name}"
        for source, served in SERVED.items()
        if served.stored
        for each in served.parameters.values()
        if each.kind == "reference" and each.target in ("", name)
    ]
