"""Pen strokes of a registered page: touching lines parted, what is the paper's left out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces
from .ink_kinds import kinds_of_ink, of_the_paper
from .joined_lines import split_joined
from .line_cores import LineCores
from .pen_strokes import Stroke
from .types import Box, Gray, LineMaps

Labels = NDArray[np.uint16 | np.int32]

# A pen is thin or dark; the soft edge of a shadow is neither (heights of a capital; gray level).
_SHADOW_THICK, _SHADOW_GRAY = 0.35, 150
# A mark may leave its region by so much; what lies so near to it is never taken for the paper's.
_MARK_MARGIN = 1.0


def form_strokes(
    gray: Gray, ink: NDArray[np.uint8], regions: Sequence[Box], unit_px: float
) -> tuple[Stroke, ...]:
    """Return the connected pieces of pen ink, cut where they run from one region into the next.

    A descender that touches the line below would else give both lines to one region.

    Args:
        gray: the page without the form's print.
        ink: (height, width) uint8, 255 where there is pen.
        regions: where the form's regions lie.
        unit_px: height of a printed capital.
    """
    parted = ink.copy()
    for y, x0, x1 in _seams(regions):
        parted[max(0, y) : max(0, y + 1), max(0, x0) : max(0, x1)] = 0
    count, labels, stats, _ = connected_pieces(parted)
    boxes = {index: _box(stats[index]) for index in range(1, count)}
    return tuple(_pen(gray, labels, boxes, unit_px).values())


def marked_strokes(
    gray: Gray,
    ink: NDArray[np.uint8],
    marks: Sequence[Box],
    unit_px: float,
    maps: LineMaps,
    cores: LineCores,
) -> tuple[NDArray[np.uint8], tuple[Stroke, ...]]:
    """Return what is pen on a page whose lines a segmenter has marked, cut between those lines.

    Clouds of a shadow, table beside the sheet and specks far from any line are left out, as on a
    page of no known form (``pen_strokes``).

    Args:
        gray: the page without the form's print.
        ink: (height, width) uint8, 255 where there is ink.
        marks: regions for marks. A signature, a loop or a tick is no line, but pen all the same.
        unit_px: height of a printed capital.
        maps: what the segmenter says.
        cores: of the lines of handwriting in those maps.

    Returns:
        The pen's ink, and its connected pieces.
    """
    count, labels, stats, _ = connected_pieces(ink)
    kinds = kinds_of_ink(labels, count, maps)
    speck = _speck(unit_px)
    boxes = {n: _box(stats[n]) for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= speck}
    spared = [_grown(mark, round(_MARK_MARGIN * unit_px)) for mark in marks]
    own = {n for n, box in boxes.items() if any(_holds(mark, box) for mark in spared)}
    frames = {
        n for n, box in boxes.items()
        if n not in own and kinds.is_frame(n, box.width, box.height, unit_px)
    }  # fmt: skip
    looked_at = {n: box for n, box in boxes.items() if n not in own}
    parted, parts = split_joined(labels, looked_at, cores, frames)
    numbers = set(boxes) - frames | {number for some in parts.values() for number in some}
    parted, rescued = _kept_in(parted, frames, spared, max([count, *numbers]) + 1)
    numbers |= rescued
    pen = _pen(gray, parted, _boxes(parted, numbers), unit_px)
    sure = own | rescued
    means = kinds_of_ink(parted, int(parted.max()) + 1, maps)
    alone = [n not in sure and means.is_unmarked(n) for n in pen]
    paper = of_the_paper([one.box_px for one in pen.values()], alone, ink.shape, unit_px)
    pen = {n: one for (n, one), drop in zip(pen.items(), paper, strict=True) if not drop}
    kept = np.zeros(int(parted.max()) + 1, np.uint8)
    kept[list(pen)] = 255
    return kept.take(parted), tuple(pen.values())


def _kept_in(
    labels: Labels, frames: set[int], spared: Sequence[Box], fresh: int
) -> tuple[Labels, set[int]]:
    """Give what frames have in the regions of marks numbers of its own: a signature in a cloud."""
    found = set()
    parted = labels
    for box in spared:
        rows = slice(max(0, box.y), max(0, box.y + box.height))
        columns = slice(max(0, box.x), max(0, box.x + box.width))
        inside = np.isin(labels[rows, columns], list(frames))
        if not inside.any():
            continue
        if parted is labels:
            parted = labels.astype(np.int32)
        parted[rows, columns][inside] = fresh
        found.add(fresh)
        fresh += 1
    return parted, found


def _boxes(labels: Labels, numbers: set[int]) -> dict[int, Box]:
    """Boxes of some of the pieces."""
    rows, columns = np.nonzero(labels)
    piece = labels[rows, columns]
    most = int(labels.max()) + 1
    low = np.full((most, 2), np.iinfo(np.int32).max, np.int32)
    high = np.zeros((most, 2), np.int32)
    for axis, place in enumerate((columns, rows)):
        np.minimum.at(low[:, axis], piece, place)
        np.maximum.at(high[:, axis], piece, place)
    return {
        n: Box(int(low[n, 0]), int(low[n, 1]),
               int(high[n, 0] - low[n, 0] + 1), int(high[n, 1] - low[n, 1] + 1))
        for n in sorted(numbers) if n < most and low[n, 0] <= high[n, 0]
    }  # fmt: skip


def _pen(gray: Gray, labels: Labels, boxes: dict[int, Box], unit_px: float) -> dict[int, Stroke]:
    """The pieces that a pen can have made: no specks, no soft shadows."""
    depth = cv2.distanceTransform(np.where(labels > 0, 255, 0).astype(np.uint8), cv2.DIST_L2, 3)
    pen = {}
    for number, box in boxes.items():
        part = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        mine = labels[part] == number
        area = int(np.count_nonzero(mine))
        if area < _speck(unit_px):
            continue
        thick = float(depth[part][mine].max()) > _SHADOW_THICK * unit_px
        if thick and float(np.percentile(gray[part][mine], 10)) > _SHADOW_GRAY:
            continue
        pen[number] = Stroke(box, area)
    return pen


def _speck(unit_px: float) -> float:
    """So few pixels are no pen, in heights of a printed capital."""
    return max(6.0, (0.15 * unit_px) ** 2)


def _box(stats: NDArray[np.int32]) -> Box:
    x, y, width, height = (int(value) for value in stats[:4])
    return Box(x, y, width, height)


def _grown(box: Box, by: int) -> Box:
    return Box(box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)


def _holds(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x and inner.x + inner.width <= outer.x + outer.width
        and outer.y <= inner.y and inner.y + inner.height <= outer.y + outer.height
    )  # fmt: skip


def _seams(regions: Sequence[Box]) -> list[tuple[int, int, int]]:
    """Rows between regions that stand closely above each other: y, and the columns they share."""
    seams = []
    for one, other in itertools.permutations(regions, 2):
        gap = other.y - (one.y + one.height)
        least = min(one.height, other.height)
        if not -0.6 * least < gap < least:
            continue
        x0, x1 = max(one.x, other.x), min(one.x + one.width, other.x + other.width)
        if x1 - x0 > 0.3 * min(one.width, other.width):
            seams.append((round(one.y + one.height + gap / 2), x0, x1))
    return seams
