"""``manage.py watch FOLDER --site SLUG``: receive what a scanner or fax gateway drops."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clinic_hwr.intake.watching import SETTLE_S, FolderWatch

from ..shared import site_named, stop_on_signals


class Command(BaseCommand):
    """Watch a folder until interrupted."""

    help = (
        "Receive the files that appear in FOLDER. Done files are moved to FOLDER/processed, "
        "unusable ones to FOLDER/failed (they are also kept as quarantined scans)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--site", default="", help="slug of the site the scans belong to")
        parser.add_argument(
            "--settle-seconds",
            type=float,
            default=SETTLE_S,
            help="how long a file must stay unchanged before it is taken (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until SIGINT or SIGTERM."""
        stop = threading.Event()
        stop_on_signals(stop)
        site = site_named(options["site"])
        self.stderr.write(f"Watching for site {site.slug}; stop with Ctrl-C.")
        FolderWatch(options["folder"], site=site, settle_s=options["settle_seconds"]).run(stop)
