"""Blocks of text to learn to read paragraphs from: lines of one writer below each other.

After the curriculum of Bluche et al. 2016: single lines first, then two, then paragraphs; before
these ours has single words, by which a decoder learns sooner where to look.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.images import Ink, ink_box, ink_map, prepare_block

from .datasets import CHUNK_SAMPLES, Batch, MixtureDataset, collate, width_class
from .sources import Sample, ScannedSource, Source, StrokeSource

LINE_PX = 48  # of a stacked line with ascenders and descenders; above the network's, below a scan's
X_HEIGHT, ASCENT, DESCENT = 0.55, 0.25, 0.2  # shares of a line's height
ASCENDERS = frozenset("bdfhklt0123456789!?/()[]{}|\\'\"$%&#@ij")
DESCENDERS = frozenset("gjpqy,;()[]{}|/$@Q")
PITCH = (0.95, 1.45)  # from baseline to baseline, in line heights: near ones touch
MOST_TRIES = 20
INKED = 0.1  # darker than the noise of paper


class NoLines(ValueError):
    """A writer's source draws nothing that can be put into a paragraph."""


@dataclass(frozen=True)
class Stage:
    """How difficult a paragraph is: least and most lines, most characters."""

    least_lines: int
    most_lines: int
    most_chars: int = 96


class Band(NamedTuple):
    """Where a line lies: its characters, and its top and bottom.

    In a sample the two are shares of the height of the ink, in a batch pixels of the canvas.
    """

    item: int
    start: int
    length: int
    top: float
    bottom: float


@dataclass(frozen=True)
class BlockSample(Sample):
    """A crop of several lines; ``bands`` says where they lie."""

    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class BlockBatch(Batch):
    """Crops of several lines; ``bands`` says where the lines of each item lie."""

    bands: tuple[Band, ...] = ()


CURRICULUM = (Stage(1, 1, 10), Stage(1, 1), Stage(1, 2), Stage(1, 3))


class ParagraphSource:
    """Lines of one writer, stacked into one crop; the text is joined by spaces.

    Args:
        writers: a source for each writer, which draws a word or a short line; see
            ``sources_by_writer``.
        stage: how many lines, and how long the whole text.
    """

    def __init__(self, writers: Sequence[Source], stage: Stage):
        if not writers:
            raise ValueError("A source needs at least one writer.")
        if not 1 <= stage.least_lines <= stage.most_lines:
            raise ValueError("A stage has at least one line, and at most as many as it says.")
        self.writers = writers
        self.stage = stage

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a block of lines.

        Raises:
            NoLines: no writer's lines will do.
        """
        count = int(rng.integers(self.stage.least_lines, self.stage.most_lines + 1))
        for _ in range(MOST_TRIES):
            writer = self.writers[int(rng.integers(len(self.writers)))]
            lines, name = self._lines_of(writer, count, rng)
            if len(lines) >= self.stage.least_lines:
                block, places = _stack(lines, rng)
                starts = accumulate((len(text) + 1 for _, text in lines), initial=0)
                bands = tuple(
                    Band(0, start, len(text), *place)
                    for start, (_, text), place in zip(starts, lines, places, strict=False)
                )
                text = " ".join(text for _, text in lines)
                return BlockSample(_on_paper(block, rng), text, name, bands=bands)
        raise NoLines(f"Too few lines could be drawn of any of {MOST_TRIES} writers.")

    def _lines_of(
        self, writer: Source, count: int, rng: np.random.Generator
    ) -> tuple[list[tuple[Ink, str]], str]:
        """Up to ``count`` lines of one writer that fit together, and the writer's name."""
        lines: list[tuple[Ink, str]] = []
        name = ""
        for _ in range(MOST_TRIES):
            sample = writer.draw(rng)
            line = _line(sample)
            length = sum(len(text) + 1 for _, text in lines) + len(sample.text)
            if line is None or length > self.stage.most_chars:
                continue
            lines.append((line, sample.text))
            name = sample.writer
            if len(lines) == count:
                break
        return lines, name


