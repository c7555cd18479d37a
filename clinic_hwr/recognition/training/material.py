"""What a run learns from: words and lines, single characters, or paragraphs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from torch.utils.data import IterableDataset

from clinic_hwr.recognition.architectures import architecture
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.synthesis.strokes import load_strokes

from .alignment import prepare_parts
from .characters import CharacterDataset, load_characters
from .datasets import (
    CHUNK_SAMPLES,
    Batch,
    ChunkedDataset,
    MixtureConfig,
    MixtureDataset,
    build_mixture,
    held_out_batches,
)
from .device_batches import DeviceMixture
from .loop import training_device
from .paragraphs import CURRICULUM, ParagraphDataset, sources_by_writer
from .recipe import Recipe
from .sources import (
    ScannedSource,
    Source,
    StrokeSource,
    held_out_stroke_writer,
    held_out_writer,
    read_labels,
)
from .store import SampleStore

HELD_OUT_PARAGRAPH_BATCHES = 12
PARAGRAPH_CHUNK = 512  # samples; drawing one takes about ten times as long as a word
LONGEST_SCANNED_LINE = 40  # characters; longer ones leave no room for a second line


@dataclass(frozen=True)
class Material:
    """Samples of one run.

    Attributes:
        make_dataset: first chunk -> endless batches, the same for the same chunk.
        held_out: of writers that the dataset leaves out; weights are chosen by them.
    """

    make_dataset: Callable[[int], IterableDataset[Batch]]
    held_out: Sequence[Batch]


def gather_material(
    recipe: Recipe,
    charset: Charset,
    data_dir: Path,
    cache: Path,
    reader: Path,
    draw_workers: int,
    generator: Path | None = None,
) -> Material:
    """Gather what the family of a recipe reads.

    Args:
        recipe: of the run.
        charset: of the model.
        data_dir: the data folder.
        cache: keeps letters, words and drawn samples between runs.
        reader: weights of a trained ``trba``, which finds letters and words in the data.
        draw_workers: processes that fill the store of samples; 0 = draw while training, or,
            with ``on_device``, wait for another run to draw. The run begins when they are done,
            or with the first chunks when batches are put together on the device.
        generator: weights of a trained ScrabbleGAN, for a mixture with ``gan_words``.

    Raises:
        ValueError: the family reads nothing.
    """
    reads = architecture(recipe.arch).reads
    if reads == "character":
        return _characters(recipe, charset, data_dir)
    if reads == "paragraph":
        return _paragraphs(recipe, charset, data_dir)
    if reads in ("word", "line"):
        return _words_and_lines(recipe, charset, data_dir, cache, reader, draw_workers, generator)
    raise ValueError(f"{recipe.arch} reads nothing.")


def open_store(mixture: MixtureConfig, seed: int, chunks: int, cache: Path) -> SampleStore:
    """Return the store that belongs to a mixture and a seed; runs that agree share it."""
    drawn = hashlib.sha256(f"{mixture}{seed}".encode()).hexdigest()[:12]
    return SampleStore(cache / f"store-{drawn}", chunks)


def _words_and_lines(
    recipe: Recipe,
    charset: Charset,
    data_dir: Path,
    cache: Path,
    reader: Path,
    draw_workers: int,
    generator: Path | None,
) -> Material:
    model, schedule = recipe.model, recipe.train
    parts = None
    if recipe.mixture.composed + recipe.mixture.line_words > 0:
        parts = prepare_parts(data_dir, reader, cache)
    sources = build_mixture(data_dir, recipe.mixture, parts, generator)
    store = None
    if schedule.stored_chunks > 0:
        store = open_store(recipe.mixture, schedule.seed, schedule.stored_chunks, cache)
        if draw_workers:
            drawer = MixtureDataset(sources, charset, 1, 1, seed=schedule.seed)
            draw = store.start if schedule.on_device else store.fill
            draw(drawer.sample, CHUNK_SAMPLES, draw_workers)

    def dataset(first_chunk: int) -> ChunkedDataset:
        if schedule.on_device:
            if store is None:
                raise ValueError("on_device needs stored_chunks.")
            return DeviceMixture(
                store, charset, model.height_px, model.max_width_px, training_device(),
                schedule.pixels_per_batch, schedule.seed, first_chunk, schedule.reuse,
            )  # fmt: skip
        return MixtureDataset(
            sources, charset, model.height_px, model.max_width_px, schedule.pixels_per_batch,
            schedule.seed, first_chunk, store=store,
        )  # fmt: skip

    held_out = held_out_batches(data_dir, charset, model.height_px, model.max_width_px)
    return Material(dataset, held_out)


def _characters(recipe: Recipe, charset: Charset, data_dir: Path) -> Material:
    training, _ = load_characters(data_dir, charset)

    crops = max(1, recipe.train.pixels_per_batch // recipe.model.max_width_px)

    def dataset(first_chunk: int) -> CharacterDataset:
        return CharacterDataset(training, charset, recipe.train.seed, first_chunk, crops)

    # The held-out characters are there to measure with: no weights are chosen by them.
    return Material(dataset, ())


def block_writers(data_dir: Path, held_out: bool = False) -> list[Source]:
    """Return the writers whose words and lines blocks are made of.

    Args:
        data_dir: the data folder.
        held_out: those with pen strokes that a run is watched on, instead of those it learns from.
    """
    words = load_strokes(data_dir / "online" / "unipen_words_train.npz")
    if held_out:
        return sources_by_writer(StrokeSource(words, words=(1, 4), writers=held_out_stroke_writer))
    scanned = [
        line
        for line in read_labels(data_dir / "handwriting")
        if not held_out_writer(line.writer) and len(line.text) <= LONGEST_SCANNED_LINE
    ]
    strokes = StrokeSource(
        words, words=(1, 4), writers=lambda writer: not held_out_stroke_writer(writer)
    )
    return [*sources_by_writer(strokes), *sources_by_writer(ScannedSource(scanned))]


def _paragraphs(recipe: Recipe, charset: Charset, data_dir: Path) -> Material:
    model, schedule = recipe.model, recipe.train

    def dataset_of(writers: Sequence[Source], first_chunk: int) -> ParagraphDataset:
        return ParagraphDataset(
            writers, charset, model.height_px, model.max_width_px, model.line_px,
            stage_samples=schedule.samples // len(CURRICULUM),
            pixels_per_batch=schedule.pixels_per_batch, seed=schedule.seed,
            first_chunk=first_chunk, chunk_samples=PARAGRAPH_CHUNK,
        )  # fmt: skip

    training = block_writers(data_dir)
    # A chunk behind the stages' borders: the hardest blocks.
    hardest = dataset_of(block_writers(data_dir, held_out=True), 0)
    chunk = schedule.samples // PARAGRAPH_CHUNK + 1
    held_out = list(islice(hardest.chunk(chunk), HELD_OUT_PARAGRAPH_BATCHES))
    return Material(lambda first_chunk: dataset_of(training, first_chunk), held_out)
