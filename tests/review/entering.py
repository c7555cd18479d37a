"""People who enter a field as if they had just opened its scan, and what each of them is shown."""

from __future__ import annotations

from typing import Any

from clinic_hwr.intake.models import Scan
from clinic_hwr.review.models import Decision
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.services import (
    field_decide,
    field_states,
    scan_claim,
)
from clinic_hwr.review.states import FieldState
from clinic_hwr.routing.models import Field

from .scripted import ReadScan


def state_of(read: ReadScan, key: str) -> FieldState:
    return next(s for s in field_states(read.scan) if s.field.pk == read[key].pk)


def enter(user: Any, field: Field, value: str, kind: str = "corrected") -> Decision:
    """Claim the scan and enter a value, as a person who has just opened it."""
    scan = Scan.objects.get(pages__fields=field)
    scan.lease.delete() if hasattr(scan, "lease") else None
    token = scan_claim(user=user, scan_id=scan.pk).token
    number = Decision.objects.filter(field=field).count()
    return field_decide(
        user=user,
        field_id=field.pk,
        kind=kind,
        value=value,
        expected_number=number,
        lease_token=token,
    )


def seen_by(user: Any, read: ReadScan, key: str) -> dict[str, Any]:
    payload = workstation_payload(read.scan, user)
    return next(f for f in payload["fields"] if f["id"] == str(read[key].pk))
