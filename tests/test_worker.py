"""The worker: finds what waits, survives what fails, and may be killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection

from clinic_hwr import pipeline, tasks, worker
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Page, Scan, ScanTransition, StageRun
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState
from clinic_hwr.routing.models import Field, FieldReading
from clinic_hwr.worker import Worker

from . import pipeline_fakes
from .intake import samples

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted rooms in place of the real ones."""
    pipeline_fakes.install(monkeypatch.setattr)
    monkeypatch.setattr(worker, "reader_load", lambda: None)
    monkeypatch.setattr(worker, "deliveries_due", list)


def receive(site: Site, level: int = 0) -> Scan:
    return scan_receive(
        site=site, data=samples.png(level), original_name=f"{level}.png", source="cli"
    )


def states() -> set[str]:
    return set(Scan.objects.values_list("state", flat=True))


def test_one_round_takes_every_scan_to_review_oldest_first(site: Site) -> None:
    scans = [receive(site, level) for level in range(3)]

    assert Worker("w").scans_once() == 9

    assert states() == {ScanState.IN_REVIEW}
    order = StageRun.objects.order_by("id").values_list("scan_id", flat=True)
    assert list(order) == [scan.pk for scan in scans for _ in range(3)]


def test_scan_that_fails_does_not_hold_up_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = receive(site, 1), receive(site, 2)
    real_pages_make = pipeline.pages_make

    def pages_make(scan: Scan) -> Any:
        return 1 / 0 if scan.pk == bad.pk else real_pages_make(scan)

    monkeypatch.setattr(pipeline, "pages_make", pages_make)

    Worker("w").scans_once()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.attempts) == (ScanState.RECEIVED, 1)
    assert good.state == ScanState.IN_REVIEW


def test_round_quarantines_what_its_workers_died_of(site: Site) -> None:
    scan = receive(site)
    Scan.objects.update(attempts=3)

    Worker("w").scans_once()

    scan.refresh_from_db()
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "processing_failed")


def test_due_deliveries_are_attempted_once_each(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = [uuid4(), uuid4()]
    attempted: list[tuple[UUID, str]] = []
    monkeypatch.setattr(worker, "deliveries_due", lambda: due)
    monkeypatch.setattr(
        worker, "delivery_attempt", lambda pk, *, worker: attempted.append((pk, worker))
    )

    assert Worker("w").run_once() == 2
    assert attempted == [(due[0], "w"), (due[1], "w")]


@pytest.mark.django_db(transaction=True)
def test_running_worker_wakes_by_the_hint_of_an_upload(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker that polls once an hour, when a file comes in, then it is read at once."""
    idle, reached, stop = threading.Event(), threading.Event(), threading.Event()

    class Watched(Worker):
        def _await_hint(self, timeout: float) -> None:
            idle.set()
            super()._await_hint(timeout)

    def refresh(*, scan: Scan) -> None:
        pipeline_fakes.prescription_refresh(scan=scan)
        reached.set()

    monkeypatch.setattr(pipeline, "prescription_refresh", refresh)
    thread = threading.Thread(target=Watched("w", poll_s=3600.0).run_forever, args=(stop,))
    thread.start()
    assert idle.wait(timeout=20)

    receive(site)

    was_reached = reached.wait(timeout=20)
    stop.set()
    worker.wake()
    thread.join(timeout=20)
    assert was_reached
    assert not thread.is_alive()
    assert states() == {ScanState.IN_REVIEW}


@pytest.mark.django_db(transaction=True)
def test_running_worker_outlives_a_fault_of_the_database(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    rounds: list[int] = []

    def spent(scan_id: UUID | None = None) -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise ConnectionError("the database is away")
        stop.set()
        return 0

    monkeypatch.setattr(pipeline, "scans_quarantine_spent", spent)
    thread = threading.Thread(target=Worker("w", poll_s=0.01).run_forever, args=(stop,))
    thread.start()
    thread.join(timeout=20)

    assert not thread.is_alive()
    assert len(rounds) == 2


@pytest.mark.django_db(transaction=True)
def test_many_workers_do_every_stage_once(site: Site) -> None:
    for level in range(4):
        receive(site, level)
    start = threading.Barrier(4)
    done: list[int] = []

    def work() -> None:
        start.wait(timeout=20)
        done.append(Worker().scans_once())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # A worker leaves a scan another holds; whoever holds it takes it all the way.
    assert sum(done) == 12
    assert states() == {ScanState.IN_REVIEW}
    assert StageRun.objects.count() == 12
    assert set(StageRun.objects.values_list("outcome", flat=True)) == {"done"}
    assert Field.objects.count() == 12


def database_url() -> str:
    """The database of this test, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    person = f"{database['USER']}:{database['PASSWORD']}"
    return f"postgres://{person}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def start_worker(stage: str, data_dir: Path) -> subprocess.Popen[str]:
    """Start a real worker process on the database of this test."""
    environment = {
        **os.environ,
        "CLINIC_HWR_DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.killable_worker", stage],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage", ["page", "read"])
def test_worker_killed_in_a_stage_and_started_again_finishes_once(
    site: Site, data_dir: Path, stage: str
) -> None:
    scan = receive(site)
    first = start_worker(stage, data_dir)
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == "reached\n"
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    assert StageRun.objects.get(outcome="running").stage == stage

    second = start_worker("none", data_dir)
    said, _ = second.communicate(timeout=60)

    assert said == "settled\n"
    scan.refresh_from_db()
    assert scan.state == ScanState.IN_REVIEW
    steps = ScanTransition.objects.filter(scan=scan).values_list("to_state", flat=True)
    assert list(steps) == ["received", "paged", "read", "in_review"]
    assert Page.objects.filter(scan=scan).count() == 1
    assert Field.objects.filter(page__scan=scan).count() == 3
    assert FieldReading.objects.filter(field__page__scan=scan).count() == 2
    lost = StageRun.objects.get(outcome="lost")
    assert (lost.stage, lost.attempt, lost.worker) == (stage, 1, f"killable-{stage}")
    again = StageRun.objects.get(stage=stage, outcome="done")
    assert (again.attempt, again.worker) == (2, "killable-none")


def test_hint_wakes_the_worker_of_this_process_without_a_broker(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = ""
    woken: list[bool] = []
    monkeypatch.setattr(worker, "wake", lambda: woken.append(True))

    tasks.hint_scan(uuid4())

    assert woken == [True]


def test_hint_sends_the_id_alone_to_the_broker(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.advance_scan, "apply_async", lambda **message: sent.append(message))
    scan_id = uuid4()

    tasks.hint_scan(scan_id)

    assert sent == [{"args": [str(scan_id)], "retry": False}]


def test_task_delivered_twice_does_everything_once(site: Site) -> None:
    scan = receive(site)

    tasks.advance_scan(str(scan.pk))
    tasks.advance_scan(str(scan.pk))

    assert StageRun.objects.count() == 3
    assert states() == {ScanState.IN_REVIEW}


def test_reaper_hints_at_what_waits_and_at_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, spent, finished = (receive(site, level) for level in range(3))
    Scan.objects.filter(pk=spent.pk).update(attempts=3)
    pipeline.process(finished.pk, worker="w")
    sent: list[str] = []
    monkeypatch.setattr(tasks.advance_scan, "delay", sent.append)

    tasks.reap()

    assert sent == [str(waiting.pk)]
    spent.refresh_from_db()
    assert spent.state == ScanState.QUARANTINED
