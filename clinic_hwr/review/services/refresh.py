"""Interpreting the fields of a scan anew and storing what they mean together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.utils import timezone

from clinic_hwr.forms.recognition import scan_form_doubts
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.intake.states import ScanState
from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.codec import to_json
from clinic_hwr.prescriptions.types import Blocker
from clinic_hwr.routing.lexicons import site_country, working_lexicon
from clinic_hwr.routing.models import Field, FieldBlocker
from clinic_hwr.routing.policy import is_sampled, route
from clinic_hwr.routing.thresholds import SitePolicy

from ..content import content_sha256
from ..errors import ScanFinished
from ..locks import scan_locked
from ..models import (
    Decision,
    FieldCheck,
    PrescriptionRecord,
    PrescriptionStatus,
    ReviewLease,
)
from ..states import FieldState, field_states
from .earlier import earlier_orders
from .search import search_index

# The draft follows the fields in these states: before, nothing is read; after, it is signed.
OPEN_STATES = frozenset({ScanState.READ, ScanState.IN_REVIEW, ScanState.VERIFIED})


@transaction.atomic
def prescription_refresh(*, scan: Scan) -> PrescriptionRecord:
    """Interpret the values in force, store the draft, its blockers and every field's route.

    The scan moves to ``in_review`` while a field needs a human and to ``verified`` when none
    does. Doing it twice changes nothing.

    Raises:
        ScanFinished: the scan is signed, rejected or not read yet.
    """
    scan = scan_locked(scan.pk)
    if scan.state not in OPEN_STATES:
        raise ScanFinished(f"A scan that is {scan.get_state_display().lower()} is not interpreted.")
    record, is_new = PrescriptionRecord.objects.get_or_create(scan=scan)
    if is_new:  # from here on people can claim it
        ReviewLease.objects.bulk_create([ReviewLease(scan=scan)], ignore_conflicts=True)
    if record.status != PrescriptionStatus.DRAFT:
        raise ScanFinished("This prescription is released; a released version never changes.")

    states = field_states(scan)
    values = [state.as_field_value() for state in states]
    read = partial(
        interpret,
        today=timezone.localdate(),
        day_first=scan.site.day_first,
        lexicon=working_lexicon(scan.site.slug),
        country=site_country(),
    )
    prescription = read(values)
    earlier = earlier_orders(scan, prescription)
    if earlier:
        prescription = read(values, earlier=earlier)
    prescription = replace(
        prescription, blockers=(*prescription.blockers, *_form_blockers(scan, states))
    )
    record.content = to_json(prescription)
    record.content_sha256 = content_sha256(record.content)
    record.decisions_seen = sum(state.number for state in states)
    search_index(scan=scan, record=record, states=states, content=prescription)
    record.save()
    _blockers_replace(scan, states, prescription.blockers)
    _routes_store(scan, states, prescription.blockers)
    _checks_store(states)

    waiting = any(state.needs_human for state in states)
    target = ScanState.IN_REVIEW if waiting else ScanState.VERIFIED
    if scan.state != target:
        reason = "fields need a human" if waiting else "no field needs a human"
        scan_transition(scan=scan, to=target, reason=reason)
    return record


def prescription_current(*, scan: Scan) -> PrescriptionRecord | None:
    """Return the draft of ``scan``, interpreted anew when decisions came since (two queries).

    ``decision_store`` saves without interpreting; whoever shows or signs a draft calls this.
    A scan that is finished or not read yet keeps what it has.
    """
    record = PrescriptionRecord.objects.filter(scan=scan).first()
    open_draft = record is None or record.status == PrescriptionStatus.DRAFT
    if not open_draft or scan.state not in OPEN_STATES:
        return record
    if record is not None and record.decisions_seen == decisions_count(scan):
        return record
    try:
        return prescription_refresh(scan=scan)
    except ScanFinished:  # somebody signed or rejected it since we looked
        return PrescriptionRecord.objects.filter(scan=scan).first()


def decisions_count(scan: Scan) -> int:
    """Return how many decision rows the scan has: rows of a field are numbered 1, 2, ..."""
    return Decision.objects.filter(field__page__scan_id=scan.pk).count()


def _checks_store(states: Sequence[FieldState]) -> None:
    """Store how far every field is that is entered twice; nothing is written when all is so."""
    gone = []
    for state in states:
        stored: FieldCheck | None = getattr(state.field, "double_entry", None)
        check = state.check
        if check is None:
            if stored is not None:
                gone.append(stored.pk)
            continue
        people = [entry.reviewer_id for entry in check.entries]
        now = FieldCheck(
            field=state.field,
            level=check.level,
            stage=check.stage,
            first_by_id=people[0] if people else None,
            second_by_id=people[1] if len(people) > 1 else None,
        )
        if stored is None:
            now.save(force_insert=True)
        elif _facts(stored) != _facts(now):
            now.save(force_update=True)
    if gone:
        FieldCheck.objects.filter(pk__in=gone).delete()


def _facts(check: FieldCheck) -> tuple[object, ...]:
    return check.level, check.stage, check.first_by_id, check.second_by_id


def _form_blockers(scan: Scan, states: Sequence[FieldState]) -> list[Blocker]:
    """What the rules of the scan's forms say against its values."""
    values = [
        (state.field.pk, state.value, state.decision is not None)
        for state in states
        if not state.is_presence
    ]
    return [
        Blocker(doubt.code, doubt.message, doubt.field_name, doubt.group, doubt.severity)
        for doubt in scan_form_doubts(scan, values, today=timezone.localdate())
    ]


def _blockers_replace(
    scan: Scan, states: Sequence[FieldState], blockers: Sequence[Blocker]
) -> None:
    """Replace the blocker rows of ``scan``; one for each field a blocker points at."""
    FieldBlocker.objects.filter(scan=scan).delete()
    rows = []
    for blocker in blockers:
        fields: list[Field | None] = [
            state.field for state in states if _points_at(blocker, state.field)
        ]
        rows += [
            FieldBlocker(
                scan=scan,
                field=field,
                code=blocker.code,
                message=blocker.message,
                severity=blocker.severity,
                other_scan_id=blocker.scan_id or None,
            )
            for field in fields or [None]
        ]
    FieldBlocker.objects.bulk_create(rows)


def _routes_store(scan: Scan, states: Sequence[FieldState], blockers: Sequence[Blocker]) -> None:
    """Let the site's policy say of each field who decides it; only stopping blockers count."""
    policy = SitePolicy(scan.site)
    changed = []
    for state in states:
        verdict = route(
            kind=state.field.kind,
            p_correct=state.reading.p_correct if state.reading else 0.0,
            blocker_codes=[
                blocker.code
                for blocker in blockers
                if blocker.severity == "stop" and _points_at(blocker, state.field)
            ],
            is_print=state.field.is_print,
            sampled=is_sampled(str(state.field.pk)),
            redrawn=state.field.box_version > 0,
            policy=policy.of(state.field.kind, state.reading.model if state.reading else ""),
        )
        if state.field.route != verdict.route:
            state.field.route = verdict.route
            changed.append(state.field)
    Field.objects.bulk_update(changed, ["route"])


def _points_at(blocker: Blocker, field: Field) -> bool:
    """Whether ``blocker`` is about ``field``."""
    if blocker.field_id:
        return blocker.field_id == str(field.pk)
    return blocker.field_name == field.name and blocker.group == field.group
