"""Train on a machine that is lent for a fixed time: rate and curriculum follow the clock.

    python scripts/train_by_the_clock.py ARCH --data DIR --config TOML --out DIR --seconds S
        [--since EPOCH_SECONDS] [--init WEIGHTS] [--cache DIR] [--draw-workers N] [--reuse N]

How many samples a lent machine sees is known at its end only, so a schedule in samples (``manage.py
train``) ends too early or too late there. Words and lines come from a store that another process
fills (``on_device``; ``--draw-workers`` alone, with ARCH ``none``, is that process). Blocks of text
are drawn in processes of their own, and the last ones are met again, varied on the device, while
new ones are waited for. Weights are exported every minute. A run cannot be taken up again.
"""

from __future__ import annotations

import csv
import queue
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.training.checkpoints import export_weights
from clinic_hwr.recognition.training.datasets import (
    CHUNK_SAMPLES,
    Batch,
    MixtureDataset,
    build_mixture,
    mixture_places,
)
from clinic_hwr.recognition.training.device_batches import DeviceMixture
from clinic_hwr.recognition.training.loop import Run, greedy_cer, training_device
from clinic_hwr.recognition.training.material import (
    Material,
    block_writers,
    gather_material,
    open_store,
)
from clinic_hwr.recognition.training.paragraphs import CURRICULUM, ParagraphDataset
from clinic_hwr.recognition.training.recipe import Recipe, make_recipe

STAGE_ENDS = (0.2, 0.4, 0.6)  # shares of the time: single words, lines, two lines; then blocks
REMEMBERED = 200  # batches of blocks that may be met again
CHECK_SECONDS = 60.0
REAL = frozenset(
    {
        "unipen_words", "unipen_phrases", "unipen_lines",
        "scanned_words", "scanned_lines", "line_words",
    }
)  # fmt: skip


class BlocksByTheClock(ParagraphDataset):
    """Blocks as hard as the share of the time that is over."""

    since: float
    seconds: float

    def sample(self, index: int) -> Any:
        """Draw block ``index`` at the stage of this moment."""
        share = (time.time() - self.since) / self.seconds
        return super().sample(sum(share > end for end in STAGE_ENDS) * self.stage_samples + index)


def blocks(recipe: Recipe, options: Namespace, since: float) -> Iterator[Batch]:
    """Yield drawn batches as they come, and remembered ones between them."""
    model, schedule = recipe.model, recipe.train
    dataset = BlocksByTheClock(
        block_writers(options.data), Charset(), model.height_px, model.max_width_px,
        model.line_px, CURRICULUM, stage_samples=10**9, pixels_per_batch=schedule.pixels_per_batch,
        seed=schedule.seed, chunk_samples=256,
    )  # fmt: skip
    dataset.since, dataset.seconds = since, options.seconds
    loader = DataLoader(dataset, batch_size=None, num_workers=options.draw_workers)
    drawn: queue.Queue[Batch] = queue.Queue(maxsize=32)

    def pull() -> None:
        for batch in loader:
            drawn.put(batch)

    threading.Thread(target=pull, daemon=True).start()
    remembered: list[Batch] = []
    fresh = 0
    rng = np.random.default_rng(schedule.seed)
    while True:
        known = len(remembered) >= 30
        again = known and (drawn.empty() or fresh % options.reuse)
        if again:
            fresh += 1
            yield remembered[int(rng.integers(len(remembered)))]
            continue
        fresh += 1
        batch = drawn.get()
        remembered = [*remembered[-REMEMBERED + 1 :], batch]
        yield batch


def real_ones(recipe: Recipe, options: Namespace) -> DeviceMixture:
    """Return stored words and lines that somebody wrote as they are: none put together."""
    model, schedule = recipe.model, recipe.train
    places = {k for name, k in mixture_places(recipe.mixture).items() if name in REAL}
    store = open_store(recipe.mixture, schedule.seed, schedule.stored_chunks, options.cache)
    return DeviceMixture(
        store, Charset(), model.height_px, model.max_width_px, training_device(),
        schedule.pixels_per_batch, schedule.seed, 0, schedule.reuse, frozenset(places),
    )  # fmt: skip


