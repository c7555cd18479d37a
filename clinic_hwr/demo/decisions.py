"""Demo decisions: a sample's doubtful fields are decided from its ground truth and signed.

They go through the same services as a person's, by the demo accounts, and the audit trail says
that the sample's ground truth decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import DecisionKind, PrescriptionRecord
from clinic_hwr.review.services import (
    FieldState,
    blocker_key,
    field_decide,
    field_states,
    lease_release,
    prescription_release,
    scan_claim,
)

from .samples import Truth

# A found field and a true one are the same place when they share this much of the smaller box.
SAME_PLACE = 0.3
PRESENT, ABSENT = "present", "absent"


def decide_from_truth(scan: Scan, truths: Sequence[Truth], user: Any) -> int:
    """Decide every field of ``scan`` that waits for ``user``; returns how many there were.

    Call it again with another person for what is entered twice.
    """
    if not any(state.waits_for(user.pk) == "you" for state in field_states(scan)):
        return 0
    lease = scan_claim(user=user, scan_id=scan.pk)
    audit_record(
        action="demo.decided",
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=user,
        scan_id=scan.pk,
        reason="Sample data: the decisions that follow come from the sample's ground truth.",
    )
    decided = 0
    # A decision can make another field doubtful (a strength that no longer fits its drug), so
    # the states are read anew each time; every round decides one field, so this ends.
    while waiting := [s for s in field_states(scan) if s.waits_for(user.pk) == "you"]:
        kind, value = _decision(waiting[0], truths)
        field_decide(
            user=user,
            field_id=waiting[0].field.pk,
            kind=kind,
            value=value,
            expected_number=waiting[0].number,
            lease_token=lease.token,
        )
        decided += 1
    lease_release(user=user, scan_id=scan.pk, token=lease.token)
    return decided


def sign(scan: Scan, user: Any) -> PrescriptionRecord:
    """Release the prescription of ``scan``, taking note of every warning."""
    record = PrescriptionRecord.objects.get(scan=scan)
    warnings = from_json(record.content).blockers
    return prescription_release(
        user=user,
        scan_id=scan.pk,
        expected_content_sha256=record.content_sha256,
        acknowledged=[blocker_key(blocker) for blocker in warnings],
    )


def _decision(state: FieldState, truths: Sequence[Truth]) -> tuple[str, str]:
    """Return kind and value of the decision that the truth gives."""
    here = _truths_at(state, truths)
    if state.is_presence:
        # One mark can mean two things: signing on the right-hand line permits a substitution.
        return DecisionKind.CORRECTED, PRESENT if here else ABSENT
    named = [truth for truth in here if truth.name == state.field.name]
    if not named:
        return DecisionKind.NOT_APPLICABLE, ""
    return DecisionKind.CORRECTED, named[0].text  # stored as accepted when the machine was right


def _truths_at(state: FieldState, truths: Sequence[Truth]) -> list[Truth]:
    """Return what is written at the place of a field, best match first."""
    found = _box_on_scan(state.field.page, state.field.box_px)
    shares = [(_shared(found, truth.box_px), truth) for truth in truths]
    near = sorted((pair for pair in shares if pair[0] >= SAME_PLACE), key=lambda pair: -pair[0])
    return [truth for _, truth in near]


def _box_on_scan(page: Page, box_px: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the hull, in pixels of the scan, of a box on the upright page."""
    x, y, width, height = box_px
    corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    xs, ys = page.transform().to_original(np.array(corners, np.float64)).T
    return xs.min(), ys.min(), xs.max() - xs.min(), ys.max() - ys.min()


def _shared(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the area both boxes cover, as a share of the smaller one."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    smaller = min(one[2] * one[3], other[2] * other[3])
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller else 0.0
