"""``manage.py load_rxnorm RXNCONSO.RRF ...``: read drug names from a full RxNorm release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.prescriptions.lexicon import lexicon_source, load_lexicon
from clinic_hwr.prescriptions.rxnorm import (
    ATTRIBUTES,
    CONCEPTS,
    RELATIONS,
    RxNormError,
    read_release,
    write_tables,
)
from clinic_hwr.routing.lexicons import lexicon_folder


class Command(BaseCommand):
    """Build the site's own lexicon tables from RRF files."""

    help = (
        "Read RXNCONSO.RRF, and RXNREL.RRF and RXNSAT.RRF where they are given or lie beside it, "
        "and use the names, products, NDCs and schedules of that release from now on."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE.RRF")
        parser.add_argument("--release", default="", help="edition, for example 2026-11-02")
        parser.add_argument("--out", type=Path, help="folder (default: CLINIC_HWR_LEXICON)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, write, and open what was written once to see that it can be used."""
        files = _files(options["paths"])
        folder = options["out"] or lexicon_folder()
        if folder is None:
            raise CommandError("Set CLINIC_HWR_LEXICON, or name a folder with --out.")
        try:
            release = read_release(files[CONCEPTS], files.get(RELATIONS), files.get(ATTRIBUTES))
        except (RxNormError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        edition = options["release"] or "of unknown date"
        for table, rows in write_tables(release, folder, edition).items():
            self.stdout.write(f"{rows:>8}  {table}")
        names = len(load_lexicon(folder).names)
        self.stdout.write(f"{names} names from {lexicon_source(folder)}; in {folder}.")
        for missing in sorted({RELATIONS, ATTRIBUTES} - set(files)):
            self.stdout.write(f"Without {missing}: see docs/interpretation.md for what that costs.")
        self.stdout.write("Start the workers and web processes again to use them.")


def _files(paths: list[Path]) -> dict[str, Path]:
    """Return the files by their name in a release; those beside the first are found."""
    files: dict[str, Path] = {}
    for path in paths:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        name = path.name.upper()
        if name not in {CONCEPTS, RELATIONS, ATTRIBUTES}:
            raise CommandError(
                f"{path.name} is none of {CONCEPTS}, {RELATIONS} and {ATTRIBUTES}, the files of a "
                "release that are read."
            )
        files[name] = path
    if CONCEPTS not in files:
        raise CommandError(f"{CONCEPTS} is missing: it holds the names.")
    for name in (RELATIONS, ATTRIBUTES):
        beside = files[CONCEPTS].with_name(name)
        if name not in files and beside.is_file():
            files[name] = beside
    return files
