"""Where training crops come from: real scans, rendered pen strokes, and written text.

Every source draws one sample from a random generator, so that sample i of a run is fixed by
(seed, i). Splits are by writer: see ``held_out_writer``.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.synthesis.degradation import (
    cross_out,
    degrade_ink,
    scan_real_crop,
    scribble,
)
from clinic_hwr.recognition.synthesis.hands import CannotWrite, Hand
from clinic_hwr.recognition.synthesis.strokes import (
    Points,
    StrokeSet,
    bounds,
    draw_strokes,
    scale_strokes,
    warp_strokes,
    with_flourish,
)
from clinic_hwr.recognition.synthesis.text import TextSampler

Gray = NDArray[np.uint8]
FLOURISHED = 0.06  # share of rendered words whose last stroke runs on


@dataclass(frozen=True)
class Sample:
    """One crop with its truth.

    Attributes:
        writer: the person or font.
        place: of its source in the mixture it was drawn from.
    """

    image: Gray
    text: str
    writer: str
    place: int = 0


class Source(Protocol):
    """Draws samples."""

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one sample."""
        ...


def held_out_writer(writer: str, share: float = 0.12) -> bool:
    """Whether a writer of ``handwriting/`` is kept out of training (fixed by the name's hash)."""
    digest = hashlib.sha256(writer.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def held_out_stroke_writer(writer: str, share: float = 0.05) -> bool:
    """Whether a writer of the ``online/`` train files is kept out, for early stopping.

    The val files are only measured with; this is what a run may look at while it trains.
    """
    name = writer.removeprefix("unipen:")
    return held_out_writer(f"online/{name}", share)


@dataclass(frozen=True)
class ScannedLine:
    """One labelled real crop of ``handwriting/`` or ``rx_words_dev/``."""

    path: Path
    text: str
    level: str
    writer: str


def read_labels(folder: Path) -> list[ScannedLine]:
    """Read a ``labels.tsv`` (columns path, text, level, writer)."""
    with (folder / "labels.tsv").open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [ScannedLine(folder / r["path"], r["text"], r["level"], r["writer"]) for r in rows]


def read_gray(path: Path) -> Gray:
    """Read an image file as grayscale; raises ``FileNotFoundError`` when it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f"{path} cannot be read as an image.")
    return image.astype(np.uint8, copy=False)


class ScannedSource:
    """Real scans, varied a little each time they are drawn."""

    def __init__(self, lines: Sequence[ScannedLine]):
        if not lines:
            raise ValueError("A source needs at least one line.")
        self.lines = lines

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one real crop."""
        line = self.lines[int(rng.integers(len(self.lines)))]
        return Sample(scan_real_crop(read_gray(line.path), rng), fold_text(line.text), line.writer)


class StrokeSource:
    """Real pen strokes, rendered; optionally several words of one writer side by side.

    Args:
        strokes: labelled words or lines.
        words: least and most items side by side.
        max_chars: longer items are left out.
        writers: whose items are used.
    """

    def __init__(
        self,
        strokes: StrokeSet,
        words: tuple[int, int] = (1, 1),
        max_chars: int = 32,
        writers: Callable[[str], bool] = lambda writer: True,
    ):
        self.strokes = strokes
        self.words = words
        keep = [
            i
            for i, text in enumerate(strokes.label)
            if 0 < len(fold_text(text)) <= max_chars and writers(strokes.writer[i])
        ]
        self.indices = np.array(keep)
        self.by_writer: dict[str, list[int]] = defaultdict(list)
        for i in keep:
            self.by_writer[strokes.writer[i]].append(i)

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one word, or a few words of the same hand as a phrase."""
        alpha, text, writer = self.ink(rng)
        return Sample(degrade_ink(alpha, rng), text, f"unipen:{writer}")

    def ink(self, rng: np.random.Generator) -> tuple[Gray, str, str]:
        """Draw clean ink, 255 = full; returns (ink, text, writer)."""
        first = int(self.indices[rng.integers(len(self.indices))])
        writer = self.strokes.writer[first]
        count = int(rng.integers(self.words[0], self.words[1] + 1))
        pool = self.by_writer[writer]
        items = [first] + [pool[rng.integers(len(pool))] for _ in range(count - 1)]
        height = rng.uniform(26, 60)
        if max(len(self.strokes.label[i]) for i in items) > 16:
            height *= 1.4  # a line's box holds its slope too
        placed: list[Points] = []
        x = 0.0
        for item in items:
            strokes = scale_strokes(self.strokes.strokes(item), height)
            x0, _, x1, y1 = bounds(strokes)
            # Words of one writer are scaled alike only by height: let them sit on one line.
            lift = height * rng.normal(0, 0.04) - y1
            placed += [s + np.array([x - x0, lift], np.float32) for s in strokes]
            x += x1 - x0 + height * rng.uniform(0.3, 0.7)
        if rng.random() < FLOURISHED:
            placed = with_flourish(placed, height / 2, rng)
        placed = warp_strokes(placed, rng)
        alpha, _ = draw_strokes(placed, height * rng.uniform(0.022, 0.085), rng)
        text = " ".join(fold_text(self.strokes.label[i]) for i in items)
        return alpha, text, writer


class WrittenSource:
    """Prescription text written by fonts or by the characters of one real writer."""

    def __init__(self, hands: Sequence[Hand], text: TextSampler, lines: float):
        if not hands:
            raise ValueError("A source needs at least one hand.")
        self.hands = hands
        self.text = text
        self.lines = lines  # share of lines; the rest are words

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a text that the drawn hand can write."""
        while True:
            hand = self.hands[int(rng.integers(len(self.hands)))]
            text = self.text.line(rng) if rng.random() < self.lines else self.text.word(rng)
            text = fold_text(text)
            if not text or not hand.can_write(text):
                continue
            try:
                tile = hand.write(text, rng, float(rng.uniform(11, 28)))
            except CannotWrite:
                continue
            return Sample(degrade_ink(tile.alpha, rng), text, hand.name)


class CharacterSource:
    """Real characters of EMNIST (62 classes, 28 x 28, white on black), alone or a few in a row.

    Args:
        path: npz with ``images`` (n, 28, 28) uint8, ``labels`` (n,) and ``classes``.
    """

    def __init__(self, path: Path):
        with np.load(path) as z:
            self.images = z["images"]
            self.labels = [str(z["classes"][k]) for k in z["labels"]]

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one to four characters side by side, as in boxed forms."""
        chosen = rng.integers(len(self.images), size=int(rng.integers(1, 5)))
        gap = int(rng.integers(0, 12))
        tiles = [np.pad(self.images[i], ((0, 0), (0, gap))) for i in chosen]
        alpha = cv2.resize(np.hstack(tiles), None, fx=1.6, fy=1.6).astype(np.uint8, copy=False)
        return Sample(degrade_ink(alpha, rng), "".join(self.labels[i] for i in chosen), "emnist")


class RejectSource:
    """Empty paper, scribbles and words scribbled over; the right answer is the empty string.

    Args:
        written: draws the words that are scribbled over, or None.
    """

    def __init__(self, written: StrokeSource | None = None):
        self.written = written

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw an empty or scribbled-over crop."""
        roll = rng.random()
        if roll < 0.4 and self.written is not None:
            alpha = cross_out(self.written.ink(rng)[0], rng)
        elif roll < 0.7:
            alpha = scribble(rng)
        else:
            alpha = np.zeros_like(scribble(rng))
        return Sample(degrade_ink(alpha, rng), "", "nobody")
