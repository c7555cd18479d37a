"""``manage.py worker``: work off scans and deliveries in a process of its own."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clinic_hwr.worker import Worker

from ..shared import stop_on_signals


class Command(BaseCommand):
    """Run a worker until interrupted."""

    help = "Take waiting scans through the pipeline and waiting deliveries to their EHR."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--once", action="store_true", help="work off what waits now, then exit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGINT or SIGTERM; the stage at hand is finished first."""
        worker = Worker()
        if options["once"]:
            worker.run_once()
            return
        stop = threading.Event()
        stop_on_signals(stop)
        worker.run_forever(stop)
