"""The whole path on one screen: named stages, typed outcomes, and how one stage is run.

A stage computes its outcome from what is in the database and the blob store, and changes
neither (blobs are content-addressed, so storing one twice is nothing). The outcome and the new
state are then written in one transaction, by the holder of the claim only. So a worker may die
at any instruction: the next one does the stage again, from the start, and writes it once.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils import timezone

from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.claims import (
    MAX_ATTEMPTS,
    Claim,
    ClaimLost,
    InstallationFault,
    claim_fail,
    claim_lock,
    claim_postpone,
    claim_take,
    heartbeat,
    runs_mark_lost,
    spent_scans,
)
from clinic_hwr.intake.hints import hint_on_commit
from clinic_hwr.intake.models import Scan, StageRun
from clinic_hwr.intake.safety import FileRefused, Problem
from clinic_hwr.intake.services import scan_quarantine, scan_transition
from clinic_hwr.intake.splitting import scan_split
from clinic_hwr.intake.states import ScanState
from clinic_hwr.pages import TesseractMissing
from clinic_hwr.review.services import prescription_refresh
from clinic_hwr.stage_alike import Alike, alike_replace, alike_scans
from clinic_hwr.stage_box import boxes_read
from clinic_hwr.stage_page import PageDraft, pages_group, pages_make, pages_replace
from clinic_hwr.stage_read import FieldDraft, fields_read, fields_replace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Paged:
    """The file decoded; goes to ``paged``."""

    pages: tuple[PageDraft, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The file holds several prescriptions; goes to ``split``, each of them to ``paged``."""

    pages: tuple[PageDraft, ...]
    groups: list[list[int]]


@dataclass(frozen=True, slots=True)
class FieldsRead:
    """Every field found and read; goes to ``read``."""

    fields: tuple[FieldDraft, ...]


