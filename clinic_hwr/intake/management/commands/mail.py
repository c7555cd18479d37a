"""``manage.py mail FOLDER|- --site SLUG``: receive the attachments of e-mail and faxes."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.intake.mail import MAX_MESSAGE_BYTES, mail_receive
from clinic_hwr.intake.mail_drop import MailDrop
from clinic_hwr.intake.states import ScanState
from clinic_hwr.intake.watching import SETTLE_S

from ..shared import site_named, stop_on_signals

_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: the mail server keeps the message and tries again later."""


class Command(BaseCommand):
    """Receive mail until interrupted, once, or one message from standard input."""

    help = (
        "Receive the attachments of messages in FOLDER (a Maildir, or a folder of .eml and mbox "
        "files), or of the one message on standard input (-)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("folder", metavar="FOLDER|-")
        parser.add_argument("--site", default="", help="slug of the site the scans belong to")
        parser.add_argument("--once", action="store_true", help="receive what is there, then exit")
        parser.add_argument(
            "--settle-seconds",
            type=float,
            default=SETTLE_S,
            help="how long a file of a plain folder must stay unchanged (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Receive; a message on standard input that could not be stored exits with 75."""
        if options["folder"] == "-":
            self._standard_input(options["site"])
            return
        folder = Path(options["folder"])
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        drop = MailDrop(
            folder,
            site=site_named(options["site"]),
            settle_s=0.0 if options["once"] else options["settle_seconds"],
        )
        if options["once"]:
            scans = drop.sweep()
            aside = sum(scan.state == ScanState.QUARANTINED for scan in scans)
            self.stdout.write(f"{len(scans)} scans received, {aside} of them set aside.")
            return
        stop = threading.Event()
        stop_on_signals(stop)
        drop.run(stop)

    def _standard_input(self, slug: str) -> None:
        data = sys.stdin.buffer.read(MAX_MESSAGE_BYTES + 1)
        try:
            scans = mail_receive(site=site_named(slug), data=data)
        except Exception as error:  # whatever it was, the mail server must not drop the message
            self.stderr.write(f"Not received, try again later: {type(error).__name__}.")
            sys.exit(_TRY_AGAIN)
        self.stdout.write(f"{len(scans)} scans received.")
