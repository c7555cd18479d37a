"""Drawn samples kept on disk, so that several runs and epochs share the work of drawing."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.images import Ink, prepare

from .sources import Sample

STORED_HEIGHT_PX = 48
STORED_MAX_WIDTH_PX = 960

WAIT_SECONDS = 0.05

Drawn = tuple[np.ndarray, str]


@dataclass(frozen=True)
class DrawnChunk:
    """The samples of a chunk as they lie on disk.

    Attributes:
        inks: (STORED_HEIGHT_PX, sum of widths) uint8, one beside the other, 0 = paper.
        widths: (samples,) pixels.
        texts: the truths.
        places: (samples,) place of each sample's source in the mixture.
    """

    inks: NDArray[np.uint8]
    widths: NDArray[np.int64]
    texts: tuple[str, ...]
    places: NDArray[np.int64]


class NotDrawn(TimeoutError):
    """A chunk that other processes should draw did not come in time."""


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Fork inside: OpenCV's threads do not live on in a child, which would wait for them."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


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
        """Return the samples of a chunk; draw them when they are not there.

        Args:
            number: of the chunk; taken modulo the number of stored chunks.
            sample: draws sample i.
            size: samples in a chunk.

        Returns:
            (ink, text) pairs; ink (STORED_HEIGHT_PX, width) uint8, 0 = paper.
        """
        stored = number % self.chunks
        if not self._path(stored).exists():
            first = stored * size
            self._write(self._path(stored), [sample(i) for i in range(first, first + size)])
        drawn = self.drawn(stored)
        edges = np.cumsum([0, *drawn.widths])
        return [(drawn.inks[:, edges[k] : edges[k + 1]], t) for k, t in enumerate(drawn.texts)]

    def drawn(self, number: int, seconds: float = 0.0) -> DrawnChunk:
        """Return a chunk that this or another process drew.

        Args:
            number: of the chunk; taken modulo the number of stored chunks.
            seconds: how long to wait for it.

        Raises:
            NotDrawn: it is not there.
        """
        path = self._path(number % self.chunks)
        until = time.monotonic() + seconds
        while not path.exists():
            if time.monotonic() > until:
                raise NotDrawn(f"{path} was not drawn; fill the store with --draw-workers.")
            time.sleep(WAIT_SECONDS)
        with np.load(path) as z:
            texts = tuple(str(text) for text in z["texts"])
            return DrawnChunk(z["inks"], z["widths"].astype(np.int64), texts, z["places"])

    def fill(self, sample: Callable[[int], Sample], size: int, processes: int) -> None:
        """Draw every missing chunk, several at once, and wait for the last; see ``start``."""
        workers = self.start(sample, size, processes)
        for worker in workers:
            worker.join()
            if worker.exitcode:
                raise RuntimeError("A process that draws samples failed; see its output above.")

    def start(
        self, sample: Callable[[int], Sample], size: int, processes: int
    ) -> Sequence[BaseProcess]:
        """Begin to draw every missing chunk, in order, in processes that end with this one.

        Forks, so call it before threads start.
        """
        fork = multiprocessing.get_context("fork")  # the sources are large: share, not copy
        workers = [
            fork.Process(target=self._fill_part, args=(k, processes, sample, size), daemon=True)
            for k in range(processes)
        ]
        with opencv_on_one_thread():
            for worker in workers:
                worker.start()
        return workers

    def _fill_part(self, first: int, step: int, sample: Callable[[int], Sample], size: int) -> None:
        for number in range(first, self.chunks, step):
            path = self._path(number)
            if not path.exists():
                start = number * size
                self._write(path, [sample(i) for i in range(start, start + size)])

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npz"

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
            places=np.array([s.place for s in samples]),
        )
        part.replace(path)


def _without_padding(ink: Ink) -> np.ndarray:
    """Cut the paper on the right, which is added again when the sample is used; uint8."""
    inked = np.flatnonzero(ink.any(axis=0))
    width = int(inked[-1]) + 2 if len(inked) else ink.shape[1]
    return np.round(ink[:, :width] * 255).astype(np.uint8)
