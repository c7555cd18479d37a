"""``manage.py ingest PATH...``: send files in from the command line."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.batches import BadRule, parse_rule
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.safety import Problem
from clinic_hwr.intake.services import Sender, scan_receive_file
from clinic_hwr.intake.states import ScanState
from clinic_hwr.scan_report import scan_report

from ..shared import site_named

_LOOK_AGAIN_S = 0.2


class Command(BaseCommand):
    """Ingest files and folders, one after the other; a bad one stops nothing."""

    help = (
        "Receive PDF, TIFF, JPEG, PNG and WebP files, or folders of them. Prints one line (or "
        "JSON object) a file; exits with 1 when any was quarantined, could not be received, or "
        "waits for something to be installed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--wait", action="store_true", help="wait until the scans were read")
        parser.add_argument("--json", action="store_true", help="print one JSON object a scan")
        parser.add_argument("--site", default="", help="slug of the site the scans belong to")
        parser.add_argument(
            "--split",
            default="",
            metavar="RULE",
            help="where a prescription begins in a file: none, every:N, blank, barcode[:PREFIX]; "
            "the site's rule when left out. Separator sheets always count.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Receive every file, report each as soon as it is done."""
        try:
            parse_rule(options["split"])
        except BadRule as error:
            raise CommandError(str(error)) from error
        site = site_named(options["site"])
        files = list(_files(options["paths"]))
        bad = 0
        for path in tqdm(files, unit="file", file=sys.stderr, mininterval=1):
            report = _ingest(path, site, wait=options["wait"], split=options["split"])
            bad += _is_bad(report)
            self.stdout.write(
                json.dumps(report, ensure_ascii=False) if options["json"] else _line(report)
            )
            self.stdout.flush()
        if bad:
            self.stderr.write(f"{bad} of {len(files)} files could not be used or must wait.")
            sys.exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files named, and those inside of the folders named, in a steady order."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inside in sorted(path.rglob("*")):
            if inside.is_file() and not inside.name.startswith("."):
                yield inside


def _account() -> str:
    """Return the account of the machine that runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a number and no name for it
        return f"uid {os.getuid()}"


def _ingest(path: Path, site: Site, *, wait: bool, split: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            scan = scan_receive_file(
                site=site,
                file=file,
                original_name=path.name,
                source="cli",
                sender=Sender(_account(), str(path.parent.absolute())),
                split_rule=split,
            )
    except OSError as error:
        return _failure(path, error)
    if wait:
        _settle(scan.duplicate_of or scan)
        scan = Scan.objects.select_related("duplicate_of").get(pk=scan.pk)
    return scan_report(scan, path=str(path))


def _is_bad(report: dict[str, Any]) -> bool:
    """Tell whether somebody must look after a file: it was refused, or cannot be read now."""
    waits = report["problem"] is not None and report["problem"]["code"] == Problem.WAITING
    return waits or report["status"] in {"failed", ScanState.QUARANTINED}


def _failure(path: Path, error: OSError) -> dict[str, Any]:
    """Return the report of a file that could not be opened; it has the keys of every report."""
    return {
        "path": str(path),
        "scan_id": None,
        "status": "failed",
        "pages": 0,
        "fields": [],
        "blockers": [],
        "prescription": None,
        "prescription_id": None,
        "duplicate_of": None,
        "page_problems": [],
        "parent": None,
        "parts": [],
        "problem": {
            "code": "unreadable",
            "message": f"This file cannot be opened: {error.strerror or type(error).__name__}.",
        },
    }


def _settle(scan: Scan) -> None:
    """Take a scan through the pipeline here, or wait for the worker that holds it.

    A scan that waits for something to be installed is left as it is; its report says for what.
    """
    # Imported on use: without --wait the pipeline with torch and OpenCV is not needed.
    from clinic_hwr import pipeline

    while True:
        pipeline.process(scan.pk, worker="ingest")
        scan.refresh_from_db()
        if scan.state not in pipeline.STATES or scan.problem_code == Problem.WAITING:
            return
        time.sleep(_LOOK_AGAIN_S)


def _line(report: dict[str, Any]) -> str:
    """Return a report as one line for people."""
    parts = [report["status"], report["path"], report["scan_id"] or "-"]
    if report["duplicate_of"]:
        parts.append(f"(same file as {report['duplicate_of']})")
    if report["problem"]:
        parts.append(report["problem"]["message"])
    return "  ".join(parts)
