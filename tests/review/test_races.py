"""Two saves of one field at the same instant: one counts, the other is told so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.errors import StaleDecision
from clinic_hwr.review.models import Decision, ReviewLease
from clinic_hwr.review.services import decision_store

from .scripted import ReadScan


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_counts(
    read: ReadScan, clinician: Any, lease: ReviewLease
) -> None:
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def save(value: str) -> None:
        try:
            barrier.wait(timeout=10)
            decision_store(
                user=clinician,
                field_id=read["sig"].pk,
                kind="corrected",
                value=value,
                expected_number=0,
                lease_token=lease.token,
            )
            outcomes.append("stored")
        except StaleDecision:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(f"{n} tab PO BID",)) for n in range(2, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(outcomes) == ["stale", "stale", "stale", "stored"]
    assert Decision.objects.count() == 1
    assert AuditEvent.objects.filter(action="field.corrected").count() == 1
