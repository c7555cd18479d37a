"""manage.py evaluate: measure a reader on handwriting that it was not trained on."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr.learning.data_folder import data_folder
from clinic_hwr.learning.decoder_arguments import add_decoder_arguments, decoding_of
from clinic_hwr.learning.family_measures import (
    WORDS,
    calibrate_block_reader,
    calibrate_character_reader,
    made_words,
    measure_block_reader,
    measure_character_reader,
    measure_made_words,
)
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.recognition.decoding.choice import BadDecoding
from clinic_hwr.recognition.decoding.language_model import packaged_language_model
from clinic_hwr.recognition.paragraphs import ParagraphReader
from clinic_hwr.recognition.reader import FusedReader
from clinic_hwr.recognition.runtime import (
    LOADING_ERRORS,
    family_of,
    load_block_reader,
    load_comb_reader,
    load_reader,
    save_settings,
    settings_path,
    weights_paths,
)
from clinic_hwr.recognition.synthesis.gan import load_generator
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
    """Exact match, CER and calibration on held-out handwriting, as the family reads it."""

    help = (
        "Measure a reader on held-out writers: words and lines, characters and combs, or blocks; "
        "of a family that makes words, how well these can be read. "
        "--calibrate fits and writes its settings."
    )

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
        add_decoder_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure what the family reads, on what nothing was fitted on."""
        data = data_folder(options["data"])
        arch = options["arch"] or settings.CLINIC_HWR_ARCH
        try:
            self._measure(family_of(arch), arch, data, options)
        except (*LOADING_ERRORS, BadDecoding) as error:
            raise CommandError(str(error.args[0])) from error

    def _measure(self, reads: str, arch: str, data: Path, options: dict[str, Any]) -> None:
        weights = tuple(options["weights"]) if options["weights"] else weights_paths(arch)
        if reads in ("word", "line"):
            self._words_and_lines(arch, weights, data, options)
            return
        if options["sets"] or options["decoder"] or options["dictionary"]:
            raise CommandError(f"--set and --decoder are for words and lines; {arch} reads none.")
        if reads == "character":
            combs = load_comb_reader(arch, weights[0])
            if options["calibrate"]:
                calibrate_character_reader(combs, data, weights[0])
                load_comb_reader.cache_clear()
                combs = load_comb_reader(arch, weights[0])
            measure_character_reader(
                combs, data, options["limit"], options["seed"], self.stdout.write
            )
        elif reads == "paragraph":
            self._blocks(arch, weights[0], data, options)
        else:
            self._made_words(weights[0], options)

    def _blocks(self, arch: str, weights: Path, data: Path, options: dict[str, Any]) -> None:
        blocks = load_block_reader(arch, weights)
        if options["calibrate"]:
            try:
                calibrate_block_reader(blocks, data, weights, options["limit"])
            except ValueError as error:
                raise CommandError(str(error)) from error
            load_block_reader.cache_clear()
            blocks = load_block_reader(arch, weights)
        self._show(
            measure_block_reader(
                ParagraphReader(blocks), data, options["limit"], options["seed"], blocks.most_lines
            ),
            options,
        )

    def _made_words(self, weights: Path, options: dict[str, Any]) -> None:
        """Words of a generator, read by the reader that ships: another family than its own."""
        if options["calibrate"]:
            raise CommandError("A family that makes words has nothing to calibrate.")
        model = load_generator(weights)
        words = made_words(model, options["limit"] or WORDS, options["seed"])
        self._show([measure_made_words(words, load_reader())], options)

    def _show(self, reports: Sequence[Report], options: dict[str, Any]) -> None:
        if not options["json"]:
            self.stdout.write(HEADER)
        for report in reports:
            self.stdout.write(json.dumps(asdict(report)) if options["json"] else _row(report))

    def _words_and_lines(
        self, arch: str, weights: tuple[Path, ...], data: Path, options: dict[str, Any]
    ) -> None:
        """Print a table; only the half that nothing was fitted on is measured."""
        decoding = decoding_of(options)
        reader = load_reader(arch, weights, decoding)
        own = tuple(sorted({s.text for s in load_evaluation_set(data, "rx_words")}))
        known = {name.lower() for name in own}
        packaged = [n for n in load_lexicon().names if n.lower() not in known]
        lexicons = (own, (*own, *packaged))
        if options["calibrate"]:
            reader.language_model = packaged_language_model()
            reader.settings = fit_settings(reader, data, lexicons)
            save_settings(
                settings_path(weights, decoding.name),
                reader.settings,
                reader.model_version,
                "half of the held-out writers and names; see training.fitting.for_fitting",
            )
            load_reader.cache_clear()
            reader = load_reader(arch, weights, decoding)
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
