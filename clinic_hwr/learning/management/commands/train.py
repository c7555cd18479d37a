"""manage.py train: train a recognizer, or go on with a run that was interrupted."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr.learning.data_folder import data_folder
from clinic_hwr.recognition.architectures import UnknownArchitecture, UnknownPreset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.curves import draw_curve
from clinic_hwr.recognition.training.datasets import MixtureDataset, build_mixture
from clinic_hwr.recognition.training.loop import Progress, train
from clinic_hwr.recognition.training.recipe import Recipe, make_recipe


class Command(BaseCommand):
    """Train one architecture on the data folder."""

    help = "Train a recognizer; run again with the same --out to go on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--arch", default="trba")
        parser.add_argument("--preset", default="small")
        parser.add_argument("--config", type=Path, help="TOML: [model], [mixture], [train].")
        parser.add_argument("--data", type=Path, help="Data folder (default: CLINIC_HWR_DATA).")
        parser.add_argument("--samples", type=int, help="Crops to see.")
        parser.add_argument("--out", type=Path, default=Path("runs/trba"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Train with a progress bar; prints the path of the weights."""
        recipe = _recipe(options)
        data = data_folder(options["data"])
        sources = build_mixture(data, recipe.mixture)
        charset = Charset()
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), encoding="utf-8")

        def dataset(first_chunk: int) -> MixtureDataset:
            return MixtureDataset(
                sources,
                charset,
                recipe.model.height_px,
                recipe.model.max_width_px,
                seed=recipe.train.seed,
                first_chunk=first_chunk,
            )

        with tqdm(total=recipe.train.samples, unit="crop", desc=recipe.arch) as bar:

            def report(progress: Progress) -> None:
                bar.n = min(progress.samples, progress.total)
                bar.set_postfix(loss=f"{progress.loss:.3f}", cer=f"{progress.cer:.3f}")

            weights = train(recipe.arch, recipe.model, charset, dataset, recipe.train, out, report)
        draw_curve(out / "curve.csv", out / "curve.png")
        self.stdout.write(str(weights))


def _recipe(options: dict[str, Any]) -> Recipe:
    try:
        recipe = make_recipe(options["arch"], options["preset"], options["config"])
    except (UnknownArchitecture, UnknownPreset, ValueError, OSError) as error:
        raise CommandError(str(error.args[0] if error.args else error)) from error
    if options["samples"]:
        recipe = replace(recipe, train=replace(recipe.train, samples=options["samples"]))
    return recipe
