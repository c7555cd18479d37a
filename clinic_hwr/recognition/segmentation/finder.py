"""Marks the lines of a page with the shipped weights: what ``pages.find_fields`` can be given.

The network runs on ONNX Runtime: the same maps to 1e-5 as torch in 0.4 of the time (27 for 67 ms
a page of 1024 x 800 px on one AMD EPYC core; torch 2.13, onnxruntime 1.32).
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clinic_hwr.pages.background import inked_part
from clinic_hwr.pages.types import Gray, LineMaps

from .network import HAND, INPUT_LONG_SIDE, MULTIPLE, PRINT, STRIDE, STRUCK, LineSegmenter
from .weights import SHIPPED, load_segmenter

_OPSET = 17
_MARGIN_PX = 32  # around the ink, of what the network sees


class LineMarker:
    """A loaded segmenter: an upright page in, maps of line cores out. Thread-safe.

    The maps of the last page are kept: ``read_print`` and ``find_fields`` ask for the same.

    Args:
        model: ready to use.
        version: name and content hash of its weights.
    """

    def __init__(self, model: LineSegmenter, version: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _exported(model), options, providers=["CPUExecutionProvider"]
        )
        self.version = version
        self._looks_for_struck = model.struck is not None
        self._last: tuple[Gray, LineMaps] | None = None

    def __call__(self, gray: Gray) -> LineMaps:
        """Mark the lines of an upright page, (height, width) uint8, paper near 255.

        Margins without ink are not looked at: all maps are 0 there.
        """
        last = self._last
        if last is not None and np.array_equal(last[0], gray):
            return last[1]
        maps = self._marked(gray)
        self._last = gray.copy(), maps  # one assignment: threads see either page whole
        return maps

    def _marked(self, gray: Gray) -> LineMaps:
        scale = min(1.0, INPUT_LONG_SIDE / max(gray.shape))
        size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
        small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        height, width = -(-size[1] // STRIDE), -(-size[0] // STRIDE)
        hand, printed, struck = (np.zeros((height, width), np.float32) for _ in range(3))
        part = inked_part(np.asarray(small, np.uint8), _MARGIN_PX)
        if part is not None:
            # From where the network's coarsest maps begin a pixel.
            top, left = (side.start - side.start % MULTIPLE for side in part)
            inked = small[top : part[0].stop, left : part[1].stop]
            maps = self._run(np.asarray(inked, np.uint8))
            at = (slice(top // STRIDE, top // STRIDE + maps.shape[1]),
                  slice(left // STRIDE, left // STRIDE + maps.shape[2]))  # fmt: skip
            hand[at], printed[at] = maps[HAND], maps[PRINT]
            if self._looks_for_struck:
                struck[at] = maps[STRUCK]
        return LineMaps(hand, printed, scale / STRIDE, struck if self._looks_for_struck else None)

    def _run(self, small: Gray) -> NDArray[np.float32]:
        """All maps of a raster: (2 or 3, height / 2, width / 2), rounded up."""
        high, wide = small.shape
        page = cv2.copyMakeBorder(  # with paper, to multiples of what the network halves
            small, 0, -high % MULTIPLE, 0, -wide % MULTIPLE, cv2.BORDER_CONSTANT, value=[255]
        )
        maps = self._session.run(["maps"], {"page": np.asarray(page)[None, None]})[0][0]
        return np.asarray(maps[:, : -(-high // STRIDE), : -(-wide // STRIDE)], np.float32)


class _MapsOfGray(nn.Module):
    """The network behind what it needs of a raster: ink 0..1 in, probabilities out."""

    def __init__(self, model: LineSegmenter) -> None:
        super().__init__()
        self.model = model

    def forward(self, page: Tensor) -> Tensor:
        """(batch, 1, height, width) uint8, 255 = paper -> (batch, 2 or 3, half, half)."""
        return cast(Tensor, self.model((255.0 - page.float()) / 255.0).sigmoid())


def _exported(model: LineSegmenter) -> bytes:
    """The network as an ONNX file for pages of any size; takes half a second."""
    free = {2: "height", 3: "width"}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "lines.onnx"
        warnings.simplefilter("ignore")  # of the exporter's own age
        torch.onnx.export(
            _MapsOfGray(model).eval(),
            (torch.full((1, 1, 2 * MULTIPLE, 2 * MULTIPLE), 255, dtype=torch.uint8),),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["page"],
            output_names=["maps"],
            dynamic_axes={"page": free, "maps": free},
        )
        return file.read_bytes()


@lru_cache(maxsize=2)
def load_line_marker(path: Path = SHIPPED) -> LineMarker:
    """Load a segmenter once per process.

    Raises:
        SegmenterMissing: its weights are not installed.
    """
    return LineMarker(*load_segmenter(path))
