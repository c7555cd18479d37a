"""Pen strokes to ink: online handwriting rendered as a scan would show it.

UNIPEN points carry no time and are not equidistant, so strokes are drawn as anti-aliased
polylines with a pen width that drifts along the stroke.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Alpha = NDArray[np.uint8]

_SHIFT = 4  # fixed-point bits of cv2's sub-pixel coordinates


@dataclass(frozen=True)
class StrokeSet:
    """Labelled pen strokes as stored in the ``online/`` files.

    Attributes:
        xy: (N, 2) int16, y down; new_stroke: (N,) 1 where the pen was put down.
        offset: (n + 1,) first point of each item; label, writer: (n,) text.
    """

    xy: NDArray[np.int16]
    new_stroke: NDArray[np.uint8]
    offset: NDArray[np.int64]
    label: list[str]
    writer: list[str]

    def __len__(self) -> int:
        return len(self.label)

    def strokes(self, index: int) -> list[Points]:
        """Return the strokes of one item, each (points, 2) float32, y down."""
        start, stop = self.offset[index], self.offset[index + 1]
        xy = self.xy[start:stop].astype(np.float32)
        cuts = np.flatnonzero(self.new_stroke[start:stop])
        return [part for part in np.split(xy, cuts[cuts > 0]) if len(part)]


def load_strokes(path: Path) -> StrokeSet:
    """Load one ``unipen_*.npz`` file."""
    with np.load(path) as z:
        return StrokeSet(
            z["xy"],
            z["new_stroke"],
            z["offset"],
            [str(text) for text in z["label"]],
            [str(text) for text in z["writer"]],
        )


def bounds(strokes: Sequence[Points]) -> tuple[float, float, float, float]:
    """Return (x0, y0, x1, y1) around all strokes."""
    points = np.concatenate(list(strokes))
    x0, y0 = points.min(axis=0)
    x1, y1 = points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def scale_strokes(strokes: Sequence[Points], height_px: float) -> list[Points]:
    """Move to the origin and scale so that the ink is ``height_px`` high.

    Flat ink (a dash) is scaled by its width instead, so that it does not explode.
    """
    x0, y0, x1, y1 = bounds(strokes)
    size = max(y1 - y0, (x1 - x0) * 0.12, 1.0)
    factor = height_px / size
    origin = np.array([x0, y0], np.float32)
    return [((s - origin) * factor).astype(np.float32) for s in strokes]


def warp_strokes(strokes: Sequence[Points], rng: np.random.Generator) -> list[Points]:
    """Vary a hand: slant, rotation, stretch and a slow wave, sizes as of real writers."""
    points = np.concatenate(list(strokes))
    height = max(1.0, float(np.ptp(points[:, 1])))
    slant = rng.normal(0.0, 0.18)
    # A long line would climb out of its own height: it is turned less than a word.
    width = max(1.0, float(np.ptp(points[:, 0])))
    angle = rng.normal(0.0, 0.03) * min(1.0, 3 * height / width)
    stretch = float(np.exp(rng.normal(0.0, 0.16)))
    matrix = np.array(
        [
            [stretch * np.cos(angle), -np.sin(angle) - slant],
            [stretch * np.sin(angle), np.cos(angle)],
        ],
        np.float32,
    )
    wave_px = rng.uniform(0, 0.04) * height
    wavelength = rng.uniform(1.5, 6.0) * height
    phase = rng.uniform(0, 2 * np.pi, 2)
    warped = []
    for stroke in strokes:
        moved = stroke @ matrix.T
        turn = 2 * np.pi * moved[:, :1] / wavelength
        moved += wave_px * np.concatenate([np.sin(turn + phase[0]), np.cos(turn + phase[1])], 1)
        warped.append(moved.astype(np.float32))
    return warped


def with_flourish(
    strokes: Sequence[Points], height: float, rng: np.random.Generator
) -> list[Points]:
    """Let the last stroke run on to the right, as hurried hands do at the end of a word.

    Args:
        strokes: of one word, y down.
        height: of a small letter, in the unit of the strokes.
        rng: source of length and bend.
    """
    last = max(range(len(strokes)), key=lambda i: float(strokes[i][-1, 0]))
    x, y = strokes[last][-1]
    t = np.linspace(0.1, 1.0, 10, dtype=np.float32)
    reach = height * rng.uniform(0.5, 3.5)
    bend = height * rng.normal(0, 0.35, 2)
    tail = np.stack([x + reach * t, y + bend[0] * t + bend[1] * t * t], axis=1)
    out = [np.asarray(stroke, np.float32) for stroke in strokes]
    out[last] = np.concatenate([out[last], tail.astype(np.float32)])
    return out


def draw_strokes(
    strokes: Sequence[Points], pen_px: float, rng: np.random.Generator, margin_px: int = 4
) -> tuple[Alpha, tuple[float, float]]:
    """Draw strokes.

    Args:
        strokes: in pixels, y down.
        pen_px: mean pen width.
        margin_px: empty border around the ink.

    Returns:
        ink (height, width) uint8, 255 = full ink, and the (x, y) of its corner in the
        strokes' own coordinates.
    """
    x0, y0, x1, y1 = bounds(strokes)
    margin = margin_px + int(np.ceil(pen_px))
    corner = (x0 - margin, y0 - margin)
    size = (int(np.ceil(y1 - y0)) + 2 * margin + 1, int(np.ceil(x1 - x0)) + 2 * margin + 1)
    canvas = np.zeros(size, np.uint8)
    drift = rng.uniform(0.0, 0.35)
    for stroke in strokes:
        fixed = np.round((stroke - np.array(corner, np.float32)) * (1 << _SHIFT)).astype(np.int32)
        if len(fixed) == 1:
            center = (int(fixed[0, 0]), int(fixed[0, 1]))
            radius = int(pen_px * 0.6 * (1 << _SHIFT))
            cv2.circle(canvas, center, radius, 255, -1, cv2.LINE_AA, _SHIFT)
            continue
        # Pieces share an end point so that the line does not break where its width changes.
        pieces = 1 + len(fixed) // 24
        edges = np.linspace(0, len(fixed) - 1, pieces + 1).astype(int)
        for a, b in pairwise(edges):
            width = max(1, round(pen_px * (1 + drift * rng.uniform(-1, 1))))
            piece = fixed[a : b + 1].reshape(-1, 1, 2)
            cv2.polylines(canvas, [piece], False, 255, width, cv2.LINE_AA, _SHIFT)
    return canvas, corner
