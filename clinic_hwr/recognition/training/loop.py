"""The training loop: one model, one endless mixture, a fixed number of samples."""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from clinic_hwr.recognition.architectures import architecture
from clinic_hwr.recognition.architectures.contract import Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.metrics import character_error_rate

from .checkpoints import export_weights, load_checkpoint, load_weights, save_checkpoint
from .datasets import Batch, first_of
from .optimisers import AdamW, MuonAndAdamW, OptimiserName, make_optimiser

CURVE_STEPS = 25  # batches between two points of the learning curve
CURVE_CROPS = 64  # of a batch, read for such a point


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one run.

    Attributes:
        samples: crops to see; the learning rate falls to zero over them.
        optimiser: ``adamw`` or ``muon`` (``optimisers``).
        learning_rate: peak of the schedule.
        warmup_samples: linear rise of the learning rate.
        weight_decay: not applied to biases and normalisation.
        clip: gradient norm limit.
        ema: decay of the averaged weights, per step.
        checkpoint_seconds: pause between checkpoints.
        bf16: autocast to bfloat16 (CPU with AVX512-BF16, or GPU).
        seed: of samples and initial weights.
        loader_workers: 1 = samples are drawn in a process of their own, 0 = in this one. With
            more, chunks mix: a run that is taken up may repeat or miss a few batches.
        pixels_per_batch: width times crops of a batch, at the height of the model.
        stored_chunks: drawn chunks that are kept and used again (``store.SampleStore``); 0 =
            every sample is drawn anew.
        on_device: batches are put together and varied on the device that trains, from stored
            chunks (``device_batches``), which other processes may still be drawing.
        reuse: how often each stored chunk is met before all are drawn; with ``on_device``.
        first_chunk: where in the stream of samples the run begins; runs with different
            numbers see the same samples in another order.
        decay_share: the last share of the run, over which the learning rate falls to zero;
            before it the rate is constant. 1 = a cosine over the whole run.
        check_samples: crops between two looks at the held-out writers.
        patience: looks without a better CER after which the run stops; 0 = never.
    """

    samples: int = 500_000
    optimiser: OptimiserName = "muon"
    learning_rate: float = 3e-3
    warmup_samples: int = 16_000
    weight_decay: float = 0.02
    clip: float = 2.0
    ema: float = 0.999
    checkpoint_seconds: float = 180.0
    bf16: bool = True
    seed: int = 1
    loader_workers: int = 1
    pixels_per_batch: int = 7168
    stored_chunks: int = 0
    on_device: bool = False
    reuse: int = 1
    first_chunk: int = 0
    decay_share: float = 1.0
    check_samples: int = 25_000
    patience: int = 0


@dataclass
class Progress:
    """Where a run stands; given to the reporting function after every batch."""

    samples: int
    total: int
    loss: float
    cer: float
    held_out_cer: float
    seconds_left: float


def training_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class WeightAverage:
    """Exponential moving average of a model's weights and buffers."""

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.steps = 0
        self.tensors = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the model; the first steps move faster so that the start is forgotten."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        averaged: list[torch.Tensor] = []
        current: list[torch.Tensor] = []
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                averaged.append(self.tensors[key])
                current.append(value.detach())
            else:
                self.tensors[key].copy_(value)
        torch._foreach_lerp_(averaged, current, 1 - decay)  # one kernel instead of hundreds


