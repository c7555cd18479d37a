"""manage.py train: train a recognizer, or go on with a run that was interrupted."""

from __future__ import annotations

import hashlib
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
from clinic_hwr.recognition.training.alignment import prepare_parts
from clinic_hwr.recognition.training.curves import draw_curve
from clinic_hwr.recognition.training.datasets import (
    CHUNK_SAMPLES,
    MixtureDataset,
    build_mixture,
    held_out_batches,
)
from clinic_hwr.recognition.training.loop import Progress, train
from clinic_hwr.recognition.training.recipe import Recipe, make_recipe
from clinic_hwr.recognition.training.store import SampleStore


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
        charset = Charset()
        cache: Path = options["cache"]
        parts = None
        if recipe.mixture.composed + recipe.mixture.line_words > 0:
            parts = prepare_parts(data, weights_paths("trba")[0], cache)
        sources = build_mixture(data, recipe.mixture, parts)
        store = None
        if recipe.train.stored_chunks > 0:
            drawn = f"{recipe.mixture}{recipe.train.seed}".encode()
            folder = cache / f"store-{hashlib.sha256(drawn).hexdigest()[:12]}"
            store = SampleStore(folder, recipe.train.stored_chunks)
            if options["draw_workers"]:
                store.fill(
                    MixtureDataset(sources, charset, 1, 1, seed=recipe.train.seed).sample,
                    CHUNK_SAMPLES,
                    options["draw_workers"],
                )
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), encoding="utf-8")

        def dataset(first_chunk: int) -> MixtureDataset:
            return MixtureDataset(
                sources,
                charset,
                recipe.model.height_px,
                recipe.model.max_width_px,
                pixels_per_batch=recipe.train.pixels_per_batch,
                seed=recipe.train.seed,
                first_chunk=first_chunk,
                store=store,
            )

        shape = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"
        with tqdm(total=recipe.train.samples, desc=recipe.arch, bar_format=shape) as bar:

            def report(progress: Progress) -> None:
                bar.n = min(progress.samples, progress.total)
                left = tqdm.format_interval(progress.seconds_left)
                bar.set_postfix_str(
                    f"left {left}, loss {progress.loss:.3f}, CER {progress.cer:.1%}, "
                    f"held out {progress.held_out_cer:.1%}"
                )

            weights = train(
                recipe.arch,
                recipe.model,
                charset,
                dataset,
                recipe.train,
                out,
                report,
                init=options["init"],
                held_out=held_out_batches(
                    data, charset, recipe.model.height_px, recipe.model.max_width_px
                ),
            )
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
