"""Reading the outbox."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from .models import Delivery, DeliveryStatus, DeliveryTarget

UNFINISHED = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.AMBIGUOUS)


def replayable() -> QuerySet[Delivery]:
    """Return the dead deliveries that may be sent again.

    Not one whose target was sent a later version: on a server that cannot be searched the old
    orders would be written over the new ones.
    """
    later_version = Delivery.objects.filter(
        target=OuterRef("target"),
        prescription_id=OuterRef("prescription_id"),
        prescription_version__gt=OuterRef("prescription_version"),
        status=DeliveryStatus.SENT,
    )
    return Delivery.objects.filter(~Exists(later_version), status=DeliveryStatus.DEAD)


def due(now: datetime) -> QuerySet[Delivery]:
    """Return what a worker may take now, longest waiting first.

    That is what waits and whose time has come, and what a worker left in ``sending`` when its
    claim ran out. A later version of a prescription waits until the earlier one has arrived or
    was given up, so that versions never overtake each other.

    The conditions on the row itself stand beside the subqueries and not in a join: PostgreSQL tests
    those again when an UPDATE had to wait for another worker's, and nothing inside of a
    ``pk IN (SELECT ...)``, which Django makes of a join.
    """
    waiting = Q(status__in=[DeliveryStatus.QUEUED, DeliveryStatus.AMBIGUOUS]) & Q(
        next_attempt_at__lte=now
    )
    abandoned = Q(status=DeliveryStatus.SENDING, claim_expires_at__lte=now)
    earlier_version = Delivery.objects.filter(
        target=OuterRef("target"),
        prescription_id=OuterRef("prescription_id"),
        prescription_version__lt=OuterRef("prescription_version"),
        status__in=UNFINISHED,
    )
    enabled = DeliveryTarget.objects.filter(pk=OuterRef("target"), enabled=True)
    return (
        Delivery.objects.filter(waiting | abandoned)
        .filter(Exists(enabled), ~Exists(earlier_version))
        .order_by("next_attempt_at", "created_at")
    )
