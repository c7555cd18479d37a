"""Rows of a chart that are crossed out with one long line: a finder of rules takes it for a rule.

The rules of a chart follow each other at one distance and end below each other. One more between
two of them, with halves of letters above and below it or with an end of its own, is no rule of the
form: the order in that row is not to be given. Nor is it where such a line begins and ends with
what is written in its row.
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
# Letters that an end is off those of the other rules, of which such a share is below each other;
# lines that a row has, letters between its ends and those of what is written there. On pages of
# writers in training, 2026-11-28, 19 more lines of crossed-out rows were found, and no other line.
_OFF, _AGREE = 0.4, 0.5
_ROW_CELLS, _BEFORE, _BEHIND = 3, 0.6, 1.1
_ABOVE, _UNDER = 0.1, 0.9  # share of a line's height: a stroke through it
_LOW = 0.6  # letters that the line of a row may be under what is written in it
_WHOLE = 0.85  # share of a line that is one piece


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
    # The blanks of a row of labels are pieces that end with what is written on them.
    whole = [one for one in levels if any(_is_most(rule, one) for rule in rules.horizontal)]
    for top, bottom, lines in _odd(levels):
        row = [n for n, box in enumerate(boxes) if top < box.y + box.height / 2 < bottom]
        for line in lines:
            crossed = [n for n in row if _shared(boxes[n], line) >= _LONG * boxes[n].width]
            at_it = [boxes[n] for n in crossed if _is_near(line, boxes[n], letter_px)]
            of_row = line in whole and _is_of_row(line, whole, at_it, letter_px, between=True)
            if len(crossed) >= _CELLS and (
                of_row or _through(ink, rules.mask, line, (top, bottom), letter_px)
            ):
                for number in crossed:
                    struck[number] = True
    for line in whole:
        crossed = [n for n, box in enumerate(boxes) if _goes_through(line, box)]
        if _is_of_row(line, whole, [boxes[n] for n in crossed], letter_px):
            for number in crossed:
                struck[number] = True
    return struck


def _is_most(rule: Box, line: Box) -> bool:
    return _shared(rule, line) >= _WHOLE * line.width and line.y <= rule.y <= line.y + line.height


def _is_of_row(
    line: Box, levels: Sequence[Box], row: Sequence[Box], letter: float, *, between: bool = False
) -> bool:
    """Whether a line begins and ends with what is written in a row, and not with the rules.

    ``between``: of a line too many between two rules one end says it.
    """
    if len(row) < _ROW_CELLS:
        return False
    before = min(one.x for one in row) - line.x
    behind = line.x + line.width - max(one.x + one.width for one in row)
    with_it = [-_BEFORE * letter <= one <= _BEHIND * letter for one in (before, behind)]
    own = _own_ends(line, levels, letter)
    if between:
        return any(one and its for one, its in zip(with_it, own, strict=True))
    return all(with_it) and any(own)


def _own_ends(line: Box, levels: Sequence[Box], letter: float) -> list[bool]:
    """Whether a line begins, and ends, elsewhere than the rules, which do below each other."""
    others = [one for one in levels if one != line]
    own_ends = []
    for own, ends in (
        (line.x, [one.x for one in others]),
        (line.x + line.width, [one.x + one.width for one in others]),
    ):
        usual = float(np.median(ends)) if ends else 0.0
        agree = sum(abs(end - usual) <= _OFF * letter for end in ends)
        enough = agree >= max(_FEWEST, _AGREE * len(ends))
        own_ends.append(enough and abs(own - usual) > _OFF * letter)
    return own_ends


def _is_near(line: Box, box: Box, letter: float) -> bool:
    return box.y < line.y < box.y + box.height + _LOW * letter


def _goes_through(line: Box, box: Box) -> bool:
    at = (line.y + line.height / 2 - box.y) / box.height
    return _ABOVE < at < _UNDER and _shared(box, line) >= _LONG * box.width


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
