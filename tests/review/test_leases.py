"""Who works on a scan: one at a time, free once expired, fenced by a token."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from clinic_hwr.review.errors import LeaseHeld, LeaseLost
from clinic_hwr.review.models import ReviewLease
from clinic_hwr.review.services import lease_heartbeat, lease_release, scan_claim

from .scripted import ReadScan


def expire(lease: ReviewLease) -> None:
    ReviewLease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_colleague_waits_and_learns_who_holds_it(
    read: ReadScan, lease: ReviewLease, pharmacist: Any
) -> None:
    with pytest.raises(LeaseHeld) as refused:
        scan_claim(user=pharmacist, scan_id=read.scan.pk)

    assert refused.value.holder_name == "Carla Weiss"
    assert ReviewLease.objects.get().token == lease.token


def test_an_expired_lease_is_free(read: ReadScan, lease: ReviewLease, pharmacist: Any) -> None:
    expire(lease)

    taken = scan_claim(user=pharmacist, scan_id=read.scan.pk)

    assert taken.holder == pharmacist
    assert taken.token != lease.token


def test_a_heartbeat_prolongs_and_keeps_the_token(
    read: ReadScan, lease: ReviewLease, clinician: Any
) -> None:
    expire(lease)

    lease_heartbeat(user=clinician, scan_id=read.scan.pk, token=lease.token)

    stored = ReviewLease.objects.get()
    assert stored.token == lease.token
    assert stored.expires_at > timezone.now()


def test_a_heartbeat_after_a_takeover_fails(
    read: ReadScan, lease: ReviewLease, clinician: Any, pharmacist: Any
) -> None:
    expire(lease)
    scan_claim(user=pharmacist, scan_id=read.scan.pk)

    with pytest.raises(LeaseLost):
        lease_heartbeat(user=clinician, scan_id=read.scan.pk, token=lease.token)


def test_only_the_token_in_force_gives_the_scan_back(
    read: ReadScan, lease: ReviewLease, clinician: Any
) -> None:
    newer = scan_claim(user=clinician, scan_id=read.scan.pk)

    lease_release(user=clinician, scan_id=read.scan.pk, token=lease.token)
    assert ReviewLease.objects.get().token == newer.token

    lease_release(user=clinician, scan_id=read.scan.pk, token=newer.token)
    assert not ReviewLease.objects.get().is_in_force()


@pytest.mark.django_db(transaction=True)
def test_of_two_first_claims_at_once_one_wins(
    read: ReadScan, clinician: Any, pharmacist: Any
) -> None:
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def claim(user: Any) -> None:
        try:
            barrier.wait(timeout=5)
            scan_claim(user=user, scan_id=read.scan.pk)
            outcomes.append("won")
        except LeaseHeld:
            outcomes.append("held")
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(user,)) for user in (clinician, pharmacist)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert sorted(outcomes) == ["held", "won"]
    assert ReviewLease.objects.count() == 1
