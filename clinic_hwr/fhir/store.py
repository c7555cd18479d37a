"""Reading back what a release wrote, for rooms and commands inside the house.

People and programs from outside come through ``access``, which knows who may see what.
"""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from .encoding import from_bytes
from .models import ResourceVersion


def bundle_bytes(bundle_fhir_id: str) -> bytes:
    """Return the document Bundle exactly as stored.

    Raises:
        ResourceVersion.DoesNotExist: no such document was released.
    """
    return bytes(ResourceVersion.objects.get(resource_type="Bundle", fhir_id=bundle_fhir_id).body)


def scan_pdf_bytes(bundle_fhir_id: str) -> bytes:
    """Return the scan, as PDF, that the document Bundle was written with.

    Raises:
        ResourceVersion.DoesNotExist: no such document was released.
    """
    row = ResourceVersion.objects.get(resource_type="Binary", document_fhir_id=bundle_fhir_id)
    return binary_content(row)[1]


def binary_content(row: ResourceVersion) -> tuple[str, bytes]:
    """Return (MIME type, bytes) of a stored Binary."""
    resource = from_bytes(bytes(row.body))
    return str(resource["contentType"]), base64.b64decode(resource["data"])


def newest_document(prescription_id: UUID) -> ResourceVersion | None:
    """Return the newest document of a prescription, None when none was released."""
    return (
        ResourceVersion.objects.filter(prescription_id=prescription_id, resource_type="Bundle")
        .order_by("-last_updated", "-pk")
        .first()
    )


def released_prescription_ids() -> list[UUID]:
    """Return the ids of all released prescriptions, in the order of their first release."""
    rows = ResourceVersion.objects.filter(resource_type="Bundle").order_by("pk")
    return list(dict.fromkeys(rows.values_list("prescription_id", flat=True)))


def newest_bodies(prescription_id: UUID, resource_type: str) -> list[dict[str, Any]]:
    """Return the newest version of each resource of a type that a prescription was published as."""
    rows = ResourceVersion.objects.filter(
        prescription_id=prescription_id, resource_type=resource_type
    ).order_by("fhir_id", "version")
    newest = {row.fhir_id: bytes(row.body) for row in rows}
    return [from_bytes(body) for body in newest.values()]
