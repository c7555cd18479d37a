"""Training by name, as ``manage.py train`` and ``python -m clinic_hwr.recognition.training`` do.

Knows nothing of Django, so that a machine with a GPU needs the recognition room only.
"""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from clinic_hwr.recognition.architectures import UnknownArchitecture, UnknownPreset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import weights_paths

from .adversarial import GanProgress, train_gan
from .curves import draw_curve
from .loop import Progress, train
from .material import gather_material
from .recipe import GanRecipe, Recipe, make_recipe

BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"


class RecipeRefused(ValueError):
    """The options do not make a recipe; the message says which."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of a run, but for the data folder."""
    parser.add_argument("--arch", default="trba")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--config", type=Path, help="TOML: [model], [mixture], [train].")
    parser.add_argument("--samples", type=int, help="Crops to see.")
    parser.add_argument("--out", type=Path, default=Path("runs/trba"))
    parser.add_argument("--init", type=Path, help="Weights to start from.")
    parser.add_argument("--seconds", type=float, help="Stop after so long; run again to go on.")
    parser.add_argument(
        "--draw-workers", type=int, default=0, help="Processes that fill the store of samples."
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/cache"), help="For drawn samples; reusable."
    )


def run(recipe: Recipe | GanRecipe, options: Mapping[str, Any], data: Path) -> Path:
    """Train, or go on with, a recipe, with a progress bar.

    Args:
        recipe: of ``read_recipe``.
        options: values of ``add_arguments``.
        data: the data folder.

    Returns:
        path of the weights.
    """
    out: Path = options["out"]
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), encoding="utf-8")
    seconds = options["seconds"] or math.inf
    if isinstance(recipe, GanRecipe):
        return _train_generator(recipe, data, out, options["init"], seconds)
    weights = _train_reader(recipe, data, out, options, seconds)
    draw_curve(out / "curve.csv", out / "curve.png")
    return weights


def _train_reader(
    recipe: Recipe, data: Path, out: Path, options: Mapping[str, Any], seconds: float
) -> Path:
    charset = Charset()
    [reader], [generator] = weights_paths("trba"), weights_paths("scrabblegan")
    material = gather_material(
        recipe, charset, data, options["cache"], reader, options["draw_workers"], generator
    )
    with tqdm(total=recipe.train.samples, desc=recipe.arch, bar_format=BAR, mininterval=1) as bar:

        def report(progress: Progress) -> None:
            bar.n = min(progress.samples, progress.total)
            left = tqdm.format_interval(progress.seconds_left)
            bar.set_postfix_str(
                f"left {left}, loss {progress.loss:.3f}, CER {progress.cer:.1%}, "
                f"held out {progress.held_out_cer:.1%}",
                refresh=False,
            )
            bar.update(0)

        return train(
            recipe.arch, recipe.model, charset, material.make_dataset, recipe.train, out, report,
            init=options["init"], held_out=material.held_out, seconds=seconds,
        )  # fmt: skip


def _train_generator(
    recipe: GanRecipe, data: Path, out: Path, init: Path | None, seconds: float
) -> Path:
    with tqdm(total=recipe.train.steps, desc=recipe.arch, bar_format=BAR, mininterval=1) as bar:

        def report(progress: GanProgress) -> None:
            bar.n = progress.step
            left = tqdm.format_interval(progress.seconds_left)
            bar.set_postfix_str(
                f"left {left}, discriminator {progress.discriminator:.2f}, "
                f"reads real {progress.reads_real:.2f}, written {progress.reads_written:.2f}",
                refresh=False,
            )
            bar.update(0)

        return train_gan(recipe.train, recipe.model, Charset(), data, out, report, seconds, init)


def read_recipe(options: Mapping[str, Any]) -> Recipe | GanRecipe:
    """Return the recipe that options ask for; raises ``RecipeRefused``."""
    try:
        recipe = make_recipe(options["arch"], options["preset"], options["config"])
    except (UnknownArchitecture, UnknownPreset, ValueError, OSError) as error:
        raise RecipeRefused(str(error.args[0] if error.args else error)) from error
    if options["samples"] and isinstance(recipe, Recipe):
        recipe = replace(recipe, train=replace(recipe.train, samples=options["samples"]))
    return recipe
