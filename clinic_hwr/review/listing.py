"""Lists of scans for the inbox and the REST API: counts of the queues, and pages by keyset.

A page is asked for by the place of the row before it and not by a number, so the hundredth page
of a long queue costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.models import Scan

from .queues import Queue, queues
from .selectors import with_waiting_count

PAGE_SIZE = 50
# Counting stops here; a queue of so many is long, whatever the number.
COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue with how many scans it has (``COUNT_CAP`` + 1: more), and since when the oldest."""

    queue: Queue
    count: int
    oldest: datetime | None

    @property
    def is_capped(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > COUNT_CAP

    @property
    def count_words(self) -> str:
        """The count as people read it."""
        return f"{COUNT_CAP:,}+" if self.is_capped else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class ScanPage:
    """One page of scans; ``after`` asks for the next, None on the last."""

    scans: Sequence[Scan]
    after: str | None


def site_ids(user: Any) -> list[UUID]:
    """Return the ids of the sites whose scans ``user`` may view (one query)."""
    return list(accessible_sites(user, "scan.view").values_list("pk", flat=True))


def queue_states(user: Any, sites: Sequence[UUID]) -> list[QueueState]:
    """Return every queue with its count and the age of its oldest scan (one query a queue)."""
    states = []
    for each in queues():
        rows = Scan.objects.filter(each.condition(user), site_id__in=sites)
        first = rows.order_by("received_at", "pk").values("pk", "received_at")[: COUNT_CAP + 1]
        found = first.aggregate(count=Count("pk"), oldest=Min("received_at"))
        states.append(QueueState(each, found["count"], found["oldest"]))
    return states


def queue_rows(user: Any, sites: Sequence[UUID], queue: Queue) -> QuerySet[Scan]:
    """Return the scans of a queue, with what a list shows of them."""
    return _with_facts(Scan.objects.filter(queue.condition(user), site_id__in=sites))


def scans_page(
    rows: QuerySet[Scan], *, oldest_first: bool, after: str = "", size: int = PAGE_SIZE
) -> ScanPage:
    """Return the page of ``rows`` that follows the place ``after``; a broken place is the start."""
    place = _place(after)
    if place is not None:
        moment, number = place
        later = "gt" if oldest_first else "lt"
        rows = rows.filter(
            Q(**{f"received_at__{later}": moment}) | Q(received_at=moment, pk__gt=number),
            # the same again in a form that an index can begin at
            **{f"received_at__{later}e": moment},
        )
    arrival = "received_at" if oldest_first else "-received_at"
    found = list(rows.order_by(arrival, "pk")[: size + 1])
    shown = found[:size]
    after = f"{shown[-1].received_at.isoformat()}_{shown[-1].pk}" if len(found) > size else ""
    return ScanPage(shown, after or None)


def _with_facts(scans: QuerySet[Scan]) -> QuerySet[Scan]:
    return with_waiting_count(
        scans.select_related("site", "prescription", "lease__holder", "duplicate_of")
    )


def _place(text: str) -> tuple[datetime, UUID] | None:
    moment, _, number = text.rpartition("_")
    try:
        found = datetime.fromisoformat(moment.replace(" ", "+")), UUID(number)
    except ValueError:
        return None
    return found if found[0].tzinfo is not None else None
