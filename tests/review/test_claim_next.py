"""The next scan of a queue: the longest waiting, to one person, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.models import Scan
from clinic_hwr.review import queues
from clinic_hwr.review.errors import InvalidDecision, LeaseLost, ScanFinished
from clinic_hwr.review.models import NEVER_HELD, ReviewLease
from clinic_hwr.review.services import (
    field_decide,
    lease_heartbeat,
    lease_take_over,
    scan_claim,
    scan_claim_next,
)

from .scripted import TWO_DRUGS, ReadScan, read_scan


@pytest.fixture
def three(site: Site) -> list[Scan]:
    """Three scans in review, the longest waiting first."""
    found = [read_scan(site, TWO_DRUGS[:8], name=f"{number}.png").scan for number in range(3)]
    for hours, scan in zip((3, 2, 1), found, strict=True):
        Scan.objects.filter(pk=scan.pk).update(received_at=timezone.now() - timedelta(hours=hours))
    return found


def test_the_longest_waiting_comes_first_and_to_one_person(
    three: list[Scan], clinician: Any, pharmacist: Any
) -> None:
    people = (clinician, pharmacist, clinician, pharmacist)

    claims = [scan_claim_next(user=person, queue="review") for person in people]

    assert [claim.scan_id if claim else None for claim in claims] == [
        three[0].pk,
        three[1].pk,
        three[2].pk,
        None,
    ]
    assert [claim.holder for claim in claims if claim] == [clinician, pharmacist, clinician]


def test_finding_and_taking_is_one_statement(three: list[Scan], clinician: Any) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        scan_claim_next(user=clinician, queue="review")

    written = [each["sql"] for each in seen if each["sql"].startswith("UPDATE")]
    assert len(written) == 1
    assert "RETURNING" in written[0]


def test_an_expired_lease_is_claimable_by_definition(
    three: list[Scan], clinician: Any, pharmacist: Any
) -> None:
    scan_claim_next(user=clinician, queue="review")
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    claimed = scan_claim_next(user=pharmacist, queue="review")

    assert claimed is not None
    assert (claimed.scan_id, claimed.holder) == (three[0].pk, pharmacist)


def test_nobody_is_given_a_scan_of_another_site(three: list[Scan], outsider: Any) -> None:
    assert scan_claim_next(user=outsider, queue="review") is None
    assert not ReviewLease.objects.filter(holder__isnull=False).exists()


def test_an_administrator_is_given_nothing(three: list[Scan], clinic_admin: Any) -> None:
    assert scan_claim_next(user=clinic_admin, queue="review") is None


@pytest.mark.parametrize("queue", ["nowhere", "", "'; DROP TABLE x"])
def test_an_unknown_queue_names_the_known_ones(db: None, clinician: Any, queue: str) -> None:
    with pytest.raises(queues.UnknownQueue, match="review"):
        scan_claim_next(user=clinician, queue=queue)


def test_a_queue_without_work_gives_none_out(db: None, clinician: Any) -> None:
    with pytest.raises(InvalidDecision, match="No work"):
        scan_claim_next(user=clinician, queue="done")


@pytest.fixture
def added_queue() -> Iterator[None]:
    """A queue of one's own: scans that came by fax."""
    queues.queue("fax", "By fax", empty="No fax.", position=15, claim="field.decide")(
        lambda user: Q(original_name__startswith="2", state="in_review")
    )
    yield
    del queues._QUEUES["fax"]


def test_a_queue_is_one_decorated_function(
    three: list[Scan], clinician: Any, added_queue: None
) -> None:
    claimed = scan_claim_next(user=clinician, queue="fax")

    assert claimed is not None
    assert claimed.scan_id == three[2].pk
    with pytest.raises(ValueError, match="already"):
        queues.queue("fax", "Twice", empty="", position=1)(lambda user: Q())


# --- the life of a lease ----------------------------------------------------------------------


