"""Signing a prescription: one transaction that writes FHIR, the outbox and the audit event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import clinic_hwr
from clinic_hwr.audit.services import audit_record
from clinic_hwr.fhir.publication import PrescriptionPublication
from clinic_hwr.fhir.services import prescription_publish
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.intake.splitting import scan_pdf
from clinic_hwr.intake.states import ScanState
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.types import Blocker, Prescription

from ..access import scan_get_for
from ..errors import ContentChanged, LeaseHeld, ReleaseRefused, ScanFinished
from ..locks import scan_locked
from ..models import DecisionKind, PrescriptionRecord, PrescriptionStatus
from .effective import FieldState, field_states
from .leases import lease_of_others
from .refresh import prescription_current

# No medication is dispensed safely without these: an illegible one goes back to the prescriber.
CRITICAL_KINDS = frozenset({FieldKind.DRUG.value, FieldKind.STRENGTH.value, FieldKind.SIG.value})


def blocker_key(blocker: Blocker) -> str:
    """Return the name under which a remaining warning is acknowledged."""
    about = f"{blocker.code}:{blocker.field_name}:{blocker.group}"
    return f"{about}:{blocker.field_id}" if blocker.field_id else about


def release_problems(states: Collection[FieldState], prescription: Prescription) -> list[str]:
    """Return why the prescription cannot be signed yet, one sentence each; empty when it can."""
    problems = []
    waiting = sum(state.needs_human for state in states)
    if waiting == 1:
        problems.append("1 field still needs a decision.")
    elif waiting:
        problems.append(f"{waiting} fields still need a decision.")
    problems += [
        f"The {state.field.name.replace('_', ' ')} of medication {state.field.group or 1} is "
        "illegible: ask the prescriber, then correct the field."
        for state in states
        if state.field.kind in CRITICAL_KINDS
        and state.said is not None
        and state.said.kind == DecisionKind.ILLEGIBLE
    ]
    if not prescription.patient.name.strip():
        problems.append("No patient is named.")
    if not prescription.medications:
        problems.append("No medication was found.")
    problems += [
        f"Medication {medication.sequence} has no drug name."
        for medication in prescription.medications
        if not medication.drug_text.strip()
    ]
    return problems


def prescription_release(
    *,
    user: Any,
    scan_id: UUID,
    expected_content_sha256: str,
    acknowledged: Collection[str] = (),
) -> PrescriptionRecord:
    """Sign the prescription of a scan: all of it happens, or none.

    In one transaction: status released, FHIR resources and outbox rows
    (``fhir.services.prescription_publish``), audit event, scan to ``released``.

    Args:
        expected_content_sha256: of the content the signer saw.
        acknowledged: ``blocker_key`` of every remaining warning the signer took note of.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``prescription.release``).
        ScanFinished: already released, rejected, or not verified.
        ContentChanged: the content is not what the signer saw.
        ReleaseRefused: fields are open, warnings are not acknowledged, or the essentials lack.
        LeaseHeld: somebody else is working on the scan.
    """
    scan = scan_get_for(user, scan_id, "prescription.release")
    # Made before the transaction: converting takes a child process, and the bytes never change.
    pdf = scan_pdf(scan)
    with transaction.atomic():
        scan = scan_locked(scan.pk)
        record = _record_to_sign(scan, expected_content_sha256)
        held = lease_of_others(user=user, scan_id=scan.pk)
        if held is not None:
            name = held.holder.get_full_name() or held.holder.get_username()
            raise LeaseHeld(name, held.expires_at)
        prescription = from_json(record.content)
        states = field_states(scan)
        refuse_unready(states, prescription, acknowledged)

        record.status = PrescriptionStatus.RELEASED
        record.released_by = user
        record.released_at = timezone.now()
        record.save()
        bundle_id = prescription_publish(
            record=_publication(record, user, scan, pdf, prescription, states)
        )
        _release_audit(record, scan, prescription, bundle_id)
        scan_transition(scan=scan, to=ScanState.RELEASED, reason="signed")
    return record


def _record_to_sign(scan: Scan, expected_content_sha256: str) -> PrescriptionRecord:
    """Return the draft of ``scan`` if it is the one the signer saw."""
    record = prescription_current(scan=scan)  # a save leaves the draft behind; no signature does
    scan.refresh_from_db(fields=["state"])
    if record is None or record.status != PrescriptionStatus.DRAFT:
        raise ScanFinished("There is no draft to sign: it was released already, or never read.")
    if scan.state not in (ScanState.VERIFIED, ScanState.IN_REVIEW):
        raise ScanFinished(f"A scan that is {scan.get_state_display().lower()} cannot be signed.")
    if record.content_sha256 != expected_content_sha256:
        raise ContentChanged("The prescription changed since it was shown. Read it again.")
    return record


def refuse_unready(
    states: Collection[FieldState], prescription: Prescription, acknowledged: Collection[str]
) -> None:
    """Raise ``ReleaseRefused`` with everything that stands against the signature."""
    problems = release_problems(states, prescription)
    problems += [
        f"Not acknowledged: {blocker.message}"
        for blocker in prescription.blockers
        if blocker_key(blocker) not in acknowledged
    ]
    if problems:
        raise ReleaseRefused(problems)


def _publication(
    record: PrescriptionRecord,
    user: Any,
    scan: Scan,
    pdf: bytes,
    prescription: Prescription,
    states: Collection[FieldState],
) -> PrescriptionPublication:
    """Gather what the fhir room writes from."""
    models = sorted({state.reading.model for state in states if state.reading is not None})
    return PrescriptionPublication(
        prescription_id=record.pk,
        version=record.version,
        site=scan.site,
        prescription=prescription,
        scan_id=scan.pk,
        scan_sha256=scan.sha256,
        scan_pdf=pdf,
        scan_received_at=scan.received_at,
        released_at=record.released_at,
        verifier_name=user.get_full_name() or user.get_username(),
        verifier_id=str(user.pk),
        model_version=", ".join(models),
        product_version=clinic_hwr.__version__,
    )


def _release_audit(
    record: PrescriptionRecord, scan: Scan, prescription: Prescription, bundle_id: str
) -> None:
    """Record the signature with the hash of what was signed and the warnings taken note of."""
    audit_record(
        action="prescription.released",
        site=scan.site,
        object_type="prescription",
        object_id=record.pk,
        actor=record.released_by,
        scan_id=scan.pk,
        data={
            "version": record.version,
            "content_sha256": record.content_sha256,
            "scan_sha256": scan.sha256,
            "bundle": bundle_id,
            "acknowledged": [blocker_key(blocker) for blocker in prescription.blockers],
        },
    )