def stack_lines(lines: Sequence[tuple[Ink, str]], rng: np.random.Generator) -> Ink:
    """Put lines below each other, as ragged and as slanted as by hand.

    Args:
        lines: ink, cut to its box, and text of each; the text tells how high its letters are.
        rng: source of sizes, gaps and slant.

    Returns:
        float32 ink map, with a little paper around it.
    """
    return _stack(lines, rng)[0]


def _stack(
    lines: Sequence[tuple[Ink, str]], rng: np.random.Generator
) -> tuple[Ink, list[tuple[float, float]]]:
    """Ink map, and top and bottom of each line as shares of the height of all ink."""
    placed: list[tuple[int, int, Ink]] = []
    baseline = 0.0
    for ink, text in lines:
        high = LINE_PX * line_height(text) * float(rng.uniform(0.92, 1.08))
        size = max(1, round(ink.shape[1] * high / ink.shape[0])), max(1, round(high))
        scaled = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        foot = baseline + LINE_PX * DESCENT * bool(DESCENDERS & set(text))
        indent = LINE_PX * float(rng.uniform(0, 0.6))
        placed.append((round(foot) - size[1], round(indent), scaled))
        baseline += LINE_PX * float(rng.uniform(*PITCH))
    top = min(y for y, _, _ in placed)
    height = max(y + ink.shape[0] for y, _, ink in placed) - top
    width = max(x + ink.shape[1] for _, x, ink in placed)
    block = np.zeros((height, width), np.float32)
    for y, x, ink in placed:
        part = block[y - top : y - top + ink.shape[0], x : x + ink.shape[1]]
        np.maximum(part, ink, out=part)
    slanted, matrix = _slanted(block, rng)
    _, first, _, high = ink_box(slanted) or (0, 0, 0, len(slanted))
    places = []
    for y, x, ink in placed:
        moved = matrix[1, 0] * (x + ink.shape[1] / 2) + matrix[1, 2] - first + y - top
        places.append((moved / high, (moved + ink.shape[0]) / high))
    return slanted, places


def line_height(text: str) -> float:
    """Share of a full line's height that the letters of ``text`` take."""
    chars = set(text)
    up = any(c.isupper() for c in chars) or bool(ASCENDERS & chars)
    return X_HEIGHT + ASCENT * up + DESCENT * bool(DESCENDERS & chars)


def sources_by_writer(source: StrokeSource | ScannedSource, least: int = 4) -> list[Source]:
    """One source for each writer who wrote at least ``least`` items, in the writers' order."""
    if isinstance(source, StrokeSource):
        return [
            _only(source, writer)
            for writer, items in sorted(source.by_writer.items())
            if len(items) >= least
        ]
    lines = defaultdict(list)
    for line in source.lines:
        lines[line.writer].append(line)
    return [ScannedSource(some) for _, some in sorted(lines.items()) if len(some) >= least]


def _only(source: StrokeSource, writer: str) -> StrokeSource:
    """The same source with the items of one writer."""
    own = copy.copy(source)
    own.indices = np.array(source.by_writer[writer])
    own.by_writer = defaultdict(list, {writer: source.by_writer[writer]})
    return own


def _line(sample: Sample) -> Ink | None:
    """Ink of a sample cut to its box; None where there is nothing to read or no ink."""
    if not sample.text:
        return None
    ink = ink_map(sample.image)
    box = ink_box(ink)
    if box is None:
        return None
    x, y, w, h = box
    return ink[y : y + h, x : x + w]


