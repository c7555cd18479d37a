"""The life of a scan: one table of allowed transitions."""

from __future__ import annotations

from django.db import models


class ScanState(models.TextChoices):
    """Where a scan is on its way through the house."""

    RECEIVED = "received", "Received"
    PAGED = "paged", "Pages ready"
    READ = "read", "Read"
    IN_REVIEW = "in_review", "In review"
    VERIFIED = "verified", "Verified"
    RELEASED = "released", "Released"
    DELIVERED = "delivered", "Delivered"
    QUARANTINED = "quarantined", "Quarantined"
    REJECTED = "rejected", "Rejected"
    SPLIT = "split", "Split into prescriptions"


S = ScanState
TRANSITIONS: dict[ScanState, frozenset[ScanState]] = {
    S.RECEIVED: frozenset({S.PAGED, S.SPLIT, S.QUARANTINED, S.REJECTED}),
    S.PAGED: frozenset({S.READ, S.QUARANTINED, S.REJECTED}),
    S.READ: frozenset({S.IN_REVIEW, S.VERIFIED, S.QUARANTINED, S.REJECTED}),
    S.IN_REVIEW: frozenset({S.VERIFIED, S.QUARANTINED, S.REJECTED}),
    S.VERIFIED: frozenset({S.RELEASED, S.IN_REVIEW, S.REJECTED}),
    S.RELEASED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset(),
    S.QUARANTINED: frozenset({S.RECEIVED, S.REJECTED}),  # an admin may ask for another try
    S.REJECTED: frozenset(),
    S.SPLIT: frozenset({S.RECEIVED}),  # sent again after all its parts were rejected
}


class TransitionRefused(ValueError):
    """The scan is not in a state from which the asked-for state can be reached."""
