"""The queues of the inbox, each one function: which scans are in it for this person.

A queue more is one decorated function here. The inbox shows it as a tab with its count and the
age of its oldest scan, ``scan_claim_next`` hands its scans out, and the REST API lists it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from clinic_hwr.intake.states import ScanState as S

from .selectors import asked_of_prescriber, left_to_others, second_for

Condition = Callable[[Any], Q]


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue.

    Attributes:
        slug: its name in addresses and in the API; stable.
        title: its name for people.
        empty: what the inbox says when nothing is in it.
        position: tabs stand in this order, from left to right.
        opens: name of the address its scans open at (``workstation``, ``release`` ...).
        claim: permission that taking the next scan of it needs; "" when nothing is to do in it.
        oldest_first: whether the longest waiting scan comes first, else the newest.
        shown_empty: whether the tab stays when nothing is in it.
        condition: takes the person, returns which scans are in the queue (a ``Q`` on ``Scan``).
    """

    slug: str
    title: str
    empty: str
    position: int
    opens: str
    claim: str
    oldest_first: bool
    shown_empty: bool
    condition: Condition


class UnknownQueue(ValueError):
    """There is no queue of this name; the message lists those there are."""


_QUEUES: dict[str, Queue] = {}


def queue(
    slug: str,
    title: str,
    *,
    empty: str,
    position: int,
    opens: str = "scan-detail",
    claim: str = "",
    oldest_first: bool = True,
    shown_empty: bool = True,
) -> Callable[[Condition], Condition]:
    """Register the decorated function as the condition of a queue; see ``Queue``.

    Raises:
        ValueError: a queue of this name is registered already.
    """

    def register(condition: Condition) -> Condition:
        if slug in _QUEUES:
            raise ValueError(f"There is a queue called {slug!r} already.")
        _QUEUES[slug] = Queue(
            slug, title, empty, position, opens, claim, oldest_first, shown_empty, condition
        )
        return condition

    return register


def queues() -> list[Queue]:
    """Return every queue in the order of the tabs."""
    return sorted(_QUEUES.values(), key=lambda each: each.position)


def queue_get(slug: str) -> Queue:
    """Return the queue called ``slug``.

    Raises:
        UnknownQueue: there is none.
    """
    try:
        return _QUEUES[slug]
    except KeyError:
        known = ", ".join(each.slug for each in queues())
        raise UnknownQueue(f"There is no queue of this name; the queues are {known}.") from None


@queue(
    "mine",
    "Mine",
    empty="You hold no scan at the moment.",
    position=5,
    opens="workstation",
    shown_empty=False,
)
def mine(user: Any) -> Q:
    """Scans this person has opened and not finished."""
    return Q(
        lease__holder=user,
        lease__expires_at__gt=timezone.now(),
        state__in=(S.IN_REVIEW, S.VERIFIED),
    )


@queue(
    "review",
    "Needs review",
    empty="No field waits for a decision.",
    position=10,
    opens="workstation",
    claim="field.decide",
)
def needs_review(user: Any) -> Q:
    """Scans with a field that this person must decide; what waits for others is in their queues."""
    return Q(state=S.IN_REVIEW) & ~left_to_others(user)


@queue(
    "second",
    "Second check",
    empty="No value waits for a second person.",
    position=20,
    opens="workstation",
    claim="field.decide",
    shown_empty=False,
)
def second_check(user: Any) -> Q:
    """Scans with a value that somebody else entered and this person is to enter blind, or judge."""
    return Q(state=S.IN_REVIEW) & second_for(user)


@queue(
    "clarify",
    "Ask the prescriber",
    empty="No question to a prescriber is open.",
    position=30,
    opens="workstation",
    shown_empty=False,
)
def clarify(user: Any) -> Q:
    """Scans with a question to the prescriber that is not answered."""
    return Q(state__in=(S.IN_REVIEW, S.VERIFIED)) & asked_of_prescriber()


@queue(
    "sign",
    "Ready to sign",
    empty="Nothing waits for a signature.",
    position=50,
    opens="release",
    claim="prescription.release",
)
def ready_to_sign(user: Any) -> Q:
    """Scans with every field decided and no signature."""
    return Q(state=S.VERIFIED)


@queue("working", "Being read", empty="No scan is being read.", position=60)
def being_read(user: Any) -> Q:
    """Scans on their way from the front door to review."""
    return Q(state__in=(S.RECEIVED, S.PAGED, S.READ))


@queue("problems", "Problems", empty="No file was put aside.", position=70, oldest_first=False)
def problems(user: Any) -> Q:
    """Files that were refused, failed, or that a person rejected."""
    return Q(state__in=(S.QUARANTINED, S.REJECTED))


@queue("done", "Released", empty="Nothing is released yet.", position=80, oldest_first=False)
def released(user: Any) -> Q:
    """Signed prescriptions."""
    return Q(state__in=(S.RELEASED, S.DELIVERED))


@queue("all", "All", empty="No scan was received yet.", position=90, oldest_first=False)
def everything(user: Any) -> Q:
    """Every scan there is."""
    return Q()
