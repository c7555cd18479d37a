"""One-bit fax: T.4 rows of 1728 dots, square or half as fine down the page, with line faults."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .pages_paper import Gray

ROW_DOTS = 1728
"""Dots of a row of an A4 fax (ITU-T T.4), 215 mm at 204 dots an inch."""
_SHEET_IN = (8.47, 11.0)
_BAYER = np.array(
    [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32
) / 16.0  # fmt: skip


@dataclass(frozen=True)
class Fax:
    """What came out of the machine.

    Attributes:
        gray: (height, width) uint8, 0 or 255.
        scale: (across, down), fax pixels a pixel of what went in.
        offset: (x, y) where its corner is on the fax.
    """

    gray: Gray
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    def carried(self, layer: Gray) -> Gray:
        """Another layer of what went in, where it is on the fax; 0 around it."""
        size = [max(1, round(side * one)) for side, one in zip(layer.shape[::-1], self.scale,
                                                               strict=True)]  # fmt: skip
        small = cv2.resize(layer, (size[0], size[1]), interpolation=cv2.INTER_AREA)
        out = np.zeros_like(self.gray)
        x, y = (round(float(side)) for side in self.offset)
        part = small[: out.shape[0] - y, : out.shape[1] - x]
        out[y : y + part.shape[0], x : x + part.shape[1]] = part
        return out


def fax_of(
    page: Gray,
    dpi: tuple[int, int],
    rng: np.random.Generator,
    *,
    page_dpi: float = 200.0,
    dither: bool = False,
    speckle: float = 0.0,
    dropped_rows: int = 0,
) -> Fax:
    """Send a page.

    Args:
        page: what lies in the machine, at ``page_dpi``; wider sheets are sent smaller.
        dpi: resolution across and down: (204, 98) standard, (204, 196) fine, (200, 100).
        rng: noise source.
        page_dpi: pixels an inch of ``page``.
        dither: render gray by a pattern of dots.
        speckle: share of wrong pixels.
        dropped_rows: places where some rows are lost, doubled or smeared.
    """
    height, width = page.shape
    shrink = min(1.0, _SHEET_IN[0] * page_dpi / width)
    scale = np.array([dpi[0], dpi[1]]) / page_dpi * shrink
    size = max(1, round(width * scale[0])), max(1, round(height * scale[1]))
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    across = ROW_DOTS if dpi[0] == 204 else round(_SHEET_IN[0] * dpi[0])
    down = max(size[1], round(_SHEET_IN[1] * dpi[1]))
    x = (across - size[0]) // 2
    y = int((down - size[1]) * rng.uniform(0.0, 0.5))
    sheet = np.full((down, max(across, size[0])), 255.0, np.float32)
    sheet[y : y + size[1], max(0, x) : max(0, x) + size[0]] = small
    bits = _one_bit(sheet, dither=dither, rng=rng)
    if speckle > 0:
        wrong = rng.random(bits.shape) < speckle
        bits[wrong] = 255 - bits[wrong]
    for _ in range(dropped_rows):
        _line_fault(bits, rng)
    return Fax(bits, scale, np.array([max(0, x), y], np.float64))


def _one_bit(sheet: NDArray[np.float32], *, dither: bool, rng: np.random.Generator) -> Gray:
    level: NDArray[np.float32]
    if dither:
        tiles = np.tile(_BAYER, (sheet.shape[0] // 4 + 1, sheet.shape[1] // 4 + 1))
        level = np.asarray(40.0 + 190.0 * tiles[: sheet.shape[0], : sheet.shape[1]], np.float32)
    else:
        # Machines set the level by the paper: somewhat under its brightness.
        level = np.full((1, 1), np.percentile(sheet, 60) * rng.uniform(0.62, 0.82), np.float32)
    return np.where(sheet < level, 0, 255).astype(np.uint8)


def _line_fault(bits: Gray, rng: np.random.Generator) -> None:
    """Rows lost to white, repeated from above, or a black streak over part of the width."""
    height, width = bits.shape
    at, count = int(rng.integers(1, height - 6)), int(rng.integers(1, 5))
    kind = int(rng.integers(3))
    if kind == 0:
        bits[at : at + count] = 255
    elif kind == 1:
        bits[at : at + count] = bits[at - 1]
    else:
        start = int(rng.integers(0, width // 2))
        bits[at : at + 1, start : start + int(rng.integers(width // 8, width // 2))] = 0
