"""``manage.py separator_sheet OUT.pdf [--paper a4]``: the sheet that parts prescriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.intake.separator import PAPERS, separator_pdf


class Command(BaseCommand):
    """Write the separator sheet."""

    help = "Write the separator sheet as PDF, to be printed and put between prescriptions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("out", type=Path)
        parser.add_argument("--paper", choices=sorted(PAPERS), default="letter")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        try:
            options["out"].write_bytes(separator_pdf(options["paper"]))
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Wrote {options['out']}.")
