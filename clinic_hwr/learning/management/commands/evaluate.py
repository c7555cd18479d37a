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
from clinic_hwr.recognition.architectures import UnknownArchitecture
from clinic_hwr.recognition.runtime import (
    WeightsNotFound,
    calibration_path,
    load_reader,
    weights_path,
)
from clinic_hwr.recognition.training.evaluation import (
    calibrate,
    evaluate,
    for_fitting,
    read_all,
)
from clinic_hwr.recognition.training.evaluation_sets import EVALUATION_SETS, load_evaluation_set


class Command(BaseCommand):
    """Exact match, CER and calibration on held-out real handwriting."""

    help = "Measure a reader on held-out writers; --calibrate fits and writes its calibrators."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--data", type=Path, help="Data folder (default: CLINIC_HWR_DATA).")
        parser.add_argument("--set", action="append", choices=EVALUATION_SETS, dest="sets")
        parser.add_argument("--arch", default=None)
        parser.add_argument("--weights", type=Path)
        parser.add_argument("--limit", type=int, help="At most this many of each set.")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="One JSON object a set.")
        parser.add_argument(
            "--calibrate", action="store_true", help="Fit on half of the writers and names first."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table; only the half that no calibrator was fitted on is measured."""
        data = data_folder(options["data"])
        arch = options["arch"] or settings.CLINIC_HWR_ARCH
        try:
            reader = load_reader(arch, options["weights"])
        except (UnknownArchitecture, WeightsNotFound) as error:
            raise CommandError(str(error.args[0])) from error
        if options["calibrate"]:
            calibrators = calibrate(reader, data)
            path = calibration_path(options["weights"] or weights_path(arch))
            content = {
                "model": reader.model_version,
                "fitted_on": "half of the held-out writers and names; see evaluation.for_fitting",
                "calibrators": {name: asdict(c) for name, c in calibrators.items()},
            }
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            load_reader.cache_clear()
            reader = load_reader(arch, options["weights"])
        if not options["json"]:
            self.stdout.write(
                "| set | n | exact [95%] | top 5 | CER | ECE | Brier | coverage at 1% error |\n"
                "| --- | --- | --- | --- | --- | --- | --- | --- |"
            )
        for name in options["sets"] or EVALUATION_SETS:
            samples = load_evaluation_set(data, name, options["limit"], options["seed"])
            key = "text" if name == "rx_words" else "writer"
            samples = [s for s in samples if not for_fitting(getattr(s, key))]
            names = tuple(sorted({s.text for s in load_evaluation_set(data, "rx_words")}))
            runs: list[tuple[str, tuple[str, ...] | None]] = [(name, None)]
            if name == "rx_words":
                runs.append((f"rx_words, {len(names)} names", names))
            for label, lexicon in runs:
                with tqdm(total=len(samples), desc=label, unit="crop") as bar:
                    kind = "line" if name.endswith("lines") else "word"
                    readings = read_all(reader, samples, kind, lexicon, bar.update)
                r = evaluate(label, samples, readings)
                self.stdout.write(
                    json.dumps(asdict(r))
                    if options["json"]
                    else f"| {r.name} | {r.n} | {r.exact:.1%} [{r.low:.1%}, {r.high:.1%}] | "
                    f"{r.top5:.1%} | {r.cer:.1%} | {r.ece:.3f} | {r.brier:.3f} | "
                    f"{r.coverage_1:.0%} |"
                )
