"""The queue of prescriptions that an EHR does not have and that a person must look after."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q

from clinic_hwr.review.queues import queue

from .models import Delivery, DeliveryStatus


@queue(
    "ehr",
    "EHR problems",
    empty="Every EHR has what it was sent.",
    position=75,
    shown_empty=False,
)
def ehr_problems(user: Any) -> Q:
    """Scans whose newest version was refused by an EHR, or could not be delivered."""
    newer = Delivery.objects.filter(
        target=OuterRef("target"),
        prescription_id=OuterRef("prescription_id"),
        prescription_version__gt=OuterRef("prescription_version"),
    )
    dead = Delivery.objects.filter(~Exists(newer), status=DeliveryStatus.DEAD)
    return Q(prescription__pk__in=dead.values("prescription_id"))
