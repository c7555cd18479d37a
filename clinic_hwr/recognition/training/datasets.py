"""Mixtures of sources as batches of equal width.

Sample i of a run depends on (seed, i) alone and batches are cut from chunks of consecutive
samples, so a run that resumes at a chunk sees what it would have seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import pad_width, prepare
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN
from clinic_hwr.recognition.synthesis.hands import font_hands, stroke_hands
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler, load_drug_names

from .sources import (
    RejectSource,
    Sample,
    ScannedSource,
    Source,
    StrokeSource,
    WrittenSource,
    held_out_writer,
    read_labels,
)

CHUNK_SAMPLES = 4096
MAX_LINE_CHARS = 36  # a field is a short line; longer ones cost more than they teach


@dataclass(frozen=True)
class Batch:
    """Crops of one width class.

    Attributes:
        images: (batch, 1, height, width) float32 ink maps.
        widths: (batch,) pixels that hold image.
        targets: (batch, L) classes, 0 behind the end; lengths: (batch,).
        texts: the truths.
        chunk: number of the chunk the batch was cut from.
    """

    images: Tensor
    widths: Tensor
    targets: Tensor
    lengths: Tensor
    texts: tuple[str, ...]
    chunk: int


def collate(
    inks: Sequence[np.ndarray],
    texts: Sequence[str],
    charset: Charset,
    chunk: int = 0,
    width: int = 0,
) -> Batch:
    """Pad prepared ink maps to ``width`` (at least the widest) and encode their texts."""
    widths = [ink.shape[1] for ink in inks]
    full = max(width, *widths)
    images = torch.from_numpy(np.stack([pad_width(ink, full) for ink in inks])).unsqueeze(1)
    codes = [charset.encode(text) for text in texts]
    targets = torch.zeros(len(codes), max(1, max(len(c) for c in codes)), dtype=torch.long)
    for row, code in enumerate(codes):
        targets[row, : len(code)] = torch.tensor(code, dtype=torch.long)
    lengths = torch.tensor([len(c) for c in codes])
    return Batch(images, torch.tensor(widths), targets, lengths, tuple(texts), chunk)


@dataclass(frozen=True)
class MixtureConfig:
    """Share of each source; they are normalised to one.

    The shares favour real ink: fonts are last, as they teach shapes nobody writes.
    """

    unipen_words: float = 0.38
    unipen_phrases: float = 0.04
    unipen_lines: float = 0.03
    scanned_words: float = 0.15
    scanned_lines: float = 0.02
    written_strokes: float = 0.19
    written_fonts: float = 0.16
    reject: float = 0.02


def build_mixture(data_dir: Path, config: MixtureConfig) -> list[tuple[Source, float]]:
    """Return the sources that the data folder offers, each with its share.

    Nothing named test or val is read, and writers of ``handwriting/`` for whom
    ``held_out_writer`` is true are left out.
    """
    words = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    lines = load_strokes(data_dir / "online" / "unipen_lines_train.npz")
    characters = load_strokes(data_dir / "online" / "unipen_chars_train.npz")
    scanned = [
        line for line in read_labels(data_dir / "handwriting") if not held_out_writer(line.writer)
    ]
    vocabulary = sorted({w.lower() for w in words.label if w.isalpha()})
    text = TextSampler(load_drug_names(data_dir), vocabulary)
    return [
        (StrokeSource(words), config.unipen_words),
        (StrokeSource(words, words=(2, 4)), config.unipen_phrases),
        (StrokeSource(lines), config.unipen_lines),
        (ScannedSource([s for s in scanned if s.level == "word"]), config.scanned_words),
        (
            ScannedSource(
                [s for s in scanned if s.level == "line" and len(s.text) <= MAX_LINE_CHARS]
            ),
            config.scanned_lines,
        ),
        (WrittenSource(stroke_hands(characters), text, lines=0.25), config.written_strokes),
        (WrittenSource(font_hands(data_dir / "fonts"), text, lines=0.25), config.written_fonts),
        (RejectSource(), config.reject),
    ]


class MixtureDataset(IterableDataset[Batch]):
    """Endless batches from a mixture.

    Args:
        sources: pairs of source and share.
        charset: of the model.
        height_px, max_width_px: input geometry of the model.
        pixels_per_batch: width times batch size; keeps the work of a batch even.
        seed: fixes every sample.
        first_chunk: where to start, for resuming.
        chunk_samples: samples from which equal widths are put together.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Source, float]],
        charset: Charset,
        height_px: int,
        max_width_px: int,
        pixels_per_batch: int = 7168,
        seed: int = 0,
        first_chunk: int = 0,
        chunk_samples: int = CHUNK_SAMPLES,
    ):
        self.sources = [source for source, _ in sources]
        shares = np.array([share for _, share in sources])
        self.shares = shares / shares.sum()
        self.charset = charset
        self.height_px = height_px
        self.max_width_px = max_width_px
        self.pixels_per_batch = pixels_per_batch
        self.seed = seed
        self.first_chunk = first_chunk
        self.chunk_samples = chunk_samples

    def sample(self, index: int) -> Sample:
        """Return sample ``index`` of the run."""
        rng = np.random.default_rng([self.seed, index])
        return self.sources[rng.choice(len(self.sources), p=self.shares)].draw(rng)

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        step = worker.num_workers if worker else 1
        chunk = self.first_chunk + (worker.id if worker else 0)
        while True:
            yield from self.chunk(chunk)
            chunk += step

    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk."""
        classes: dict[int, list[tuple[np.ndarray, str]]] = defaultdict(list)
        for index in range(number * self.chunk_samples, (number + 1) * self.chunk_samples):
            sample = self.sample(index)
            ink = prepare(sample.image, self.height_px, self.max_width_px)
            # CTC needs a column for each character and a blank between equal neighbours.
            needed = len(sample.text) + sum(
                a == b for a, b in zip(sample.text, sample.text[1:], strict=False)
            )
            if needed <= ink.shape[1] // PIXELS_PER_COLUMN:
                classes[width_class(ink.shape[1])].append((ink, sample.text))
        groups: list[tuple[int, list[tuple[np.ndarray, str]]]] = []
        for width, items in sorted(classes.items()):
            items.sort(key=lambda item: len(item[1]))  # the decoder runs to the longest text
            full = max(4, self.pixels_per_batch // width)
            cut = len(items) // full * full
            groups += [(width, items[i : i + full]) for i in range(0, cut, full)]
            # Few shapes keep oneDNN's compiled kernels in its cache: a rest is halved or left.
            if len(items) - cut >= full // 2:
                groups.append((width, items[cut : cut + full // 2]))
        rng = np.random.default_rng([self.seed, number, 1])
        for g in rng.permutation(len(groups)):
            width, items = groups[g]
            inks, texts = zip(*items, strict=True)
            yield collate(inks, texts, self.charset, number, width)


def width_class(width: int) -> int:
    """Round a width up to one of few: steps of 32 px up to 256, of 64 px beyond."""
    step = 32 if width <= 256 else 64
    return -(-width // step) * step
