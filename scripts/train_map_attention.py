"""Train ``scan_attend_read`` on one CPU core: guided attention, and stages by mastery.

    python scripts/train_map_attention.py --data DIR --init WEIGHTS --out DIR
        --config clinic_hwr/recognition/weights/scan_attend_read-small.toml
        [--seconds S] [--rate R] [--guide WEIGHT] [--stage N] [--detached BLOCKS]

Starts from an ``mdlstm_ctc`` with the same levels, whose CTC layer goes on learning on blocks and
says where the characters lie (``guided_attention``). Harder blocks come when those of the stage
are read (``MASTERED``). The encoder
learns from CTC alone first (``--detached``). A run is taken up where its checkpoint ends, at the
stage that is asked for.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.recognition.architectures.contract import ctc_loss, decoder_loss
from clinic_hwr.recognition.architectures.scan_attend_read import ScanAttendRead
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import Ink
from clinic_hwr.recognition.training.checkpoints import (
    export_weights,
    load_checkpoint,
    save_checkpoint,
)
from clinic_hwr.recognition.training.datasets import Batch
from clinic_hwr.recognition.training.guided_attention import align, guide_loss, places
from clinic_hwr.recognition.training.loop import Run, greedy_cer
from clinic_hwr.recognition.training.material import block_writers, gather_material
from clinic_hwr.recognition.training.paragraphs import (
    CURRICULUM,
    Band,
    BlockBatch,
    ParagraphDataset,
)
from clinic_hwr.recognition.training.recipe import Recipe, make_recipe

SAY_SECONDS, CHECK_SECONDS = 15.0, 120.0
MASTERED = 0.45  # teacher-forced error, averaged, from which the next stage begins
FEWEST_BATCHES = 100  # of a stage, before its error counts
TOLD = 0.5  # share of blocks in which the last character's place is told
EARLIER = 0.4  # share of batches from the stages before
TALLEST = 1.6  # line heights: words of letters apart are scaled by one letter
FEWEST_KEPT, MOST_KEPT = 30, 300  # batches of a stage that may be met again
AGAIN = 0.6  # share of the batches that are: drawing one takes as long as learning from it
DECAY = 0.4  # last share of the time, over which the rate falls


def trimmed(batch: BlockBatch, rows: int, spare: int) -> BlockBatch:
    """Cut what is empty below the ink of all crops, down to whole ``rows`` and ``spare`` more."""
    low = int((batch.images[:, 0] > 0.2).any(2).any(0).nonzero().max()) + 1
    height = min(batch.images.shape[2], (-(-low // rows) + spare) * rows)
    return replace(batch, images=batch.images[:, :, :height])


class WellScaled(ParagraphDataset):
    """Blocks without those whose letters are far larger than usual: they are rare and slow."""

    def blocks(self, number: int) -> Iterator[tuple[Ink, str, tuple[Band, ...]]]:
        """See ``ParagraphDataset``."""
        for ink, text, bands in super().blocks(number):
            if all(band.bottom - band.top < TALLEST * self.line_px for band in bands):
                yield ink, text, bands


class Stages:
    """Batches of the stage that is being learnt, and of those before it."""

    def __init__(self, recipe: Recipe, data: Path, seed: int):
        model = recipe.model
        writers = block_writers(data)
        self.at = self.learnt = 0
        self.rng = np.random.default_rng(seed)
        self.kept: list[list[BlockBatch]] = [[] for _ in CURRICULUM]
        self.streams: list[Iterator[BlockBatch]] = [
            iter(
                WellScaled(
                    writers, Charset(), model.height_px, model.max_width_px, model.line_px,
                    stages=[stage], pixels_per_batch=recipe.train.pixels_per_batch,
                    seed=seed + k, chunk_samples=256,
                )
            )
            for k, stage in enumerate(CURRICULUM)
        ]  # fmt: skip

    def report(self, stage: int, error: float) -> None:
        """Go on to the next stage when this one is mastered."""
        self.learnt += stage == self.at
        last = self.at == len(CURRICULUM) - 1
        if stage == self.at and error < MASTERED and self.learnt >= FEWEST_BATCHES and not last:
            self.at, self.learnt = self.at + 1, 0

    def draw(self) -> tuple[int, BlockBatch]:
        """Number of a stage, and a batch of it."""
        stage = self.at
        if stage and self.rng.random() < EARLIER:
            stage = int(self.rng.integers(stage))
        kept = self.kept[stage]
        if len(kept) >= FEWEST_KEPT and self.rng.random() < AGAIN:
            return stage, kept[int(self.rng.integers(len(kept)))]
        batch = next(self.streams[stage])
        self.kept[stage] = [*kept[-MOST_KEPT + 1 :], batch]
        return stage, batch


class Lines(NamedTuple):
    """All lines of a batch: items (N,), rows (N, rows) of the map, and what CTC learns from."""

    items: Tensor
    rows: Tensor
    mask: Tensor
    targets: Tensor
    lengths: Tensor


def lines_of(batch: BlockBatch, mask: Tensor, rows: int, pixel_rows: int) -> Lines:
    """Take the lines of a batch; a row of the map is a line's if half of it lies in its band."""
    bands = batch.bands
    items = torch.tensor([band.item for band in bands])
    lengths = torch.tensor([band.length for band in bands])
    targets = batch.targets.new_zeros(len(bands), int(lengths.max()))
    inside = torch.zeros(len(bands), rows)
    middle = pixel_rows * (torch.arange(rows) + 0.5)
    for k, band in enumerate(bands):
        targets[k, : band.length] = batch.targets[band.item, band.start : band.start + band.length]
        inside[k] = ((middle > band.top) & (middle < band.bottom)).float()
        nearest = (middle - (band.top + band.bottom) / 2).abs().argmin()
        inside[k, nearest] = 1.0
    return Lines(items, inside, mask[items], targets, lengths)


