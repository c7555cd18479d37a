"""Ink that joins two lines, parted: a descender that touches the letters below is no third line.

A connected piece of ink that runs through the cores of several lines is cut between them; each of
its pixels goes to the core nearest to it. Without this one touch makes one line of two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .line_cores import LineCores, on_page
from .types import Box

# A letter stands in a line when it spans this much of the height of the line's core; a descender
# or an ascender of a neighbour only reaches into it.
_SPANS = 0.8
# A frame or a long stroke that passes through lines has this little of its ink in their cores.
_IN_CORES = 0.12
_END_COLUMNS = 6
# Lines follow each other at no less than so many heights of their cores.
_PITCH = 1.8
# Print and writing on it are of one row where their middles are nearer than this, in mean heights.
_LEVEL = 0.6
# What is higher than so many cores, and farther from all of them than so many, is no letter but
# what runs through one, such as a fold on a fax; less of a piece than this is a flourish.
_TALL, _FLOURISH, _REST = 5.5, 2.2, 0.15
# Letters rise so many heights of a core out of it; what is farther away belongs to the frame.
_ASCENDER = 1.6


@dataclass(frozen=True, slots=True)
class _Part:
    """What a piece of ink has in one core: the core's number and its columns and rows there."""

    core: int
    left: int
    right: int
    left_y: float
    right_y: float
    height: float


def split_joined(
    labels: NDArray[np.uint16 | np.int32],
    boxes: Mapping[int, Box],
    cores: LineCores,
    frames: Collection[int] = (),
    of_print: int = 0,
) -> tuple[NDArray[np.uint16 | np.int32], dict[int, tuple[int, ...]]]:
    """Part the connected pieces of ink that stand in several lines, and lines that touch a frame.

    Args:
        labels: (height, width) numbers of the connected pieces of ink, 0 where there is none.
        boxes: of the pieces that may be parted, by number.
        cores: of the lines of the page.
        frames: numbers of the pieces that are frames. Writing that touches one is cut off from it;
            what is left of the frame has no part of its own.
        of_print: cores from this number on are of print, 0: none are. Print is not cut off frames.

    Returns:
        Numbers like ``labels`` (a new array where anything is parted), and for each piece that was
        parted the numbers of its parts, top to bottom: its own and new ones behind the highest of
        all, and last that of what runs through the lines and beyond. Of a frame all parts are new.
    """
    thick = _thickness(cores)
    tall = {n for n, box in boxes.items() if box.height * cores.scale > _TALL * thick}
    several = _in_several(labels, boxes, cores, frames, tall)
    parts: dict[int, tuple[int, ...]] = {}
    parted, fresh = labels, int(labels.max()) + 1
    height, width = cores.numbers.shape
    for number in several:
        box = boxes[number]
        window = labels[box.y : box.y + box.height, box.x : box.x + box.width]
        rows, columns = np.nonzero(window == number)
        rows, columns = rows + box.y, columns + box.x
        y = np.minimum(((rows + 0.5) * cores.scale).astype(np.int32), height - 1)
        x = np.minimum(((columns + 0.5) * cores.scale).astype(np.int32), width - 1)
        framed = number in frames
        lines = _lines(y, x, cores.numbers[y, x], cores, of_print, framed=framed)
        if len(lines) < (1 if framed or number in tall else 2):
            continue
        line, away = _nearest(y, x, lines, cores)
        beyond = away > (_ASCENDER if framed else _FLOURISH) * thick
        rest = not framed and number in tall and bool(beyond.mean() > _REST)
        if not framed and not rest and len(lines) < 2:
            continue
        if parted is labels:
            parted = labels.astype(np.int32)  # room for more numbers
        first = () if framed else (number,)
        parts[number] = (*first, *range(fresh, fresh + len(lines) - len(first) + rest))
        own = np.asarray(parts[number], np.int32)[line]
        fresh += len(parts[number]) - len(first)
        if framed:
            own = np.where(beyond, number, own)
        elif rest:
            own = np.where(beyond, parts[number][-1], own)
        parted[rows, columns] = own
    return parted, parts


def _thickness(cores: LineCores) -> float:
    """Typical height of a core in pixels of the maps."""
    inside = cores.numbers > 0
    columns = np.unique(
        cores.numbers[inside].astype(np.int64) * inside.shape[1] + np.nonzero(inside)[1],
        return_counts=True,
    )[1]
    return float(np.median(columns)) if len(columns) else 1.0


