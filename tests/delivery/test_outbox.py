"""The outbox: one row a target, one push a row, and a scan that ends delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.delivery.services import (
    CLAIM,
    MAX_ATTEMPTS,
    deliveries_due,
    delivery_enqueue,
    delivery_replay,
)
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from tests.ehr_adapters.fake_fhir_server import FakeFhirServer, fake_fhir_server
from tests.ehr_adapters.released import PATIENT_NAME, PDF, PRESCRIPTION_ID, document_bytes

from .conftest import BUNDLE_ID, Clock

pytestmark = pytest.mark.django_db

Enqueue = Callable[..., list[Delivery]]
Attempt = Callable[..., Delivery]


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server."""
    with fake_fhir_server() as running:
        yield running


@pytest.fixture
def fhir_delivery(
    server: FakeFhirServer, make_fhir_target: Callable[..., DeliveryTarget], enqueue: Enqueue
) -> Delivery:
    """One queued delivery to the fake FHIR server, whose client waits 0.2 s at most."""
    target = make_fhir_target(server.url, timeout_s=0.2)
    return next(row for row in enqueue() if row.target == target)


def test_a_release_queues_one_row_for_each_enabled_target(
    site: Site, other_site: Site, folder_target: DeliveryTarget, enqueue: Enqueue
) -> None:
    DeliveryTarget.objects.create(site=site, name="Off", adapter="folder", enabled=False)
    DeliveryTarget.objects.create(site=other_site, name="Theirs", adapter="folder")

    rows = enqueue()
    again = enqueue()

    assert [(row.target, row.status, row.attempts) for row in rows] == [
        (folder_target, DeliveryStatus.QUEUED, 0)
    ]
    assert [row.pk for row in again] == [row.pk for row in rows]


def test_an_undone_release_leaves_no_row(scan: Scan, folder_target: DeliveryTarget) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        delivery_enqueue(
            site=scan.site, prescription_id=PRESCRIPTION_ID, version=1, bundle_fhir_id=BUNDLE_ID
        )
        _ = 1 / 0

    assert not Delivery.objects.exists()


def test_sent_to_the_only_target_means_delivered(
    scan: Scan,
    folder_target: DeliveryTarget,
    drop: Path,
    enqueue: Enqueue,
    attempt: Attempt,
    clock: Clock,
) -> None:
    (row,) = enqueue()
    assert deliveries_due(clock=clock) == [row.pk]

    sent = attempt(row.pk)

    stem = f"prescription-{PRESCRIPTION_ID}-v1"
    assert (drop / f"{stem}.json").read_bytes() == document_bytes()
    assert (drop / f"{stem}.pdf").read_bytes() == PDF
    assert (sent.status, sent.attempts, sent.remote_id) == ("sent", 1, f"{stem}.json")
    assert sent.sent_at == clock.now
    assert (sent.claimed_by, sent.claim_expires_at, sent.next_attempt_at) == ("", None, None)
    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED
    event = AuditEvent.objects.get(action="delivery.sent")
    assert (event.object_id, event.scan_id, event.site) == (str(row.pk), scan.pk, scan.site)
    assert event.data["target"] == "Pharmacy share"
    assert event.data["outcome"] == "created"
    assert deliveries_due(clock=clock) == []


def test_a_scan_is_delivered_only_when_every_target_has_it(
    scan: Scan,
    folder_target: DeliveryTarget,
    fhir_delivery: Delivery,
    server: FakeFhirServer,
    attempt: Attempt,
) -> None:
    folder_row = Delivery.objects.get(target=folder_target)
    attempt(folder_row.pk)
    scan.refresh_from_db()
    assert scan.state == ScanState.RELEASED

    attempt(fhir_delivery.pk)

    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED
    assert server.count("DocumentReference") == 1


def test_without_targets_a_scan_stays_released(scan: Scan, enqueue: Enqueue, clock: Clock) -> None:
    assert enqueue() == []

    assert deliveries_due(clock=clock) == []
    scan.refresh_from_db()
    assert scan.state == ScanState.RELEASED


def test_a_disabled_target_gets_nothing_until_it_is_enabled_again(
    folder_target: DeliveryTarget, drop: Path, enqueue: Enqueue, attempt: Attempt, clock: Clock
) -> None:
    (row,) = enqueue()
    folder_target.enabled = False
    folder_target.save()
    assert deliveries_due(clock=clock) == []
    assert attempt(row.pk).status == DeliveryStatus.QUEUED
    assert list(drop.iterdir()) == []

    folder_target.enabled = True
    folder_target.save()

    assert attempt(row.pk).status == DeliveryStatus.SENT


