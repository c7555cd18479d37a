"""Who works on a scan: a lease with a fencing token, free by definition once it has expired."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..access import scan_get_for
from ..errors import LeaseHeld, LeaseLost
from ..models import ReviewLease

# Five minutes without a heartbeat (one every 30 s) means the tab is closed or the person is away.
LEASE_TTL = timedelta(minutes=5)


def scan_claim(*, user: Any, scan_id: UUID) -> ReviewLease:
    """Take the scan for ``user`` and return the lease with a new token.

    Free, expired and own leases are taken in one UPDATE; of two people asking at once one wins.
    Claiming again with another tab gives a new token, so the first tab's saves are refused.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``field.decide``).
        LeaseHeld: somebody else holds a lease that has not expired.
    """
    scan = scan_get_for(user, scan_id, "field.decide")
    now = timezone.now()
    taken = {"token": uuid.uuid4(), "holder": user, "expires_at": now + LEASE_TTL}
    with transaction.atomic():
        claimed = (
            ReviewLease.objects.filter(scan=scan)
            .filter(Q(expires_at__lte=now) | Q(holder=user))
            .update(**taken)
        )
        if not claimed:
            # INSERT ... ON CONFLICT DO NOTHING: of two first claims one leaves its token behind
            ReviewLease.objects.bulk_create(
                [ReviewLease(scan=scan, **taken)], ignore_conflicts=True
            )
    lease = ReviewLease.objects.select_related("holder").get(scan=scan)
    if lease.token != taken["token"]:
        raise LeaseHeld(_display_name(lease.holder), lease.expires_at)
    return lease


def lease_heartbeat(*, user: Any, scan_id: UUID, token: UUID) -> datetime:
    """Prolong the lease and return when it now expires.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for``.
        LeaseLost: the token is not the one in force any more.
    """
    scan = scan_get_for(user, scan_id, "field.decide")
    expires_at = timezone.now() + LEASE_TTL
    prolonged = ReviewLease.objects.filter(scan=scan, token=token, holder=user).update(
        expires_at=expires_at
    )
    if not prolonged:
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")
    return expires_at


def lease_release(*, user: Any, scan_id: UUID, token: UUID) -> None:
    """Give the scan back; nothing happens when the token is not in force any more."""
    scan = scan_get_for(user, scan_id, "field.decide")
    ReviewLease.objects.filter(scan=scan, token=token, holder=user).delete()


def lease_check(*, user: Any, scan_id: UUID, token: UUID | None) -> None:
    """Raise ``LeaseLost`` unless ``token`` is the one in force and belongs to ``user``.

    An expired token that nobody took over still counts: its work is safe to keep.
    """
    held = token is not None and (
        ReviewLease.objects.filter(scan_id=scan_id, token=token, holder=user).exists()
    )
    if not held:
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")


def lease_of_others(*, user: Any, scan_id: UUID) -> ReviewLease | None:
    """Return the lease in force that somebody other than ``user`` holds on the scan."""
    return (
        ReviewLease.objects.select_related("holder")
        .filter(scan_id=scan_id, expires_at__gt=timezone.now())
        .exclude(holder=user)
        .first()
    )


def _display_name(user: Any) -> str:
    """Return the name of a person as colleagues know it."""
    return user.get_full_name() or user.get_username()
