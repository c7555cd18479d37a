"""Cores of two rows that touch, parted: where letters run together the maps join their lines.

A core is one line only as long as it is one row. Two rows show in how much is marked row by row: a
valley between two ridges, one over the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Heights of a usual core: what is higher may be two rows, where a column of it is; their ridges are
# so far apart.
_HIGH, _BOTH, _APART = 2.0, 1.6, 1.1
_WIDE = 2.5  # heights of a core: a row of two figures is wider
_DEEP = 0.6  # of the lower ridge: a valley between rows
_OVER = 0.5  # share of the shorter row's columns that have both
# Heights of a core: how far from the valley's row the cut may go, and what that costs at its end.
_WANDERS, _ASTRAY = 0.8, 0.2


def part_touching_rows(
    numbers: NDArray[np.int32], marked: NDArray[np.float32], thick: float
) -> NDArray[np.int32]:
    """Give the lower one of two rows that touch a number of its own.

    Args:
        numbers: (height, width) of cores, 0 outside of them.
        marked: (height, width), 0..1, of handwriting.
        thick: usual height of a core in pixels of these.

    Returns:
        ``numbers``, or a copy with more of them.
    """
    if thick <= 0:
        return numbers
    parted, fresh = numbers, int(numbers.max()) + 1
    left = _high(numbers, thick)
    while left:
        number = left.pop()
        rows, columns = np.nonzero(parted == number)
        top, first = int(rows.min()), int(columns.min())
        window = slice(top, int(rows.max()) + 1), slice(first, int(columns.max()) + 1)
        core = parted[window] == number
        if len(core) <= _HIGH * thick:
            continue
        under = _lower_row(core, marked[window], thick)
        if under is None:
            continue
        if parted is numbers:
            parted = numbers.copy()
        parted[window][under] = fresh
        left += [number, fresh]
        fresh += 1
    return parted


def _high(numbers: NDArray[np.int32], thick: float) -> list[int]:
    """Numbers of the cores that may be two rows."""
    rows, columns = np.nonzero(numbers)
    at = numbers[rows, columns]
    first, last = np.zeros((2, int(numbers.max()) + 1), np.intp)
    last[at] = rows  # row by row: the last one stays
    first[at[::-1]] = rows[::-1]
    return np.flatnonzero(last - first + 1 > _HIGH * thick).tolist()


def _lower_row(
    core: NDArray[np.bool_], marked: NDArray[np.float32], thick: float
) -> NDArray[np.bool_] | None:
    """The part of a core that is the lower one of two rows; None: it is one row."""
    first, last = core.argmax(axis=0), len(core) - 1 - core[::-1].argmax(axis=0)
    both = core.any(axis=0) & (last - first + 1 > _BOTH * thick)
    sums = (core * marked)[:, both].sum(axis=1)
    best, valley = _DEEP, -1
    for row in range(1, len(sums) - 1):
        over, below = int(sums[:row].argmax()), row + int(sums[row:].argmax())
        ratio = float(sums[row] / max(1e-6, min(sums[over], sums[below])))
        if below - over >= _APART * thick and ratio < best:
            best, valley = ratio, row
    if valley < 0:
        return None
    cut = _seam(np.where(core, marked, 0.0), valley, max(1, round(_WANDERS * thick)))
    under = core & (np.arange(len(core))[:, None] > cut)
    above, lower = (core & ~under).any(axis=0), under.any(axis=0)
    shorter = min(np.count_nonzero(above), np.count_nonzero(lower))
    if shorter < _WIDE * thick or np.count_nonzero(above & lower) < _OVER * shorter:
        return None  # a tall letter, or one row that takes a step
    return under


def _seam(cost: NDArray[np.float64], row: int, reach: int) -> NDArray[np.intp]:
    """The row of the cheapest way from left to right near a row, a step up or down a column."""
    top = max(0, row - reach)
    band = cost[top : row + reach + 1]
    rows, columns = band.shape
    # Where only one of the rows is, the way past it is as cheap on its other side.
    band = band + _ASTRAY / reach * np.abs(np.arange(rows) + top - row)[:, None]
    total, came = band[:, 0].copy(), np.zeros((rows, columns), np.intp)
    index = np.arange(rows)
    for column in range(1, columns):
        ways = np.stack([np.append(np.inf, total[:-1]), total, np.append(total[1:], np.inf)])
        step = ways.argmin(axis=0)
        came[:, column] = index + step - 1
        total = ways[step, index] + band[:, column]
    path = np.zeros(columns, np.intp)
    path[-1] = int(total.argmin())
    for column in range(columns - 1, 0, -1):
        path[column - 1] = came[path[column], column]
    return path + top
