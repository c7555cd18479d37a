"""What the players of ScrabbleGAN see: real ink of 16 px a character, and words to write.

A word of n characters is 16 n px wide and 32 px high, as in the paper. All crops of a batch
have one length: nothing is padded, and the written words of a step get the same length, so
that the discriminator cannot tell them by their width.

Every draw depends on (seed, number) alone: a run that resumes sees what it would have seen.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from clinic_hwr.recognition.architectures.scrabblegan import CHARACTER_PX, HEIGHT_PX
from clinic_hwr.recognition.charset import Charset, fold_text
from clinic_hwr.recognition.images import Ink, fit_box, ink_map
from clinic_hwr.recognition.synthesis.strokes import load_strokes
from clinic_hwr.recognition.synthesis.text import TextSampler, load_drug_names, load_lookalikes

from .datasets import Batch, collate
from .sources import (
    Sample,
    ScannedSource,
    Source,
    StrokeSource,
    held_out_stroke_writer,
    held_out_writer,
    read_gray,
    read_labels,
)
from .store import opencv_on_one_thread

POOL_WORDS = 40_000
MINIMUM_WORDS = 20  # of one length, or crops of that length are left out
FORBIDDEN_FOLDERS = frozenset({"rx_words_dev", "val", "test", "heldout"})


class UnlabelledFolder:
    """Crops without labels, for the discriminator; every image in a folder and below.

    Args:
        folder: ``ValueError`` when it holds no image, or lies in a folder whose crops are for
            measuring only.
    """

    def __init__(self, folder: Path):
        if FORBIDDEN_FOLDERS & set(folder.resolve().parts):
            raise ValueError(f"{folder} is for measuring only; choose other unlabelled crops.")
        self.paths = sorted(
            p for p in folder.rglob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg"}
        )
        if not self.paths:
            raise ValueError(f"{folder} holds no PNG or JPEG crop.")

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one crop as it is; its text is empty."""
        path = self.paths[int(rng.integers(len(self.paths)))]
        return Sample(read_gray(path), "", path.stem)


@dataclass(frozen=True)
class RealBatch:
    """Real crops of one length.

    Attributes:
        labelled: for the recognizer.
        judged: (batch, 1, 32, 16 n) what the discriminator sees as real.
        place: (chunk, batches of it that are used up once this one is).
    """

    labelled: Batch
    judged: Tensor
    place: tuple[int, int]


