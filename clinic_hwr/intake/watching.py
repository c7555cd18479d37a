"""The watched folder: a network scanner or fax gateway drops files, they become scans.

Done files are moved to ``processed/``, unusable ones to ``failed/``; nothing is ever deleted. A
crash between receiving and moving costs nothing: the file is received again as a duplicate.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections, connection
from watchfiles import watch

from clinic_hwr.accounts.models import Site

from .models import Scan
from .services import Sender, scan_receive_file
from .states import ScanState

logger = logging.getLogger(__name__)

SETTLE_S = 5.0
"""A file must keep size and time of change for this long: network scanners write slowly."""

_SWEEP_MS = 1000
_Signature = tuple[int, int]


class SettledFiles:
    """The files of a folder to which nobody writes any more."""

    def __init__(
        self,
        folder: Path,
        *,
        settle_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at ``folder``; subfolders are not looked into."""
        self._folder = folder
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, tuple[_Signature, float]] = {}

    def ready(self) -> Iterator[Path]:
        """Yield every file that has kept size and time of change for long enough, by name."""
        present = {path: _signature(path) for path in sorted(self._folder.iterdir())}
        self._seen = {path: seen for path, seen in self._seen.items() if path in present}
        for path, signature in present.items():
            if signature is not None and self._is_settled(path, signature):
                yield path

    def _is_settled(self, path: Path, signature: _Signature) -> bool:
        known, since = self._seen.get(path, (None, 0.0))
        if known != signature:
            self._seen[path] = (signature, self._clock())
            return self._settle_s <= 0
        return self._clock() - since >= self._settle_s


class FolderWatch:
    """Receives the files of one folder for one site, each when nobody writes to it any more."""

    def __init__(
        self,
        folder: Path,
        *,
        site: Site,
        settle_s: float = SETTLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch ``folder`` (created if need be); subfolders are not looked into."""
        self._folder = folder
        self._site = site
        for name in ("processed", "failed"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._settled = SettledFiles(folder, settle_s=settle_s, clock=clock)

    def sweep(self) -> list[Scan]:
        """Receive every file that has settled by now; returns the scans."""
        received = (self._receive(path) for path in self._settled.ready())
        return [scan for scan in received if scan is not None]

    def run(self, stop: threading.Event) -> None:
        """Sweep whenever the folder changes, and every second, until ``stop`` is set."""
        changes = watch(
            self._folder,
            stop_event=stop,
            rust_timeout=_SWEEP_MS,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        for _ in changes:
            close_old_connections()
            try:
                self.sweep()
            except (OSError, DatabaseError):  # share or database away: look again in a second
                logger.exception("watch.fault site=%s", self._site.pk)
        connection.close()

    def _receive(self, path: Path) -> Scan | None:
        try:
            with path.open("rb") as file:
                scan = scan_receive_file(
                    site=self._site,
                    file=file,
                    original_name=path.name,
                    source="folder",
                    sender=Sender(ref=str(self._folder)),
                )
        except FileNotFoundError:  # taken away again by whoever put it there
            return None
        broken = scan.state == ScanState.QUARANTINED
        move_aside(path, self._folder / ("failed" if broken else "processed"))
        logger.info("watch.received scan=%s state=%s", scan.pk, scan.state)
        return scan


def move_aside(path: Path, target: Path) -> None:
    """Move a file into a folder without ever writing over another of the same name."""
    free = target / path.name
    number = 1
    while free.exists():
        free = target / f"{path.stem}-{number}{path.suffix}"
        number += 1
    path.rename(free)


def watch_start(stop: threading.Event) -> threading.Thread | None:
    """Watch the folder of setting ``CLINIC_HWR_WATCH`` in a thread; None when it names none.

    The scans belong to the site of setting ``CLINIC_HWR_WATCH_SITE`` (a slug).

    Raises:
        ImproperlyConfigured: there is no such site.
    """
    folder = getattr(settings, "CLINIC_HWR_WATCH", "")
    if not folder:
        return None
    site = configured_site("CLINIC_HWR_WATCH_SITE")
    settle_s = float(getattr(settings, "CLINIC_HWR_WATCH_SETTLE_S", SETTLE_S))
    folder_watch = FolderWatch(Path(folder), site=site, settle_s=settle_s)
    thread = threading.Thread(target=folder_watch.run, args=(stop,), name="watch", daemon=True)
    thread.start()
    return thread


def configured_site(setting: str) -> Site:
    """Return the site whose slug a setting holds.

    Raises:
        ImproperlyConfigured: there is no such site.
    """
    slug = getattr(settings, setting, "")
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise ImproperlyConfigured(
            f"{setting} must be the slug of a site; there is no site {slug!r}."
        )
    return site


def _signature(path: Path) -> _Signature | None:
    """Return (size, time of change) of a file to look at, None for what is left alone."""
    if path.name.startswith(".") or path.suffix.lower() == ".part" or path.is_symlink():
        return None
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return (facts.st_size, facts.st_mtime_ns) if path.is_file() else None
