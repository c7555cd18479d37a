"""Rows of a chart that are crossed out with one long line: a finder of rules takes it for a rule.

The rules of a chart follow each other at one distance. One more between two of them, with halves of
letters above and below it, is no rule of the form: the order in that row is not to be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .rules import FormRules
from .types import Box

_LEVEL = 0.35  # letters: pieces of one rule are so level
_WIDE = 0.5  # of the widest rule: what is narrower bounds no row
_AS_OTHERS = 0.2  # how far a row's height may be off that of the others
_FEWEST = 2  # rows that say how high a row is
_MOST_LINES = 2  # that cross out one row
_CLOSE = 0.5  # letters: ink so near is on the line's sides
_BOTH = 0.2  # share of the written columns that have ink on both
_LONG, _CELLS = 0.5, 2  # of a line's width is crossed; lines of a row that are


def struck_rows(
    ink: NDArray[np.uint8], rules: FormRules, boxes: Sequence[Box], letter_px: float
) -> list[bool]:
    """Say of each line whether it stands in a row that a long line goes through.

    Args:
        ink: (height, width) of the page, 255 = ink of any sort.
        rules: of the page, such lines among them.
        boxes: of the lines of writing.
        letter_px: typical height of a pen letter.
    """
    struck = [False] * len(boxes)
    if len(rules.horizontal) < _FEWEST + 2:
        return struck
    levels = _levels(rules.horizontal, letter_px)
    for top, bottom, lines in _odd(levels):
        row = [n for n, box in enumerate(boxes) if top < box.y + box.height / 2 < bottom]
        for line in lines:
            crossed = [n for n in row if _shared(boxes[n], line) >= _LONG * boxes[n].width]
            if len(crossed) >= _CELLS and _through(ink, rules.mask, line, (top, bottom), letter_px):
                for number in crossed:
                    struck[number] = True
    return struck


def _shared(one: Box, other: Box) -> int:
    return min(one.x + one.width, other.x + other.width) - max(one.x, other.x)


def _levels(rules: Sequence[Box], letter: float) -> list[Box]:
    """Wide rules top to bottom, the pieces of one joined."""
    levels: list[list[Box]] = []
    for rule in sorted(rules, key=lambda one: one.y + one.height / 2):
        middle = rule.y + rule.height / 2
        if levels:
            last = levels[-1][-1]
            if middle - last.y - last.height / 2 <= _LEVEL * letter and _shared(last, rule) <= 0:
                levels[-1].append(rule)
                continue
        levels.append([rule])
    joined = []
    for some in levels:
        left, right = min(one.x for one in some), max(one.x + one.width for one in some)
        top, bottom = min(one.y for one in some), max(one.y + one.height for one in some)
        joined.append(Box(left, top, right - left, bottom - top))
    widest = max(one.width for one in joined)
    return [one for one in joined if one.width >= _WIDE * widest]


def _odd(levels: Sequence[Box]) -> Iterator[tuple[float, float, Sequence[Box]]]:
    """Rows that are as high as the others only without the lines in them: top, bottom, lines."""
    y = [one.y + one.height / 2 for one in levels]
    steps = np.diff(y)
    for count in range(1, _MOST_LINES + 1):
        for first in range(1, len(levels) - count):
            others = np.delete(steps, range(first - 1, first + count))
            if len(others) < _FEWEST:
                continue
            usual = float(np.median(others))
            whole = y[first + count] - y[first - 1]
            if abs(whole - usual) <= _AS_OTHERS * usual:
                yield y[first - 1], y[first + count], levels[first : first + count]


def _through(
    ink: NDArray[np.uint8], rules: NDArray[np.uint8], line: Box, row: tuple[float, float],
    letter: float,
) -> bool:  # fmt: skip
    """Whether letters are on both sides of a line where something is written in its row."""
    columns = slice(max(0, line.x), line.x + line.width)
    pen = (ink[:, columns] > 0) & (rules[:, columns] == 0)
    top, bottom, close = round(row[0]), round(row[1]), max(2, round(_CLOSE * letter))
    written = pen[top:bottom].any(axis=0)
    above = pen[max(top, line.y - close) : line.y].any(axis=0)
    under = line.y + line.height
    below = pen[under : min(bottom, under + close)].any(axis=0)
    return bool((above & below).sum() > _BOTH * max(1, written.sum()))
