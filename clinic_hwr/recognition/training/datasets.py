"""Mixtures of sources as batches of equal width.

Sample i of a run depends on (seed, i) alone and batches are cut from chunks of consecutive
samples, so a run that resumes at a chunk sees what it would have seen. Drawing a sample costs
about as much as a third of a training step: with a store, drawn chunks are kept on disk, used
again after ``stored_chunks`` chunks, and varied a little each time they are used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import pad_width, padded_width, prepare
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN
from clinic_hwr.recognition.synthesis.gan import GanSource, load_generator
from clinic_hwr.recognition.synthesis.hands import font_hands, stroke_hands
from clinic_hwr.recognition.synthesis.letters import letter_hands, load_cuts
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler, load_drug_names, load_lookalikes

from .line_cutting import CutLineSource, load_words, training_lines
from .sources import (
    CharacterSource,
    RejectSource,
    Sample,
    ScannedSource,
    Source,
    StrokeSource,
    WrittenSource,
    held_out_stroke_writer,
    held_out_writer,
    read_labels,
)
from .store import SampleStore

CHUNK_SAMPLES = 4096
LETTERS_FILE = "letter_cuts.npz"
WORDS_FILE = "line_words.json"
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
    """Share of each source; they are normalised to one, and a share of 0 drops the source.

    The shares favour real ink: fonts are last, as they teach shapes nobody writes.
    ``composed`` is text put together from letters and ligatures of real words, ``line_words``
    are words found in scanned lines: both need what a trained reader found in the data
    (``alignment.prepare_parts``) and are left out without it. ``gan_words`` are words that a
    trained ScrabbleGAN writes.
    """

    unipen_words: float = 0.24
    unipen_phrases: float = 0.03
    unipen_lines: float = 0.02
    scanned_words: float = 0.10
    scanned_lines: float = 0.03
    line_words: float = 0.15
    composed: float = 0.28
    written_strokes: float = 0.05
    written_fonts: float = 0.06
    characters: float = 0.01
    reject: float = 0.03
    gan_words: float = 0.0


def mixture_places(config: MixtureConfig) -> dict[str, int]:
    """Where each source stands in what ``build_mixture`` returns (with parts)."""
    used = [name for name, share in asdict(config).items() if share > 0]
    return {name: place for place, name in enumerate(used)}


def build_mixture(
    data_dir: Path,
    config: MixtureConfig,
    parts: Path | None = None,
    generator: Path | None = None,
) -> list[tuple[Source, float]]:
    """Return the sources that the data folder offers, each with its share.

    Nothing named test or val is read, and writers for whom ``held_out_writer`` or
    ``held_out_stroke_writer`` is true are left out.

    Args:
        data_dir: the data folder.
        config: shares.
        parts: folder of letters and words that a reader found; see ``alignment``.
        generator: weights of a trained ScrabbleGAN, when ``gan_words`` has a share.
    """
    online = data_dir / "online"
    words = load_strokes(online / "unipen_words_train.npz")
    lines = load_strokes(online / "unipen_lines_train.npz")
    characters = load_strokes(online / "unipen_chars_train.npz")
    scanned = [
        line for line in read_labels(data_dir / "handwriting") if not held_out_writer(line.writer)
    ]
    vocabulary = sorted({w.lower() for w in words.label if w.isalpha()})
    text = TextSampler(load_drug_names(data_dir), vocabulary, load_lookalikes(data_dir))

    def keep(writer: str) -> bool:
        return not held_out_stroke_writer(writer)

    def composed() -> Source:
        cuts = load_cuts((parts or Path()) / LETTERS_FILE)
        hands = letter_hands(words, cuts, characters, keep=keep)
        return WrittenSource(hands, text, lines=0.2)

    def line_words() -> Source:
        found = load_words((parts or Path()) / WORDS_FILE)
        return CutLineSource(training_lines(data_dir), found, data_dir / "handwriting")

    makers: dict[str, Callable[[], Source]] = {
        "unipen_words": lambda: StrokeSource(words, writers=keep),
        "unipen_phrases": lambda: StrokeSource(words, words=(2, 4), writers=keep),
        "unipen_lines": lambda: StrokeSource(lines, writers=keep),
        "scanned_words": lambda: ScannedSource([s for s in scanned if s.level == "word"]),
        "scanned_lines": lambda: ScannedSource(
            [s for s in scanned if s.level == "line" and len(s.text) <= MAX_LINE_CHARS]
        ),
        "line_words": line_words,
        "composed": composed,
        "written_strokes": lambda: WrittenSource(
            [h for h in stroke_hands(characters) if keep(h.name)], text, lines=0.2
        ),
        "written_fonts": lambda: WrittenSource(font_hands(data_dir / "fonts"), text, lines=0.2),
        "characters": lambda: CharacterSource(data_dir / "chars" / "emnist_byclass62_train.npz"),
        "reject": lambda: RejectSource(StrokeSource(words, writers=keep)),
        "gan_words": lambda: GanSource(load_generator(generator or Path()), text),
    }
    shares = asdict(config)
    if parts is None:
        shares["composed"] = shares["line_words"] = 0.0
    return [(makers[name](), share) for name, share in shares.items() if share > 0]


def first_of(batch: Batch, count: int) -> Batch:
    """Return the first crops of a batch."""
    return replace(
        batch, images=batch.images[:count], widths=batch.widths[:count],
        targets=batch.targets[:count], lengths=batch.lengths[:count], texts=batch.texts[:count],
    )  # fmt: skip


def held_out_batches(
    data_dir: Path, charset: Charset, height_px: int, max_width_px: int, count: int = 400
) -> list[Batch]:
    """Words of stroke writers that ``build_mixture`` leaves out, drawn once with a fixed seed."""
    words = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    source = StrokeSource(words, writers=held_out_stroke_writer)
    rng = np.random.default_rng(20)
    classes: dict[int, list[tuple[np.ndarray, str]]] = defaultdict(list)
    for _ in range(count):
        sample = source.draw(rng)
        ink = prepare(sample.image, height_px, max_width_px)
        classes[ink.shape[1]].append((ink, sample.text))
    return [
        collate([ink for ink, _ in items], [text for _, text in items], charset)
        for _, items in sorted(classes.items())
    ]


class ChunkedDataset(IterableDataset[Batch], ABC):
    """Endless batches, chunk by chunk, so that a run can be taken up again at a chunk.

    Attributes:
        first_chunk: where to start.
    """

    first_chunk: int

    @abstractmethod
    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk, the same each time."""

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        step = worker.num_workers if worker else 1
        chunk = self.first_chunk + (worker.id if worker else 0)
        while True:
            yield from self.chunk(chunk)
            chunk += step


