"""Combs: rows of printed cells, one character each, as for dates, NPI and DEA numbers.

A comb is told by upright lines of one length that stand evenly on one row and are joined by a
horizontal line: boxes side by side, boxes with gaps, a frame with dividers, or ticks on a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .comb_runs import FEWEST, LENGTH_PX, Run, find_runs, straight_lines
from .comb_steps import EVEN
from .rules import DarkParts
from .types import Box, CombRun, Gray, PrintedWord

_GROUP_GAP = 2.5  # pitches between the groups of one date


@dataclass(frozen=True, slots=True)
class Comb:
    """One comb.

    Attributes:
        runs: left to right; a date written as 2 + 2 + 4 cells has three.
        box_px: around all of them.
        framed: straight lines close it above and below.
    """

    runs: tuple[CombRun, ...]
    box_px: Box
    framed: bool

    @property
    def cells(self) -> int:
        """How many characters it holds."""
        return sum(run.cells for run in self.runs)


def dark_mask(gray: Gray, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink of a page with the hairlines that hide in its noise, (height, width), 255 = dark.

    Args:
        gray: flattened, upright page.
        ink: its ``background.ink_mask``.
    """
    return DarkParts.of(gray, ink).dark


def find_combs(ink: NDArray[np.uint8]) -> tuple[Comb, ...]:
    """Find the combs of an upright page, top to bottom.

    Args:
        ink: (height, width) uint8, 255 = ink of any sort; see ``dark_mask``.
    """
    runs = find_runs(ink)
    combs = [_comb(group) for group in _groups(runs)]
    return tuple(sorted(combs, key=lambda comb: (comb.box_px.y, comb.box_px.x)))


def comb_print(ink: NDArray[np.uint8], runs: Sequence[CombRun]) -> NDArray[np.uint8]:
    """Return the mask (255) of the printed lines of cells, (height, width).

    Long straight ink in both directions near the edges of the cells; strokes of writing that
    stand in a cell are left.
    """
    mask = np.zeros_like(ink)
    for run in runs:
        box, pitch = run.box_px, run.box_px.width / run.cells
        reach = max(3, round(EVEN * pitch))
        x0, y0 = max(0, box.x - reach), max(0, box.y - reach)
        window = ink[y0 : box.y + box.height + reach, x0 : box.x + box.width + reach]
        lines = np.zeros_like(window)
        along = straight_lines(window, (max(6, round(0.6 * pitch)), 1))
        edge_rows = (box.y - y0, box.y + box.height - y0)
        for row in edge_rows:
            near = slice(max(0, row - reach), row + reach + 1)
            lines[near] |= along[near]
        upright = straight_lines(window, (1, max(6, round(max(LENGTH_PX[0], 0.25 * box.height)))))
        for edge in np.linspace(box.x, box.x + box.width, run.cells + 1) - x0:
            near = slice(max(0, round(edge) - reach), round(edge) + reach + 1)
            lines[:, near] |= upright[:, near]
        part = mask[y0 : y0 + window.shape[0], x0 : x0 + window.shape[1]]
        part |= np.asarray(cv2.dilate(lines, np.ones((3, 3), np.uint8)), np.uint8) & window
    return mask


def settled(run: CombRun, ink: NDArray[np.uint8]) -> CombRun:
    """Move declared cells onto the printed ones, where those can be seen within half a cell.

    Args:
        run: where a form says that cells are.
        ink: of the page; see ``dark_mask``.
    """
    box, pitch = run.box_px, run.box_px.width / run.cells
    reach = round(0.45 * pitch)
    x0, y0 = max(0, box.x - reach), max(0, box.y - reach)
    window = ink[y0 : box.y + box.height + reach, x0 : box.x + box.width + reach + 1]
    lengths = (
        straight_lines(window, (1, max(LENGTH_PX[0], round(0.25 * box.height)))).sum(0) / 255.0
    )
    heights = straight_lines(window, (max(8, round(0.7 * pitch)), 1)).sum(1) / 255.0
    edges = np.linspace(box.x, box.x + box.width, run.cells + 1) - x0
    rows = np.array([box.y + box.height - y0], np.float64)
    dx, dy = _shift(lengths, edges, reach), _shift(heights, rows, reach)
    return CombRun(Box(box.x + dx, box.y + dy, box.width, box.height), run.cells)


def _shift(profile: NDArray[np.float64], places: NDArray[np.float64], reach: int) -> int:
    """The shift in pixels, nearest to 0, that puts the places on the most ink."""
    padded = np.pad(np.convolve(profile, np.ones(3), "same"), 2 * reach)
    shifts = sorted(range(-reach, reach + 1), key=abs)
    at = np.rint(places).astype(int) + 2 * reach
    return max(shifts, key=lambda shift: float(padded[(at + shift).clip(0, len(padded) - 1)].sum()))


def _groups(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs of one pitch close to each other on a row are one comb."""
    left = sorted(runs, key=lambda run: run.cells.box_px.x)
    while left:
        group = [left.pop(0)]
        for one in list(left):
            if _follows(group[-1].cells, one.cells):
                group.append(one)
                left.remove(one)
        if sum(run.cells.cells for run in group) >= FEWEST:
            yield group


def _follows(before: CombRun, after: CombRun) -> bool:
    one, other = before.box_px, after.box_px
    pitch = one.width / before.cells
    gap = other.x - one.x - one.width
    return (
        0 < gap <= _GROUP_GAP * pitch
        and abs(other.width / after.cells - pitch) <= 0.15 * pitch
        and abs(other.y - one.y) <= max(4, 0.15 * one.height)
        and abs(other.height - one.height) <= max(4, 0.15 * one.height)
    )


def _comb(group: Sequence[Run]) -> Comb:
    runs = tuple(run.cells for run in group)
    x0 = min(run.box_px.x for run in runs)
    y0 = min(run.box_px.y for run in runs)
    x1 = max(run.box_px.x + run.box_px.width for run in runs)
    y1 = max(run.box_px.y + run.box_px.height for run in runs)
    return Comb(runs, Box(x0, y0, x1 - x0, y1 - y0), all(run.framed for run in group))


def holds(own: Box, box: Box) -> bool:
    """Whether the middle of ``box`` lies in the box of a comb, within two pixels."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return own.x - 2 <= x <= own.x + own.width + 2 and own.y - 2 <= y <= own.y + own.height + 2


def without_print(combs: Sequence[Comb], words: Sequence[PrintedWord]) -> tuple[Comb, ...]:
    """Leave out what is no comb but bold print, whose stems stand evenly now and then.

    Args:
        combs: found on a page.
        words: what OCR read there. It reads combs too, but seldom as letters, and unsure.
    """
    spelled = [
        word.box_px
        for word in words
        if word.confidence > 0.6 and sum(char.isalpha() for char in word.text) >= 3
    ]
    return tuple(comb for comb in combs if _overlap(comb.box_px, spelled) < 0.5)


def _overlap(box: Box, others: Sequence[Box]) -> float:
    """Share of a box's width that other boxes on its row cover."""
    covered = np.zeros(box.width, bool)
    for other in others:
        if min(box.y + box.height, other.y + other.height) - max(box.y, other.y) > 0:
            covered[max(0, other.x - box.x) : max(0, other.x + other.width - box.x)] = True
    return float(covered.mean()) if covered.size else 0.0
