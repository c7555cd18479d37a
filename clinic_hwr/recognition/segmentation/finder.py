"""Marks the lines of a page with the shipped weights: what ``pages.find_fields`` can be given."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from clinic_hwr.pages.types import Gray, LineMaps

from .network import HAND, INPUT_LONG_SIDE, PRINT, STRIDE, LineSegmenter, as_input
from .weights import SHIPPED, load_segmenter


class LineMarker:
    """A loaded segmenter: an upright page in, maps of line cores out. Thread-safe.

    Args:
        model: ready to use.
        version: name and content hash of its weights.
    """

    def __init__(self, model: LineSegmenter, version: str) -> None:
        self._model = model
        self.version = version

    def __call__(self, gray: Gray) -> LineMaps:
        """Mark the lines of an upright page, (height, width) uint8, paper near 255."""
        scale = min(1.0, INPUT_LONG_SIDE / max(gray.shape))
        size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
        small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        ink: NDArray[np.float32] = (255 - small).astype(np.float32) / 255.0
        with torch.inference_mode():
            pages = as_input(torch.from_numpy(ink)[None])[None]
            pages = pages.contiguous(memory_format=torch.channels_last)
            maps = self._model(pages).sigmoid()[0].numpy()
        height, width = -(-size[1] // STRIDE), -(-size[0] // STRIDE)
        return LineMaps(
            np.ascontiguousarray(maps[HAND, :height, :width]),
            np.ascontiguousarray(maps[PRINT, :height, :width]),
            scale / STRIDE,
        )


@lru_cache(maxsize=2)
def load_line_marker(path: Path = SHIPPED) -> LineMarker:
    """Load a segmenter once per process.

    Raises:
        SegmenterMissing: its weights are not installed.
    """
    return LineMarker(*load_segmenter(path))
