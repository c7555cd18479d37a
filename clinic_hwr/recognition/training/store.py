"""Drawn samples kept on disk, so that several runs and epochs share the work of drawing."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clinic_hwr.recognition.images import Ink, prepare

from .sources import Sample

STORED_HEIGHT_PX = 48
STORED_MAX_WIDTH_PX = 960

Drawn = tuple[np.ndarray, str]


class SampleStore:
    """Chunks of prepared ink maps in one folder.

    The folder belongs to one mixture and one seed; a chunk that is missing is drawn and
    written whole, so that several processes may use the folder at once.

    Args:
        folder: created when missing.
        chunks: how many different chunks there are; chunk n is stored as n modulo this.
    """

    def __init__(self, folder: Path, chunks: int):
        if chunks < 1:
            raise ValueError("A store holds at least one chunk.")
        self.folder = folder
        self.chunks = chunks

    def chunk(self, number: int, sample: Callable[[int], Sample], size: int) -> list[Drawn]:
        """Return the samples of a chunk.

        Args:
            number: of the chunk; taken modulo the number of stored chunks.
            sample: draws sample i.
            size: samples in a chunk.

        Returns:
            (ink, text) pairs; ink (STORED_HEIGHT_PX, width) uint8, 0 = paper.
        """
        stored = number % self.chunks
        path = self.folder / f"{stored:05d}.npz"
        if not path.exists():
            self._write(path, [sample(i) for i in range(stored * size, (stored + 1) * size)])
        with np.load(path) as z:
            flat, widths, texts = z["inks"], z["widths"], z["texts"]
        edges = np.cumsum([0, *widths])
        return [(flat[:, edges[k] : edges[k + 1]], str(text)) for k, text in enumerate(texts)]

    def fill(self, sample: Callable[[int], Sample], size: int, processes: int) -> None:
        """Draw every missing chunk, several at once; forks, so call it before threads start."""
        fork = multiprocessing.get_context("fork")  # the sources are large: share, not copy
        workers = [
            fork.Process(target=self._fill_part, args=(k, processes, sample, size))
            for k in range(processes)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            if worker.exitcode:
                raise RuntimeError("A process that draws samples failed; see its output above.")

    def _fill_part(self, first: int, step: int, sample: Callable[[int], Sample], size: int) -> None:
        for number in range(first, self.chunks, step):
            self.chunk(number, sample, size)

    def _write(self, path: Path, samples: list[Sample]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        inks = [
            _without_padding(prepare(s.image, STORED_HEIGHT_PX, STORED_MAX_WIDTH_PX))
            for s in samples
        ]
        part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
        np.savez(
            part,
            inks=np.hstack(inks),
            widths=np.array([ink.shape[1] for ink in inks]),
            texts=np.array([s.text for s in samples]),
        )
        part.replace(path)


def _without_padding(ink: Ink) -> np.ndarray:
    """Cut the paper on the right, which is added again when the sample is used; uint8."""
    inked = np.flatnonzero(ink.any(axis=0))
    width = int(inked[-1]) + 2 if len(inked) else ink.shape[1]
    return np.round(ink[:, :width] * 255).astype(np.uint8)