def _in_several(
    labels: NDArray[np.uint16 | np.int32],
    boxes: Mapping[int, Box],
    cores: LineCores,
    frames: Collection[int],
    tall: Collection[int],
) -> list[int]:
    """Numbers of the pieces with ink in two or more cores, and not only in passing.

    Of frames and of what is tall one core is enough.
    """
    core = on_page(cores.numbers.astype(np.uint16), cores.scale, labels.shape).ravel()
    flat = labels.ravel()
    inside = np.flatnonzero((core > 0) & (flat > 0))
    most = int(cores.numbers.max()) + 1
    if not len(inside):
        return []
    count = int(labels.max()) + 1
    pairs = np.bincount(flat[inside].astype(np.int64) * most + core[inside], minlength=count * most)
    pairs = pairs.reshape(count, most)
    touched, within = np.count_nonzero(pairs, axis=1), pairs.sum(axis=1)
    several = []
    for number, box in boxes.items():
        if number in frames and touched[number]:
            several.append(number)
        elif touched[number] > (number not in tall):
            window = labels[box.y : box.y + box.height, box.x : box.x + box.width]
            if within[number] > _IN_CORES * np.count_nonzero(window == number):
                several.append(number)
    return several


def _lines(
    y: NDArray[np.int32],
    x: NDArray[np.int32],
    core: NDArray[np.int32],
    cores: LineCores,
    of_print: int,
    *,
    framed: bool,
) -> list[list[int]]:
    """Cores that a piece of ink stands in, those of one row together; top to bottom.

    Args:
        y: rows of its pixels on the maps.
        x: columns.
        core: the core each lies in, 0 for none.
        cores: of the page.
        of_print: the first core of print, 0: none is.
        framed: whether the piece is a frame.
    """
    parts = []
    for number in np.unique(core[core > 0]):
        here = core == number
        left, right = int(x[here].min()), int(x[here].max())
        rows, columns = np.nonzero(cores.numbers[:, left : right + 1] == number)
        by_column = np.bincount(columns, minlength=right - left + 1)
        thick = float(by_column[by_column > 0].mean())
        # The core may slope: compare column by column with where it is there.
        total = np.bincount(columns, weights=rows, minlength=right - left + 1)
        middle = total / np.maximum(by_column, 1)
        offset = y[here] - middle[x[here] - left]
        if offset.max() - offset.min() + 1 < _SPANS * thick:
            continue
        known = np.flatnonzero(by_column)
        parts.append(
            _Part(
                int(number), left, right,
                float(middle[known[:_END_COLUMNS]].mean()),
                float(middle[known[-_END_COLUMNS:]].mean()), thick,
            )
        )  # fmt: skip
    hand = [one for one in parts if not of_print or one.core < of_print]
    lines = _rows(hand)
    if not framed:
        for printed in _rows([one for one in parts if one not in hand]):
            level = [line for line in lines if _on_row_of(line, printed)]
            if level:
                level[0] += printed
            else:
                lines.append(printed)
    return [[part.core for part in line] for line in sorted(lines, key=_middle)]


def _rows(parts: list[_Part]) -> list[list[_Part]]:
    """Parts of one kind, those of one row together; top to bottom."""
    lines: list[list[_Part]] = []
    for part in sorted(parts, key=lambda one: one.left):
        for line in lines:
            if _beside(line[-1], part):
                line.append(part)
                break
        else:
            lines.append([part])
    lines.sort(key=_middle)
    kept: list[list[_Part]] = []
    for line in lines:
        if kept and _middle(line) - _middle(kept[-1]) < _PITCH * max(
            part.height for part in (*line, *kept[-1])
        ):
            kept[-1] += line  # two marks on one letter, such as the head and the foot of a 1
        else:
            kept.append(line)
    return kept


def _on_row_of(line: list[_Part], printed: list[_Part]) -> bool:
    """Whether what looks printed stands on the row of writing: part of it, and no label."""
    heights = [max(part.height for part in one) for one in (line, printed)]
    return abs(_middle(line) - _middle(printed)) < _LEVEL * sum(heights) / 2


def _middle(line: list[_Part]) -> float:
    """Row of a line in a piece of ink, in pixels of the maps."""
    return sum(part.left_y + part.right_y for part in line) / (2 * len(line))


def _beside(one: _Part, other: _Part) -> bool:
    """Whether the second part goes on where the first ends, on the same row."""
    shared = min(one.right, other.right) - max(one.left, other.left)
    shorter = min(one.right - one.left, other.right - other.left) + 1
    return shared < 0.3 * shorter and abs(one.right_y - other.left_y) < max(
        one.height, other.height
    )


def _nearest(
    y: NDArray[np.int32], x: NDArray[np.int32], lines: list[list[int]], cores: LineCores
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of the lines is nearest to each pixel of a piece, and how far it is."""
    top, left = int(y.min()), int(x.min())
    numbers = cores.numbers[top : int(y.max()) + 1, left : int(x.max()) + 1]
    distances = []
    for line in lines:
        outside = np.where(np.isin(numbers, line), 0, 255).astype(np.uint8)
        distances.append(cv2.distanceTransform(outside, cv2.DIST_L2, 3)[y - top, x - left])
    away = np.stack(distances)
    return np.asarray(np.argmin(away, axis=0)), np.asarray(away.min(axis=0), np.float64)
