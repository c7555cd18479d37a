"""Batches put together and varied on the device that trains, from chunks that others draw.

A GPU learns from more crops a second than one process can scale and slant. Here processes draw
clean chunks into a ``SampleStore``; whole chunks go to the device, and each batch is one gather,
one warp and a few blurs there. Every figure of a batch follows from (seed, chunk, batch), so a
run that resumes at a chunk sees what it would have seen (on one kind of device).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import WIDTH_STEP_PX
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN

from .datasets import Batch, ChunkedDataset, width_class
from .store import STORED_HEIGHT_PX, SampleStore

TOGETHER = 8  # stored chunks that one chunk of batches is put together from
WAIT_SECONDS = 900.0
# Shares of crops and sizes of what happens to them. Slant, stretch and size are wider than what
# ``datasets.vary_ink`` does, because a crop is met more often here.
SLANT, STRETCH = 0.12, 0.12
THICKER, THINNER, COARSER, NOISY, BENT, CUT, MASKED = 0.15, 0.1, 0.15, 0.2, 0.35, 0.06, 0.12


@dataclass(frozen=True)
class _Loaded:
    """A chunk in memory, ready to be cut into batches.

    Attributes:
        inks: (STORED_HEIGHT_PX, columns) uint8.
        starts, stored_widths: (n,) where each sample lies in ``inks``.
        targets: (n, longest) classes, 0 behind the end; lengths: (n,).
        matrices: (n, 6) output -> stored pixels: x = a X + b Y + c, y = d X + e Y + f.
        widths: (n,) pixels of the network's input that hold image.
        batches: rows of each batch with its width in pixels.
    """

    inks: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stored_widths: NDArray[np.int64]
    texts: tuple[str, ...]
    targets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    matrices: NDArray[np.float32]
    widths: NDArray[np.int64]
    batches: list[tuple[int, NDArray[np.int64]]]


class DeviceMixture(ChunkedDataset):
    """Endless batches of stored samples, varied on the device.

    Args:
        store: holds the samples, or will: other processes may still draw.
        charset: of the model.
        height_px, max_width_px: input geometry of the model.
        device: where batches are put together.
        pixels_per_batch: width times crops of a batch.
        seed: fixes the order and the variation.
        first_chunk: where to start, for resuming.
        reuse: each drawn chunk is met so often before the store is drawn through; the further
            times are scattered over the rest of the run. More than 1 when drawing is slower
            than training.
        places: sources of the mixture (``Sample.place``) that are used, or None for all.
    """

    def __init__(
        self,
        store: SampleStore,
        charset: Charset,
        height_px: int,
        max_width_px: int,
        device: torch.device,
        pixels_per_batch: int = 65_536,
        seed: int = 0,
        first_chunk: int = 0,
        reuse: int = 1,
        places: frozenset[int] | None = None,
    ):
        if store.chunks < TOGETHER:
            raise ValueError(f"The store needs at least {TOGETHER} chunks.")
        self.store = store
        self.charset = charset
        self.height_px = height_px
        self.max_width_px = max_width_px
        self.device = device
        self.pixels_per_batch = pixels_per_batch
        self.seed = seed
        self.first_chunk = first_chunk
        self.reuse = reuse
        self.places = places

    def stored_chunks(self, number: int) -> list[int]:
        """Return the stored chunks that chunk ``number`` is made of."""
        groups = self.store.chunks // TOGETHER
        newest = number // self.reuse
        if number % self.reuse or newest >= groups:  # met before: any of them
            rng = np.random.default_rng([self.seed, number, 4])
            newest = int(rng.integers(min(newest + 1, groups)))
        return list(range(newest * TOGETHER, (newest + 1) * TOGETHER))

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches; the next chunk is read while one is learnt from."""
        with ThreadPoolExecutor(1) as reading:
            number = self.first_chunk
            coming: Future[_Loaded] = reading.submit(self._load, number)
            while True:
                loaded = coming.result()
                coming = reading.submit(self._load, number + 1)
                yield from self._batches(loaded, number)
                number += 1

    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk."""
        return self._batches(self._load(number), number)

    def _load(self, number: int) -> _Loaded:
        drawn = [self.store.drawn(k, WAIT_SECONDS) for k in self.stored_chunks(number)]
        stored_widths = np.concatenate([d.widths for d in drawn])
        places = np.concatenate([d.places for d in drawn])
        texts = tuple(text for d in drawn for text in d.texts)
        rng = np.random.default_rng([self.seed, number, 3])
        matrices, widths = _draw_matrices(stored_widths, rng, self.height_px, self.max_width_px)
        targets, lengths = self._encoded(texts)
        # CTC needs a column for each character and a blank between equal neighbours.
        twice = (targets[:, 1:] == targets[:, :-1]) & (targets[:, 1:] > 0)
        usable = lengths + twice.sum(axis=1) <= widths // PIXELS_PER_COLUMN
        if self.places is not None:
            usable &= np.isin(places, list(self.places))
        starts = np.cumsum([0, *stored_widths[:-1]])
        return _Loaded(
            np.concatenate([d.inks for d in drawn], axis=1), starts, stored_widths, texts,
            targets, lengths, matrices, widths, self._grouped(widths, lengths, usable, rng),
        )  # fmt: skip

    def _encoded(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Classes (n, longest), 0 behind the end, and lengths (n,); see ``Charset.encode``."""
        lengths = np.array([len(text) for text in texts])
        codes = np.array(self.charset.encode("".join(texts)), np.int64)
        targets = np.zeros((len(texts), max(1, int(lengths.max()))), np.int64)
        targets[np.arange(targets.shape[1]) < lengths[:, None]] = codes
        return targets, lengths

    def _grouped(
        self,
        widths: NDArray[np.int64],
        lengths: NDArray[np.int64],
        usable: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> list[tuple[int, NDArray[np.int64]]]:
        """Rows of about equal width and length together; the order of batches is drawn."""
        known, inverse = np.unique(widths, return_inverse=True)
        classes = np.array([width_class(int(width)) for width in known])[inverse]
        groups = []
        for width in np.unique(classes[usable]):
            rows = np.flatnonzero(usable & (classes == width))
            rows = rows[np.argsort(lengths[rows] + rng.uniform(0, 3, len(rows)))]
            full = max(4, self.pixels_per_batch // int(width))
            for i in range(0, len(rows), full):
                part = rows[i : i + full]
                if len(part) >= full // 4:
                    groups.append((int(width), part))
        return [groups[k] for k in rng.permutation(len(groups))]

    def _batches(self, loaded: _Loaded, number: int) -> Iterator[Batch]:
        inks = torch.from_numpy(loaded.inks).to(self.device)
        starts = torch.from_numpy(loaded.starts).to(self.device)
        stored = torch.from_numpy(loaded.stored_widths).to(self.device)
        matrices = torch.from_numpy(loaded.matrices).to(self.device)
        for position, (width, rows) in enumerate(loaded.batches):
            noise = torch.Generator(self.device)
            noise.manual_seed(self.seed * 1_000_003 + number * 4096 + position)
            on_device = torch.from_numpy(rows).to(self.device)
            images = _gathered(inks, starts[on_device], stored[on_device])
            images = _warped(images, matrices[on_device], self.height_px, width, noise)
            longest = max(1, int(loaded.lengths[rows].max()))
            yield Batch(
                vary_images(images, noise),
                torch.from_numpy(loaded.widths[rows]),
                torch.from_numpy(loaded.targets[rows, :longest]),
                torch.from_numpy(loaded.lengths[rows]),
                tuple(loaded.texts[row] for row in rows),
                number,
            )


def _draw_matrices(
    stored: NDArray[np.int64], rng: np.random.Generator, height_px: int, max_width_px: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw a slant, stretch, size and place for each sample.

    Returns:
        (n, 6) matrices from output to stored pixels, and (n,) widths of the output, each a
        multiple of ``WIDTH_STEP_PX``.
    """
    n = len(stored)
    scale = height_px / STORED_HEIGHT_PX
    slant = rng.normal(0, SLANT, n)
    stretch = scale * np.exp(rng.normal(0, STRETCH, n))
    grow = rng.uniform(0.86, 1.05, n)
    drop = (1 - grow) * height_px / 2 + rng.normal(0, 0.02 * height_px, n)
    wanted = stored * stretch + np.abs(slant) * height_px
    inked = np.minimum(max_width_px, np.maximum(4, np.round(wanted)))
    squeeze = inked / np.maximum(wanted, 1.0)
    shift = np.maximum(0.0, slant) * height_px
    # X = squeeze (stretch x - slant scale y + shift); Y = scale grow y + drop
    e = 1 / (scale * grow)
    f = -drop * e
    a = 1 / (squeeze * stretch)
    b = slant * scale / stretch * e
    c = slant * scale / stretch * f - shift / stretch
    matrices = np.stack([a, b, c, np.zeros(n), e, f], axis=1).astype(np.float32)
    steps = np.maximum(1, np.ceil(inked / WIDTH_STEP_PX)).astype(np.int64)
    return matrices, steps * WIDTH_STEP_PX


def _gathered(inks: Tensor, starts: Tensor, widths: Tensor) -> Tensor:
    """Cut samples out of a chunk: (batch, 1, STORED_HEIGHT_PX, widest) float, 0..1."""
    columns = torch.arange(int(widths.max()), device=inks.device)
    inside = columns < widths.unsqueeze(1)  # (B, W)
    index = (starts.unsqueeze(1) + columns).clamp(max=inks.shape[1] - 1)
    cut = inks[:, index].transpose(0, 1)  # (B, H, W)
    return (cut * inside.unsqueeze(1)).unsqueeze(1).float() / 255.0


def _warped(
    images: Tensor, matrices: Tensor, height: int, width: int, noise: torch.Generator
) -> Tensor:
    """Move samples by their matrices, and bend a share of them a little; paper around."""
    batch, _, stored_height, stored_width = images.shape
    if height < 0.75 * stored_height:  # single points of a finer grid would alias
        images = F.avg_pool2d(images, 2, 1, padding=1)[:, :, :stored_height, :stored_width]
    ys = torch.arange(height, device=images.device, dtype=torch.float32).view(1, -1, 1)
    xs = torch.arange(width, device=images.device, dtype=torch.float32).view(1, 1, -1)
    a, b, c, _, e, f = (matrices[:, k].view(-1, 1, 1) for k in range(6))
    x = a * xs + b * ys + c
    y = (e * ys + f).expand(-1, -1, width)
    bend = torch.randn(batch, 2, 4, max(4, width // 16), device=images.device, generator=noise)
    bend = F.interpolate(bend, (height, width), mode="bicubic", align_corners=True)
    size = _some(batch, BENT, noise) * 0.04 * stored_height
    size = size * torch.rand(batch, 1, 1, 1, device=images.device, generator=noise)
    bend = bend * size
    grid = torch.stack(
        [
            2 * (x + bend[:, 0]) / max(1, stored_width - 1) - 1,
            2 * (y + bend[:, 1]) / (stored_height - 1) - 1,
        ],
        dim=3,
    )
    return F.grid_sample(images, grid, align_corners=True)


def vary_images(images: Tensor, noise: torch.Generator) -> Tensor:
    """Vary how ink was written and scanned: thickness, resolution, noise, cuts, darkness.

    Args:
        images: (batch, 1, height, width) 0..1, 0 = paper.
        noise: source of the variation, on the same device.

    Returns:
        the same shape, 0..1.
    """
    batch, _, height, width = images.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, device=images.device, generator=noise)

    roll = uniform(batch, 1, 1, 1)
    amount = uniform(batch, 1, 1, 1)
    thick = torch.lerp(images, F.max_pool2d(images, 3, 1, 1), amount)
    thin = torch.lerp(images, -F.max_pool2d(-images, 3, 1, 1), 0.7 * amount)
    out = torch.where(roll < THICKER, thick, images)
    out = torch.where(roll > 1 - THINNER, thin, out)
    factor = 0.3 + 0.35 * float(uniform(1))
    small = F.interpolate(out, scale_factor=factor, mode="bilinear", antialias=True)
    coarse = F.interpolate(small, (height, width), mode="bilinear")
    out = torch.where(_some(batch, COARSER, noise) > 0, coarse, out)
    grain = torch.randn(images.shape, device=images.device, generator=noise)
    out = out + grain * 0.12 * uniform(batch, 1, 1, 1) * _some(batch, NOISY, noise)
    ys = torch.arange(height, device=images.device).view(1, 1, -1, 1) / height
    xs = torch.arange(width, device=images.device).view(1, 1, 1, -1)
    edge = 0.14 * uniform(batch, 1, 1, 1) * _some(batch, CUT, noise)
    above = uniform(batch, 1, 1, 1) < 0.5
    out = out * ~torch.where(above, ys < edge, ys > 1 - edge)
    start = width * uniform(batch, 1, 1, 1)
    length = 0.25 * height * uniform(batch, 1, 1, 1) * _some(batch, MASKED, noise)
    out = out * ~((xs >= start) & (xs < start + length))
    return (out * (0.7 + 0.65 * uniform(batch, 1, 1, 1))).clamp(0.0, 1.0)


def _some(batch: int, share: float, noise: torch.Generator) -> Tensor:
    """1 for a share of the batch, 0 for the rest: (batch, 1, 1, 1) float."""
    return (torch.rand(batch, 1, 1, 1, device=noise.device, generator=noise) < share).float()
