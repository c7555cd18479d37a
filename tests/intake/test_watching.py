"""The watched folder: taken when settled, moved when done, never deleted."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake import watching
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.intake.watching import FolderWatch, watch_start

from . import samples


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        """Start at an arbitrary moment."""
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The folder watch's clock."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder a scanner writes to."""
    return tmp_path / "inbox"


@pytest.fixture
def watched(folder: Path, site: Site, clock: Clock) -> FolderWatch:
    """A watch that waits five seconds."""
    return FolderWatch(folder, site=site, settle_s=5.0, clock=clock)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_taken_once_it_has_settled(
    watched: FolderWatch, folder: Path, clock: Clock
) -> None:
    (folder / "rx.png").write_bytes(samples.png())

    assert watched.sweep() == []
    clock.now += 4.9
    assert watched.sweep() == []
    clock.now += 0.1
    (scan,) = watched.sweep()

    assert (scan.source, scan.original_name, scan.state) == ("folder", "rx.png", "received")
    assert names(folder) == ["failed", "processed"]
    assert names(folder / "processed") == ["rx.png"]


def test_file_that_still_grows_waits_anew(watched: FolderWatch, folder: Path, clock: Clock) -> None:
    (folder / "rx.png").write_bytes(samples.png()[:100])
    watched.sweep()
    clock.now += 4.0
    (folder / "rx.png").write_bytes(samples.png())
    watched.sweep()

    clock.now += 4.0
    assert watched.sweep() == []
    clock.now += 1.0
    assert [scan.state for scan in watched.sweep()] == [ScanState.RECEIVED]


def test_file_rewritten_at_the_same_size_waits_anew(
    watched: FolderWatch, folder: Path, clock: Clock
) -> None:
    (folder / "rx.png").write_bytes(b"a" * 10)
    watched.sweep()
    clock.now += 5.0
    os.utime(folder / "rx.png", ns=(1, 1))

    assert watched.sweep() == []


def test_unusable_file_goes_to_failed_and_is_a_quarantined_scan(
    watched: FolderWatch, folder: Path, clock: Clock
) -> None:
    (folder / "bad.pdf").write_bytes(samples.locked_pdf())
    (folder / "good.png").write_bytes(samples.png())
    watched.sweep()
    clock.now += 5.0

    states = {scan.original_name: scan.state for scan in watched.sweep()}

    assert states == {"bad.pdf": "quarantined", "good.png": "received"}
    assert names(folder / "failed") == ["bad.pdf"]
    assert names(folder / "processed") == ["good.png"]


def test_unfinished_hidden_and_linked_files_are_left_alone(
    watched: FolderWatch, folder: Path, clock: Clock, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(samples.png())
    (folder / "rx.png.part").write_bytes(samples.png())
    (folder / ".rx.png").write_bytes(samples.png())
    (folder / "link.png").symlink_to(secret)
    watched.sweep()
    clock.now += 60.0

    assert watched.sweep() == []
    assert Scan.objects.count() == 0
    assert len(names(folder)) == 5


def test_second_file_of_a_name_does_not_replace_the_first(
    watched: FolderWatch, folder: Path, clock: Clock
) -> None:
    for level in (1, 2):
        (folder / "rx.png").write_bytes(samples.png(level))
        watched.sweep()
        clock.now += 5.0
        watched.sweep()

    assert names(folder / "processed") == ["rx-1.png", "rx.png"]
    assert (folder / "processed" / "rx.png").read_bytes() == samples.png(1)


def test_file_stays_when_the_database_is_away(
    watched: FolderWatch, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "rx.png").write_bytes(samples.png())
    watched.sweep()
    clock.now += 5.0
    with monkeypatch.context() as outage:
        outage.setattr(watching, "scan_receive_file", _database_away)
        with pytest.raises(DatabaseError):
            watched.sweep()
    assert names(folder) == ["failed", "processed", "rx.png"]

    assert [scan.state for scan in watched.sweep()] == [ScanState.RECEIVED]


def _database_away(**arguments: object) -> Scan:
    raise DatabaseError("away")


@pytest.mark.django_db(transaction=True)
def test_running_watch_notices_a_new_file_and_stops_when_asked(folder: Path, site: Site) -> None:
    received = threading.Event()
    stop = threading.Event()

    class Noticing(FolderWatch):
        def sweep(self) -> list[Scan]:
            scans = super().sweep()
            if scans:
                received.set()
            return scans

    folder_watch = Noticing(folder, site=site, settle_s=0.0)
    thread = threading.Thread(target=folder_watch.run, args=(stop,))
    thread.start()
    (folder / "rx.png").write_bytes(samples.png())
    noticed = received.wait(timeout=20)
    stop.set()
    thread.join(timeout=20)

    assert noticed
    assert not thread.is_alive()
    assert Scan.objects.get().original_name == "rx.png"


def test_no_folder_is_watched_unless_one_is_named(settings: Any) -> None:
    settings.CLINIC_HWR_WATCH = ""

    assert watch_start(threading.Event()) is None


def test_watching_for_an_unknown_site_is_refused(settings: Any, site: Site, folder: Path) -> None:
    settings.CLINIC_HWR_WATCH, settings.CLINIC_HWR_WATCH_SITE = str(folder), "nowhere"

    with pytest.raises(ImproperlyConfigured, match="no site 'nowhere'"):
        watch_start(threading.Event())


@pytest.mark.django_db(transaction=True)
def test_configured_folder_is_watched_in_a_thread(
    settings: Any, site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(watching.logger, "info", lambda *facts: received.set())
    settings.CLINIC_HWR_WATCH, settings.CLINIC_HWR_WATCH_SITE = str(folder), site.slug
    settings.CLINIC_HWR_WATCH_SETTLE_S = 0.0

    thread = watch_start(stop)
    assert thread is not None
    (folder / "rx.png").write_bytes(samples.png())
    was_received = received.wait(timeout=20)
    stop.set()
    thread.join(timeout=20)

    assert was_received
    assert Scan.objects.get().source == "folder"
