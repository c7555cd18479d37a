"""Check every audit event against its hash; exit status 1 when one was altered."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.audit.verification import events_verify


class Command(BaseCommand):
    """``manage.py audit_verify [--json]``."""

    help = "Check that every audit event is as it was written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        result = events_verify()
        if options["json"]:
            answer = {"checked": result.checked, "altered": list(result.altered), "ok": result.ok}
            self.stdout.write(json.dumps(answer))
        else:
            self.stdout.write(f"{result.checked} events checked, {len(result.altered)} altered.")
        if not result.ok:
            ids = ", ".join(map(str, result.altered[:20]))
            raise CommandError(f"Altered events: {ids}. Compare the database with a backup.")