def losses(model: ScanAttendRead, batch: BlockBatch, detach: bool) -> dict[str, Tensor]:
    """Losses of a batch, and the share of characters wrong after the right ones before."""
    if model.ctc is None:
        raise ValueError("Without a CTC layer nothing says where to look: ctc_weight is 0.")
    cells, mask = model._map(batch.images, batch.widths)
    rows = cells.shape[1]
    found: dict[str, Tensor] = {}
    lines = lines_of(batch, mask, rows, model.levels.pixel_rows)
    logits = model.ctc(torch.einsum("crbf,br->bcf", cells[:, :, lines.items], lines.rows))
    found["ctc"] = ctc_loss(logits, lines.mask, lines.targets, lines.lengths)
    aligned = align(logits.log_softmax(-1), lines.mask, lines.targets, lines.lengths)
    columns = torch.full_like(batch.targets, -1)
    inside_rows = torch.zeros(*batch.targets.shape, rows)
    for k, (i, start, length, _, _) in enumerate(batch.bands):
        columns[i, start : start + length] = aligned[k, :length]
        inside_rows[i, start : start + length] = lines.rows[k]
        if start:  # the space that joins two lines is read at the beginning of the second
            columns[i, start - 1] = aligned[k, 0]
            inside_rows[i, start - 1] = lines.rows[k]
    seen = cells.detach() if detach else cells
    flat = seen.permute(2, 0, 1, 3).flatten(1, 2), mask.repeat_interleave(rows, dim=1)
    told = places(columns, inside_rows, len(cells))
    told = told * (torch.rand(len(told), 1, 1) < TOLD)
    logits, attention = model.decoder.unroll(*flat, batch.targets, rows, told)
    found["attention"] = decoder_loss(logits, batch.targets, batch.lengths)
    found["guide"] = guide_loss(attention, columns, inside_rows, rows)
    inside = torch.arange(batch.targets.shape[1]) < batch.lengths.unsqueeze(1)
    wrong = logits[:, :-1].argmax(-1) != batch.targets
    found["error"] = wrong[inside].float().mean().detach()
    return found


def learn(run: Run, batch: BlockBatch, rate: float, guide: float, detach: bool) -> dict[str, float]:
    """Learn from one batch; returns its losses."""
    model: Any = run.model
    found = losses(model, batch, detach)
    total = found["attention"] + guide * found["guide"] + model.config.ctc_weight * found["ctc"]
    run.optimiser.set_rate(rate)
    run.optimiser.zero_grad()
    total.backward()
    # Clipped apart: a gradient that explodes in the encoder leaves the decoder's as it is.
    for inside in (True, False):
        part = [p for n, p in model.named_parameters() if n.startswith("levels.") == inside]
        norm = nn.utils.clip_grad_norm_(part, run.config.clip)
        if not bool(torch.isfinite(norm)):  # a wide map's states may grow with every diagonal
            for parameter in part:
                parameter.grad = None
    run.optimiser.step()
    run.average.update(model)
    run.samples += len(batch.texts)
    run.steps += 1
    return {name: float(value.detach()) for name, value in found.items()}


