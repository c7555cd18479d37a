"""The print of a clean page cut into pieces that another version may lack."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Box

# Contrast to that of firm print. Gray rules drawn at half the blackness of letters (0.55) were lost
# by every fax and photo of a generated form; letters of small type have 0.8 and more.
_FAINT = 0.65


def print_pieces(mask: NDArray[np.uint8]) -> tuple[Box, ...]:
    """Words and short stretches of rules of the clean print: letters joined to their neighbours."""
    unit = max(3, max(mask.shape) // 250)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((unit // 2 + 1, unit), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    boxes = []
    for index in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[index])
        if area < 2 * unit * unit or max(width, height) < 2 * unit:
            continue
        boxes += _parts(Box(x, y, width, height), most=24 * unit)
    return tuple(boxes)


def faint_pieces(
    gray: NDArray[np.uint8], mask: NDArray[np.uint8], pieces: Sequence[Box]
) -> tuple[bool, ...]:
    """Say of each piece whether it is much paler than the form's firm print.

    Args:
        gray: the clean page.
        mask: 255 where it is printed.
        pieces: from ``print_pieces``.
    """
    contrasts = np.zeros(len(pieces))
    for number, box in enumerate(pieces):
        # A pixel of rim: pieces are found on closed print, which an even kernel moves by one.
        part = (slice(max(0, box.y - 1), box.y + box.height + 1),
                slice(max(0, box.x - 1), box.x + box.width + 1))  # fmt: skip
        inked = gray[part][mask[part] > 0]
        contrasts[number] = 255.0 - float(np.percentile(inked, 10)) if inked.size else 255.0
    firm = float(np.percentile(contrasts, 95)) if len(pieces) else 0.0
    return tuple(bool(one < _FAINT * firm) for one in contrasts)


def _parts(box: Box, *, most: int) -> list[Box]:
    """Cut what is long into parts that can be missing one by one."""
    across, down = max(1, -(-box.width // most)), max(1, -(-box.height // most))
    xs = [box.x + box.width * n // across for n in range(across + 1)]
    ys = [box.y + box.height * n // down for n in range(down + 1)]
    return [
        Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))
        for y0, y1 in itertools.pairwise(ys)
        for x0, x1 in itertools.pairwise(xs)
    ]


def print_sum(integral: NDArray[np.int32], box: Box) -> int:
    """How much of an integral image lies in a box, the part of it on the page."""
    height, width = integral.shape[0] - 1, integral.shape[1] - 1
    x0, x1 = np.clip((box.x, box.x + box.width), 0, width)
    y0, y1 = np.clip((box.y, box.y + box.height), 0, height)
    return int(integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0])
