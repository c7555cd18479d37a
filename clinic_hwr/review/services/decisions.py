"""Deciding a field: append-only, fenced, audited, idempotent."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.db import transaction

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState

from ..access import field_get
from ..errors import InvalidDecision, ScanFinished, StaleDecision
from ..locks import scan_locked
from ..models import Decision, DecisionKind
from .effective import ABSENT, PRESENT, FieldState, field_states
from .leases import lease_check
from .refresh import prescription_refresh

# Deciding is possible while people work on the scan, not before it is read, not after signing.
DECIDABLE = frozenset({ScanState.IN_REVIEW, ScanState.VERIFIED})
MAX_VALUE_CHARS = 2000
# One field held the screen for an hour: more is a clock that jumped, not a person who reads.
MAX_ACTIVE_SECONDS = 3600.0


def field_decide(
    *,
    user: Any,
    field_id: UUID,
    kind: str,
    value: str = "",
    expected_number: int,
    lease_token: UUID | None,
    active_seconds: float = 0.0,
    decision_id: UUID | None = None,
) -> Decision:
    """Append one decision to a field, interpret the prescription anew, and audit it.

    ``accepted`` takes the machine's value as it stands; ``value`` must equal it or be empty. A
    ``corrected`` value that equals the machine's is stored as accepted, so that accuracy counts
    stay true. ``decision_id`` (chosen by the caller) makes a repeat after a lost answer safe:
    the same id twice returns the first decision and changes nothing.

    Args:
        expected_number: number of the newest decision the person saw, 0 for none.
        active_seconds: net seconds the person spent on the field.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidDecision: the kind or value does not fit the field.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
        StaleDecision: somebody decided since; carries both values.
    """
    if kind == DecisionKind.REOPENED:
        raise InvalidDecision("Use field_reopen to take a decision back.")
    return _decision_append(
        user=user,
        field_id=field_id,
        kind=kind,
        value=value,
        expected_number=expected_number,
        lease_token=lease_token,
        active_seconds=active_seconds,
        decision_id=decision_id,
    )


def field_reopen(
    *,
    user: Any,
    field_id: UUID,
    expected_number: int,
    lease_token: UUID | None,
    decision_id: UUID | None = None,
) -> Decision:
    """Take the decision in force back, by appending a reopening; the field is open again.

    Raises:
        InvalidDecision: nobody decided the field.
        Otherwise as ``field_decide``.
    """
    return _decision_append(
        user=user,
        field_id=field_id,
        kind=DecisionKind.REOPENED,
        value="",
        expected_number=expected_number,
        lease_token=lease_token,
        active_seconds=0.0,
        decision_id=decision_id,
    )


@transaction.atomic
def _decision_append(
    *,
    user: Any,
    field_id: UUID,
    kind: str,
    value: str,
    expected_number: int,
    lease_token: UUID | None,
    active_seconds: float,
    decision_id: UUID | None,
) -> Decision:
    field = field_get(user, field_id, "field.decide")
    scan = scan_locked(field.page.scan_id)
    if decision_id is not None:
        repeated = Decision.objects.filter(pk=decision_id).first()
        if repeated is not None:
            if repeated.field_id != field.pk or repeated.reviewer_id != user.pk:
                raise InvalidDecision("This decision number is taken; choose a new one.")
            return repeated
    if scan.state not in DECIDABLE:
        state = scan.get_state_display().lower()
        raise ScanFinished(f"This scan is {state}; its fields cannot be decided.")
    lease_check(user=user, scan_id=scan.pk, token=lease_token)
    state = next(state for state in field_states(scan) if state.field.pk == field.pk)
    if state.number != expected_number:
        newest = field.decisions.select_related("reviewer").order_by("number").last()
        raise StaleDecision(newest, kind, value)

    kind, value = _checked(state, kind, value.strip())
    decision = Decision(
        field=field,
        number=state.number + 1,
        kind=kind,
        value=value,
        machine_value=state.machine_value,
        reading=state.reading,
        reviewer=user,
        active_seconds=_bounded_seconds(active_seconds),
    )
    if decision_id is not None:
        decision.pk = decision_id
    decision.save(force_insert=True)
    _decision_audit(user, scan, state, decision)
    prescription_refresh(scan=scan)
    return decision


def _checked(state: FieldState, kind: str, value: str) -> tuple[str, str]:
    """Return kind and value as they are stored, or raise ``InvalidDecision``."""
    if kind not in DecisionKind.values:
        known = ", ".join(DecisionKind.values)
        raise InvalidDecision(f"Unknown kind of decision; the known ones are {known}.")
    if kind == DecisionKind.REOPENED:
        if state.decision is None:
            raise InvalidDecision("Nobody has decided this field; there is nothing to take back.")
        return kind, ""
    if kind == DecisionKind.ACCEPTED:
        if not state.machine_value:
            raise InvalidDecision(
                "Nothing was read here. Type the value, or say why there is none."
            )
        if value and value != state.machine_value.strip():
            raise InvalidDecision(
                "Only the value that was read can be accepted; correct it instead."
            )
        return kind, state.machine_value
    if kind == DecisionKind.CORRECTED:
        if not value:
            raise InvalidDecision("A correction needs a value. Nothing there? Say not present.")
        if len(value) > MAX_VALUE_CHARS:
            raise InvalidDecision(f"A value has at most {MAX_VALUE_CHARS} characters.")
        if state.is_presence and value not in (PRESENT, ABSENT):
            raise InvalidDecision(f"A mark is either {PRESENT} or {ABSENT}.")
        same = value == state.machine_value.strip()
        return (DecisionKind.ACCEPTED if same else DecisionKind.CORRECTED), value
    if value:
        raise InvalidDecision("Illegible, not present and not applicable carry no value.")
    return kind, ""


def _bounded_seconds(seconds: float) -> float:
    """Return ``seconds`` within 0..3600, to the millisecond; a broken clock counts as 0."""
    if not math.isfinite(seconds):
        return 0.0
    return round(min(max(seconds, 0.0), MAX_ACTIVE_SECONDS), 3)


def _decision_audit(user: Any, scan: Scan, before: FieldState, decision: Decision) -> None:
    """Record who changed what from which crop; the crop and the model are named by their hash."""
    field = before.field
    audit_record(
        action=f"field.{decision.kind}",
        site=scan.site,
        object_type="field",
        object_id=field.pk,
        actor=user,
        scan_id=scan.pk,
        data={
            "field": field.name,
            "group": field.group,
            "page": field.page.number,
            "box_px": field.box_px,
            "number": decision.number,
            "old": before.value,
            "old_kind": before.decision.kind if before.decision else "machine",
            "new": decision.value
            if decision.kind != DecisionKind.REOPENED
            else before.machine_value,
            "machine_value": before.machine_value,
            "p_correct": before.reading.p_correct if before.reading else None,
            "model": before.reading.model if before.reading else "",
            "reading": before.reading.pk if before.reading else None,
            "crop_sha256": field.crop_sha256,
            "seconds": decision.active_seconds,
        },
    )
