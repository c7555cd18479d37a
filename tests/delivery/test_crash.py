"""Workers that race and workers that die: one copy arrives, and it does arrive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.delivery.services import CLAIM, delivery_attempt
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from tests.ehr_adapters.fake_fhir_server import FakeFhirServer, fake_fhir_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[FakeFhirServer]:
    """A fake FHIR server."""
    with fake_fhir_server() as running:
        yield running


@pytest.fixture
def delivery(
    server: FakeFhirServer,
    make_fhir_target: Callable[..., DeliveryTarget],
    enqueue: Callable[..., list[Delivery]],
) -> Delivery:
    """One queued delivery."""
    make_fhir_target(server.url)
    return enqueue()[0]


def test_of_racing_workers_one_sends(
    delivery: Delivery, server: FakeFhirServer, scan: Scan
) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            barrier.wait()
            delivery_attempt(delivery.pk, worker=name)
        except BaseException as error:  # reported below: a thread's exception is silent
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 1)
    assert len(server.writes()) == 1
    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED


def test_the_last_two_of_a_scan_at_once_still_deliver_it(
    delivery: Delivery,
    scan: Scan,
    folder_target: DeliveryTarget,
    enqueue: Callable[..., list[Delivery]],
) -> None:
    rows = enqueue()
    assert len(rows) == 2
    barrier = threading.Barrier(2)

    def work(row: Delivery) -> None:
        barrier.wait()
        delivery_attempt(row.pk, worker=str(row.target_id))
        connection.close()

    threads = [threading.Thread(target=work, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED


def test_a_push_refuses_to_run_inside_a_transaction(delivery: Delivery) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        delivery_attempt(delivery.pk, worker="w1")


def database_url() -> str:
    """Return the address of this test's database, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    person = f"{database['USER']}:{database['PASSWORD']}"
    return f"postgres://{person}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


WORKER = """
import sys, uuid, django
django.setup()
from clinic_hwr.delivery.services import delivery_attempt
delivery_attempt(uuid.UUID(sys.argv[1]), worker="doomed")
"""


def test_a_worker_killed_in_the_middle_of_a_push_leaves_one_copy(
    delivery: Delivery, server: FakeFhirServer, scan: Scan
) -> None:
    # given a worker process that the EHR has answered nothing yet, though it has stored it all
    server.faults = ["hang-after-commit"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "clinic_hwr.settings",
        "DATABASE_URL": database_url(),
        "CLINIC_HWR_DATA_DIR": str(settings.DATA_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    doomed = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(delivery.pk)],
        env=environment,
        stderr=subprocess.PIPE,
    )
    try:
        assert server.committed.wait(60), doomed.communicate(timeout=5)[1].decode()
        # when it is killed without a chance to clean up
        doomed.send_signal(signal.SIGKILL)
    finally:
        doomed.kill()
        doomed.communicate()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENDING, 1)

    # then the next worker waits for the claim to run out, looks, and finds it
    early = delivery_attempt(delivery.pk, worker="w2")
    assert early.claimed_by.startswith("doomed:")
    later = timezone.now() + CLAIM + timedelta(seconds=1)
    done = delivery_attempt(delivery.pk, worker="w2", clock=lambda: later)

    assert (done.status, done.attempts) == (DeliveryStatus.SENT, 2)
    assert server.count("DocumentReference") == server.count("MedicationRequest") == 1
    assert len(server.writes()) == 1
    scan.refresh_from_db()
    assert scan.state == ScanState.DELIVERED
