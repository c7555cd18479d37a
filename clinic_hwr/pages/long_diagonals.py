"""Long sloping strokes: a cross over a block of lines."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .rules import FormRules
from .types import Box

Mask = NDArray[np.uint8]

_CROSS_LETTERS = 3.5


def long_diagonals(
    ink: Mask, rules: FormRules, boxes: Sequence[Box], letter: float
) -> list[tuple[float, ...]]:
    """Long sloping strokes, as crosses over a whole block have them: x0, y0, x1, y1."""
    if not boxes:
        return []
    x0, y0 = min(box.x for box in boxes), min(box.y for box in boxes)
    x1 = max(box.x + box.width for box in boxes)
    y1 = max(box.y + box.height for box in boxes)
    part = ink[y0:y1, x0:x1].copy()
    part[rules.mask[y0:y1, x0:x1] > 0] = 0
    length = _CROSS_LETTERS * letter
    scale = min(1.0, 12.0 / max(letter, 1.0))  # a letter of 12 px is enough to see long strokes
    if scale < 1.0:
        size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        part = np.where(np.asarray(small) > 70, 255, 0).astype(np.uint8)
    lines = cv2.HoughLinesP(
        part, 1, np.pi / 180, max(20, round(0.7 * length * scale)),
        minLineLength=length * scale, maxLineGap=2,
    )  # fmt: skip
    found: list[tuple[float, ...]] = []
    for line in [] if lines is None else lines.reshape(-1, 4):
        ax, ay, bx, by = (float(v) / scale for v in line)
        slope = abs(float(np.degrees(np.arctan2(by - ay, bx - ax))))
        slope = min(slope, 180 - slope)
        if 15 < slope < 72 and abs(by - ay) > 1.5 * letter:
            found.append((ax + x0, ay + y0, bx + x0, by + y0))
    return found


def crossed_columns(crosses: Sequence[tuple[float, ...]], box: Box) -> NDArray[np.bool_]:
    """Columns of a line that a long diagonal passes, from side to side of the row."""
    covered = np.zeros(box.width, bool)
    for ax, ay, bx, by in crosses:
        top, bottom = box.y + 0.2 * box.height, box.y + 0.8 * box.height
        if min(ay, by) > top or max(ay, by) < bottom:
            continue
        at = [ax + (bx - ax) * (y - ay) / (by - ay) for y in (box.y, box.y + box.height)]
        low, high = min(at), max(at)
        if high <= box.x or low >= box.x + box.width:
            continue
        # The stroke is thin, what it means is not: it strikes out the whole of the row.
        covered[:] = True
    return covered
