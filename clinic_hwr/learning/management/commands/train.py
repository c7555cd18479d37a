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
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.training.adversarial import GanProgress, train_gan
from clinic_hwr.recognition.training.curves import draw_curve
from clinic_hwr.recognition.training.loop import Progress, train
from clinic_hwr.recognition.training.material import gather_material
from clinic_hwr.recognition.training.recipe import GanRecipe, Recipe, make_recipe

BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"


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
        parser.add_argument("--init", type=Path, help="Start from these weights (same model).")
        parser.add_argument(
            "--draw-workers", type=int, default=0, help="Fill the store first, so many at once."
        )
        parser.add_argument(
            "--cache", type=Path, default=Path("runs/cache"), help="For drawn samples; reusable."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Train with a progress bar; prints the path of the weights."""
        recipe = _recipe(options)
        data = data_folder(options["data"])
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), encoding="utf-8")
        if isinstance(recipe, GanRecipe):
            weights = _train_generator(recipe, data, out)
        else:
            weights = _train_reader(recipe, data, out, options)
            draw_curve(out / "curve.csv", out / "curve.png")
        self.stdout.write(str(weights))


def _train_reader(recipe: Recipe, data: Path, out: Path, options: dict[str, Any]) -> Path:
    charset = Charset()
    material = gather_material(
        recipe, charset, data, options["cache"], weights_paths("trba")[0], options["draw_workers"]
    )
    with tqdm(total=recipe.train.samples, desc=recipe.arch, bar_format=BAR) as bar:

        def report(progress: Progress) -> None:
            bar.n = min(progress.samples, progress.total)
            left = tqdm.format_interval(progress.seconds_left)
            bar.set_postfix_str(
                f"left {left}, loss {progress.loss:.3f}, CER {progress.cer:.1%}, "
                f"held out {progress.held_out_cer:.1%}"
            )

        return train(
            recipe.arch, recipe.model, charset, material.make_dataset, recipe.train, out, report,
            init=options["init"], held_out=material.held_out,
        )  # fmt: skip


def _train_generator(recipe: GanRecipe, data: Path, out: Path) -> Path:
    with tqdm(total=recipe.train.steps, desc=recipe.arch, bar_format=BAR) as bar:

        def report(progress: GanProgress) -> None:
            bar.n = progress.step
            left = tqdm.format_interval(progress.seconds_left)
            bar.set_postfix_str(
                f"left {left}, discriminator {progress.discriminator:.2f}, "
                f"reads real {progress.reads_real:.2f}, written {progress.reads_written:.2f}"
            )

        return train_gan(recipe.train, recipe.model, Charset(), data, out, report)


def _recipe(options: dict[str, Any]) -> Recipe | GanRecipe:
    try:
        recipe = make_recipe(options["arch"], options["preset"], options["config"])
    except (UnknownArchitecture, UnknownPreset, ValueError, OSError) as error:
        raise CommandError(str(error.args[0] if error.args else error)) from error
    if options["samples"] and isinstance(recipe, Recipe):
        recipe = replace(recipe, train=replace(recipe.train, samples=options["samples"]))
    return recipe
