"""Who works on a scan: a claim in the database with an end, a heartbeat and a count of tries.

A claim that has run out is free by definition, so nothing has to be cleaned up for the work to
go on. Every claim has a token of its own; whoever lost a claim cannot write any more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .models import Scan, StageRun
from .safety import Problem

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""Tries of one stage before a scan is put aside: a scan that kills its worker must not loop."""


class InstallationFault(RuntimeError):
    """This machine lacks something that every scan needs; the message names it and what to do."""


class ClaimLost(RuntimeError):
    """Another worker has taken the scan over; the work at hand must not be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one stage of one scan until it runs out."""

    scan_id: UUID
    token: str
    attempt: int


def claim_seconds() -> float:
    """Return how long a claim lasts without a heartbeat (setting CLINIC_HWR_CLAIM_S)."""
    return float(getattr(settings, "CLINIC_HWR_CLAIM_S", 60.0))


def retry_seconds() -> float:
    """Return the pause after a first failure (setting CLINIC_HWR_RETRY_S); it grows linearly."""
    return float(getattr(settings, "CLINIC_HWR_RETRY_S", 5.0))


def wait_seconds() -> float:
    """Return the pause after an installation fault (setting CLINIC_HWR_WAIT_S)."""
    return float(getattr(settings, "CLINIC_HWR_WAIT_S", 60.0))


def free_scans(states: list[str]) -> QuerySet[Scan]:
    """Return the scans in ``states`` that nobody holds and that need not wait, oldest first."""
    return Scan.objects.filter(_free(), state__in=states).order_by("received_at", "pk")


def claim_take(scan_id: UUID, *, states: list[str], worker: str) -> Claim | None:
    """Claim a scan in one statement, or return None when it is held, waiting or spent.

    The try is counted and committed here, before any work: a worker that dies has used it up.
    """
    token = f"{worker[:60]}/{uuid4().hex[:16]}"
    free = Scan.objects.filter(_free(), pk=scan_id, state__in=states, attempts__lt=MAX_ATTEMPTS)
    taken = free.update(
        claimed_by=token, claim_expires_at=_from_now(claim_seconds()), attempts=F("attempts") + 1
    )
    if not taken:
        return None
    attempt = Scan.objects.values_list("attempts", flat=True).get(pk=scan_id)
    return Claim(scan_id, token, attempt)


def claim_lock(claim: Claim) -> Scan:
    """Lock and return the claimed scan; call it first in the transaction that writes the result.

    Raises:
        ClaimLost: the claim ran out and somebody else took it.
    """
    scan = (
        Scan.objects.select_for_update(of=("self",))
        .select_related("site")
        .filter(pk=claim.scan_id, claimed_by=claim.token)
        .first()
    )
    if scan is None:
        raise ClaimLost(f"The claim on scan {claim.scan_id} ran out.")
    return scan


def claim_fail(claim: Claim) -> None:
    """Give a scan back after a failed try, to be tried again after a pause."""
    Scan.objects.filter(pk=claim.scan_id, claimed_by=claim.token).update(
        claimed_by="",
        claim_expires_at=_from_now(retry_seconds() * claim.attempt),
        problem_code="",
        problem="",
    )


def claim_postpone(claim: Claim, problem: str) -> None:
    """Give a scan back that cannot be worked on now; the try does not count, the reason shows.

    The problem stands until the stage is done: ``scan_transition`` replaces it.
    """
    Scan.objects.filter(pk=claim.scan_id, claimed_by=claim.token).update(
        claimed_by="",
        claim_expires_at=_from_now(wait_seconds()),
        attempts=F("attempts") - 1,
        problem_code=Problem.WAITING,
        problem=problem,
    )


def spent_scans(states: list[str]) -> QuerySet[Scan]:
    """Return the scans whose every try was used up without a result, and that nobody holds."""
    return Scan.objects.filter(_free(), state__in=states, attempts__gte=MAX_ATTEMPTS)


def runs_mark_lost(scan_id: UUID) -> int:
    """Mark the tries that ended without a word as lost; only for a scan nobody else holds."""
    running = StageRun.objects.filter(scan_id=scan_id, outcome="running")
    return running.update(outcome="lost", finished_at=timezone.now())


@contextmanager
def heartbeat(claim: Claim) -> Iterator[None]:
    """Keep a claim alive while its work is going on."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(claim: Claim, done: threading.Event) -> None:
    try:
        while not done.wait(claim_seconds() / 3):
            try:
                held = Scan.objects.filter(pk=claim.scan_id, claimed_by=claim.token).update(
                    claim_expires_at=_from_now(claim_seconds())
                )
            except DatabaseError:  # the next beat may get through before the claim runs out
                logger.warning("claim.heartbeat_failed scan=%s", claim.scan_id)
                continue
            if not held:
                return
    finally:
        connection.close()


def _free() -> Q:
    now = timezone.now()
    return Q(claim_expires_at__isnull=True) | Q(claim_expires_at__lt=now)


def _from_now(seconds: float) -> object:
    return timezone.now() + timedelta(seconds=seconds)
