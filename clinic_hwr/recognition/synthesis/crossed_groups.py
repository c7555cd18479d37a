"""Crosses out what belongs together at once: a row of a chart, an order of several lines.

Such strokes look otherwise than one through a line: they go through the alleys of a chart as a
rule would, or touch each line of an order in a few letters only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .strike_ways import PenLine

Points = NDArray[np.float64]

_LEVEL = 0.7  # heights between the middles of lines in one row
_NEXT = 4.5  # heights from a line of an order to the next, at most
_SHARED = 0.5  # of the narrower line's width is above or below the other
_MOST = 6  # lines of one order
_WIDER = 6.0  # heights that a stroke goes on beyond a row


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that are crossed out together.

    Attributes:
        numbers: of the lines.
        left, top, right, bottom: around them, in inches.
        height: of their small letters.
    """

    numbers: tuple[int, ...]
    left: float
    top: float
    right: float
    bottom: float
    height: float

    def holds(self, line: PenLine) -> bool:
        """Whether the middle of a line stands in it."""
        x, y = (line.left + line.right) / 2, float(np.median(line.ys))
        return self.left <= x <= self.right and self.top <= y <= self.bottom


def rows_of(lines: Mapping[int, PenLine]) -> list[Group]:
    """Return the rows in which several lines stand side by side, from top to bottom."""
    rows: list[list[int]] = []
    for number in sorted(lines, key=lambda one: _middle(lines[one])):
        last = rows[-1][0] if rows else None
        if last is not None and _is_beside(lines, rows[-1], number):
            rows[-1].append(number)
        else:
            rows.append([number])
    return [_group(lines, sorted(row, key=lambda n: lines[n].left)) for row in rows if len(row) > 1]


def orders_of(lines: Mapping[int, PenLine], rng: np.random.Generator) -> list[Group]:
    """Return runs of lines below each other, each begun at one line and as long as it may be."""
    found = []
    for first in lines:
        run, most = [first], int(rng.integers(2, _MOST + 1))
        while len(run) < most and (below := _next_below(lines, run[-1])) is not None:
            run.append(below)
        if len(run) > 1:
            found.append(_group(lines, run))
    return found


def row_line(group: Group, lines: Mapping[int, PenLine], rng: np.random.Generator) -> PenLine:
    """A row as one long line, with a way to go beyond its ends."""
    xs = np.concatenate([lines[number].xs for number in group.numbers])
    ys = np.concatenate([lines[number].ys for number in group.numbers])
    before, behind = rng.uniform(0.0, _WIDER, 2) ** 2 / _WIDER * group.height
    left, right = group.left - float(before), group.right + float(behind)
    return PenLine(max(0.05, left), right, xs, ys, group.height)


def order_strokes(group: Group, rng: np.random.Generator) -> list[Points]:
    """Cross out an order as a whole: a large X, one long slash, a zigzag or a wave down it."""
    high = 0.6 * group.height
    before, behind = high * rng.uniform(-1.0, 1.0, 2)
    above, below = high * rng.uniform(0.0, 1.0, 2)
    x0, x1 = group.left - float(before), group.right + float(behind)
    y0, y1 = group.top - float(above), group.bottom + float(below)
    way = int(rng.integers(5))
    if way in (0, 1):
        return [_straight((x0, y0), (x1, y1)), _straight((x1, y0), (x0, y1))]
    if way == 2:
        ends = ((x0, y1), (x1, y0)) if rng.random() < 0.75 else ((x0, y0), (x1, y1))
        return [_straight(*ends)]
    count = 2 * len(group.numbers) + int(rng.integers(0, 4))
    if way == 3:  # from side to side
        ys = np.linspace(y0, y1, count)
        xs = np.where(np.arange(count) % 2, x0, x1) + rng.normal(0.0, high, count)
        return [np.stack([xs, ys], 1)]
    step = float(rng.uniform(1.0, 3.0)) * group.height  # from top to bottom, along it
    count = max(4, round((x1 - x0) / step))
    xs = np.linspace(x0, x1, count) + rng.normal(0.0, 0.1 * step, count)
    return [np.stack([xs, np.where(np.arange(count) % 2, y0, y1)], 1)]


def _straight(start: tuple[float, float], end: tuple[float, float]) -> Points:
    return np.linspace(np.array(start), np.array(end), 12)


def _middle(line: PenLine) -> float:
    return float(np.median(line.ys))


def _is_beside(lines: Mapping[int, PenLine], row: Sequence[int], number: int) -> bool:
    line = lines[number]
    level = float(np.median([_middle(lines[one]) for one in row]))
    if abs(_middle(line) - level) > _LEVEL * line.height:
        return False
    return all(line.left >= lines[one].right or line.right <= lines[one].left for one in row)


def _next_below(lines: Mapping[int, PenLine], number: int) -> int | None:
    line = lines[number]
    best, near = None, _NEXT * line.height
    for other, one in lines.items():
        down = _middle(one) - _middle(line)
        shared = min(line.right, one.right) - max(line.left, one.left)
        wide = min(line.right - line.left, one.right - one.left)
        if 0.9 * line.height < down < near and shared >= _SHARED * wide:
            best, near = other, down
    return best


def _group(lines: Mapping[int, PenLine], numbers: Sequence[int]) -> Group:
    some = [lines[number] for number in numbers]
    height = float(np.median([one.height for one in some]))
    return Group(
        tuple(numbers),
        min(one.left for one in some),
        min(_middle(one) for one in some) - 0.5 * height,
        max(one.right for one in some),
        max(_middle(one) for one in some) + 0.5 * height,
        height,
    )
