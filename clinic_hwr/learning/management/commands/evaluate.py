"""manage.py evaluate: measure a reader on handwriting that it was not trained on."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr.learning.data_folder import data_folder
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.recognition.architectures import UnknownArchitecture
from clinic_hwr.recognition.decoding.language_model import packaged_language_model
from clinic_hwr.recognition.reader import FusedReader
from clinic_hwr.recognition.runtime import (
    WeightsNotFound,
    load_reader,
    save_settings,
    settings_path,
    weights_paths,
)
from clinic_hwr.recognition.training.evaluation import Report, evaluate, fit_settings, read_all
from clinic_hwr.recognition.training.evaluation_sets import (
    EVALUATION_SETS,
    kind_of,
    load_evaluation_set,
    writer_key,
)
from clinic_hwr.recognition.training.fitting import for_fitting

HEADER = (
    "| set | n | exact [95%] | top 5 | CER | ECE | Brier | AURC | coverage at 1% error |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


class Command(BaseCommand):
    """Exact match, CER and calibration on held-out real handwriting."""

    help = "Measure a reader on held-out writers; --calibrate fits and writes its settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--data", type=Path, help="Data folder (default: CLINIC_HWR_DATA).")
        parser.add_argument("--set", action="append", choices=EVALUATION_SETS, dest="sets")
        parser.add_argument("--arch", default=None, help='One, or several joined by "+".')
        parser.add_argument(
            "--weights", type=Path, action="append", help="One for each architecture."
        )
        parser.add_argument("--limit", type=int, help="At most this many of each set.")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="One JSON object a set.")
        parser.add_argument(
            "--calibrate", action="store_true", help="Fit on half of the writers and names first."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table; only the half that nothing was fitted on is measured."""
        data = data_folder(options["data"])
        arch = options["arch"] or settings.CLINIC_HWR_ARCH
        weights = tuple(options["weights"]) if options["weights"] else weights_paths(arch)
        try:
            reader = load_reader(arch, weights)
        except (UnknownArchitecture, WeightsNotFound) as error:
            raise CommandError(str(error.args[0])) from error
        own = tuple(sorted({s.text for s in load_evaluation_set(data, "rx_words")}))
        known = {name.lower() for name in own}
        packaged = [n for n in load_lexicon().names if n.lower() not in known]
        lexicons = (own, (*own, *packaged))
        if options["calibrate"]:
            reader.language_model = packaged_language_model()
            reader.settings = fit_settings(reader, data, lexicons)
            save_settings(
                settings_path(weights),
                reader.settings,
                reader.model_version,
                "half of the held-out writers and names; see training.fitting.for_fitting",
            )
            load_reader.cache_clear()
            reader = load_reader(arch, weights)
        if not options["json"]:
            self.stdout.write(HEADER)
        for name in options["sets"] or EVALUATION_SETS:
            chosen = lexicons if name == "rx_words" else ()
            for report in _reports(reader, data, name, chosen, options):
                self.stdout.write(json.dumps(asdict(report)) if options["json"] else _row(report))


def _reports(
    reader: FusedReader,
    data: Path,
    name: str,
    lexicons: tuple[tuple[str, ...], ...],
    options: dict[str, Any],
) -> list[Report]:
    samples = load_evaluation_set(data, name, options["limit"], options["seed"])
    samples = [s for s in samples if not for_fitting(writer_key(s, name))]
    runs: list[tuple[str, tuple[str, ...] | None]] = [(name, None)]
    runs += [(f"{name}, {len(names)} names", names) for names in lexicons]
    reports = []
    for label, names in runs:
        with tqdm(total=len(samples), desc=label, unit="crop") as bar:
            readings = read_all(reader, samples, kind_of(name), names, bar.update)
        reports.append(evaluate(label, samples, readings))
    return reports


def _row(r: Report) -> str:
    return (
        f"| {r.name} | {r.n} | {r.exact:.1%} [{r.low:.1%}, {r.high:.1%}] | {r.top5:.1%} | "
        f"{r.cer:.1%} | {r.ece:.3f} | {r.brier:.3f} | {r.aurc:.3f} | {r.coverage_1:.0%} |"
    )
