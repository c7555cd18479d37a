"""Single handwritten characters: a fixed split, endless batches, and how well they are read.

The characters are EMNIST's (Cohen et al. 2017, arXiv 1702.05373): 28x28, white on black. They
have no writer ids, so that the held-out characters are of writers that are trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from clinic_hwr.recognition.architectures.contract import Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.metrics import wilson_interval

from .datasets import Batch, ChunkedDataset, collate

DIGITS = "0123456789"
CHARACTERS = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SIDE_PX = 28
# Of each of the 62 classes; the rarest has 257. It leaves 27,263 of 32,223 for training.
HELD_OUT_PER_CLASS = 80
HELD_OUT_CROPS = 248  # in a batch
# EMNIST ByMerge: these lower-case letters are one class with their capital, which leaves 47.
MERGED = "cijklmopsuvwxyz"

Gray = NDArray[np.uint8]
Ink = NDArray[np.float32]


@dataclass(frozen=True)
class Characters:
    """Images of characters with their truths.

    Attributes:
        images: (n, 28, 28) uint8, 0 = paper.
        texts: n characters.
    """

    images: Gray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Augmentation:
    """How a character is varied each time it is shown; standard deviations, or +- limits.

    Attributes:
        shift_px: limit of a shift to each side by whole pixels.
        rotation: degrees; slant: tangent; scale: logarithm, of each axis for itself.
        elastic_px: displacement of the points of a coarse grid (Simard et al. 2003).
        weight: logarithm of the exponent that makes strokes heavier or lighter.
    """

    shift_px: int = 2
    rotation: float = 6.0
    slant: float = 0.12
    scale: float = 0.08
    elastic_px: float = 0.8
    weight: float = 0.3


STRONG = Augmentation()
SHIFT_ONLY = Augmentation(2, 0.0, 0.0, 0.0, 0.0, 0.0)  # Sabour et al. 2017
_ELASTIC_POINTS = 5  # a side: one displacement for about seven pixels


def load_characters(data_dir: Path, charset: Charset) -> tuple[Characters, Characters]:
    """Load what of ``data_dir/chars`` the character set covers, as (training, held out).

    Held out are the ``HELD_OUT_PER_CLASS`` images of each class whose number in EMNIST has the
    smallest SHA-256: the split is fixed, whatever the order of the file.

    Raises:
        FileNotFoundError: no file named ``*train*.npz`` is there.
    """
    paths = sorted((data_dir / "chars").glob("*train*.npz"))
    if not paths:
        raise FileNotFoundError(f"There are no characters (*train*.npz) in {data_dir / 'chars'}.")
    training: list[tuple[Gray, str]] = []
    held_out: list[tuple[Gray, str]] = []
    for path in paths:
        with np.load(path) as z:
            images, numbers, classes = z["images"], z["source_index"], z["classes"]
            texts = classes[z["labels"]]
        for text in classes:
            if str(text) not in charset.characters:
                continue
            members = np.flatnonzero(texts == text)
            ranked = sorted(members, key=lambda i: _rank(path.stem, int(numbers[i])))
            found = [(images[i], str(text)) for i in ranked]
            held_out += found[:HELD_OUT_PER_CLASS]
            training += found[HELD_OUT_PER_CLASS:]
    return _characters(training), _characters(held_out)


def _rank(stem: str, number: int) -> bytes:
    return hashlib.sha256(f"{stem}/{number}".encode()).digest()


def _characters(items: Sequence[tuple[Gray, str]]) -> Characters:
    if not items:
        return Characters(np.zeros((0, SIDE_PX, SIDE_PX), np.uint8), ())
    return Characters(np.stack([image for image, _ in items]), tuple(text for _, text in items))


def vary_character(image: Gray, rng: np.random.Generator, strength: Augmentation) -> Ink:
    """Distort a character; (28, 28) uint8 -> float32 ink map 0..1."""
    side = image.shape[0]
    turn = np.deg2rad(rng.normal(0, strength.rotation))
    slant = rng.normal(0, strength.slant)
    wide, high = np.exp(rng.normal(0, strength.scale, 2))
    shift = rng.integers(-strength.shift_px, strength.shift_px + 1, 2)
    exponent = np.exp(rng.normal(0, strength.weight))
    bend = rng.normal(0, strength.elastic_px, (_ELASTIC_POINTS, _ELASTIC_POINTS, 2))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = turned @ np.array([[1 / wide, slant], [0, 1 / high]])
    middle = (side - 1) / 2
    grid = np.mgrid[:side, :side][::-1].reshape(2, -1) - middle  # x, y of the result
    where = (matrix @ grid).T.reshape(side, side, 2) + middle - shift
    where += cv2.resize(bend, (side, side), interpolation=cv2.INTER_CUBIC)
    xs, ys = np.ascontiguousarray(where.transpose(2, 0, 1), np.float32)
    ink = np.asarray(cv2.remap(image, xs, ys, cv2.INTER_LINEAR), np.float32) / 255
    return np.asarray(ink**exponent, np.float32)


class CharacterDataset(ChunkedDataset):
    """Endless batches of varied characters; every class is as frequent as any other.

    Sample i depends on (seed, i) alone; a run resumes at a chunk. It takes the place of
    ``MixtureDataset`` in ``loop.train``.

    Args:
        characters: to draw from.
        charset: of the model.
        seed: fixes every sample.
        first_chunk: where to start, for resuming.
        crops_per_batch: how many.
        chunk_batches: batches between two places to resume at.
        augmentation: how they are varied.
    """

    def __init__(
        self,
        characters: Characters,
        charset: Charset,
        seed: int = 0,
        first_chunk: int = 0,
        crops_per_batch: int = 128,
        chunk_batches: int = 32,
        augmentation: Augmentation = STRONG,
    ):
        if not characters.texts:
            raise ValueError("There is no character to learn: none is in the character set.")
        self.characters = characters
        self.charset = charset
        self.seed = seed
        self.first_chunk = first_chunk
        self.crops_per_batch = crops_per_batch
        self.chunk_batches = chunk_batches
        self.augmentation = augmentation
        texts = np.array(characters.texts)
        self._members = [np.flatnonzero(texts == text) for text in np.unique(texts)]

    def sample(self, index: int) -> tuple[Ink, str]:
        """Return sample ``index`` of the run: a class, one of its images, one variation."""
        rng = np.random.default_rng([self.seed, index])
        members = self._members[rng.integers(len(self._members))]
        chosen = members[rng.integers(len(members))]
        ink = vary_character(self.characters.images[chosen], rng, self.augmentation)
        return ink, self.characters.texts[chosen]

    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk."""
        first = number * self.chunk_batches * self.crops_per_batch
        for start in range(
            first, first + self.chunk_batches * self.crops_per_batch, self.crops_per_batch
        ):
            drawn = [self.sample(i) for i in range(start, start + self.crops_per_batch)]
            yield collate([ink for ink, _ in drawn], [t for _, t in drawn], self.charset, number)


