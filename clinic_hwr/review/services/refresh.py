"""Interpreting the fields of a scan anew and storing what they mean together."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

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
from ..models import PrescriptionRecord, PrescriptionStatus
from .effective import FieldState, field_states

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
    record, _ = PrescriptionRecord.objects.get_or_create(scan=scan)
    if record.status != PrescriptionStatus.DRAFT:
        raise ScanFinished("This prescription is released; a released version never changes.")

    states = field_states(scan)
    prescription = interpret(
        [state.as_field_value() for state in states],
        today=timezone.localdate(),
        day_first=scan.site.day_first,
        lexicon=working_lexicon(scan.site.slug),
        country=site_country(),
    )
    record.content = to_json(prescription)
    record.content_sha256 = content_sha256(record.content)
    record.save()
    _blockers_replace(scan, states, prescription.blockers)
    _routes_store(scan, states, prescription.blockers)

    waiting = any(state.needs_human for state in states)
    target = ScanState.IN_REVIEW if waiting else ScanState.VERIFIED
    if scan.state != target:
        reason = "fields need a human" if waiting else "no field needs a human"
        scan_transition(scan=scan, to=target, reason=reason)
    return record


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
            policy=policy.of(state.field.kind, state.reading.model if state.reading else ""),
        )
        if state.field.route != verdict.route:
            state.field.route = verdict.route
            changed.append(state.field)
    Field.objects.bulk_update(changed, ["route"])


def _points_at(blocker: Blocker, field: Field) -> bool:
    """Whether ``blocker`` is about ``field``."""
    return blocker.field_name == field.name and blocker.group == field.group
