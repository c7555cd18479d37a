"""Who works on a scan: a lease with a fencing token, free by definition once it has run out."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.services import audit_record
from clinic_hwr.intake.models import Scan

from ..access import scan_get_for
from ..errors import InvalidDecision, LeaseHeld, LeaseLost, ScanFinished
from ..locks import scan_locked
from ..models import NEVER_HELD, Decision, ReviewLease
from ..queues import queue_get
from .effective import OPEN_TO_PEOPLE

# Five minutes without a heartbeat (one every 30 s) means the tab is closed or the person is away.
LEASE_TTL = timedelta(minutes=5)
# A tab that beats on its own keeps nobody out for longer than this after the last decision.
LEASE_IDLE_CAP = timedelta(minutes=30)
MAX_REASON_CHARS = 500


def scan_claim(*, user: Any, scan_id: UUID) -> ReviewLease:
    """Take the scan for ``user`` and return the lease with a new token.

    Free, expired and own leases are taken in one UPDATE; of two people asking at once one wins.
    Claiming again with another tab gives a new token, so the first tab's saves are refused.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``field.decide``).
        LeaseHeld: somebody else holds a lease that has not expired.
    """
    scan = scan_get_for(user, scan_id, "field.decide")
    taken = _taken(user)
    with transaction.atomic():
        claimed = (
            ReviewLease.objects.filter(scan=scan)
            .filter(Q(expires_at__lte=taken["active_at"]) | Q(holder=user))
            .update(**taken)
        )
        if not claimed:
            # INSERT ... ON CONFLICT DO NOTHING: of two first claims one leaves its token behind
            ReviewLease.objects.bulk_create(
                [ReviewLease(scan=scan, **taken)], ignore_conflicts=True
            )
    lease = ReviewLease.objects.select_related("holder", "scan").get(scan=scan)
    if lease.token != taken["token"]:
        raise LeaseHeld(_display_name(lease.holder), lease.expires_at)
    return lease


def scan_claim_next(*, user: Any, queue: str) -> ReviewLease | None:
    """Take the first free scan of a queue for ``user``; None when the queue has none.

    One statement finds and takes it: rows that others are taking at this moment are skipped, not
    waited for, and an expired lease is as free as none. SQLite lets one writer in at a time, so
    the same statement without the lock does the same there.

    Raises:
        UnknownQueue: there is no queue of this name.
        InvalidDecision: nothing is to be done in this queue, so nothing can be taken from it.
    """
    chosen = queue_get(queue)
    if not chosen.claim:
        raise InvalidDecision(f"No work is given out from the queue {chosen.title!r}.")
    sites = list(accessible_sites(user, chosen.claim).values_list("pk", flat=True))
    if not sites:
        return None
    taken = _taken(user)
    free = Scan.objects.filter(
        chosen.condition(user), site_id__in=sites, lease__expires_at__lte=taken["active_at"]
    )
    arrival = "received_at" if chosen.oldest_first else "-received_at"
    with transaction.atomic():
        scan_id = _claim_first(free.order_by(arrival, "pk"), taken)
    if scan_id is None:
        return None
    return ReviewLease.objects.select_related("holder", "scan__site").get(scan_id=scan_id)


def _claim_first(free: Any, taken: dict[str, Any]) -> UUID | None:
    """Give the first scan of ``free`` a lease in one statement; returns which, or None."""
    query = free.values("pk")[:1].query
    sql, parameters = query.sql_with_params()
    meta = ReviewLease._meta
    if connection.features.has_select_for_update_skip_locked:
        alias = next(
            alias for alias, table in query.alias_map.items() if table.table_name == meta.db_table
        )
        sql += f' FOR UPDATE OF "{alias}" SKIP LOCKED'
    columns, values = [], []
    for name, value in taken.items():
        field = meta.get_field(name)
        columns.append(f'"{field.column}" = %s')
        plain = value.pk if name == "holder" else value
        values.append(field.get_db_prep_save(plain, connection))
    # the names are those of our own columns, every value is a parameter
    statement = (
        f'UPDATE "{meta.db_table}" SET {", ".join(columns)} '  # noqa: S608
        f'WHERE "scan_id" = ({sql}) RETURNING "scan_id"'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *parameters])
        row = cursor.fetchone()
    return None if row is None else UUID(str(row[0]))


def lease_heartbeat(*, user: Any, scan_id: UUID, token: UUID) -> datetime:
    """Prolong the lease and return when it now expires.

    A tab that only beats cannot hold a scan for ever: ``LEASE_IDLE_CAP`` after the last claim or
    decision it is not prolonged any more, and the answer lies in the past once it has run out.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for``.
        LeaseLost: the token is not the one in force any more.
    """
    scan = scan_get_for(user, scan_id, "field.decide")
    lease = ReviewLease.objects.filter(scan=scan, token=token, holder=user).first()
    if lease is None:
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")
    now = timezone.now()
    decided = Decision.objects.filter(field__page__scan=scan, reviewer=user)
    latest = decided.aggregate(at=Max("created_at"))["at"]
    active = max(filter(None, (lease.active_at, latest)), default=now)
    until = min(now + LEASE_TTL, active + LEASE_IDLE_CAP)
    if until <= lease.expires_at:
        return lease.expires_at
    held = ReviewLease.objects.filter(scan=scan, token=token)
    if not held.update(expires_at=until, active_at=active):
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")
    return until


def lease_release(*, user: Any, scan_id: UUID, token: UUID) -> None:
    """Give the scan back; nothing happens when the token is not in force any more."""
    scan = scan_get_for(user, scan_id, "field.decide")
    ReviewLease.objects.filter(scan=scan, token=token, holder=user).update(
        holder=None, expires_at=NEVER_HELD, active_at=None
    )


@transaction.atomic
def lease_take_over(*, user: Any, scan_id: UUID, reason: str) -> ReviewLease:
    """Take a scan away from whoever holds it; their open tab can save nothing more.

    A person who decides fields gets the lease; an administrator, who decides none, only frees it.
    Audit: ``lease.taken_over`` with the reason and who held it.

    Raises:
        Http404, PermissionDenied: see ``access.scan_get_for`` (needs ``lease.take_over``).
        InvalidDecision: no reason is given.
        ScanFinished: nobody is working on the scan, or nothing is left to do.
    """
    scan = scan_locked(scan_get_for(user, scan_id, "lease.take_over").pk)
    reason = reason.strip()[:MAX_REASON_CHARS]
    if not reason:
        raise InvalidDecision("Say why: your colleague will read it.")
    if scan.state not in OPEN_TO_PEOPLE:
        raise ScanFinished(f"This scan is {scan.get_state_display().lower()}; nobody works on it.")
    held = (
        ReviewLease.objects.select_for_update(of=("self",))
        .select_related("holder")
        .filter(scan=scan, expires_at__gt=timezone.now(), holder__isnull=False)
        .first()
    )
    if held is None:
        raise ScanFinished("Nobody holds this scan any more; open it as usual.")
    decides = accessible_sites(user, "field.decide").filter(pk=scan.site_id).exists()
    before = held.holder
    fresh = _taken(user) if decides else {**_taken(user), "holder": None, "expires_at": NEVER_HELD}
    for name, value in fresh.items():
        setattr(held, name, value)
    held.save()
    audit_record(
        action="lease.taken_over",
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=user,
        scan_id=scan.pk,
        reason=reason,
        data={"old": before.get_username(), "new": user.get_username() if decides else ""},
    )
    return held


def lease_check(*, user: Any, scan_id: UUID, token: UUID | None) -> None:
    """Raise ``LeaseLost`` unless ``token`` is the one in force and belongs to ``user``.

    An expired token that nobody took over still counts: its work is safe to keep. What is checked
    is a decision about to be made, so the lease lives on from here.
    """
    now = timezone.now()
    held = token is not None and ReviewLease.objects.filter(
        scan_id=scan_id, token=token, holder=user
    ).update(active_at=now, expires_at=now + LEASE_TTL)
    if not held:
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")


def lease_in_hand(*, user: Any, scan: Scan, token: UUID | None) -> None:
    """As ``lease_check``, on the lease that came with the scan, without a query.

    The next heartbeat sees the decision and prolongs the lease.
    """
    lease: ReviewLease | None = getattr(scan, "lease", None)
    if lease is None or token is None or lease.token != token or lease.holder_id != user.pk:
        raise LeaseLost("This scan was opened elsewhere; claim it again to go on.")


def lease_of_others(*, user: Any, scan_id: UUID) -> ReviewLease | None:
    """Return the lease in force that somebody other than ``user`` holds on the scan."""
    return (
        ReviewLease.objects.select_related("holder")
        .filter(scan_id=scan_id, expires_at__gt=timezone.now(), holder__isnull=False)
        .exclude(holder=user)
        .first()
    )


def may_take_over(user: Any, scan: Scan) -> bool:
    """Whether ``user`` may take this scan away from a colleague."""
    return accessible_sites(user, "lease.take_over").filter(pk=scan.site_id).exists()


def _taken(user: Any) -> dict[str, Any]:
    """Return the columns of a lease that ``user`` takes at this moment."""
    now = timezone.now()
    return {"token": uuid.uuid4(), "holder": user, "expires_at": now + LEASE_TTL, "active_at": now}


def _display_name(user: Any) -> str:
    """Return the name of a person as colleagues know it; "" when nobody holds it any more."""
    return "" if user is None else user.get_full_name() or user.get_username()