def start(recipe: Recipe, options: Namespace) -> Run:
    """Take up the run of a checkpoint, or begin one with the encoder of ``--init``."""
    checkpoint = options.out / "checkpoint.pt"
    init = None if checkpoint.exists() else options.init
    device = torch.device("cpu")
    run = Run(recipe.arch, recipe.model, Charset(), recipe.train, device, init)
    if checkpoint.exists():
        run.restore(load_checkpoint(checkpoint))
        return run
    model: Any = run.model
    with torch.no_grad():  # the context is about half of what CTC reads, a sum of two rows
        model.decoder.output.weight[:, recipe.model.decoder_hidden :] = 2 * model.ctc.weight
    return run


def train(recipe: Recipe, options: Namespace) -> None:
    """Train until the time is over."""
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), encoding="utf-8")
    held_out = gather_material(recipe, Charset(), options.data, out, out, 0).held_out
    run = start(recipe, options)
    model: Any = run.model
    stages = Stages(recipe, options.data, recipe.train.seed + run.steps)
    stages.at = options.stage
    started = checked = said = time.time()
    means: dict[str, float] = {}
    while (share := (time.time() - started) / options.seconds) < 1:
        stage, whole = stages.draw()
        spare = int(stages.rng.integers(2))
        batch = trimmed(whole, model.levels.pixel_rows, spare)
        rate = options.rate * min(1.0, (run.steps + 1) / 100, max(0.01, (1 - share) / DECAY))
        found = learn(run, batch, rate, options.guide, run.samples < options.detached)
        for name, value in found.items():
            key = f"{name}{stage}"
            means[key] = 0.97 * means.get(key, value) + 0.03 * value
        stages.report(stage, means[f"error{stage}"])
        if time.time() - said > SAY_SECONDS:
            said = time.time()
            numbers = " ".join(f"{k} {v:.2f}" for k, v in sorted(means.items()))
            print(f"{said - started:.0f} s, {run.samples} blocks: {numbers}", flush=True)
        if time.time() - checked > CHECK_SECONDS:
            check(run, whole, held_out, recipe, out)
            print(f"  of stage {stage}", flush=True)
            checked = time.time()
    check(run, whole, held_out, recipe, out)
    print()


def check(run: Run, batch: Batch, held_out: Sequence[Batch], recipe: Recipe, out: Path) -> None:
    """Read freely; write the checkpoint, the best and the last weights, a line of the curve."""
    run.cer = greedy_cer(run.model, [batch], run.device)
    run.check(held_out)
    print(f"CER {run.cer:.1%} of a batch, held out {run.held_out_cer:.1%}", end="", flush=True)
    with (out / "curve.csv").open("a", newline="") as handle:
        csv.writer(handle).writerow(run.curve_row())
    save_checkpoint(out / "checkpoint.pt", run.state())
    for name, tensors in (("weights", run.best), ("last", run.average.tensors)):
        path = out / f"{name}.safetensors"
        export_weights(path, recipe.arch, recipe.model, Charset(), tensors)


def main() -> None:
    """Read the options and train."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/sar"))
    parser.add_argument("--init", type=Path)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--guide", type=float, default=1.0, help="Weight of the guiding loss.")
    parser.add_argument("--stage", type=int, default=0, help="To begin with; 3 = whole blocks.")
    parser.add_argument(
        "--detached", type=int, default=12_000,
        help="Blocks during which the encoder learns from CTC alone.",
    )  # fmt: skip
    options = parser.parse_args()
    cv2.setNumThreads(1)
    recipe = make_recipe("scan_attend_read", "small", options.config)
    if not isinstance(recipe, Recipe):
        parser.error("scan_attend_read reads.")
    train(recipe, options)


if __name__ == "__main__":
    main()
