"""Trains the segmenter of text lines on pages of no layout; one CPU core is enough.

python -m clinic_hwr.recognition.segmentation.training --data FOLDER --out FILE [--minutes 18]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from clinic_hwr.pages.background import flatten_background
from clinic_hwr.recognition.synthesis.hands import Hand, load_hands
from clinic_hwr.recognition.synthesis.scattered_pages import ScatteredPage, draw_scattered

from .network import INPUT_LONG_SIDE, STRIDE, LineSegmenter, parameters_of
from .weights import save_segmenter

HELD_OUT_EVERY = 5
"""Every so many hands one is kept for measuring."""
CROP_PX = 448
_CORE = 0.5  # share of a line's height that is its core
_ENDS = 0.25  # of the height, cut off the core at both ends: neighbours in a row stay apart


@dataclass(frozen=True, slots=True)
class Example:
    """A page as the network sees it and what it is to answer.

    Attributes:
        ink: (height, width) uint8, 255 = ink.
        cores: (2, height / 2, width / 2) uint8, 1 in the core of a line.
    """

    ink: NDArray[np.uint8]
    cores: NDArray[np.uint8]


def training_hands(hands: Sequence[Hand], *, held_out: bool) -> list[Hand]:
    """Return the hands that are learnt from, or those that are not."""
    return [hand for n, hand in enumerate(hands) if (n % HELD_OUT_EVERY == 0) is held_out]


def core_of(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink the corners of a line, (4, 2) clockwise from the top left, to those of its core."""
    down = quad[3] - quad[0]
    along = quad[1] - quad[0]
    length, height = float(np.hypot(*along)), float(np.hypot(*down))
    cut = min(_ENDS * height / max(length, 1.0), 0.3)
    margin = (1 - _CORE) / 2
    top_left, top_right = quad[0] + margin * down, quad[1] + margin * down
    corners = [
        top_left + cut * along,
        top_right - cut * along,
        top_right - cut * along + _CORE * down,
        top_left + cut * along + _CORE * down,
    ]
    return np.asarray(corners, np.float32)


def example_of(page: ScatteredPage) -> Example:
    """Turn a drawn page into what is learnt from it."""
    height, width = page.gray.shape
    cores = np.zeros((2, height // STRIDE, width // STRIDE), np.uint8)
    for channel, quads in enumerate((page.written, page.printed)):
        plane = np.zeros(cores.shape[1:], np.uint8)
        for quad in quads:
            points = np.round(core_of(quad) / STRIDE).astype(np.int32).reshape(-1, 1, 2)
            cv2.fillPoly(plane, [points], 1)
        cores[channel] = plane
    return Example(255 - flatten_background(page.gray), cores)


def examples(hands: Sequence[Hand], seed: int) -> Iterator[Example]:
    """Draw examples without end; the same hands and seed give the same ones."""
    for number in range(2**31):
        rng = np.random.default_rng([seed, number])
        long_side = int(INPUT_LONG_SIDE * rng.uniform(0.85, 1.1))
        yield example_of(draw_scattered(hands, rng, long_side_px=long_side))


def crop(example: Example, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cut a square out of a page: ink (1, CROP_PX, CROP_PX) 0..1 and cores at half the size."""
    height, width = example.ink.shape
    half = CROP_PX // STRIDE
    top = int(rng.integers(0, max(1, height // STRIDE - half)))
    left = int(rng.integers(0, max(1, width // STRIDE - half)))
    ink = np.zeros((CROP_PX, CROP_PX), np.float32)
    part = example.ink[top * STRIDE :, left * STRIDE :][:CROP_PX, :CROP_PX]
    ink[: part.shape[0], : part.shape[1]] = part / 255.0
    ink *= float(rng.uniform(0.7, 1.15))
    cores = np.zeros((2, half, half), np.float32)
    wanted = example.cores[:, top : top + half, left : left + half]
    cores[:, : wanted.shape[1], : wanted.shape[2]] = wanted
    return torch.from_numpy(np.clip(ink, 0, 1))[None], torch.from_numpy(cores)


def loss_of(logits: Tensor, cores: Tensor) -> Tensor:
    """Binary cross-entropy plus the Dice loss (Milletari et al. 2016) of each channel."""
    entropy = functional.binary_cross_entropy_with_logits(logits, cores)
    share = logits.sigmoid()
    both = (share * cores).sum(dim=(0, 2, 3))
    dice = (2 * both + 1) / (share.sum(dim=(0, 2, 3)) + cores.sum(dim=(0, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


def train(
    hands: Sequence[Hand], *, minutes: float, seed: int = 1, batch: int = 6, pool: int = 240
) -> LineSegmenter:
    """Train for so many minutes on one thread; returns the averaged weights.

    Pages are drawn as it goes: one every second step, the newest ``pool`` are cut up.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = LineSegmenter().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-3)
    source = examples(hands, seed)
    shelf = [next(source) for _ in range(12)]
    start, step, share = time.monotonic(), 0, 0.0
    while share < 1.0:
        share = (time.monotonic() - start) / (60 * minutes)
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = 4e-3 * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * min(share, 1.0))))
        if step % 2 == 0:
            shelf = [*shelf[-pool + 1 :], next(source)]
        cut = [crop(shelf[int(rng.integers(len(shelf)))], rng) for _ in range(batch)]
        ink = torch.stack([one for one, _ in cut]).contiguous(memory_format=torch.channels_last)
        cores = torch.stack([one for _, one in cut])
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ink)
        loss = loss_of(logits.float(), cores)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(model)
        step += 1
        if step % 25 == 0:
            print(f"step {step} share {share:.2f} loss {loss.item():.3f}", flush=True)
    return cast(LineSegmenter, averaged.module.eval())


def main() -> None:
    """Train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=18.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    hands = training_hands(load_hands(Path(options.data)), held_out=False)
    model = train(hands, minutes=options.minutes, seed=options.seed)
    save_segmenter(model, options.out)
    print(f"{options.out}: {parameters_of(model)} parameters")


if __name__ == "__main__":
    main()
