"""What on a registered page is the paper's, the table's or the line's: edges, specks, clouds."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

from .pen_strokes import Stroke
from .registration import Registration
from .types import Box

# Of a printed capital: what is smaller is a speck; a cloud has so many of them in reach of each.
_SMALL, _REACH, _CROWD = 0.45, 1.5, 6
# Capitals: what goes farther out of the region of a mark than this is cut off so far from it.
_FAR, _KEPT = 1.0, 0.5
_EDGE = 0.01  # of the page's long side: so near to the sheet's outline its edge may lie


def without_specks(strokes: Sequence[Stroke], unit: float) -> list[Stroke]:
    """Drop the dots of a noisy fax: small, and no letter near that they could be the dot of."""
    big = [s for s in strokes if max(s.box_px.width, s.box_px.height) > _SMALL * unit]
    if not big:
        return []
    boxes = np.array([s.box_px.as_list() for s in big], np.float64)
    kept = []
    for stroke in strokes:
        box = stroke.box_px
        size = max(box.width, box.height)
        if size <= _SMALL * unit:
            x, y = stroke.middle
            dx = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 0] - boxes[:, 2]), 0)
            dy = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 1] - boxes[:, 3]), 0)
            reach = (1.0 if size > 0.2 * unit else 0.6) * unit
            if np.hypot(dx, dy).min() > reach:
                continue
        kept.append(stroke)
    return kept


def without_clouds(
    strokes: Sequence[Stroke], marked: Container[Stroke], unit: float
) -> list[Stroke]:
    """Drop the dots that a fax makes of a shadow: small, in crowds, on no line of writing.

    Args:
        strokes: of the page.
        marked: those that a segmenter sees in a line of writing: faint writing breaks up, too.
        unit: height of a printed capital in pixels.
    """
    small = [s for s in strokes if max(s.box_px.width, s.box_px.height) <= _SMALL * unit]
    loose = [s for s in small if s not in marked]
    if not loose:
        return list(strokes)
    at = np.array([s.middle for s in small])
    crowded = {
        stroke for stroke in loose
        if np.count_nonzero(np.abs(at - stroke.middle).max(axis=1) < _REACH * unit) > _CROWD
    }  # fmt: skip
    return [stroke for stroke in strokes if stroke not in crowded]


def outline(registration: Registration, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Corners (4, 2) of a form of (height, width) pixels on the page, clockwise."""
    height, width = shape[0], shape[1]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    return registration.to_page(corners, (width, height))


def is_edge(stroke: Stroke, shape: tuple[int, ...], paper: NDArray[np.float64]) -> bool:
    """Whether a stroke is the edge of the sheet in a photo, or what lies beside it."""
    box = stroke.box_px
    if _within(stroke, paper) > _EDGE * max(shape):
        return False
    at_border = (
        box.x <= 2 or box.y <= 2
        or box.x + box.width >= shape[1] - 2 or box.y + box.height >= shape[0] - 2
    )  # fmt: skip
    long = max(box.width, box.height) > 12 * min(box.width, box.height)
    return at_border or long or max(box.width, box.height) > 0.3 * max(shape)


def within(ink: Box, region: Box, unit: float) -> Box:
    """The ink of a mark without what hangs on it from far off: a stamp, or a fold.

    Args:
        ink: box of it.
        region: where the form has the mark.
        unit: height of a printed capital in pixels.
    """
    low = [(ink.x, region.x), (ink.y, region.y)]
    high = [
        (ink.x + ink.width, region.x + region.width),
        (ink.y + ink.height, region.y + region.height),
    ]  # fmt: skip
    x0, y0 = (
        at if at > side - _FAR * unit else round(side - _KEPT * unit) for at, side in low
    )  # fmt: skip
    x1, y1 = (
        at if at < side + _FAR * unit else round(side + _KEPT * unit) for at, side in high
    )  # fmt: skip
    return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))


def is_off_paper(stroke: Stroke, shape: tuple[int, ...], paper: NDArray[np.float64]) -> bool:
    """Whether a stroke stands beside the sheet, on the table."""
    return _within(stroke, paper) < -_EDGE * max(shape)


def _within(stroke: Stroke, paper: NDArray[np.float64]) -> float:
    """How far the middle of a stroke lies inside of a sheet's outline in pixels; < 0: outside."""
    x, y = stroke.middle
    sides = np.roll(paper, -1, axis=0) - paper
    to = np.array([x, y]) - paper
    inside = (sides[:, 0] * to[:, 1] - sides[:, 1] * to[:, 0]) / np.linalg.norm(sides, axis=1)
    return float(inside.min())
