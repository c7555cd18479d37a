"""``manage.py verify_store [--derive]``: is every received file still what it was?"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clinic_hwr.store_check import store_faults


class Command(BaseCommand):
    """Check the file store; run it every night."""

    help = (
        "Check the SHA-256 of every stored file, that none is missing or writable, and what lies "
        "there without a row. Exits with 1 when anything received is missing or changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--derive", action="store_true", help="also decode every original and count its pages"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object a fault")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every fault and the sums."""
        counts: Counter[str] = Counter()
        severe = 0
        for fault in store_faults(derive=options["derive"]):
            counts[fault.code] += 1
            severe += fault.severe
            if options["json"]:
                row = {"code": fault.code, "name": fault.name, "detail": fault.detail}
                self.stdout.write(json.dumps({**row, "severe": fault.severe}))
            else:
                self.stdout.write(f"{fault.code}  {fault.name}  {fault.detail}")
        sums = ", ".join(f"{code}: {count}" for code, count in sorted(counts.items()))
        self.stderr.write(sums or "Every file is there, unchanged.")
        if severe:
            sys.exit(1)
