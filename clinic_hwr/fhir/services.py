"""Publishing, amending and retracting prescriptions: the writes that need a signature."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone

import clinic_hwr
from clinic_hwr.accounts.access import accessible_sites, require
from clinic_hwr.audit.services import audit_record
from clinic_hwr.delivery.services import delivery_enqueue
from clinic_hwr.prescriptions.codec import from_json, to_json
from clinic_hwr.prescriptions.types import Prescription
from clinic_hwr.review.content import content_sha256
from clinic_hwr.review.models import PrescriptionRecord, PrescriptionStatus

from .document import Document, build
from .ids import bundle_id, resource_id
from .models import ResourceVersion
from .publication import PrescriptionPublication
from .store import bundle_bytes, newest_bodies, scan_pdf_bytes
from .storing import Origin, versions_store
from .validation import check_document

__all__ = [
    "CannotAmend",
    "bundle_bytes",
    "prescription_amend",
    "prescription_publish",
    "prescription_retract",
    "scan_pdf_bytes",
]

PERMISSION = "prescription.release"


class CannotAmend(ValueError):
    """The prescription cannot be amended or retracted as asked; the message says why."""


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


def prescription_amend(
    *, user: Any, prescription_id: UUID, prescription: Prescription, reason: str
) -> str:
    """Publish a corrected version of a released prescription; the versions before stay readable.

    Orders the new version no longer has become ``entered-in-error``. Audit:
    ``prescription.amended`` and ``fhir.published``.

    Returns:
        The id of the new document Bundle.

    Raises:
        Http404, PermissionDenied: the prescription is not the user's, or not theirs to sign.
        CannotAmend: it was never released, was retracted, or no reason is given.
        FhirInvalid: what would be written breaks the standard; nothing was written.
    """
    with transaction.atomic():
        record = _to_change(user, prescription_id, reason)
        record.content = to_json(prescription)
        record.content_sha256 = content_sha256(record.content)
        return _next_version(user, record, prescription, reason, retracted=False)


def prescription_retract(*, user: Any, prescription_id: UUID, reason: str) -> str:
    """Mark a released prescription as signed in error; every version stays readable.

    Orders, scan and document become ``entered-in-error`` in a new version, and the EHRs are told.
    Audit: ``prescription.retracted`` and ``fhir.published``.

    Returns:
        The id of the new document Bundle.

    Raises:
        As ``prescription_amend``.
    """
    with transaction.atomic():
        record = _to_change(user, prescription_id, reason)
        prescription = from_json(record.content)
        return _next_version(user, record, prescription, reason, retracted=True)


def _to_change(user: Any, prescription_id: UUID, reason: str) -> PrescriptionRecord:
    """Return the released prescription, locked, if ``user`` may sign a new version of it."""
    record = (
        PrescriptionRecord.objects.select_for_update(of=("self",))
        .select_related("scan__site")
        .filter(pk=prescription_id, scan__site__in=accessible_sites(user, "scan.view"))
        .first()
    )
    if record is None:
        raise Http404("There is no such prescription, or it is not at a site of yours.")
    require(user, record.scan.site, PERMISSION)
    if record.status != PrescriptionStatus.RELEASED:
        raise CannotAmend("This prescription was never released; correct it and release it.")
    if not reason.strip():
        raise CannotAmend("Say why: the reason goes into the record and to the EHR.")
    composition = newest_bodies(record.pk, "Composition")[0]
    if composition["status"] == "entered-in-error":
        raise CannotAmend("This prescription was retracted; scan the paper again.")
    return record


def _next_version(
    user: Any,
    record: PrescriptionRecord,
    prescription: Prescription,
    reason: str,
    *,
    retracted: bool,
) -> str:
    previous = bundle_id(record.pk, record.version)
    record.version += 1
    record.released_by = user
    record.released_at = timezone.now()
    record.retracted_at = record.released_at if retracted else None
    record.save()
    fhir_id = prescription_publish(
        record=PrescriptionPublication(
            prescription_id=record.pk,
            version=record.version,
            site=record.scan.site,
            prescription=prescription,
            scan_id=record.scan.pk,
            scan_sha256=record.scan.sha256,
            scan_pdf=scan_pdf_bytes(previous),
            scan_received_at=record.scan.received_at,
            released_at=record.released_at,
            verifier_name=user.get_full_name() or user.get_username(),
            verifier_id=str(user.pk),
            model_version=_model_version(record.pk),
            product_version=clinic_hwr.__version__,
            reason=reason.strip(),
            withdrawn=_withdrawn(record.pk, prescription),
            retracted=retracted,
        )
    )
    audit_record(
        action="prescription.retracted" if retracted else "prescription.amended",
        site=record.scan.site,
        object_type="prescription",
        object_id=record.pk,
        actor=user,
        scan_id=record.scan.pk,
        reason=reason.strip(),
        data={
            "version": record.version,
            "content_sha256": record.content_sha256,
            "bundle": fhir_id,
        },
    )
    return fhir_id


def _withdrawn(prescription_id: UUID, prescription: Prescription) -> tuple[dict[str, Any], ...]:
    """Return the stored orders that ``prescription`` no longer has, if they still stand."""
    kept = {
        resource_id(prescription_id, "medication", each.sequence)
        for each in prescription.medications
    }
    return tuple(
        each
        for each in newest_bodies(prescription_id, "MedicationRequest")
        if each["id"] not in kept and each["status"] != "entered-in-error"
    )


def _model_version(prescription_id: UUID) -> str:
    """Return the recognizer that read the paper, as its Device says."""
    (device,) = newest_bodies(prescription_id, "Device")
    versions = {each["type"]["text"]: each["value"] for each in device.get("version", [])}
    return str(versions.get("model", ""))


def _store(record: PrescriptionPublication, document: Document, document_fhir_id: str) -> None:
    origin = Origin(
        site=record.site,
        at=record.released_at,
        prescription_id=record.prescription_id,
        scan_id=record.scan_id,
        document_fhir_id=document_fhir_id,
    )
    patient = document.patient_fhir_id
    versions_store(origin, [(each, patient) for each in (*document.resources, document.bundle)])
    audit_record(
        action="fhir.published",
        site=record.site,
        object_type="Composition",
        object_id=resource_id(record.prescription_id, "composition"),
        actor_name=record.verifier_name[:150] or "system",
        scan_id=record.scan_id,
        data={
            "interaction": "create" if record.version == 1 else "update",
            "version": record.version,
            "patient": patient,
            "bundle": document_fhir_id,
        },
    )
