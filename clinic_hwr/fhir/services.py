"""Publishing a released prescription: the one write of this room."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from clinic_hwr.delivery.services import delivery_enqueue

from .document import Document, build
from .encoding import to_bytes
from .ids import bundle_id
from .models import ResourceIdentifier, ResourceVersion
from .publication import PrescriptionPublication
from .store import bundle_bytes, scan_pdf_bytes
from .validation import check_document

__all__ = ["bundle_bytes", "prescription_publish", "scan_pdf_bytes"]


def prescription_publish(*, record: PrescriptionPublication) -> str:
    """Write every resource of a released prescription and its document, then queue the delivery.

    Belongs in the transaction of the release: all rows exist or none. A second call with the same
    prescription and version writes nothing; what is stored stands.

    Returns:
        The id of the document Bundle.

    Raises:
        FhirInvalid: what would be written breaks the standard; nothing was written.
    """
    fhir_id = bundle_id(record.prescription_id, record.version)
    with transaction.atomic():
        if not ResourceVersion.objects.filter(resource_type="Bundle", fhir_id=fhir_id).exists():
            document = build(record)
            check_document(document)
            _store(record, document, fhir_id)
        delivery_enqueue(
            site=record.site,
            prescription_id=record.prescription_id,
            version=record.version,
            bundle_fhir_id=fhir_id,
        )
    return fhir_id


def _store(record: PrescriptionPublication, document: Document, document_fhir_id: str) -> None:
    resources = (*document.resources, document.bundle)
    rows = ResourceVersion.objects.bulk_create(
        ResourceVersion(
            site=record.site,
            resource_type=resource["resourceType"],
            fhir_id=resource["id"],
            version=int(resource["meta"]["versionId"]),
            body=to_bytes(resource),
            last_updated=record.released_at,
            prescription_id=record.prescription_id,
            scan_id=record.scan_id,
            patient_fhir_id=document.patient_fhir_id,
            document_fhir_id=document_fhir_id,
        )
        for resource in resources
    )
    ResourceIdentifier.objects.bulk_create(
        ResourceIdentifier(
            resource=row, system=identifier.get("system", ""), value=identifier["value"]
        )
        for row, resource in zip(rows, resources, strict=True)
        for identifier in _identifiers(resource)
    )


def _identifiers(resource: dict[str, Any]) -> list[dict[str, Any]]:
    found = resource.get("identifier", [])
    return found if isinstance(found, list) else [found]