def test_what_is_sent_is_never_sent_again(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    attempt(fhir_delivery.pk)
    clock.forward(days=1)

    again = attempt(fhir_delivery.pk)

    assert (again.status, again.attempts) == (DeliveryStatus.SENT, 1)
    assert len(server.writes()) == 1


def test_a_peer_that_is_down_is_tried_again_later_and_later(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    server.read_faults = ["503"] * 3
    waits = []
    for _ in range(3):
        row = attempt(fhir_delivery.pk)
        assert row.status == DeliveryStatus.QUEUED
        waits.append((row.next_attempt_at - clock.now).total_seconds())
        assert attempt(fhir_delivery.pk).attempts == row.attempts  # not before its time
        clock.now = row.next_attempt_at

    assert waits == [10.0, 20.0, 40.0]
    assert attempt(fhir_delivery.pk).status == DeliveryStatus.SENT


def test_retry_after_is_obeyed(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    server.faults = ["429"]

    row = attempt(fhir_delivery.pk, chance=lambda: 0.0)

    assert row.status == DeliveryStatus.QUEUED
    assert row.next_attempt_at - clock.now == timedelta(seconds=8)  # 10 s - 20 %, over the 7 asked


@pytest.mark.parametrize("fault", ["500-after-commit", "drop-after-commit", "hang-after-commit"])
def test_a_lost_answer_is_looked_up_and_not_sent_twice(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock, fault: str
) -> None:
    server.faults = [fault]
    row = attempt(fhir_delivery.pk)
    assert row.status == DeliveryStatus.AMBIGUOUS
    clock.now = row.next_attempt_at

    row = attempt(fhir_delivery.pk)

    assert row.status == DeliveryStatus.SENT
    assert server.count("DocumentReference") == server.count("MedicationRequest") == 1
    assert len(server.writes()) == 1
    events = AuditEvent.objects.filter(object_id=str(row.pk)).order_by("id")
    assert [(e.action, e.data.get("status"), e.data.get("outcome")) for e in events] == [
        ("delivery.failed", "ambiguous", None),
        ("delivery.sent", None, "already_there"),
    ]


def test_doubt_survives_a_retryable_failure(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    server.faults = ["drop-before-commit"]
    clock.now = attempt(fhir_delivery.pk).next_attempt_at
    server.read_faults = ["503"]

    row = attempt(fhir_delivery.pk)

    assert row.status == DeliveryStatus.AMBIGUOUS


@pytest.mark.parametrize("status", ["400", "412", "422"])
def test_refused_content_goes_to_a_person_and_is_not_retried(
    scan: Scan,
    fhir_delivery: Delivery,
    server: FakeFhirServer,
    attempt: Attempt,
    clock: Clock,
    status: str,
) -> None:
    server.faults = [status]
    row = attempt(fhir_delivery.pk)
    clock.forward(days=30)

    assert row.status == DeliveryStatus.DEAD
    assert f"HTTP {status}" in row.problem
    assert "subject is missing" in row.problem
    assert deliveries_due(clock=clock) == []
    assert attempt(fhir_delivery.pk).attempts == 1
    assert len(server.writes()) == 1
    scan.refresh_from_db()
    assert scan.state == ScanState.RELEASED


def test_a_dead_delivery_is_replayed_after_repair(
    scan: Scan, fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    server.faults = ["422"]
    attempt(fhir_delivery.pk)

    replayed = delivery_replay(delivery_id=fhir_delivery.pk, actor_name="ada", clock=clock)

    assert (replayed.status, replayed.attempts, replayed.problem) == ("queued", 0, "")
    assert AuditEvent.objects.get(action="delivery.replayed").actor_name == "ada"
    assert attempt(fhir_delivery.pk).status == DeliveryStatus.SENT
    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED


def test_only_dead_deliveries_are_replayed(
    fhir_delivery: Delivery, attempt: Attempt, clock: Clock
) -> None:
    attempt(fhir_delivery.pk)

    row = delivery_replay(delivery_id=fhir_delivery.pk, actor_name="ada", clock=clock)

    assert row.status == DeliveryStatus.SENT
    assert not AuditEvent.objects.filter(action="delivery.replayed").exists()


def test_missing_credentials_and_documents_go_to_a_person(
    site: Site, make_fhir_target: Callable[..., DeliveryTarget], enqueue: Enqueue, attempt: Attempt
) -> None:
    make_fhir_target("https://ehr.example/fhir", auth="bearer", token_env="CLINIC_HWR_NO_SUCH")
    (row,) = enqueue()

    row = attempt(row.pk)

    assert row.status == DeliveryStatus.DEAD
    assert row.problem == "The environment variable CLINIC_HWR_NO_SUCH is not set."
    Delivery.objects.update(status=DeliveryStatus.QUEUED, bundle_fhir_id="gone")
    DeliveryTarget.objects.update(config={"base_url": "https://ehr.example/fhir"})
    Delivery.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    assert attempt(row.pk).problem == "The released document is not in the FHIR store."


def test_a_fault_of_ours_leaves_the_row_ambiguous_and_free(
    folder_target: DeliveryTarget,
    enqueue: Enqueue,
    attempt: Attempt,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (row,) = enqueue()

    def broken(target: DeliveryTarget) -> Any:
        raise KeyError(PATIENT_NAME)

    row = attempt(row.pk, adapters=broken)

    assert row.status == DeliveryStatus.AMBIGUOUS
    assert row.problem == "Internal error (KeyError); see the log of w1."
    assert row.claimed_by == ""
    assert "delivery.fault" in caplog.text


def test_after_two_days_of_tries_a_person_is_asked(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt
) -> None:
    Delivery.objects.update(attempts=MAX_ATTEMPTS - 1)
    server.read_faults = ["503"]

    row = attempt(fhir_delivery.pk)

    assert row.status == DeliveryStatus.DEAD
    assert row.problem.startswith(f"Given up after {MAX_ATTEMPTS} tries.")


def test_what_the_ehr_changed_is_noted_on_the_row(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt
) -> None:
    server.faults = ["alter"]

    row = attempt(fhir_delivery.pk)

    assert row.status == DeliveryStatus.SENT
    assert row.problem == ("The EHR kept something else at: MedicationRequest.dosageInstruction.")


def test_versions_do_not_overtake_each_other(
    folder_target: DeliveryTarget, enqueue: Enqueue, attempt: Attempt, clock: Clock
) -> None:
    (first,) = enqueue(version=1)
    (second,) = enqueue(version=2)
    assert deliveries_due(clock=clock) == [first.pk]
    assert attempt(second.pk).attempts == 0

    attempt(first.pk)

    assert deliveries_due(clock=clock) == [second.pk]


def test_a_running_claim_is_respected_and_an_expired_one_is_not(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    Delivery.objects.update(
        status=DeliveryStatus.SENDING,
        claimed_by="w0:dead",
        claim_expires_at=clock.now + CLAIM,
        attempts=1,
    )
    assert deliveries_due(clock=clock) == []
    assert attempt(fhir_delivery.pk).claimed_by == "w0:dead"

    clock.forward(seconds=CLAIM.total_seconds())

    assert deliveries_due(clock=clock) == [fhir_delivery.pk]
    row = attempt(fhir_delivery.pk)
    assert (row.status, row.attempts) == (DeliveryStatus.SENT, 2)


def test_a_worker_that_lost_its_claim_writes_nothing_down(
    fhir_delivery: Delivery, server: FakeFhirServer, attempt: Attempt, clock: Clock
) -> None:
    """The first worker stalls in its push; a second takes over; the first's word is void."""

    def stalls(target: DeliveryTarget) -> Any:
        clock.forward(seconds=CLAIM.total_seconds())
        taken_over = attempt(fhir_delivery.pk, worker="w2")
        assert taken_over.status == DeliveryStatus.SENT
        raise KeyError("the stalled worker fails")

    late = attempt(fhir_delivery.pk, worker="w1", adapters=stalls)

    assert (late.status, late.problem) == (DeliveryStatus.SENT, "")
    assert AuditEvent.objects.filter(action__startswith="delivery.").count() == 1
    assert server.count("DocumentReference") == 1


def test_logs_hold_ids_only(
    fhir_delivery: Delivery, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        attempt(fhir_delivery.pk)

    assert f"delivery.sent delivery={fhir_delivery.pk} status=sent" in caplog.text
    for phi in (PATIENT_NAME, "Amoxicillin", "00417"):
        assert phi not in caplog.text
