"""The training loop: one model, one endless mixture, a fixed number of samples."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from clinic_hwr.recognition.architectures import architecture
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.metrics import character_error_rate

from .checkpoints import export_weights, load_checkpoint, save_checkpoint
from .datasets import Batch, MixtureDataset

CURVE_STEPS = 25  # batches between two points of the learning curve


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one run.

    Attributes:
        samples: crops to see; the learning rate falls to zero over them.
        learning_rate: peak of AdamW's one-cycle schedule.
        warmup_samples: linear rise of the learning rate.
        weight_decay: not applied to biases and normalisation.
        clip: gradient norm limit.
        ema: decay of the averaged weights, per step.
        checkpoint_seconds: pause between checkpoints.
        bf16: autocast to bfloat16 (CPU with AVX512-BF16, or GPU).
        seed: of samples and initial weights.
        loader_workers: processes that draw samples.
    """

    samples: int = 500_000
    learning_rate: float = 1.6e-3
    warmup_samples: int = 16_000
    weight_decay: float = 0.02
    clip: float = 2.0
    ema: float = 0.999
    checkpoint_seconds: float = 180.0
    bf16: bool = True
    seed: int = 1
    loader_workers: int = 1


@dataclass
class Progress:
    """Where a run stands; given to the reporting function after every batch."""

    samples: int
    total: int
    loss: float
    cer: float
    seconds_left: float


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
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.tensors[key].lerp_(value.detach(), 1 - decay)
            else:
                self.tensors[key].copy_(value)


def learning_rate_at(samples: int, config: TrainConfig) -> float:
    """Linear warm-up, then a half cosine down to 1% of the peak."""
    if samples < config.warmup_samples:
        return config.learning_rate * max(samples, 1) / config.warmup_samples
    span = max(1, config.samples - config.warmup_samples)
    done = min(1.0, (samples - config.warmup_samples) / span)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    arch: str,
    model_config: Any,
    charset: Charset,
    make_dataset: Callable[[int], MixtureDataset],
    config: TrainConfig,
    out_dir: Path,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train, or go on with, one run.

    Args:
        arch: a registered architecture.
        model_config: its configuration.
        charset: what it can write.
        make_dataset: first chunk -> dataset.
        config: of the run.
        out_dir: receives ``checkpoint.pt``, ``curve.csv`` and ``weights.safetensors``.
        report: called after every batch.

    Returns:
        path of the exported, averaged weights.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = architecture(arch).build(model_config, charset).to(device)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch stub
    optimiser = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), betas=(0.9, 0.98))
    average = WeightAverage(model, config.ema)
    samples = first_chunk = steps = 0
    checkpoint = out_dir / "checkpoint.pt"
    if checkpoint.exists():
        state = load_checkpoint(checkpoint)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.tensors, average.steps = state["average"], state["average_steps"]
        samples, first_chunk = state["samples"], state["chunk"]
        torch.set_rng_state(state["rng"])
    loader = DataLoader(
        make_dataset(first_chunk), batch_size=None, num_workers=config.loader_workers
    )
    model.train()
    started, started_at, saved_at = time.monotonic(), samples, time.monotonic()
    chunk = first_chunk
    loss_mean, cer = math.nan, math.nan
    with (out_dir / "curve.csv").open("a", newline="") as handle:
        curve = csv.writer(handle)
        for batch in loader:
            # A checkpoint is only taken between chunks: that is where the data can resume.
            if batch.chunk != chunk:
                chunk = batch.chunk
                if time.monotonic() - saved_at > config.checkpoint_seconds:
                    _save(checkpoint, model, optimiser, average, samples, chunk)
                    saved_at = time.monotonic()
            for group in optimiser.param_groups:
                group["lr"] = learning_rate_at(samples, config)
            loss = _step(model, optimiser, batch, config, device)
            average.update(model)
            samples += len(batch.texts)
            steps += 1
            if steps % CURVE_STEPS == 0:
                cer = training_cer(model, batch, device)
                curve.writerow([samples, f"{loss_mean:.4f}", f"{cer:.4f}", f"{time.time():.0f}"])
                handle.flush()
            loss_mean = loss if math.isnan(loss_mean) else 0.98 * loss_mean + 0.02 * loss
            speed = (samples - started_at) / max(1e-6, time.monotonic() - started)
            left = max(0, config.samples - samples) / max(speed, 1e-6)
            report(Progress(samples, config.samples, loss_mean, cer, left))
            if samples >= config.samples:
                break
    _save(checkpoint, model, optimiser, average, samples, chunk + 1)
    weights = out_dir / "weights.safetensors"
    export_weights(weights, arch, model_config, charset, average.tensors)
    return weights


def _step(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    config: TrainConfig,
    device: torch.device,
) -> float:
    images = batch.images.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
        losses = model.loss(  # type: ignore[operator]  # every registered model has loss()
            images, batch.widths.to(device), batch.targets.to(device), batch.lengths.to(device)
        )
    optimiser.zero_grad(set_to_none=True)
    losses["loss"].backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    optimiser.step()
    return float(losses["loss"].detach())


@torch.inference_mode()
def training_cer(model: nn.Module, batch: Batch, device: torch.device) -> float:
    """CER of the CTC best path on one training batch: a cheap sign of life."""
    model.eval()
    encoded = model.encode(batch.images.to(device), batch.widths.to(device))  # type: ignore[operator]
    best = encoded.ctc_logits.argmax(-1).masked_fill(~encoded.mask, 0).tolist()
    model.train()
    charset: Charset = model.charset  # type: ignore[assignment]
    readings = [
        charset.decode([c for i, c in enumerate(row) if i == 0 or c != row[i - 1]]) for row in best
    ]
    return character_error_rate(batch.texts, readings)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]


def _save(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
    samples: int,
    chunk: int,
) -> None:
    save_checkpoint(
        path,
        {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.tensors,
            "average_steps": average.steps,
            "samples": samples,
            "chunk": chunk,
            "rng": torch.get_rng_state(),
        },
    )
