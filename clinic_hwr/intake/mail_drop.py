"""The mail drop: a Maildir, or a folder of ``.eml`` and mbox files, whose attachments become scans.

Messages are never deleted. Those of a Maildir move from ``new/`` to ``cur/`` with the flag S
(seen), files of a plain folder to ``processed/`` or ``failed/``. A crash between receiving and
moving costs nothing: the attachments are received again as duplicates.
"""

from __future__ import annotations

import logging
import mailbox
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections, connection

from clinic_hwr.accounts.models import Site

from .mail import MAX_MESSAGE_BYTES, mail_receive
from .models import Scan
from .states import ScanState
from .watching import SETTLE_S, SettledFiles, configured_site, move_aside

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 2.0
_MBOX_MARK = b"From "


class MailDrop:
    """Receives the messages of one folder for one site."""

    def __init__(self, folder: Path, *, site: Site, settle_s: float = SETTLE_S) -> None:
        """Look into ``folder``: a Maildir when it has ``new`` and ``cur``, else a plain folder."""
        self._folder = folder
        self._site = site
        self._is_maildir = (folder / "new").is_dir() and (folder / "cur").is_dir()
        if self._is_maildir:
            # Maildir names a message only once all of it is there.
            self._settled = SettledFiles(folder / "new", settle_s=0.0)
        else:
            for name in ("processed", "failed"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._settled = SettledFiles(folder, settle_s=settle_s)

    def sweep(self) -> list[Scan]:
        """Receive every message that is there in full; returns the scans."""
        scans = []
        for path in self._settled.ready():
            try:
                received = self._receive(path)
            except FileNotFoundError:  # taken away again by whoever put it there
                continue
            self._put_away(path, received)
            logger.info("mail.received scans=%s", len(received))
            scans += received
        return scans

    def run(self, stop: threading.Event) -> None:
        """Sweep every two seconds until ``stop`` is set."""
        while not stop.is_set():
            close_old_connections()
            try:
                self.sweep()
            except (OSError, DatabaseError):  # share or database away: look again in a moment
                logger.exception("mail.fault site=%s", self._site.pk)
            stop.wait(_LOOK_AGAIN_S)
        connection.close()

    def _receive(self, path: Path) -> list[Scan]:
        with path.open("rb") as file:
            is_mbox = not self._is_maildir and file.read(len(_MBOX_MARK)) == _MBOX_MARK
        if not is_mbox:
            return self._message(_read(path))
        box = mailbox.mbox(path, create=False)
        try:
            return [
                scan for key in box.iterkeys() for scan in self._message(_within(box.get_file(key)))
            ]
        finally:
            box.close()

    def _message(self, data: bytes) -> list[Scan]:
        return mail_receive(site=self._site, data=data)

    def _put_away(self, path: Path, scans: list[Scan]) -> None:
        if self._is_maildir:
            path.rename(self._folder / "cur" / f"{path.name.partition(':')[0]}:2,S")
            return
        bad = any(scan.state == ScanState.QUARANTINED for scan in scans)
        move_aside(path, self._folder / ("failed" if bad else "processed"))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return _within(file)


def _within(file: Any) -> bytes:
    """Return a message; of one over the limit no more than shows that it is."""
    return bytes(file.read(MAX_MESSAGE_BYTES + 1))


def mail_start(stop: threading.Event) -> threading.Thread | None:
    """Look into the folder of setting ``CLINIC_HWR_MAIL`` in a thread; None when it names none.

    The scans belong to the site of setting ``CLINIC_HWR_MAIL_SITE`` (a slug).

    Raises:
        ImproperlyConfigured: there is no such site, or no such folder.
    """
    folder = Path(getattr(settings, "CLINIC_HWR_MAIL", "") or "")
    if folder == Path():
        return None
    if not folder.is_dir():
        raise ImproperlyConfigured(f"CLINIC_HWR_MAIL must name a folder; {folder} is none.")
    drop = MailDrop(folder, site=configured_site("CLINIC_HWR_MAIL_SITE"))
    thread = threading.Thread(target=drop.run, args=(stop,), name="mail", daemon=True)
    thread.start()
    return thread