def test_a_decision_keeps_the_lease_alive(read: ReadScan, clinician: Any) -> None:
    lease = scan_claim(user=clinician, scan_id=read.scan.pk)
    ReviewLease.objects.update(expires_at=NEVER_HELD, active_at=NEVER_HELD)

    field_decide(
        user=clinician,
        field_id=read["sig"].pk,
        kind="accepted",
        expected_number=0,
        lease_token=lease.token,
    )

    lease_heartbeat(user=clinician, scan_id=read.scan.pk, token=lease.token)

    assert ReviewLease.objects.get().is_in_force()


def test_a_tab_left_open_does_not_hold_a_scan_for_ever(
    read: ReadScan, clinician: Any, pharmacist: Any
) -> None:
    lease = scan_claim(user=clinician, scan_id=read.scan.pk)
    long_ago = timezone.now() - timedelta(minutes=31)
    ReviewLease.objects.update(active_at=long_ago, expires_at=timezone.now())

    until = lease_heartbeat(user=clinician, scan_id=read.scan.pk, token=lease.token)

    assert until <= timezone.now()
    assert scan_claim(user=pharmacist, scan_id=read.scan.pk).holder == pharmacist


# --- taking over ------------------------------------------------------------------------------


def test_a_pharmacist_takes_over_and_the_old_tab_saves_nothing(
    read: ReadScan, clinician: Any, pharmacist: Any
) -> None:
    old = scan_claim(user=clinician, scan_id=read.scan.pk)

    new = lease_take_over(user=pharmacist, scan_id=read.scan.pk, reason="Carla went home.")

    assert (new.holder, new.token != old.token) == (pharmacist, True)
    with pytest.raises(LeaseLost):
        lease_heartbeat(user=clinician, scan_id=read.scan.pk, token=old.token)
    with pytest.raises(LeaseLost):
        field_decide(
            user=clinician,
            field_id=read["sig"].pk,
            kind="accepted",
            expected_number=0,
            lease_token=old.token,
        )
    event = AuditEvent.objects.get(action="lease.taken_over")
    assert (event.actor, event.reason) == (pharmacist, "Carla went home.")
    assert event.data == {"old": "carla", "new": "piet"}


def test_an_administrator_sets_a_scan_free(
    read: ReadScan, clinician: Any, clinic_admin: Any, pharmacist: Any
) -> None:
    scan_claim(user=clinician, scan_id=read.scan.pk)

    lease_take_over(user=clinic_admin, scan_id=read.scan.pk, reason="She is on leave.")

    assert not ReviewLease.objects.get().is_in_force()
    assert scan_claim(user=pharmacist, scan_id=read.scan.pk).holder == pharmacist


@pytest.mark.parametrize(
    ("person", "error"), [("clinician", PermissionDenied), ("outsider", Http404)]
)
def test_others_take_nothing_over(
    read: ReadScan,
    pharmacist: Any,
    request: pytest.FixtureRequest,
    person: str,
    error: type[Exception],
) -> None:
    lease = scan_claim(user=pharmacist, scan_id=read.scan.pk)

    with pytest.raises(error):
        lease_take_over(
            user=request.getfixturevalue(person), scan_id=read.scan.pk, reason="I want it."
        )

    assert ReviewLease.objects.get().token == lease.token
    assert not AuditEvent.objects.filter(action="lease.taken_over").exists()


def test_taking_over_needs_a_reason_and_a_holder(
    read: ReadScan, clinician: Any, pharmacist: Any
) -> None:
    with pytest.raises(ScanFinished, match="Nobody holds"):
        lease_take_over(user=pharmacist, scan_id=read.scan.pk, reason="Quick.")
    scan_claim(user=clinician, scan_id=read.scan.pk)
    with pytest.raises(InvalidDecision, match="Say why"):
        lease_take_over(user=pharmacist, scan_id=read.scan.pk, reason="  ")