def learning_rate_at(samples: int, config: TrainConfig) -> float:
    """Linear warm-up, a constant part, then a fall to 1% of the peak.

    With ``decay_share`` 1 the fall is a half cosine over everything after the warm-up; a
    shorter one falls linearly at the end (warmup-stable-decay, Hu et al. 2024), so that a
    run can be prolonged from a checkpoint of its constant part.
    """
    if samples < config.warmup_samples:
        return config.learning_rate * max(samples, 1) / config.warmup_samples
    if config.decay_share < 1:
        left = (config.samples - samples) / max(1.0, config.decay_share * config.samples)
        return config.learning_rate * min(1.0, max(0.01, left))
    span = max(1, config.samples - config.warmup_samples)
    done = min(1.0, (samples - config.warmup_samples) / span)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    arch: str,
    model_config: Any,
    charset: Charset,
    make_dataset: Callable[[int], IterableDataset[Batch]],
    config: TrainConfig,
    out_dir: Path,
    report: Callable[[Progress], None] = lambda progress: None,
    init: Path | None = None,
    held_out: Sequence[Batch] = (),
    seconds: float = math.inf,
) -> Path:
    """Train, or go on with, one run.

    A run that was stopped goes on from its last checkpoint and then does exactly what it
    would have done: same samples, same random numbers, same weights (on one device).

    Args:
        arch: a registered architecture.
        model_config: its configuration.
        charset: what it can write.
        make_dataset: first chunk -> dataset.
        config: of the run.
        out_dir: receives ``checkpoint.pt``, ``curve.csv``, ``weights.safetensors`` and, when
            something is held out, ``last.safetensors``: a few hundred held-out words choose
            with an error of their own, and both can be compared on more.
        report: called after every batch.
        init: weights to start a new run from: of the same architecture and configuration, or of
            one that is a part of it (the encoder of ``scan_attend_read`` learns as ``mdlstm_ctc``).
        held_out: batches of writers that the dataset does not hold, for early stopping and
            for choosing the weights that are exported.
        seconds: how long to train at most in this call; a run that is not done by then is
            saved at the next chunk's end, and another call goes on with it.

    Returns:
        path of the exported, averaged weights: those with the lowest held-out CER, or the
        last ones when nothing is held out.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    device = training_device()
    run = Run(arch, model_config, charset, config, device, init)
    checkpoint = out_dir / "checkpoint.pt"
    if checkpoint.exists():
        run.restore(load_checkpoint(checkpoint))
    loader = DataLoader(
        make_dataset(run.chunk),
        batch_size=None,
        num_workers=0 if config.on_device else config.loader_workers,
        generator=torch.Generator(),  # or it would draw from the generator of dropout
    )
    started, started_at, saved_at = time.monotonic(), run.samples, time.monotonic()
    with (out_dir / "curve.csv").open("a", newline="") as handle:
        curve = csv.writer(handle)
        for batch in loader:
            # A checkpoint is only taken between chunks: that is where the data can resume.
            if batch.chunk != run.chunk:
                run.chunk = batch.chunk
                if time.monotonic() - saved_at > config.checkpoint_seconds:
                    save_checkpoint(checkpoint, run.state())
                    saved_at = time.monotonic()
                if time.monotonic() - started > seconds:
                    break  # before this batch: the run goes on with it
            run.step(batch)
            if run.steps % CURVE_STEPS == 0:
                run.cer = greedy_cer(run.model, [first_of(batch, CURVE_CROPS)], device)
                curve.writerow(run.curve_row())
                handle.flush()
            if held_out and run.due_for_check():
                run.check(held_out)
                curve.writerow(run.curve_row())
            speed = (run.samples - started_at) / max(1e-6, time.monotonic() - started)
            left = max(0, config.samples - run.samples) / max(speed, 1e-6)
            report(Progress(run.samples, config.samples, run.loss, run.cer, run.held_out_cer, left))
            if run.is_done():
                break
    if run.is_done():
        if held_out:
            run.check(held_out)
        run.chunk += 1
    save_checkpoint(checkpoint, run.state())
    weights = out_dir / "weights.safetensors"
    export_weights(weights, arch, model_config, charset, run.best or run.average.tensors)
    if run.best:
        last = out_dir / "last.safetensors"
        export_weights(last, arch, model_config, charset, run.average.tensors)
    return weights


def _take_encoder(model: nn.Module, part: nn.Module, what: str) -> None:
    """Start the tensors of a part of a model from another that has the same, and nothing else.

    Raises:
        ValueError: some tensor of it has no place in the model.
    """
    places, tensors = model.state_dict(), part.state_dict()
    strange = [k for k, t in tensors.items() if k not in places or places[k].shape != t.shape]
    if strange:
        raise ValueError(f"{what}, and has no place in it for {', '.join(strange[:3])}.")
    model.load_state_dict(places | tensors)


class Run:
    """Everything that changes while a run goes on; ``state`` and ``restore`` are its memory."""

    def __init__(
        self,
        arch: str,
        model_config: Any,
        charset: Charset,
        config: TrainConfig,
        device: torch.device,
        init: Path | None,
    ):
        torch.manual_seed(config.seed)
        model = architecture(arch).build(model_config, charset).to(device)
        self.model: Recognizer = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch stub
        if init is not None:
            found, start = load_weights(init)
            if found == arch:
                self.model.load_state_dict(start.state_dict())
            else:
                _take_encoder(self.model, start, f"{init.name} holds {found}, not {arch}")
        self.config = config
        self.device = device
        self.optimiser = make_optimiser(config.optimiser, self.model, config.weight_decay)
        self.average = WeightAverage(self.model, config.ema)
        self.samples = self.steps = self.checked_at = self.worse_for = 0
        self.chunk = config.first_chunk
        self.loss = self.cer = self.held_out_cer = math.nan
        self.best: dict[str, torch.Tensor] = {}
        self.best_cer = math.inf
        self.model.train()

    def step(self, batch: Batch) -> None:
        """Learn from one batch, at the rate of the schedule."""
        self.learn(batch, learning_rate_at(self.samples, self.config))

    def learn(self, batch: Batch, rate: float) -> None:
        """Learn from one batch."""
        self.optimiser.set_rate(rate)
        loss = _step(self.model, self.optimiser, batch, self.config, self.device)
        self.average.update(self.model)
        self.samples += len(batch.texts)
        self.steps += 1
        self.loss = loss if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * loss

    def is_done(self) -> bool:
        """Whether everything was seen, or nothing became better for too long."""
        return self.samples >= self.config.samples or self.worse_for > self.config.patience > 0

    def due_for_check(self) -> bool:
        """Whether enough was seen since the held-out writers were read last."""
        return self.samples - self.checked_at >= self.config.check_samples

    def check(self, held_out: Sequence[Batch]) -> None:
        """Read the held-out writers with the averaged weights and remember the best."""
        twin = copy.deepcopy(self.model)
        twin.load_state_dict(self.average.tensors)
        self.held_out_cer = greedy_cer(twin, held_out, self.device)
        self.checked_at = self.samples
        self.worse_for += 1
        if self.held_out_cer < self.best_cer:
            self.best_cer, self.worse_for = self.held_out_cer, 0
            self.best = {k: v.clone() for k, v in self.average.tensors.items()}

    def curve_row(self) -> list[str]:
        """Samples, loss, training CER, held-out CER ("" before the first check), time."""
        held_out = "" if math.isnan(self.held_out_cer) else f"{self.held_out_cer:.4f}"
        return [
            str(self.samples), f"{self.loss:.4f}", f"{self.cer:.4f}", held_out,
            f"{time.time():.0f}",
        ]  # fmt: skip

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.tensors,
            "average_steps": self.average.steps,
            "best": self.best,
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "rng": torch.get_rng_state(),
            "rng_cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.tensors = {k: v.to(self.device) for k, v in state["average"].items()}
        self.average.steps = state["average_steps"]
        self.best = state["best"]
        for name, value in state["numbers"].items():
            setattr(self, name, value)
        torch.set_rng_state(state["rng"])
        if state["rng_cuda"] and self.device.type == "cuda":
            torch.cuda.set_rng_state_all(state["rng_cuda"])


_NUMBERS = (
    "samples", "chunk", "steps", "checked_at", "worse_for",
    "loss", "cer", "held_out_cer", "best_cer",
)  # fmt: skip


def _step(
    model: Recognizer,
    optimiser: AdamW | MuonAndAdamW,
    batch: Batch,
    config: TrainConfig,
    device: torch.device,
) -> float:
    images = batch.images.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
        losses = model.loss(
            images, batch.widths.to(device), batch.targets.to(device), batch.lengths.to(device)
        )
    optimiser.zero_grad()
    losses["loss"].backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    optimiser.step()
    return float(losses["loss"].detach())


def greedy_cer(model: Recognizer, batches: Sequence[Batch], device: torch.device) -> float:
    """CER of what the model reads without search, letters' case folded: a cheap sign of life."""
    was_training = model.training
    model.eval()
    truths: list[str] = []
    readings: list[str] = []
    for batch in batches:
        truths += [text.lower() for text in batch.texts]
        found = model.greedy(batch.images.to(device), batch.widths.to(device))
        readings += [text.lower() for text in found]
    model.train(was_training)
    return character_error_rate(truths, readings)
