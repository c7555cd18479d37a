"""Deciding a field: append-only, fenced, audited, idempotent; blind where two people enter it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState

from ..double_entry import ADJUDICATED, VALUE_KINDS
from ..errors import (
    InvalidDecision,
    OtherPersonNeeded,
    ReadingChanged,
    ScanFinished,
    StaleDecision,
)
from ..locks import LockedField, field_locked
from ..models import CheckStage, Decision, DecisionKind
from .box_readings import box_read_again
from .effective import ABSENT, PRESENT, FieldState
from .leases import lease_in_hand
from .refresh import prescription_refresh

# Deciding is possible while people work on the scan, not before it is read, not after signing.
DECIDABLE = frozenset({ScanState.IN_REVIEW, ScanState.VERIFIED})
MAX_VALUE_CHARS = 2000
# One field held the screen for an hour: more is a clock that jumped, not a person who reads.
MAX_ACTIVE_SECONDS = 3600.0
MAX_PRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Effort:
    """What a field cost the person: net seconds, key presses and clicks. Bounded when stored."""

    active_seconds: float = 0.0
    keys: int = 0
    clicks: int = 0


@transaction.atomic
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
    keys_used: int = 0,
    clicks_used: int = 0,
    ink_seen: str | None = None,
) -> Decision:
    """Append one decision to a field, interpret the prescription anew, and audit it.

    ``accepted`` takes the machine's value as it stands; ``value`` must equal it or be empty. A
    ``corrected`` value that equals the machine's is stored as accepted, so that accuracy counts
    stay true. ``postponed`` decides nothing. ``decision_id`` (chosen by the caller) makes a repeat
    after a lost answer safe: the same id twice returns the first decision and changes nothing.

    A field that is entered twice (``double_entry``) takes no acceptance: the person types what
    they read, blind. The first two entries are two people's; where they differ, a third who holds
    ``field.adjudicate`` decides.

    Args:
        expected_number: number of the newest decision the person saw, 0 for none.
        active_seconds, keys_used, clicks_used: what the field cost the person.
        ink_seen: ``FieldState.ink_seen`` as the person saw it; None: it is not compared.

    Raises:
        Http404, PermissionDenied: see ``access.field_get`` (needs ``field.decide``).
        InvalidDecision: the kind or value does not fit the field.
        OtherPersonNeeded: two entries differ, and it is not this person who decides.
        ScanFinished: the scan is not in review any more.
        LeaseLost: ``lease_token`` is not in force.
        StaleDecision: somebody decided since; carries both values.
        ReadingChanged: the box was drawn anew or read since.
    """
    if kind == DecisionKind.REOPENED:
        raise InvalidDecision("Use field_reopen to take a decision back.")
    decision = decision_store(
        user=user,
        field_id=field_id,
        kind=kind,
        value=value,
        expected_number=expected_number,
        lease_token=lease_token,
        effort=Effort(active_seconds, keys_used, clicks_used),
        decision_id=decision_id,
        ink_seen=ink_seen,
    )
    prescription_refresh(scan=decision.field.page.scan)
    return decision


@transaction.atomic
def field_reopen(
    *,
    user: Any,
    field_id: UUID,
    expected_number: int,
    lease_token: UUID | None,
    decision_id: UUID | None = None,
) -> Decision:
    """Take the decision in force back, by appending a reopening; the field is open again.

    Of a field that is entered twice, every entry of the round is void: both people enter it anew.

    Raises:
        InvalidDecision: nobody decided the field.
        Otherwise as ``field_decide``.
    """
    decision = decision_store(
        user=user,
        field_id=field_id,
        kind=DecisionKind.REOPENED,
        value="",
        expected_number=expected_number,
        lease_token=lease_token,
        decision_id=decision_id,
    )
    prescription_refresh(scan=decision.field.page.scan)
    return decision


@transaction.atomic
def decision_store(
    *,
    user: Any,
    field_id: UUID,
    kind: str,
    value: str,
    expected_number: int,
    lease_token: UUID | None,
    effort: Effort = Effort(),
    decision_id: UUID | None = None,
    ink_seen: str | None = None,
) -> Decision:
    """Append one decision and audit it: four queries, whatever the scan holds.

    The draft is left as it was; ``prescription_current`` brings it up to date, and everything
    that shows or signs a draft calls that first. The workstation saves with this, so that no save
    waits for interpretation.

    Raises:
        See ``field_decide``.
    """
    locked = field_locked(user, field_id, decision_id=decision_id)
    field, scan = locked.field, locked.field.page.scan
    if locked.repeated is not None:
        if locked.repeated.field_id != field.pk or locked.repeated.reviewer_id != user.pk:
            raise InvalidDecision("This decision number is taken; choose a new one.")
        locked.repeated.field = field
        return locked.repeated
    if scan.state not in DECIDABLE:
        state_words = scan.get_state_display().lower()
        raise ScanFinished(f"This scan is {state_words}; its fields cannot be decided.")
    lease_in_hand(user=user, scan=scan, token=lease_token)
    state = locked.state
    if state.number != expected_number:
        raise _stale(user, locked, kind, value)
    if ink_seen is not None and ink_seen != state.ink_seen:
        raise ReadingChanged("Other ink was read here meanwhile; look at it, then decide.")

    place = _place(user, locked, kind)
    kind, value = decision_checked(state, kind, value.strip(), blind=place.blind)
    decision = Decision(
        field=field,
        number=state.number + 1,
        kind=kind,
        value=value,
        machine_value=state.machine_value,
        reading=state.reading,
        reviewer=user,
        round=place.round,
        entry=place.entry,
        blind=place.blind,
        active_seconds=_bounded_seconds(effort.active_seconds),
        keys_used=min(max(effort.keys, 0), MAX_PRESSES),
        clicks_used=min(max(effort.clicks, 0), MAX_PRESSES),
    )
    if decision_id is not None:
        decision.pk = decision_id
    try:
        decision.save(force_insert=True)
    except IntegrityError as error:  # another save of this field won; the constraints are the judge
        raise StaleDecision(None, kind, value) from error
    decision_audit(user, scan, state, decision)
    if kind == DecisionKind.REOPENED:
        box_read_again(field)
    return decision


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a decision stands among the entries of its field."""

    round: int
    entry: int
    blind: bool


