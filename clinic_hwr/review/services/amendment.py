"""Changing what was released: a new version with a reason, never an edit of the old one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from clinic_hwr.fhir.services import CannotAmend, prescription_amend, prescription_retract
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.pages.types import FIELD_NAMES
from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.codec import from_json, to_json
from clinic_hwr.prescriptions.types import Prescription
from clinic_hwr.routing.lexicons import site_country, working_lexicon
from clinic_hwr.routing.models import Field

from ..access import scan_get_for
from ..content import content_sha256
from ..double_entry import ADJUDICATED, VALUE_KINDS
from ..errors import ContentChanged, InvalidField, ReleaseRefused, ScanFinished
from ..locks import scan_locked
from ..models import CheckLevel, Decision, PrescriptionRecord, PrescriptionStatus
from .decisions import decision_audit, decision_checked
from .earlier import earlier_orders
from .effective import FieldState, field_states
from .fields import MAX_MEDICATIONS, NAMES_TO_GIVE, medication_number
from .release import refuse_unready, release_problems
from .search import search_index

MAX_CHANGES = 200


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that the new version has instead of the old one.

    Attributes:
        field_id: the field, None for one that the released version did not have.
        kind: a kind of decision: corrected, not_applicable ...
        value: the new value of ``corrected``.
        name, group: of a field that is added.
    """

    field_id: UUID | None
    kind: str
    value: str = ""
    name: str = ""
    group: int = 0


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an amendment would make of a prescription.

    Attributes:
        version: the version it starts from.
        before, after: the prescription as released, and as it would be released.
        content_sha256: of what is signed.
        problems: why it cannot be signed, one sentence each.
        changed: the fields it changes: name, medication number, old and new value.
    """

    version: int
    before: Prescription
    after: Prescription
    content_sha256: str
    problems: tuple[str, ...]
    changed: tuple[tuple[str, int, str, str], ...]


class _OnlyLooking(Exception):
    """Undoes a preview."""


def amendment_preview(*, user: Any, scan_id: UUID, changes: Sequence[FieldChange]) -> Amendment:
    """Return what ``changes`` would make of a released prescription; nothing is stored.

    Raises:
        As ``amendment_sign``, apart from what needs a signature.
    """
    scan, record = _released(user, scan_id, locked=False)
    amendment: Amendment | None = None
    try:
        with transaction.atomic():
            # made as it would be, and undone: what is shown cannot differ from what is signed
            amendment, _ = _apply(user, scan, record, changes)
            raise _OnlyLooking
    except _OnlyLooking:
        assert amendment is not None  # noqa: S101 (for the type checker: set or raised above)
        return amendment


@transaction.atomic
def amendment_sign(
    *,
    user: Any,
    scan_id: UUID,
    changes: Sequence[FieldChange],
    reason: str,
    expected_version: int,
    expected_content_sha256: str,
    acknowledged: Collection[str] = (),
) -> PrescriptionRecord:
    """Release a corrected version of a prescription: all of it happens, or none.

    The changes are decisions of the signer, appended to those of the fields. Audit: one event a
    field, ``prescription.amended``, ``fhir.published``.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``prescription.release``).
        ScanFinished: it was never released, or it was retracted.
        ContentChanged: it is not what the signer saw.
        InvalidDecision, InvalidField: a change does not fit its field.
        ReleaseRefused: nothing is changed, no reason is given, essentials lack, or a warning is
            not acknowledged.
        FhirInvalid: what would be written breaks the standard; nothing was written.
    """
    scan, record = _released(user, scan_id, locked=True)
    if record.version != expected_version:
        raise ContentChanged("There is a newer version of this prescription. Read it first.")
    if not reason.strip():
        raise ReleaseRefused(["Say why: the reason goes into the record and to the EHR."])
    amendment, states = _apply(user, scan, record, changes)
    if amendment.content_sha256 != expected_content_sha256:
        raise ContentChanged("The amendment is not what was shown. Read it again.")
    if not amendment.changed or amendment.content_sha256 == record.content_sha256:
        raise ReleaseRefused(["Nothing is changed; there is nothing to sign."])
    if amendment.problems:
        raise ReleaseRefused(amendment.problems)
    refuse_unready(states, amendment.after, acknowledged)
    try:
        prescription_amend(
            user=user, prescription_id=record.pk, prescription=amendment.after, reason=reason
        )
    except CannotAmend as error:
        raise ScanFinished(str(error)) from error
    record.refresh_from_db()
    if search_index(scan=scan, record=record, states=states, content=amendment.after):
        record.save(update_fields=["search_sha256"])
    return record


@transaction.atomic
def retraction_sign(
    *, user: Any, scan_id: UUID, reason: str, expected_version: int
) -> PrescriptionRecord:
    """Mark a released prescription as signed in error and tell the EHRs.

    Audit: ``prescription.retracted``, ``fhir.published``.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``prescription.release``).
        ScanFinished: it was never released, or it was retracted already.
        ContentChanged: there is a newer version than the signer saw.
        ReleaseRefused: no reason is given.
    """
    _, record = _released(user, scan_id, locked=True)
    if record.version != expected_version:
        raise ContentChanged("There is a newer version of this prescription. Read it first.")
    if not reason.strip():
        raise ReleaseRefused(["Say why: the reason goes into the record and to the EHR."])
    try:
        prescription_retract(user=user, prescription_id=record.pk, reason=reason)
    except CannotAmend as error:
        raise ScanFinished(str(error)) from error
    record.refresh_from_db()
    return record


def _released(user: Any, scan_id: UUID, *, locked: bool) -> tuple[Scan, PrescriptionRecord]:
    """Return the scan with its released prescription, if ``user`` may sign there."""
    scan = scan_get_for(user, scan_id, "prescription.release")
    if locked:
        scan = scan_locked(scan.pk)
    record = PrescriptionRecord.objects.filter(scan=scan).first()
    if record is None or record.status != PrescriptionStatus.RELEASED:
        raise ScanFinished("This prescription was never released; correct it and release it.")
    if record.retracted_at is not None:
        raise ScanFinished("This prescription was retracted; scan the paper again.")
    return scan, record


def _apply(
    user: Any, scan: Scan, record: PrescriptionRecord, changes: Sequence[FieldChange]
) -> tuple[Amendment, list[FieldState]]:
    """Append the changes as decisions and return what the fields then mean."""
    if len(changes) > MAX_CHANGES:
        raise InvalidField(f"One amendment has at most {MAX_CHANGES} changes.")
    before = {state.field.pk: state for state in field_states(scan)}
    changed = []
    made: dict[Any, str] = {}
    for change in changes:
        state = (
            _added(scan, change, before) if change.field_id is None else before.get(change.field_id)
        )
        if state is None:
            raise InvalidField("There is no such field on this prescription.")
        kind, value = decision_checked(state, change.kind, change.value.strip())
        if state.decision is not None and (kind, value) == (
            state.decision.kind,
            state.decision.value,
        ):
            continue
        decision = Decision.objects.create(
            field=state.field,
            number=state.number + 1,
            # the signer answers for it alone, as a third person does for two who differ
            round=_last_round(state),
            entry=ADJUDICATED,
            kind=kind,
            value=value,
            machine_value=state.machine_value,
            reading=state.reading,
            reviewer=user,
        )
        decision_audit(user, scan, state, decision)
        new = value if value else kind.replace("_", " ")
        made[state.field.pk] = kind
        changed.append((state.field.name, state.field.group, state.value, new))
    states = field_states(scan)
    values = [state.as_field_value() for state in states]
    read = partial(
        interpret,
        # the day of the first signature, so that nothing but the changes changes
        today=timezone.localdate(record.created_at),
        day_first=scan.site.day_first,
        lexicon=working_lexicon(scan.site.slug),
        country=site_country(),
    )
    after = read(values)
    earlier = earlier_orders(scan, after)
    if earlier:
        after = read(values, earlier=earlier)
    amendment = Amendment(
        version=record.version,
        before=from_json(record.content),
        after=after,
        content_sha256=content_sha256(to_json(after)),
        problems=(*_needs_two(states, made), *release_problems(states, after)),
        changed=tuple(changed),
    )
    return amendment, states


def _last_round(state: FieldState) -> int:
    """Return the round of entries that a change belongs to."""
    rounds = Decision.objects.filter(field=state.field).aggregate(last=Max("round"))
    return int(rounds["last"] or 1)


def _needs_two(states: Sequence[FieldState], made: dict[Any, str]) -> list[str]:
    """Return which changes one signer may not make: a new value of what two people must enter.

    Taking such a drug away needs one signature only: it is the harmless direction, and urgent.
    """
    return [
        f"The {state.field.name.replace('_', ' ')} of medication {state.field.group or 1} "
        "is entered by two people, so one person cannot amend it. Retract the prescription and "
        "scan the paper again."
        for state in states
        if state.check is not None
        and state.check.level == CheckLevel.TWO
        and made.get(state.field.pk) in VALUE_KINDS
    ]


def _added(scan: Scan, change: FieldChange, states: dict[Any, FieldState]) -> FieldState:
    """Add a field that the released version did not have; it is seen on the whole first page."""
    if change.name not in NAMES_TO_GIVE:
        raise InvalidField(f"Unknown field; the known ones are {', '.join(NAMES_TO_GIVE)}.")
    numbered = medication_number(change.name)
    if not 0 <= change.group <= MAX_MEDICATIONS or (numbered == "required") > bool(change.group):
        raise InvalidField("Say which medication this belongs to, from 1.")
    if change.group and not numbered:
        raise InvalidField("This field is about the whole page, not about one medication.")
    taken = [
        state
        for state in states.values()
        if (state.field.name, state.field.group) == (change.name, change.group) and state.value
    ]
    if taken:
        raise InvalidField("There is such a field with a value already; change that one.")
    page = Page.objects.filter(scan=scan).order_by("number").first()
    if page is None:
        raise InvalidField("This scan has no page.")
    positions = [s.field.position for s in states.values() if s.field.page_id == page.pk]
    field = Field.objects.create(
        # the same in the preview and in what is signed: the content names its fields
        id=uuid5(scan.pk, f"amended {change.name} {change.group} {len(states)}"),
        page=page,
        position=max(positions, default=-1) + 1,
        name=change.name,
        kind=FIELD_NAMES[change.name].value,
        group=change.group,
        x_px=0,
        y_px=0,
        width_px=page.width_px,
        height_px=page.height_px,
        crop_sha256=page.image_sha256,
    )
    state = FieldState(field=field, reading=None, decision=None, number=0)
    states[field.pk] = state
    return state
