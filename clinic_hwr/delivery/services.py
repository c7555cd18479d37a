"""The outbox: every released version reaches every target once, whatever dies on the way.

One try is three short steps: claim the row (committed), push without any transaction open, write
down what happened (only if the claim is still ours). A worker that dies in between leaves a claim
that runs out; whoever takes over knows that the push may have arrived and tells the adapter so.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record
from clinic_hwr.fhir.store import bundle_bytes
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_transition
from clinic_hwr.intake.states import ScanState
from ehr_adapters import (
    Ambiguous,
    AuthFailed,
    EhrAdapter,
    Receipt,
    Rejected,
    Retryable,
    Submission,
    SubmissionKey,
    Unsupported,
)

from . import access
from .backoff import retry_delay
from .models import Delivery, DeliveryStatus, DeliveryTarget
from .targets import adapter_for

logger = logging.getLogger(__name__)

# Longer than a push may take (ehr_adapters.adapters.fhir_r4.PUSH_BUDGET_S plus one request).
CLAIM = timedelta(minutes=5)
# With waits up to an hour these are about two days; then a person should know.
MAX_ATTEMPTS = 60
DUE_LIMIT = 100
MAX_PROBLEM_CHARS = 4000

Clock = Callable[[], datetime]


def delivery_enqueue(
    *, site: Site, prescription_id: UUID, version: int, bundle_fhir_id: str
) -> list[Delivery]:
    """Write one outbox row for each enabled target of ``site``; returns the rows of this version.

    Belongs in the transaction that releases the prescription: both exist or neither does. A
    second call with the same version adds nothing.
    """
    targets = DeliveryTarget.objects.filter(site=site, enabled=True)
    now = timezone.now()
    Delivery.objects.bulk_create(
        [
            Delivery(
                target=target,
                prescription_id=prescription_id,
                prescription_version=version,
                bundle_fhir_id=bundle_fhir_id,
                next_attempt_at=now,
            )
            for target in targets
        ],
        ignore_conflicts=True,
    )
    return list(
        Delivery.objects.filter(
            prescription_id=prescription_id, prescription_version=version
        ).order_by("target_id")
    )


def deliveries_due(*, clock: Clock = timezone.now) -> list[UUID]:
    """Return the ids of deliveries to attempt now, at most ``DUE_LIMIT``."""
    return list(access.due(clock()).values_list("pk", flat=True)[:DUE_LIMIT])


def delivery_attempt(
    delivery_id: UUID,
    *,
    worker: str,
    clock: Clock = timezone.now,
    chance: Callable[[], float] = random.random,
    adapters: Callable[[DeliveryTarget], EhrAdapter] = adapter_for,
) -> Delivery:
    """Try one delivery if it is due and free; returns the row as stored afterwards.

    Audit: ``delivery.sent`` or ``delivery.failed`` for every try that was made.
    """
    claim = f"{worker[:40]}:{uuid4().hex}"  # names the try, so a worker cannot mistake its own
    maybe_sent = _claim(delivery_id, claim, clock())
    delivery = Delivery.objects.select_related("target__site").get(pk=delivery_id)
    if maybe_sent is None:
        return delivery
    try:
        receipt = _push(delivery, maybe_sent, adapters)
    except Retryable as error:
        status = DeliveryStatus.AMBIGUOUS if maybe_sent else DeliveryStatus.QUEUED
        wait = retry_delay(delivery.attempts, retry_after=error.retry_after, chance=chance())
        return _failed(delivery, claim, status, str(error), clock() + wait)
    except Ambiguous as error:
        wait = retry_delay(delivery.attempts, retry_after=error.retry_after, chance=chance())
        return _failed(delivery, claim, DeliveryStatus.AMBIGUOUS, str(error), clock() + wait)
    except Rejected as error:
        problem = f"{error}\n{error.outcome}".strip()
        return _failed(delivery, claim, DeliveryStatus.DEAD, problem, None)
    except (AuthFailed, Unsupported) as error:
        return _failed(delivery, claim, DeliveryStatus.DEAD, str(error), None)
    except ObjectDoesNotExist:
        problem = "The released document is not in the FHIR store."
        return _failed(delivery, claim, DeliveryStatus.DEAD, problem, None)
    except Exception as error:
        # A fault of ours: nobody knows whether the push got through, the row must not stay
        # claimed, and the other deliveries of this worker must go on.
        logger.exception("delivery.fault delivery=%s", delivery.pk)
        problem = f"Internal error ({type(error).__name__}); see the log of {worker}."
        wait = retry_delay(delivery.attempts, retry_after=None, chance=chance())
        return _failed(delivery, claim, DeliveryStatus.AMBIGUOUS, problem, clock() + wait)
    return _sent(delivery, claim, receipt, clock())


def delivery_replay(*, delivery_id: UUID, actor_name: str, clock: Clock = timezone.now) -> Delivery:
    """Queue a dead delivery again after a person has mended the cause.

    Adapters look before they write, so a replay of something that did arrive sends nothing.
    Audit: ``delivery.replayed``. A delivery that is not dead, or whose target
    has a later version already, is returned unchanged.
    """
    with transaction.atomic():
        changed = (
            access.replayable()
            .filter(pk=delivery_id)
            .update(status=DeliveryStatus.QUEUED, attempts=0, next_attempt_at=clock(), problem="")
        )
        delivery = Delivery.objects.select_related("target__site").get(pk=delivery_id)
        if changed:
            _record("delivery.replayed", delivery, actor_name=actor_name)
    return delivery


def _claim(delivery_id: UUID, claim: str, now: datetime) -> bool | None:
    """Take the row; returns whether an earlier try may have arrived, None when it is not free."""
    free = access.due(now).filter(pk=delivery_id)
    taken = {
        "status": DeliveryStatus.SENDING,
        "claimed_by": claim,
        "claim_expires_at": now + CLAIM,
        "attempts": F("attempts") + 1,
    }
    # durable: a push with the caller's transaction open could be undone here and not there
    with transaction.atomic(durable=True):
        # order_by() because an UPDATE has none; each is one statement, so one worker wins
        if free.filter(status=DeliveryStatus.QUEUED).order_by().update(**taken):
            return False
        if free.exclude(status=DeliveryStatus.QUEUED).order_by().update(**taken):
            return True
    return None


def _push(
    delivery: Delivery, maybe_sent: bool, adapters: Callable[[DeliveryTarget], EhrAdapter]
) -> Receipt:
    adapter = adapters(delivery.target)
    submission = Submission(
        key=SubmissionKey(delivery.prescription_id, delivery.prescription_version),
        bundle=bundle_bytes(delivery.bundle_fhir_id),
        maybe_sent=maybe_sent,
    )
    return adapter.push(submission)


def _sent(delivery: Delivery, claim: str, receipt: Receipt, now: datetime) -> Delivery:
    notes = [f"The EHR does not take: {', '.join(receipt.left_out)}."] if receipt.left_out else []
    if receipt.differences:
        notes.append(f"The EHR kept something else at: {', '.join(receipt.differences)}.")
    with transaction.atomic():
        # Locked first: of two last deliveries that end at once, one must see the other.
        scan = _lock_scan(delivery.prescription_id)
        ours = Delivery.objects.filter(pk=delivery.pk, claimed_by=claim).update(
            status=DeliveryStatus.SENT,
            remote_id=receipt.remote_id[:200],
            problem=" ".join(notes),
            sent_at=now,
            claimed_by="",
            claim_expires_at=None,
            next_attempt_at=None,
        )
        if ours:
            data = {
                "outcome": receipt.outcome.value,
                "remote_id": receipt.remote_id,
                "left_out": list(receipt.left_out),
                "differences": list(receipt.differences),
            }
            _record("delivery.sent", delivery, scan=scan, data=data)
            if scan is not None and _all_sent(delivery) and scan.state == ScanState.RELEASED:
                scan_transition(scan=scan, to=ScanState.DELIVERED)
    return _stored(delivery, ours, "delivery.sent")


def _failed(
    delivery: Delivery, claim: str, status: DeliveryStatus, problem: str, next_at: datetime | None
) -> Delivery:
    if next_at is not None and delivery.attempts >= MAX_ATTEMPTS:
        status, next_at = DeliveryStatus.DEAD, None
        problem = f"Given up after {delivery.attempts} tries. Last: {problem}"
    with transaction.atomic():
        ours = Delivery.objects.filter(pk=delivery.pk, claimed_by=claim).update(
            status=status,
            problem=problem[:MAX_PROBLEM_CHARS],
            next_attempt_at=next_at,
            claimed_by="",
            claim_expires_at=None,
        )
        if ours:
            _record(
                "delivery.failed",
                delivery,
                scan=_scan_of(delivery.prescription_id),
                data={"status": status.value},
            )
    return _stored(delivery, ours, "delivery.failed")


def _stored(delivery: Delivery, ours: int, event: str) -> Delivery:
    delivery.refresh_from_db()
    if not ours:  # the claim ran out and another worker took over: its word counts
        event = "delivery.claim_lost"
    logger.info("%s delivery=%s status=%s", event, delivery.pk, delivery.status)
    return delivery


def _all_sent(delivery: Delivery) -> bool:
    return (
        not Delivery.objects.filter(
            prescription_id=delivery.prescription_id,
            prescription_version=delivery.prescription_version,
        )
        .exclude(status=DeliveryStatus.SENT)
        .exists()
    )


def _scan_of(prescription_id: UUID) -> Scan | None:
    return Scan.objects.filter(prescription__pk=prescription_id).first()


def _lock_scan(prescription_id: UUID) -> Scan | None:
    scans = Scan.objects.select_for_update(of=("self",))
    return scans.filter(prescription__pk=prescription_id).first()


def _record(
    action: str,
    delivery: Delivery,
    *,
    scan: Scan | None = None,
    actor_name: str = "delivery",
    data: dict[str, object] | None = None,
) -> None:
    audit_record(
        action=action,
        site=delivery.target.site,
        object_type="delivery",
        object_id=delivery.pk,
        actor_name=actor_name,
        scan_id=scan.pk if scan else None,
        data={
            "target": delivery.target.name,
            "prescription": str(delivery.prescription_id),
            "version": delivery.prescription_version,
            "attempt": delivery.attempts,
            **(data or {}),
        },
    )
