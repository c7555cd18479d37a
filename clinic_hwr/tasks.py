"""Celery tasks and the hint; each fetches by id and calls one thing, there are no rules here."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.conf import settings


def hint_scan(scan_id: UUID) -> None:
    """Say that a scan waits: to Celery when there is a broker, else to this process's worker."""
    if getattr(settings, "CELERY_BROKER_URL", ""):
        # No retry: with the broker away the reaper finds the scan, and the upload must not hang.
        advance_scan.apply_async(args=[str(scan_id)], retry=False)
        return
    from clinic_hwr.worker import wake

    wake()


@shared_task
def advance_scan(scan_id: str) -> None:
    """Take one scan as far as it goes."""
    # Imported on use: a web process sends this task but never needs torch and OpenCV for it.
    from clinic_hwr import pipeline

    pipeline.process(UUID(scan_id), worker=_name(advance_scan))


@shared_task
def attempt_delivery(delivery_id: str) -> None:
    """Try one delivery."""
    from clinic_hwr.delivery.services import delivery_attempt

    delivery_attempt(UUID(delivery_id), worker=_name(attempt_delivery))


@shared_task
def reap() -> None:
    """Find what was left behind and hint at it; run every minute by beat."""
    from clinic_hwr import pipeline
    from clinic_hwr.delivery.services import deliveries_due
    from clinic_hwr.intake.claims import free_scans
    from clinic_hwr.review.services import boxes_waiting

    pipeline.scans_quarantine_spent()
    drawn = boxes_waiting().values_list("field__page__scan", flat=True)
    waiting = free_scans(pipeline.STATES).values_list("pk", flat=True)
    for scan_id in dict.fromkeys([*drawn, *waiting]):
        advance_scan.delay(str(scan_id))
    for delivery_id in deliveries_due():
        attempt_delivery.delay(str(delivery_id))


def _name(task: object) -> str:
    request = task.request  # type: ignore[attr-defined]  # every Celery task has one
    return f"celery:{request.hostname}:{request.id}"[:80]
