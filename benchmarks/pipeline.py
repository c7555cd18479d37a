"""How long a page takes from upload to review, stage by stage, and how much memory.

``python -m benchmarks.pipeline FILE... [--weights FILE]``: runs the real pipeline on a fresh
database in a temporary folder, with recognizer and drug names loaded before the clock starts (a
worker does that too), and prints one Markdown row a file. Peak memory is that of the worker with
its model; the decoder and Tesseract run in processes of their own while a page needs them.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_hwr.settings"


def main() -> None:
    """Parse the command line, set up a product of its own, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--weights", type=Path, help="other weights than the shipped ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLINIC_HWR_DATA_DIR"] = folder
        os.environ["CELERY_BROKER_URL"] = ""
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/measured.sqlite3"
        import django

        django.setup()
        measure(options.files, options.weights)


def measure(files: list[Path], weights: Path | None) -> None:
    """Take every file from upload to review and print its row."""
    from django.core.management import call_command

    from clinic_hwr import pipeline, stage_read
    from clinic_hwr.accounts.models import Site
    from clinic_hwr.intake.services import scan_receive
    from clinic_hwr.prescriptions.lexicon import load_lexicon
    from clinic_hwr.recognition.runtime import load_reader

    call_command("migrate", verbosity=0)
    site = Site.objects.create(name="Measured", slug="measured")
    if weights:
        stage_read.reader_load = lambda: load_reader("trba", weights)
    stage_read.reader_load()
    load_lexicon()

    names = ["receive", "page", "read", "route"]
    print("| file | pages | fields | " + " | ".join(f"{name} s" for name in names) + " | sum s |")
    print("| --- " * 8 + "|")
    for path in files:
        began = time.perf_counter()
        scan = scan_receive(
            site=site, data=path.read_bytes(), original_name=path.name, source="cli"
        )
        taken = {"receive": time.perf_counter() - began}
        while True:
            began = time.perf_counter()
            step = pipeline.advance(scan.pk, worker="benchmark")
            if step.result != "done":
                break
            taken[step.stage] = time.perf_counter() - began
        scan.refresh_from_db()
        fields = sum(page.fields.count() for page in scan.pages.all())
        seconds = " | ".join(f"{taken[name]:.2f}" if name in taken else "-" for name in names)
        print(
            f"| {path.name} ({scan.state}) | {scan.page_count} | {fields} | {seconds} "
            f"| {sum(taken.values()):.2f} |"
        )
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory of this process: {peak_kib / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
