"""Pen strokes of a registered page: touching lines parted, shadows of a bent sheet left out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .pen_strokes import Stroke
from .types import Box, Gray

# A pen is thin or dark; the soft edge of a shadow is neither (heights of a capital; gray level).
_SHADOW_THICK, _SHADOW_GRAY = 0.35, 150


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
    count, labels, stats, _ = cv2.connectedComponentsWithStats(parted, connectivity=8)
    depth = cv2.distanceTransform(parted, cv2.DIST_L2, 3)
    speck = max(6.0, (0.15 * unit_px) ** 2)
    strokes = []
    for index in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[index])
        if area < speck:
            continue
        part = slice(y, y + height), slice(x, x + width)
        mine = labels[part] == index
        thick = float(depth[part][mine].max()) > _SHADOW_THICK * unit_px
        if thick and float(np.percentile(gray[part][mine], 10)) > _SHADOW_GRAY:
            continue
        strokes.append(Stroke(Box(x, y, width, height), area))
    return tuple(strokes)


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
