"""Straight pieces of upright bands, and those of them that follow each other on one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces

MOST_SLOPE = 0.06
"""Of a crease against the page's sides: sheets are deskewed by their rows."""

_MOST_PIECES = 60
_PIECE = 2.0  # heights of a capital: a shorter piece says nothing


@dataclass(frozen=True, slots=True)
class Piece:
    """A straight upright piece of ink: its middle at both ends, and its width."""

    top: int
    bottom: int
    x: float
    slope: float
    width: float

    def at(self, y: float) -> float:
        """x of its middle line at a row."""
        return self.x + self.slope * (y - (self.top + self.bottom) / 2)

    def enlarged(self, scale: int) -> Piece:
        """The same on a page so many times as large."""
        x = scale * (self.x + 0.5) - 0.5
        return Piece(scale * self.top, scale * self.bottom, x, self.slope, scale * self.width)


def pieces_of(
    straight: NDArray[np.uint8],
    unit_px: float,
    widest: float,
    *,
    least: tuple[float, float] = (0, 0),
) -> list[Piece]:
    """Return the pieces that may be of a crease, the longest ones where there are many.

    Args:
        straight: (height, width) uint8, 255 on what runs straight down for a while.
        unit_px: height of a printed capital.
        widest: of a crease, in pixels.
        least: rows that all of them together have, and that they reach over, if any is a crease's.
    """
    _, labels, stats, _ = connected_pieces(straight)
    heights = stats[1:, cv2.CC_STAT_HEIGHT]
    # On grainy paper chance makes hundreds; those of a crease are the longest.
    longest = np.sort(np.argsort(-heights, kind="stable")[:_MOST_PIECES] + 1)
    _, y, width, height, area = stats[longest].T
    thick = area / np.maximum(1, height)
    fits = height >= _PIECE * unit_px  # others are left where something wider was
    fits &= (thick <= widest) & (width <= thick + MOST_SLOPE * height + 0.5 * unit_px)
    if not fits.any() or height[fits].sum() < least[0]:
        return []
    if (y + height)[fits].max() - y[fits].min() < least[1]:
        return []
    return [_piece(labels, index, stats[index].tolist()) for index in longest[fits].tolist()]


def _piece(labels: NDArray[np.uint16 | np.int32], index: int, stats: Sequence[int]) -> Piece:
    """One of the connected pieces, by its number and what ``Pieces.stats`` says of it."""
    x, y, width, height, area = stats
    rows, columns = np.nonzero(labels[y : y + height, x : x + width] == index)
    slope = _incline(rows, columns) if height > 2 * width else 0.0
    middle = x + float(columns.mean()) + slope * (height / 2 - float(rows.mean()))
    return Piece(y, y + height, middle, slope, area / max(1, height))


def _incline(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> float:
    """Columns a row of the line of least squares through some pixels."""
    off = rows - rows.mean()
    return float(off @ columns) / max(1.0, float(off @ off))


def chains_of(pieces: Sequence[Piece], unit_px: float) -> list[list[Piece]]:
    """Put pieces together that follow each other on one straight line, top to bottom."""
    chains: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: one.top):
        off, best = min(
            ((_off(chain, piece, unit_px), n) for n, chain in enumerate(chains)),
            default=(math.inf, 0),
        )
        if math.isfinite(off):
            chains[best].append(piece)
        else:
            chains.append([piece])
    return chains


def slope_of(chain: Sequence[Piece]) -> float:
    """Return the slope of a whole crease: from its first piece to its last."""
    first, last = chain[0], chain[-1]
    if first is last:
        return first.slope
    middles = [(one.top + one.bottom) / 2 for one in (first, last)]
    return (last.x - first.x) / max(1.0, middles[1] - middles[0])


def _off(chain: Sequence[Piece], piece: Piece, unit_px: float) -> float:
    """How far a piece is from the line of those before it, pixels; infinite if not on it."""
    last = chain[-1]
    if piece.top <= last.bottom - 2 * unit_px:
        return math.inf
    middle, end = (piece.top + piece.bottom) / 2, (last.top + last.bottom) / 2
    expected = last.x + slope_of(chain) * (middle - end)
    off = abs(piece.at(middle) - expected)
    reach = (0.5 + 0.05 * max(0, piece.top - last.bottom) / unit_px) * unit_px
    return off if off < min(reach, 2 * unit_px) else math.inf