def varied(batch: Batch, device: torch.device) -> Batch:
    """Vary the pen and the darkness of blocks on the device."""
    images = batch.images.to(device, non_blocking=True)
    each = (len(images), 1, 1, 1)
    roll, amount = torch.rand(each, device=device), torch.rand(each, device=device)
    thick = torch.lerp(images, F.max_pool2d(images, 3, 1, 1), amount)
    thin = torch.lerp(images, -F.max_pool2d(-images, 3, 1, 1), 0.6 * amount)
    images = torch.where(roll < 0.3, thick, torch.where(roll > 0.8, thin, images))
    dark = 0.7 + 0.5 * torch.rand(each, device=device)
    return replace(batch, images=(images * dark).clamp(0, 1))


def rate_at(share: float, config: Any) -> float:
    """Warm-up over the first 2% of the time, then constant, then linear to 1% of the peak."""
    warm = min(1.0, 0.02 + share / 0.02)
    return config.learning_rate * min(warm, max(0.01, (1 - share) / config.decay_share))


def train_by_the_clock(recipe: Recipe, options: Namespace, since: float) -> None:
    """Train until the time is over."""
    device, charset = training_device(), Charset()
    is_block = hasattr(recipe.model, "line_px")
    batches: Iterator[Batch] | None = blocks(recipe, options, since) if is_block else None
    first = next(batches) if batches is not None else None  # its processes fork before CUDA starts
    [reader], [generator] = weights_paths("trba"), weights_paths("scrabblegan")
    material: Material = gather_material(
        recipe, charset, options.data, options.cache, reader, 0, generator
    )
    if batches is None:
        chosen = real_ones(recipe, options) if options.real else material.make_dataset(0)
        batches = iter(chosen)
    run = Run(recipe.arch, recipe.model, charset, recipe.train, device, options.init)
    checked = time.time()
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "curve.csv").open("a", newline="") as handle:
        curve = csv.writer(handle)
        while (share := (time.time() - since) / options.seconds) < 1:
            batch = first or next(batches)
            first = None
            if is_block:
                batch = varied(batch, device)
            run.learn(batch, rate_at(share, recipe.train))
            if time.time() - checked > CHECK_SECONDS:
                run.cer = greedy_cer(run.model, [batch], device)
                run.check(material.held_out)
                curve.writerow([*run.curve_row(), run.steps])
                handle.flush()
                _export(run, recipe, charset, options.out)
                checked = time.time()
        run.check(material.held_out)
        curve.writerow([*run.curve_row(), run.steps])
    _export(run, recipe, charset, options.out)


def _export(run: Run, recipe: Recipe, charset: Charset, out: Path) -> None:
    for name, tensors in (("weights", run.best), ("last", run.average.tensors)):
        if tensors:
            part = out / f"{name}.part"
            export_weights(part, recipe.arch, recipe.model, charset, tensors)
            part.replace(out / f"{name}.safetensors")


def fill_store(recipe: Recipe, options: Namespace) -> None:
    """Draw the words and lines that other processes train with."""
    [generator] = weights_paths("scrabblegan")
    sources = build_mixture(options.data, recipe.mixture, options.cache, generator)
    schedule = recipe.train
    store = open_store(recipe.mixture, schedule.seed, schedule.stored_chunks, options.cache)
    drawer = MixtureDataset(sources, Charset(), 1, 1, seed=schedule.seed)
    store.fill(drawer.sample, CHUNK_SAMPLES, options.draw_workers)


def main() -> None:
    """Read the options and train, or draw."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("arch")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/clock"))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--since", type=float, default=0.0)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--draw-workers", type=int, default=4)
    parser.add_argument("--reuse", type=int, default=3)
    parser.add_argument("--real", action="store_true", help="Leave composed text out.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.backends.cuda.matmul.allow_tf32 = True
    draws = options.arch == "none"
    recipe = make_recipe("trba" if draws else options.arch, "small", options.config)
    if not isinstance(recipe, Recipe):
        parser.error(f"{options.arch} makes words; this trains readers.")
    if draws:
        fill_store(recipe, options)
    else:
        train_by_the_clock(recipe, options, options.since or time.time())


if __name__ == "__main__":
    main()