def _place(user: Any, locked: LockedField, kind: str) -> _Place:
    """Return round and entry of a decision, or raise when it is somebody else's turn."""
    if kind in (DecisionKind.REOPENED, DecisionKind.POSTPONED):
        return _Place(0, 0, blind=False)
    check = locked.state.check
    anew = max((decision.round for decision in locked.decisions), default=0) + 1
    if check is None or check.stage == CheckStage.SETTLED:
        return _Place(anew, 1, blind=False)
    mine = user.pk in check.people()
    if check.stage == CheckStage.ADJUDICATION:
        if mine or not locked.may_adjudicate:
            raise OtherPersonNeeded(
                "Two people entered different values. A pharmacist who is neither of them decides."
            )
        return _Place(check.entries[0].round, ADJUDICATED, blind=False)
    if check.stage == CheckStage.SECOND and not mine:
        return _Place(check.entries[0].round, 2, blind=True)
    return _Place(anew, 1, blind=True)


def _stale(user: Any, locked: LockedField, kind: str, value: str) -> StaleDecision:
    """Return the refusal with both values; what another person entered blind stays unseen."""
    newest = locked.state.newest
    hidden = (
        newest is not None
        and newest.reviewer_id != user.pk
        and locked.state.is_closed_to(user.pk, may_adjudicate=locked.may_adjudicate)
    )
    return StaleDecision(None if hidden else newest, kind, value)


def decision_checked(
    state: FieldState, kind: str, value: str, *, blind: bool = False
) -> tuple[str, str]:
    """Return kind and value as they are stored, or raise ``InvalidDecision``."""
    if kind not in DecisionKind.values:
        known = ", ".join(DecisionKind.values)
        raise InvalidDecision(f"Unknown kind of decision; the known ones are {known}.")
    if kind == DecisionKind.REOPENED:
        if state.decision is None and not (state.check and state.check.entries):
            raise InvalidDecision("Nobody has decided this field; there is nothing to take back.")
        return kind, ""
    if kind == DecisionKind.POSTPONED and state.decision is not None:
        raise InvalidDecision("This field is decided; there is nothing to postpone.")
    if kind == DecisionKind.ACCEPTED:
        return kind, _accepted(state, value, blind=blind)
    if kind == DecisionKind.CORRECTED:
        return _corrected(state, value)
    if value:
        raise InvalidDecision("Illegible, not present and not applicable carry no value.")
    return kind, ""


def _accepted(state: FieldState, value: str, *, blind: bool) -> str:
    """Return the machine's value if it may be accepted."""
    if blind:
        raise InvalidDecision(
            "This field is entered blind by two people: type what you read, nothing is accepted."
        )
    if not state.machine_value:
        raise InvalidDecision("Nothing was read here. Type the value, or say why there is none.")
    if value and value != state.machine_value.strip():
        raise InvalidDecision("Only the value that was read can be accepted; correct it instead.")
    return state.machine_value


def _corrected(state: FieldState, value: str) -> tuple[str, str]:
    """Return a typed value with its kind: what equals the machine's counts as accepted."""
    if not value:
        raise InvalidDecision("A correction needs a value. Nothing there? Say not present.")
    if len(value) > MAX_VALUE_CHARS:
        raise InvalidDecision(f"A value has at most {MAX_VALUE_CHARS} characters.")
    if state.is_presence and value not in (PRESENT, ABSENT):
        raise InvalidDecision(f"A mark is either {PRESENT} or {ABSENT}.")
    same = value == state.machine_value.strip()
    return (DecisionKind.ACCEPTED if same else DecisionKind.CORRECTED), value


def _bounded_seconds(seconds: float) -> float:
    """Return ``seconds`` within 0..3600, to the millisecond; a broken clock counts as 0."""
    if not math.isfinite(seconds):
        return 0.0
    return round(min(max(seconds, 0.0), MAX_ACTIVE_SECONDS), 3)


def decision_audit(user: Any, scan: Scan, before: FieldState, decision: Decision) -> None:
    """Record who changed what from which crop; the crop and the model are named by their hash."""
    field, said = before.field, before.said
    new = before.machine_value if decision.kind == DecisionKind.REOPENED else decision.value
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
            "old_kind": said.kind if said else "machine",
            "new": before.value if decision.kind == DecisionKind.POSTPONED else new,
            "machine_value": before.machine_value,
            "p_correct": before.reading.p_correct if before.reading else None,
            "model": before.reading.model if before.reading else "",
            "reading": before.reading.pk if before.reading else None,
            "crop_sha256": field.crop_sha256,
            "entry": decision.entry,
            "blind": decision.blind,
            "agrees": _agrees(before, decision),
            "seconds": decision.active_seconds,
            "keys": decision.keys_used,
            "clicks": decision.clicks_used,
        },
    )


def _agrees(before: FieldState, decision: Decision) -> bool | None:
    """Whether a second entry is letter by letter the first; None for any other decision."""
    if decision.entry != 2 or before.check is None:
        return None
    first = before.check.entries[0]
    if first.kind in VALUE_KINDS and decision.kind in VALUE_KINDS:
        return bool(first.value == decision.value)
    return bool(first.kind == decision.kind)
