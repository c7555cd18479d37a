"""Saying that a scan is no prescription, or cannot be used."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.intake.states import TRANSITIONS, ScanState

from ..access import scan_get_for
from ..errors import InvalidDecision, LeaseHeld, ScanFinished
from ..locks import scan_locked
from .leases import lease_of_others

# What people choose from; the free text goes beside it.
REJECT_CODES: dict[str, str] = {
    "not_a_prescription": "Not a prescription",
    "unreadable": "Unreadable as a whole",
    "wrong_site": "Belongs to another site",
    "cancelled": "Cancelled by the prescriber",
    "other": "Another reason",
}


@transaction.atomic
def scan_reject(*, user: Any, scan_id: UUID, code: str, reason: str = "") -> Scan:
    """Take a scan out of work for good, with a reason; audited as ``scan.rejected``.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``field.decide``).
        InvalidDecision: the code is unknown, or ``other`` comes without words.
        ScanFinished: the scan is released or rejected already.
        LeaseHeld: somebody else is working on it now.
    """
    scan = scan_locked(scan_get_for(user, scan_id, "field.decide").pk)
    if code not in REJECT_CODES:
        raise InvalidDecision(f"Choose one of: {', '.join(REJECT_CODES)}.")
    reason = reason.strip()
    if code == "other" and not reason:
        raise InvalidDecision("Say in a few words why this scan is rejected.")
    if ScanState.REJECTED not in TRANSITIONS[ScanState(scan.state)]:
        raise ScanFinished(f"A scan that is {scan.get_state_display().lower()} cannot be rejected.")
    held = lease_of_others(user=user, scan_id=scan.pk)
    if held is not None:
        raise LeaseHeld(held.holder.get_full_name() or held.holder.get_username(), held.expires_at)

    old = scan.state
    problem = f"{REJECT_CODES[code]}. {reason}".strip()
    scan = scan_transition(
        scan=scan, to=ScanState.REJECTED, reason=code, problem_code=code, problem=problem
    )
    audit_record(
        action="scan.rejected",
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=user,
        scan_id=scan.pk,
        reason=problem,
        data={"old": old, "new": ScanState.REJECTED.value, "code": code},
    )
    return scan