def held_out_characters(data_dir: Path, charset: Charset) -> list[Batch]:
    """The held-out characters as they are, class by class; see ``load_characters``."""
    _, held_out = load_characters(data_dir, charset)
    inks = list(held_out.images.astype(np.float32) / 255)
    return [
        collate(inks[i : i + HELD_OUT_CROPS], held_out.texts[i : i + HELD_OUT_CROPS], charset)
        for i in range(0, len(inks), HELD_OUT_CROPS)
    ]


def fold_character(text: str) -> str:
    """The class of a character in EMNIST ByMerge: look-alike cases become the capital."""
    return text.upper() if text in MERGED else text


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers with its 95% Wilson interval."""

    right: int
    n: int

    @property
    def share(self) -> float:
        """0..1; 0 when there is nothing to read."""
        return self.right / max(1, self.n)

    def __str__(self) -> str:
        low, high = wilson_interval(self.right, self.n)
        return f"{self.share:.1%} of {self.n} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class CharacterReport:
    """How well single characters are read.

    Attributes:
        classes: all classes apart, 62 with the full set.
        folded: ``fold_character`` of truth and reading, 47 classes.
        digits: digits read as one of the ten digits.
    """

    classes: Accuracy
    folded: Accuracy
    digits: Accuracy


@torch.inference_mode()
def measure_characters(model: Recognizer, batches: Sequence[Batch]) -> CharacterReport:
    """Read characters with a model of one column and count what is right.

    Args:
        model: a recognizer that ``reads="character"``, in evaluation mode.
        batches: ``held_out_characters``, balanced over the classes.
    """
    device = next(model.parameters()).device
    known = model.charset.characters
    digits = [c for c in DIGITS if c in known]
    pairs: list[tuple[str, str]] = []
    digit_pairs: list[tuple[str, str]] = []
    for batch in batches:
        encoded = model.encode(batch.images.to(device), batch.widths.to(device))
        log_probs = encoded.ctc_log_probs()[:, 0]
        read = [known[k] for k in log_probs[:, 1:].argmax(1)]
        pairs += zip(batch.texts, read, strict=True)
        if digits:
            best = log_probs[:, model.charset.encode("".join(digits))].argmax(1)
            found = zip(batch.texts, best, strict=True)
            digit_pairs += [(text, digits[k]) for text, k in found if text in DIGITS]
    folded = [(fold_character(truth), fold_character(reading)) for truth, reading in pairs]
    return CharacterReport(*(_accuracy(some) for some in (pairs, folded, digit_pairs)))


def _accuracy(pairs: Sequence[tuple[str, str]]) -> Accuracy:
    return Accuracy(sum(truth == reading for truth, reading in pairs), len(pairs))


def reconstruction_sheet(images: Ink, drawn: Ink, columns: int = 31) -> Gray:
    """A picture of inputs with what a model drew of each below it, dark on light.

    Args:
        images, drawn: (n, side, side) ink maps 0..1.
        columns: pairs in a row.
    """
    n, side, _ = images.shape
    rows = -(-n // columns)
    cells = np.zeros((rows * columns, 2 * side, side), np.float32)
    cells[:n] = np.concatenate([images, drawn], axis=1)
    grid = cells.reshape(rows, columns, 2 * side, side).transpose(0, 2, 1, 3)
    sheet = grid.reshape(rows * 2 * side, columns * side)
    return np.asarray(255 * (1 - sheet.clip(0, 1)), np.uint8)
