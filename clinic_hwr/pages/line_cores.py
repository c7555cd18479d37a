"""The cores of a page's lines, as a trained segmenter has marked them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .touching_rows import part_touching_rows
from .types import Box, LineMaps

# A place is in a core from this probability on.
_IS_CORE = 0.5
# A core is at least this long and this high, in pixels of the maps: less is a speck.
_SMALLEST_PX = 3
# A stroke with less of its ink in cores than this lies outside of them.
_ENOUGH_INK = 0.06
_LETTER = 1.3  # of the height of a small letter


@dataclass(frozen=True, slots=True)
class LineCores:
    """Numbered cores.

    Attributes:
        numbers: (height, width) int32, 0 outside of cores, else the number of the core.
        scale: pixels of ``numbers`` a page pixel.
        x_height_px: median thickness of the cores in pixels of the page, long ones counting more;
            0 without any.
    """

    numbers: NDArray[np.int32]
    scale: float
    x_height_px: float = 0.0

    @property
    def letter_px(self) -> float:
        """Height of letters on the whole, in pixels of the page: some rise above the small ones."""
        return _LETTER * self.x_height_px

    def holding(self, ink: NDArray[np.uint8], box: Box) -> int:
        """Return the core that holds most of the ink in a box; 0 when hardly any is in a core.

        Args:
            ink: (height, width) of the page, > 0 where there is ink.
            box: of a stroke.
        """
        rows, columns = np.nonzero(ink[box.y : box.y + box.height, box.x : box.x + box.width])
        if not len(rows):
            return 0
        height, width = self.numbers.shape
        y = np.minimum(((rows + box.y + 0.5) * self.scale).astype(int), height - 1)
        x = np.minimum(((columns + box.x + 0.5) * self.scale).astype(int), width - 1)
        votes = np.bincount(self.numbers[y, x])
        if votes[1:].sum() < _ENOUGH_INK * len(rows):
            return 0
        return int(votes[1:].argmax()) + 1


def on_page(
    values: NDArray[np.uint8 | np.uint16], scale: float, shape: tuple[int, ...]
) -> NDArray[np.uint8 | np.uint16]:
    """Spread something on the maps over the page, each pixel with the value of the nearest.

    Args:
        values: (height, width) on the maps.
        scale: their pixels a page pixel.
        shape: of the page, height and width in pixels.
    """
    rows, columns = places_on_maps(values.shape, scale, shape)
    return values.take(columns, axis=1).take(rows, axis=0)


def places_on_maps(
    size: tuple[int, ...], scale: float, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each row and each column of a page the row and the column of the maps there.

    Args:
        size: of the maps, height and width.
        scale: their pixels a page pixel.
        shape: of the page, height and width in pixels.
    """
    # Pixels have their middles at halves.
    rows, columns = (
        np.minimum(((np.arange(side) + 0.5) * scale).astype(np.intp), most - 1)
        for side, most in zip(shape, size, strict=True)
    )
    return rows, columns


def line_cores(maps: LineMaps) -> LineCores:
    """Number the cores of the lines of handwriting."""
    cores = _numbered(maps, (maps.hand >= _IS_CORE) & (maps.hand > maps.print))
    thick = cores.x_height_px * maps.scale
    return replace(cores, numbers=part_touching_rows(cores.numbers, maps.hand, thick))


def with_print(maps: LineMaps, cores: LineCores) -> tuple[LineCores, int]:
    """Add the bands of print to the cores of handwriting.

    Returns:
        All of them, and the number of the first band of print; 0 without any.
    """
    bands = _numbered(maps, (maps.print >= _IS_CORE) & (cores.numbers == 0)).numbers
    if not bands.any():
        return cores, 0
    first = int(cores.numbers.max()) + 1
    numbers = np.where(bands > 0, bands + first - 1, cores.numbers).astype(np.int32)
    return LineCores(numbers, cores.scale, cores.x_height_px), first


def _numbered(maps: LineMaps, inside: NDArray[np.bool_]) -> LineCores:
    """Number what is connected on the maps, specks left out."""
    mask = inside.astype(np.uint8)
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = np.zeros(count, np.int32)
    kept = 0
    thick: list[float] = []
    for index in range(1, count):
        width, height = stats[index, cv2.CC_STAT_WIDTH], stats[index, cv2.CC_STAT_HEIGHT]
        if max(width, height) >= _SMALLEST_PX:
            kept += 1
            keep[index] = kept
            thick += [stats[index, cv2.CC_STAT_AREA] / width] * int(width)
    x_height = float(np.median(thick)) / maps.scale if thick else 0.0
    return LineCores(keep[numbers].astype(np.int32), maps.scale, x_height)