@dataclass(frozen=True, slots=True)
class ReadyToRoute:
    """The readings stand; what they mean and who decides is settled as it is written."""

    alike: tuple[Alike, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """No further try can help; goes to ``quarantined``."""

    code: str
    problem: str


Outcome = Paged | Split | FieldsRead | ReadyToRoute | Refused


def page(scan: Scan) -> Outcome:
    """received -> paged | split."""
    try:
        pages = pages_make(scan)
    except FileRefused as refusal:
        return Refused(refusal.code, refusal.problem)
    groups = pages_group(scan, pages)
    return Paged(pages) if groups is None else Split(pages, groups)


def read(scan: Scan) -> Outcome:
    """paged -> read."""
    return FieldsRead(fields_read(scan))


def route(scan: Scan) -> Outcome:
    """read -> in_review | verified."""
    return ReadyToRoute(alike_scans(scan))


STAGES: dict[str, Callable[[Scan], Outcome]] = {
    ScanState.RECEIVED: page,
    ScanState.PAGED: read,
    ScanState.READ: route,
}
STATES = [str(state) for state in STAGES]


def _write(scan: Scan, outcome: Outcome) -> None:
    """Store an outcome and move the scan on; inside the transaction that holds the row."""
    match outcome:
        case Paged(pages):
            pages_replace(scan, pages)
            scan_transition(scan=scan, to=ScanState.PAGED, reason=f"{len(pages)} pages")
            _record("scan.paged", scan, pages=len(pages))
        case Split(pages, groups):
            _write_split(scan, pages, groups)
        case FieldsRead(fields):
            fields_replace(scan, fields)
            scan_transition(scan=scan, to=ScanState.READ, reason=f"{len(fields)} fields")
            models = sorted({field.reading.model for field in fields if field.reading})
            _record("scan.read", scan, fields=len(fields), models=models)
        case ReadyToRoute(alike):
            alike_replace(scan, alike)
            prescription_refresh(scan=scan)
        case Refused(code, problem):
            scan_quarantine(scan=scan, code=code, problem=problem)


def _write_split(scan: Scan, pages: Sequence[PageDraft], groups: list[list[int]]) -> None:
    """Store the pages of a batch with it, and again with each of its prescriptions."""
    pages_replace(scan, pages)
    for part in scan_split(scan=scan, groups=groups):
        pages_replace(part, [pages[number - 1] for number in part.parent_pages])
        scan_transition(scan=part, to=ScanState.PAGED, reason=f"{part.page_count} pages")
        hint_on_commit(part.pk)


@dataclass(frozen=True, slots=True)
class Advance:
    """What one call of ``advance`` did; ``stage`` is "" when there was nothing to do."""

    scan_id: UUID
    stage: str
    result: Literal["done", "failed", "lost", "waiting", "idle"]


def advance(scan_id: UUID, *, worker: str) -> Advance:
    """Run the next stage of a scan, if it has one and nobody else holds it."""
    claim = claim_take(scan_id, states=STATES, worker=worker)
    if claim is None:
        return Advance(scan_id, "", "idle")
    runs_mark_lost(scan_id)
    scan = Scan.objects.select_related("site").get(pk=scan_id)
    stage = STAGES[scan.state]
    name = stage.__name__
    run = StageRun.objects.create(scan=scan, stage=name, attempt=claim.attempt, worker=worker[:80])
    try:
        with heartbeat(claim):
            outcome = stage(scan)
        with transaction.atomic():
            _write(claim_lock(claim), outcome)
            _finish(run, "done")
    except ClaimLost:
        logger.warning("stage.claim_lost scan=%s stage=%s", scan_id, name)
        _finish(run, "lost")
        return Advance(scan_id, name, "lost")
    except Exception as error:  # whatever a stage raises is one failed try, counted and shown
        fault = _installation_fault(error)
        if fault:
            _postpone(claim, run, fault)
            return Advance(scan_id, name, "waiting")
        logger.exception("stage.failed scan=%s stage=%s attempt=%s", scan_id, name, claim.attempt)
        _fail(claim, run, type(error).__name__)
        return Advance(scan_id, name, "failed")
    _faults.pop(name, None)
    logger.info("stage.done scan=%s stage=%s", scan_id, name)
    return Advance(scan_id, name, "done")


def process(scan_id: UUID, *, worker: str) -> Advance:
    """Run a scan through all stages that can be run now; returns the last ``Advance``.

    Boxes that people drew on it meanwhile are read too.
    """
    scans_quarantine_spent(scan_id)
    while (last := advance(scan_id, worker=worker)).result == "done":
        pass
    boxes_read(worker=worker, scan_id=scan_id)
    return last


def scans_quarantine_spent(scan_id: UUID | None = None) -> int:
    """Put scans aside whose last try was lost with its worker; returns how many."""
    spent = spent_scans(STATES)
    if scan_id is not None:
        spent = spent.filter(pk=scan_id)
    count = 0
    for found in list(spent.values_list("pk", flat=True)):
        with transaction.atomic():
            # Looked up again under the lock: another reaper may have been faster.
            scan = spent_scans(STATES).select_for_update().filter(pk=found).first()
            if scan is not None:
                runs_mark_lost(found)
                _give_up(scan, "the worker died")
                count += 1
    return count


_faults: dict[str, str] = {}
"""The installation fault that each stage met last; a fault is logged when it begins, once."""


def _installation_fault(error: Exception) -> str:
    """Return what this machine lacks, as a sentence; "" when the scan itself may be at fault."""
    if isinstance(error, InstallationFault | TesseractMissing):
        return str(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Free some space, or give the data folder a larger disk."
    if isinstance(error, OperationalError):
        return "The database could not be written: it is away, locked, or its disk is full."
    return ""


def _postpone(claim: Claim, run: StageRun, fault: str) -> None:
    """Give the scan back without counting the try: it is tried again until somebody mends it."""
    if _faults.get(run.stage) != fault:
        _faults[run.stage] = fault
        logger.error("stage.installation_fault stage=%s fault=%s", run.stage, fault)
    with transaction.atomic():
        # One row stands for all tries that met the same fault: it may last for days.
        same = StageRun.objects.filter(scan=run.scan_id, stage=run.stage, error=fault)
        same.exclude(pk=run.pk).delete()
        _finish(run, "failed", fault)
        claim_postpone(claim, f"Waiting: {fault}")


def _fail(claim: Claim, run: StageRun, error: str) -> None:
    """Record a failed try; after the last one the scan goes to people."""
    with transaction.atomic():
        _finish(run, "failed", error)
        if claim.attempt < MAX_ATTEMPTS:
            claim_fail(claim)
            return
        try:
            scan = claim_lock(claim)
        except ClaimLost:
            return
        _give_up(scan, error)


def _give_up(scan: Scan, error: str) -> None:
    problem = (
        f"Reading this file failed {MAX_ATTEMPTS} times ({error}). The original is kept: "
        "send the same file again for another try, or enter the prescription by hand."
    )
    scan_quarantine(scan=scan, code=Problem.PROCESSING_FAILED, problem=problem)


def _finish(run: StageRun, outcome: str, error: str = "") -> None:
    run.outcome, run.error, run.finished_at = outcome, error, timezone.now()
    run.save(update_fields=["outcome", "error", "finished_at"])


def _record(action: str, scan: Scan, **data: object) -> None:
    audit_record(
        action=action,
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor_name="pipeline",
        scan_id=scan.pk,
        data=data,
    )