class MixtureDataset(ChunkedDataset):
    """Endless batches from a mixture.

    Args:
        sources: pairs of source and share.
        charset: of the model.
        height_px, max_width_px: input geometry of the model.
        pixels_per_batch: width times batch size; keeps the work of a batch even.
        seed: fixes every sample.
        first_chunk: where to start, for resuming.
        chunk_samples: samples from which equal widths are put together.
        store: where drawn chunks are kept, or None to draw each sample when it is needed.
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
        store: SampleStore | None = None,
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
        self.store = store

    def sample(self, index: int) -> Sample:
        """Return sample ``index`` of the run."""
        rng = np.random.default_rng([self.seed, index])
        place = int(rng.choice(len(self.sources), p=self.shares))
        return replace(self.sources[place].draw(rng), place=place)

    def inks(self, number: int) -> Iterator[tuple[np.ndarray, str]]:
        """Yield the network's inputs of one chunk with their texts."""
        if self.store is None:
            for index in range(number * self.chunk_samples, (number + 1) * self.chunk_samples):
                sample = self.sample(index)
                yield prepare(sample.image, self.height_px, self.max_width_px), sample.text
            return
        stored = self.store.chunk(number, self.sample, self.chunk_samples)
        for position, (ink, text) in enumerate(stored):
            rng = np.random.default_rng([self.seed, number, position, 2])
            yield vary_ink(ink, rng, self.height_px, self.max_width_px), text

    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk."""
        classes: dict[int, list[tuple[np.ndarray, str]]] = defaultdict(list)
        for ink, text in self.inks(number):
            # CTC needs a column for each character and a blank between equal neighbours.
            needed = len(text) + sum(a == b for a, b in pairwise(text))
            if needed <= ink.shape[1] // PIXELS_PER_COLUMN:
                classes[width_class(ink.shape[1])].append((ink, text))
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


def vary_ink(
    ink: np.ndarray, rng: np.random.Generator, height_px: int, max_width_px: int
) -> np.ndarray:
    """Scale a stored ink map to the network's input, with a small slant, stretch and shift.

    Args:
        ink: (stored height, width) uint8, 0 = paper.
        rng: source of the variation.
        height_px, max_width_px: of the network's input.

    Returns:
        float32 (height_px, width), 0..1, width as ``prepare`` gives it.
    """
    scale = height_px / ink.shape[0]
    slant = float(rng.normal(0, 0.08))
    stretch = float(np.exp(rng.normal(0, 0.08)))
    grow = float(rng.uniform(0.93, 1.04))
    drop = float(rng.normal(0, 0.6)) + (1 - grow) * height_px / 2
    shift = max(0.0, slant) * height_px
    width = min(max_width_px, round(ink.shape[1] * scale * stretch + abs(slant) * height_px))
    squeeze = width / max(1.0, ink.shape[1] * scale * stretch + abs(slant) * height_px)
    # cv2 samples the larger image at single points: smooth it first, as scaling by area does.
    smooth = cv2.blur(ink, (2, 2)) if scale < 0.75 else ink
    matrix = np.array(
        [[scale * stretch * squeeze, -slant * squeeze * scale, shift * squeeze],
         [0.0, scale * grow, drop]],
        np.float32,
    )  # fmt: skip
    out = cv2.warpAffine(smooth, matrix, (padded_width(width), height_px), flags=cv2.INTER_LINEAR)
    gain = float(rng.uniform(0.75, 1.25)) / 255.0
    return np.minimum(out.astype(np.float32) * gain, 1.0)


def width_class(width: int) -> int:
    """Round a width up to one of few: steps of 32 px up to 256, of 64 px beyond."""
    step = 32 if width <= 256 else 64
    return -(-width // step) * step