class RealWords:
    """Endless batches of real words.

    Args:
        sources: labelled sources, each with its share.
        charset: of the model; words with other characters or spaces are left out.
        longest: most characters of a word.
        batch: crops of a batch.
        seed: fixes every sample.
        chunk_samples: samples from which equal lengths are put together.
        unlabelled: crops without labels, or None.
        unlabelled_share: how many of the crops that the discriminator sees as real are
            unlabelled; 1 keeps the two sets apart ("disjoint"). Lengths that no unlabelled
            crop of a chunk seems to have are left out.
        workers: processes that draw; 0 = this one. They fork, so build this before threads start.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Source, float]],
        charset: Charset,
        longest: int,
        batch: int,
        seed: int,
        chunk_samples: int = 2048,
        unlabelled: Source | None = None,
        unlabelled_share: float = 0.0,
        workers: int = 0,
    ):
        if unlabelled is None and unlabelled_share > 0:
            raise ValueError("A share of unlabelled crops needs a source of them.")
        self.sources = [source for source, _ in sources]
        shares = np.array([share for _, share in sources])
        self.shares = shares / shares.sum()
        self.charset = charset
        self.longest = longest
        self.batch = batch
        self.seed = seed
        self.chunk_samples = chunk_samples
        self.unlabelled = unlabelled
        self.unlabelled_count = round(unlabelled_share * batch)
        fork = multiprocessing.get_context("fork")  # the sources are large: share, not copy
        with opencv_on_one_thread():
            self._pool = fork.Pool(workers, _draw_for, (self,)) if workers else None

    def word(self, index: int) -> tuple[Ink, str] | None:
        """Return word ``index`` cut to its ink, or None when it is not used."""
        rng = np.random.default_rng([self.seed, index])
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        ink, text = draw_clean(source, rng)
        cut = cut_to_ink(ink)
        if cut is None or " " in text or not self.charset.covers(text):
            return None
        return (cut, text) if 0 < len(text) <= self.longest else None

    def _words(self, indices: range) -> Iterable[tuple[Ink, str] | None]:
        if self._pool is None:
            return map(self.word, indices)
        return self._pool.imap(_drawn_word, indices, chunksize=32)

    def count_characters(self, samples: int) -> Tensor:
        """Return how often each character occurs in the first samples, (characters,)."""
        codes = [
            code
            for found in self._words(range(samples))
            if found
            for code in self.charset.encode(found[1])
        ]
        counts = torch.bincount(torch.tensor(codes, dtype=torch.long), minlength=self.charset.size)
        return counts[1:]

    def batches(self, lengths: frozenset[int], place: tuple[int, int]) -> Iterator[RealBatch]:
        """Yield batches of the given lengths from a place on, for ever."""
        number, used = place
        while True:
            for position, batch in enumerate(self._chunk(number, lengths)):
                if position >= used:
                    yield batch
            number, used = number + 1, 0

    def _chunk(self, number: int, lengths: frozenset[int]) -> Iterator[RealBatch]:
        first = number * self.chunk_samples
        by_length: dict[int, list[tuple[Ink, str]]] = defaultdict(list)
        stretches = []
        for found in self._words(range(first, first + self.chunk_samples)):
            if found is not None:
                ink, text = found
                by_length[len(text)].append((to_length(ink, len(text)), text))
                stretches.append(len(text) * ink.shape[0] / ink.shape[1])
        strange = self._unlabelled(number, float(np.median(stretches or [1.0])))
        groups = [
            (length, words[i : i + self.batch])
            for length, words in sorted(by_length.items())
            if length in lengths and (self.unlabelled_count == 0 or strange[length])
            for i in range(0, len(words) - self.batch + 1, self.batch)
        ]
        if not groups:
            raise ValueError("A chunk of real words fills no batch; raise chunk_samples.")
        rng = np.random.default_rng([self.seed, number, 1])
        for position, g in enumerate(rng.permutation(len(groups))):
            length, words = groups[g]
            labelled = collate([w for w, _ in words], [t for _, t in words], self.charset, number)
            judged = _with_unlabelled(labelled.images, strange[length], self.unlabelled_count, rng)
            yield RealBatch(labelled, judged, (number, position + 1))

    def _unlabelled(self, number: int, stretch: float) -> dict[int, list[Ink]]:
        """Draw unlabelled crops by length, guessed from the shape of labelled ones."""
        by_length: dict[int, list[Ink]] = defaultdict(list)
        if self.unlabelled is None or self.unlabelled_count == 0:
            return by_length
        for position in range(self.chunk_samples):
            rng = np.random.default_rng([self.seed, number, position, 2])
            cut = cut_to_ink(draw_clean(self.unlabelled, rng)[0])
            if cut is not None:
                length = max(1, round(stretch * cut.shape[1] / cut.shape[0]))
                by_length[length].append(to_length(cut, length))
        return by_length


_drawn_for: list[RealWords] = []  # in a process that draws: for whom


def _draw_for(words: RealWords) -> None:
    _drawn_for[:] = [words]


def _drawn_word(index: int) -> tuple[Ink, str] | None:
    return _drawn_for[0].word(index)


def _with_unlabelled(
    labelled: Tensor, strange: Sequence[Ink], count: int, rng: np.random.Generator
) -> Tensor:
    """Replace the last ``count`` crops."""
    if count == 0:
        return labelled
    rows = [strange[i] for i in rng.integers(len(strange), size=count)]
    taken = torch.from_numpy(np.stack(rows)).unsqueeze(1)
    return torch.cat([labelled[: len(labelled) - count], taken])


def draw_clean(source: Source, rng: np.random.Generator) -> tuple[Ink, str]:
    """Draw ink without paper, rules and noise, which are added to what the generator writes."""
    if isinstance(source, StrokeSource):
        alpha, text, _ = source.ink(rng)
        return alpha.astype(np.float32) / 255.0, text
    sample = source.draw(rng)
    return ink_map(sample.image), sample.text


def cut_to_ink(ink: Ink) -> Ink | None:
    """Cut an ink map to its ink with a narrow margin; None when there is none."""
    box = fit_box(ink)
    if box is None:
        return None
    x, y, w, h = box
    pad = max(0, -x, -y, x + w - ink.shape[1], y + h - ink.shape[0])
    return np.pad(ink, pad)[y + pad : y + pad + h, x + pad : x + pad + w]


def to_length(ink: Ink, characters: int) -> Ink:
    """Scale ink to 32 px height and 16 px width a character."""
    shrink = ink.shape[0] > HEIGHT_PX
    size = (CHARACTER_PX * characters, HEIGHT_PX)
    how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return np.clip(cv2.resize(ink, size, interpolation=how), 0.0, 1.0).astype(np.float32)


class WordPool:
    """Words to write, by length.

    Args:
        words: without spaces.
    """

    def __init__(self, words: Sequence[str]):
        self.by_length: dict[int, list[str]] = defaultdict(list)
        for word in words:
            self.by_length[len(word)].append(word)

    def lengths(self, longest: int) -> frozenset[int]:
        """Lengths up to ``longest`` of which there are words enough."""
        return frozenset(
            n for n, words in self.by_length.items() if n <= longest and len(words) >= MINIMUM_WORDS
        )

    def draw(self, characters: int, count: int, rng: np.random.Generator) -> list[str]:
        """Draw ``count`` words of ``characters`` characters."""
        words = self.by_length[characters]
        return [words[i] for i in rng.integers(len(words), size=count)]


def prescription_words(text: TextSampler, seed: int, count: int = POOL_WORDS) -> list[str]:
    """Draw words of prescriptions: drug names, directions, names and ordinary words."""
    rng = np.random.default_rng([seed, 0, 3])
    return [word for _ in range(count) for word in fold_text(text.word(rng)).split()]


def training_sources(data_dir: Path, scanned_share: float) -> list[tuple[Source, float]]:
    """Rendered strokes and scanned words of training writers."""
    strokes = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    scanned = [
        line
        for line in read_labels(data_dir / "handwriting")
        if line.level == "word" and not held_out_writer(line.writer)
    ]
    return [
        (StrokeSource(strokes, writers=lambda w: not held_out_stroke_writer(w)), 1 - scanned_share),
        (ScannedSource(scanned), scanned_share),
    ]


def training_text(data_dir: Path) -> TextSampler:
    """What there is to write: drug names and ordinary words of the training files."""
    strokes = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    vocabulary = sorted({w.lower() for w in strokes.label if w.isalpha()})
    return TextSampler(load_drug_names(data_dir), vocabulary, load_lookalikes(data_dir))
