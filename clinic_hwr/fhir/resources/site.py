"""Organization and Device: where the paper was processed, and by what software."""

from __future__ import annotations

from typing import Any

from ..ids import model_identity, uri_identifier
from ..primitives import compact, fhir_string, plain_meta
from ..publication import PrescriptionPublication
from .links import Links


def organization(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the site as Organization."""
    return {
        "resourceType": "Organization",
        "id": links.id_of("organization"),
        "meta": plain_meta("us-core-organization"),
        "identifier": [uri_identifier(record.site.id)],
        "active": True,
        "name": fhir_string(record.site.name) or str(record.site.id),
    }


def model(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the recognizer as Device, with the version of the model and of the product."""
    model_version = fhir_string(record.model_version)
    product_version = fhir_string(record.product_version)
    versions = [("model", model_version), ("clinic_hwr", product_version)]
    return compact(
        {
            "resourceType": "Device",
            "id": links.id_of("model"),
            "identifier": [uri_identifier(model_identity(record.model_version))],
            "status": "active",
            "deviceName": [
                {"name": "clinic_hwr handwriting recognition", "type": "user-friendly-name"},
                *([{"name": model_version, "type": "model-name"}] if model_version else []),
            ],
            "version": [
                {"type": {"text": kind}, "value": value} for kind, value in versions if value
            ],
            "owner": links.organization(),
        }
    )
