"""How the newest version of a prescription stands at each EHR, in words that hide no failure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from clinic_hwr.delivery.models import Delivery, DeliveryStatus
from clinic_hwr.intake.models import Scan

from ..models import PrescriptionRecord


@dataclass(frozen=True, slots=True)
class EhrState:
    """What one EHR holds of a prescription, and what is on its way to it.

    Attributes:
        target: name of the EHR.
        holds: the version that was delivered last, 0 for none.
        holds_since: when, None for none.
        pending: the delivery of the newest version unless it arrived.
        deliveries: all of them, oldest first.
    """

    target: str
    holds: int
    holds_since: Any
    pending: Delivery | None
    deliveries: tuple[Delivery, ...]

    @property
    def is_stuck(self) -> bool:
        """Whether a person must act before this EHR has the newest version."""
        return self.pending is not None and self.pending.status == DeliveryStatus.DEAD


@dataclass(frozen=True, slots=True)
class DeliveryNote:
    """One sentence for a list; ``stuck``: a person must act."""

    message: str
    stuck: bool


def ehr_states(record: PrescriptionRecord, rows: Sequence[Delivery]) -> list[EhrState]:
    """Return how each EHR stands; ``rows`` are the deliveries of ``record`` with their targets."""
    by_target: dict[Any, list[Delivery]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.target_id, row.prescription_version)):
        by_target[row.target_id].append(row)
    states = []
    for deliveries in by_target.values():
        sent = [row for row in deliveries if row.status == DeliveryStatus.SENT]
        newest = deliveries[-1]
        arrived = sent[-1].prescription_version if sent else 0
        states.append(
            EhrState(
                newest.target.name,
                arrived,
                sent[-1].sent_at if sent else None,
                newest if arrived < record.version else None,
                tuple(deliveries),
            )
        )
    return sorted(states, key=lambda state: state.target)


def deliveries_of(records: Iterable[UUID]) -> list[Delivery]:
    """Return the deliveries of prescriptions with their targets (one query)."""
    rows = Delivery.objects.filter(prescription_id__in=list(records)).select_related("target")
    return list(rows.order_by("created_at"))


def notes_of_scans(scans: Sequence[Scan]) -> dict[UUID, DeliveryNote]:
    """Return what must be said of the delivery of some of ``scans``, by scan (one query)."""
    records = {
        scan.prescription.pk: scan.prescription
        for scan in scans
        if getattr(scan, "prescription", None) is not None
        and scan.prescription.released_at is not None
    }
    rows: dict[UUID, list[Delivery]] = defaultdict(list)
    for row in deliveries_of(records):
        rows[row.prescription_id].append(row)
    notes = {}
    for number, found in rows.items():
        note = note_of(records[number], ehr_states(records[number], found))
        if note is not None:
            notes[records[number].scan_id] = note
    return notes


def note_of(record: PrescriptionRecord, states: Sequence[EhrState]) -> DeliveryNote | None:
    """Return the worst that must be said of a delivery, None when every EHR has all."""
    what = "The retraction" if record.retracted_at else "The amendment"
    what = what if record.version > 1 else "The prescription"
    stuck = [state for state in states if state.is_stuck]
    if stuck:
        names = ", ".join(state.target for state in stuck)
        still = [state for state in stuck if state.holds]
        ends = f": version {still[0].holds} may still be followed there." if still else "."
        return DeliveryNote(f"{what} did not reach {names}{ends}", stuck=True)
    waiting = [state.target for state in states if state.pending is not None]
    if waiting:
        return DeliveryNote(f"{what} is on its way to {', '.join(waiting)}.", stuck=False)
    return None
