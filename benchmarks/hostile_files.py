"""Send every hostile file through the front doors: refused or read, how long, how much memory.

``python -m benchmarks.hostile_files [--door services] [--kind "pdf bomb"] [--sample]``: a product
of its own in a temporary folder; each door has a site of its own. At the services every file is
taken through the page stage as well (decoding, turning upright, reading print); the other doors
receive only. A server error, lost file, lost worker or file over a gigabyte ends it with status 1.

The files are made by ``tests/intake/hostile``, the same every time. Resident memory is that of the
largest child process (decoders and Tesseract) and of the process that serves the door.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_hwr.settings"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from tests.intake.hostile import HostileFile
    from tests.intake.hostile.doors import Verdict

DOORS = ("services", "rest", "web", "folder", "mail")
LIMIT_MB = 1024


def main() -> None:
    """Parse the command line, set up a product of its own, send the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=DOORS, action="append", help="all when left out")
    parser.add_argument("--kind", default="", help="only files of this kind")
    parser.add_argument("--sample", action="store_true", help="two light files of every kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLINIC_HWR_DATA_DIR"] = folder
        os.environ["CELERY_BROKER_URL"] = ""
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/measured.sqlite3"
        os.environ["ALLOWED_HOSTS"] = "testserver"
        os.environ["API_RATE_USER"] = "100000/min"
        os.environ["LOG_LEVEL"] = "CRITICAL"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        print(f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, load "
              f"{os.getloadavg()[0]:.1f}")  # fmt: skip
        faults = [
            fault
            for door in options.door or DOORS
            for fault in send_all(door, options.kind, Path(folder), sample=options.sample)
        ]
    print("\n".join(faults) if faults else "No server error, nothing lost, all within limits.")
    sys.exit(bool(faults))


def send_all(door: str, kind: str, folder: Path, *, sample: bool = False) -> list[str]:
    """Send the files through one door, print its table; returns what went wrong."""
    from tests.intake.hostile import all_files
    from tests.intake.hostile import sample as light_files
    from tests.intake.hostile.doors import Broken, House, judge

    house = House(folder, door)
    verdicts: dict[str, list[tuple[HostileFile, Verdict]]] = defaultdict(list)
    faults = []
    for file in light_files() if sample else all_files():
        if kind and file.kind != kind:
            continue
        try:
            verdict = judge(house, file, read=door == "services")
        except Broken as broken:
            faults.append(f"{door}: {broken}")
            continue
        except Exception as error:  # whatever it is, it is a fault to report
            faults.append(f"{door}: {file.label}: {type(error).__name__}: {error}")
            continue
        verdicts[file.kind].append((file, verdict))
        if max(verdict.child_mb, verdict.parent_mb) >= LIMIT_MB:
            faults.append(f"{door}: {file.label}: {verdict.child_mb} / {verdict.parent_mb} MiB")
    print_table(door, verdicts)
    return faults


def print_table(door: str, verdicts: dict[str, list[tuple[HostileFile, Verdict]]]) -> None:
    """Print one row a kind and the sum."""
    print(f"\n### Door: {door}\n")
    print("| kind | files | refused | read | worst seconds | of | child MiB | parent MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    everything = [row for rows in verdicts.values() for row in rows]
    for kind, rows in [*verdicts.items(), ("all", everything)]:
        if not rows:
            continue
        slowest, worst = max(rows, key=lambda row: row[1].seconds)
        read = sum(verdict.outcome == "read" for _, verdict in rows)
        child = max(verdict.child_mb for _, verdict in rows)
        parent = max(verdict.parent_mb for _, verdict in rows)
        name = slowest.name if slowest.name.isascii() and slowest.name.isprintable() else "?"
        print(
            f"| {kind} | {len(rows)} | {len(rows) - read} | {read} | {worst.seconds:.1f} "
            f"| {name[:40]} | {child} | {parent} |"
        )
    reasons = Counter(verdict.outcome for _, verdict in everything)
    print("\n" + ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common()))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