def _slanted(block: Ink, rng: np.random.Generator) -> tuple[Ink, NDArray[np.float32]]:
    """Let the lines rise or fall a little and the letters lean, with paper all around.

    Returns:
        the block and the affine map (2, 3) that did it.
    """
    rise, lean = float(rng.normal(0, 0.012)), float(rng.normal(0, 0.06))
    pad = LINE_PX // 4
    high, wide = block.shape
    matrix = np.array(
        [[1, lean, pad + max(0.0, -lean * high)], [rise, 1, pad + max(0.0, -rise * wide)]],
        np.float32,
    )
    size = round(wide + abs(lean) * high) + 2 * pad, round(high + abs(rise) * wide) + 2 * pad
    slanted = cv2.warpAffine(block, matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    return slanted, matrix


def _on_paper(block: Ink, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One sheet for all lines: each came with the paper of its own scan."""
    paper, darkness = rng.uniform(190, 250), rng.uniform(0.6, 0.95)
    gray = paper * (1 - darkness * block) + rng.normal(0, 2.0, block.shape)
    return np.clip(gray, 0, 255).astype(np.uint8)


class ParagraphDataset(MixtureDataset):
    """Endless batches of paragraphs that grow harder, seeded like those of a mixture.

    Args:
        writers: see ``ParagraphSource``.
        charset: of the model.
        height_px, max_width_px, line_px: canvas of the model; see ``images.prepare_block``.
        stages: one after the other.
        stage_samples: samples of each stage; the last one goes on.
        pixels_per_batch, seed, first_chunk, chunk_samples: see ``MixtureDataset``.
    """

    def __init__(
        self,
        writers: Sequence[Source],
        charset: Charset,
        height_px: int,
        max_width_px: int,
        line_px: int,
        stages: Sequence[Stage] = CURRICULUM,
        stage_samples: int = 20 * CHUNK_SAMPLES,
        pixels_per_batch: int = 4096,
        seed: int = 0,
        first_chunk: int = 0,
        chunk_samples: int = CHUNK_SAMPLES,
    ):
        self.stages = [ParagraphSource(writers, stage) for stage in stages]
        self.stage_samples = stage_samples
        self.line_px = line_px
        super().__init__(
            [(source, 1.0) for source in self.stages], charset, height_px, max_width_px,
            pixels_per_batch, seed, first_chunk, chunk_samples,
        )  # fmt: skip

    def sample(self, index: int) -> Sample:
        """Return sample ``index`` of the run, as difficult as its stage."""
        source = self.stages[min(index // self.stage_samples, len(self.stages) - 1)]
        return source.draw(np.random.default_rng([self.seed, index]))

    def blocks(self, number: int) -> Iterator[tuple[Ink, str, tuple[Band, ...]]]:
        """Yield the canvases of one chunk with their texts and where the lines lie."""
        for index in range(number * self.chunk_samples, (number + 1) * self.chunk_samples):
            sample = self.sample(index)
            ink = prepare_block(sample.image, self.height_px, self.max_width_px, self.line_px)
            inked = np.flatnonzero(ink.max(axis=1) > INKED)
            high = float(inked[-1] + 1) if len(inked) else 0.0
            bands = getattr(sample, "bands", ())
            yield (
                ink,
                sample.text,
                tuple(b._replace(top=b.top * high, bottom=b.bottom * high) for b in bands),
            )

    def inks(self, number: int) -> Iterator[tuple[Ink, str]]:
        """Yield the canvases of one chunk with their texts."""
        yield from ((ink, text) for ink, text, _ in self.blocks(number))

    def chunk(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one chunk; texts may be longer than the canvas has columns."""
        classes: dict[int, list[tuple[Ink, str, tuple[Band, ...]]]] = defaultdict(list)
        for block in self.blocks(number):
            classes[width_class(block[0].shape[1])].append(block)
        groups: list[tuple[int, list[tuple[Ink, str, tuple[Band, ...]]]]] = []
        for width, items in sorted(classes.items()):
            items.sort(key=lambda item: len(item[1]))  # the decoder runs to the longest text
            full = max(4, self.pixels_per_batch // width)
            groups += [(width, items[i : i + full]) for i in range(0, len(items), full)]
        rng = np.random.default_rng([self.seed, number, 1])
        for g in rng.permutation(len(groups)):
            width, items = groups[g]
            inks, texts, bands = zip(*items, strict=True)
            batch = collate(inks, texts, self.charset, number, width)
            places = tuple(band._replace(item=i) for i, some in enumerate(bands) for band in some)
            yield BlockBatch(**vars(batch), bands=places)
