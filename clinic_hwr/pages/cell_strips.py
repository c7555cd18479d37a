"""Rows of printed cells between form rules, and how they repeat down a page."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .areas import centre, contains
from .labels import Label
from .rules import FormRules
from .types import Box

_LEVEL_SHARE = 0.5  # of the longest: what a rule between rows of cells covers
_SAME_Y, _SAME_X = 0.6, 1.2  # units: one level, one edge
_LOW, _HIGH = 1.5, 9.0  # units: a row of cells
_CROSSING = 0.6  # of a row's height that its sides run along
_LOST_SIDES, _FEW = 2, 0.5  # that a row may lack of those of its fellows, which are so many more
_APART = 0.15  # of a row's height: between blocks
_LEAST_WIDTH = 10.0  # units: of a row
_STEP_OFF, _SIDES = 0.8, 0.6  # units: a block is out of step; of its sides that can be seen


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of cells between two rules.

    Attributes:
        top, bottom: y of the rules.
        edges: x of the sides, left to right, two or more.
    """

    top: int
    bottom: int
    edges: tuple[int, ...]

    def cells(self) -> tuple[Box, ...]:
        """The cells, left to right."""
        height = self.bottom - self.top
        return tuple(
            Box(left, self.top, right - left, height)
            for left, right in itertools.pairwise(self.edges)
        )


def around(block: Sequence[Strip]) -> Box:
    """The area of rows of cells that follow each other."""
    left, right = block[0].edges[0], block[0].edges[-1]
    return Box(left, block[0].top, right - left, block[-1].bottom - block[0].top)


def cell_strips(rules: FormRules, unit_px: float) -> list[Strip]:
    """Rows of cells, top to bottom."""
    levels: list[list[Box]] = []
    for rule in sorted(rules.horizontal, key=lambda box: box.y + box.height / 2):
        y = rule.y + rule.height / 2
        if levels and y - (levels[-1][0].y + levels[-1][0].height / 2) < _SAME_Y * unit_px:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    longest = max((_covered(level) for level in levels), default=0)
    full = [one for one in levels if _covered(one) > _LEVEL_SHARE * longest]
    strips = []
    for above, below in itertools.pairwise(full):
        top, bottom = (
            round(sum(b.y + b.height / 2 for b in one) / len(one)) for one in (above, below)
        )
        left = max(min(box.x for box in one) for one in (above, below))
        right = min(max(box.x + box.width for box in one) for one in (above, below))
        high = _LOW * unit_px < bottom - top < _HIGH * unit_px
        if not high or right - left < _LEAST_WIDTH * unit_px:
            continue
        edges: list[int] = []
        for side in sorted(rules.vertical, key=lambda box: box.x):
            x = side.x + side.width // 2
            along = min(side.y + side.height, bottom) - max(side.y, top)
            if along < _CROSSING * (bottom - top) or not left - unit_px < x < right + unit_px:
                continue
            if not edges or x - edges[-1] > _SAME_X * unit_px:
                edges.append(x)
        if len(edges) > 1:
            strips.append(Strip(top, bottom, tuple(edges)))
    return strips


def _covered(level: Sequence[Box]) -> int:
    """Pixels of a row that its rules cover; two close above each other cover them once."""
    covered, end = 0, 0
    for box in sorted(level, key=lambda one: one.x):
        covered += max(0, box.x + box.width - max(end, box.x))
        end = max(end, box.x + box.width)
    return covered


def kinds_of_strips(strips: Sequence[Strip], unit_px: float) -> tuple[list[Strip], list[int]]:
    """Tell rows of cells apart by their edges; a row that lacks a side or two gets them back.

    Returns:
        The rows, and a number for each: rows of the same edges have the same.
    """
    near = _SAME_X * unit_px

    def within(one: Strip, other: Strip) -> bool:
        """Whether all edges of a row are edges of another."""
        return all(min(abs(x - y) for y in other.edges) < near for x in one.edges)

    kinds: list[list[int]] = []  # numbers of rows, each near to the one before it: paper is bent
    for number, strip in enumerate(strips):
        for some in kinds:
            last = strips[some[-1]]
            if len(last.edges) == len(strip.edges) and within(strip, last):
                some.append(number)
                break
        else:
            kinds.append([number])
    kinds.sort(key=len, reverse=True)
    mended = list(strips)
    whole: list[list[int]] = []
    for some in kinds:
        fuller = None
        for other in whole:
            nearest = min(other, key=lambda n: abs(n - some[0]))
            lost = len(strips[nearest].edges) - len(strips[some[0]].edges)
            few = len(some) <= _FEW * len(other)
            apart = all(abs(n - m) > 1 for n in some for m in other)  # no two rows of one block
            if (
                (few or apart)
                and 0 < lost <= _LOST_SIDES
                and within(strips[some[0]], strips[nearest])
            ):
                fuller = other
                for number in some:
                    mended[number] = replace(strips[number], edges=strips[nearest].edges)
                break
        if fuller is None:
            whole.append(list(some))
        else:
            fuller += some
    kind_of = {number: kind for kind, some in enumerate(whole) for number in some}
    return mended, [kind_of[number] for number in range(len(strips))]


def blocks_of_strips(
    strips: Sequence[Strip], kinds: Sequence[int], labels: Sequence[Label]
) -> list[list[int]]:
    """The rows of each block: from a row with a cell for a drug to the next one of its kind.

    Where no such cell was read, what stands apart from others and is like them is a block.
    """

    first = [n for n, strip in enumerate(strips) if _has_drug(strip, labels)]
    if not first:
        return _standing_apart(strips, kinds)
    kind = Counter(kinds[n] for n in first).most_common(1)[0][0]
    starts = [n for n, one in enumerate(kinds) if one == kind]
    # Rows all of one kind: only those in step with the drugs that were read begin a block.
    read = [n for n in first if kinds[n] == kind]
    if any(two == one + 1 for one, two in itertools.pairwise(starts)):
        step = min((two - one for one, two in itertools.pairwise(read)), default=0)
        step = step or _period(kinds, read[0])
        if not step:
            return []
        starts = [n for n in starts if (n - read[0]) % step == 0]
    ends = [*starts[1:], len(strips)]
    # The last block ends as soon as its rows are no longer those of the first.
    pattern = kinds[starts[0] : ends[0]]
    blocks = []
    for start, end in zip(starts, ends, strict=True):
        rows = [n for n in range(start, end) if n - start < len(pattern)]
        if [kinds[n] for n in rows] == list(pattern):
            blocks.append(rows)
    return blocks


def with_lost_blocks(
    blocks: Sequence[Sequence[Strip]], rules: FormRules, labels: Sequence[Label], unit_px: float
) -> list[list[Strip]]:
    """Add the blocks that a fold or a pale rule has hidden: one step from another, and there.

    A block is there where a label for a drug stands in its first row, or most of its sides do.

    Args:
        blocks: those found, of equal rows, top to bottom.
        rules, labels: of the page.
        unit_px: height of a printed capital.
    """
    found = [list(block) for block in blocks]
    if len(found) < 2:
        return found
    tops = [block[0].top for block in found]
    step = min(two - one for one, two in itertools.pairwise(tops))
    off = [abs((top - tops[0]) - step * round((top - tops[0]) / step)) for top in tops]
    if max(off) > _STEP_OFF * unit_px:
        return found

    def is_there(block: Sequence[Strip]) -> bool:
        if any(_has_drug(one, labels) for one in block[:1]):
            return True
        sides = [(strip, x) for strip in block for x in strip.edges]
        seen = sum(
            any(
                abs(rule.x + rule.width / 2 - x) < _SAME_X * unit_px
                and min(rule.y + rule.height, strip.bottom) - max(rule.y, strip.top)
                > _CROSSING * (strip.bottom - strip.top)
                for rule in rules.vertical
            )
            for strip, x in sides
        )
        return seen > _SIDES * len(sides)

    height = max(block[-1].bottom - block[0].top for block in found)
    # Between two that were found, one may be hidden.
    steps = [step // parts for parts in (3, 2, 1) if parts == 1 or step // parts > height - unit_px]
    for one_step in steps:
        beside = _beside(found, one_step, unit_px, is_there)
        if beside:
            return sorted([*found, *beside], key=lambda block: block[0].top)
    return found


def _beside(
    blocks: Sequence[Sequence[Strip]],
    step: int,
    unit_px: float,
    is_there: Callable[[Sequence[Strip]], bool],
) -> list[list[Strip]]:
    """Blocks a step above and below those given and those found so."""
    found = [list(block) for block in blocks]
    waiting = list(found)
    while waiting:
        block = waiting.pop()
        for shift in (-step, step):
            moved = [replace(one, top=one.top + shift, bottom=one.bottom + shift) for one in block]
            free = all(
                moved[-1].bottom <= one[0].top + unit_px or one[-1].bottom - unit_px <= moved[0].top
                for one in found
            )
            if moved[0].top > 0 and free and is_there(moved):
                found.append(moved)
                waiting.append(moved)
    return found[len(blocks) :]


def _has_drug(strip: Strip, labels: Sequence[Label]) -> bool:
    """Whether a label for a drug stands in a row of cells."""
    area = around([strip])
    return any(one.field == "drug" and contains(area, *centre(one.box_px)) for one in labels)


def _period(kinds: Sequence[int], start: int) -> int:
    """After how many rows, two or more, those from ``start`` on come again; 0: they do not."""
    for step in range(2, len(kinds) // 2 + 1):
        pattern = list(kinds[start : start + step])
        again = [list(kinds[n : n + step]) for n in (start - step, start + step) if n >= 0]
        if len(set(pattern)) > 1 and pattern in again:
            return step
    return 0


def _standing_apart(strips: Sequence[Strip], kinds: Sequence[int]) -> list[list[int]]:
    """Rows without a gap between them make a block; the commonest kind of those there are.

    Rows without a gap that come again are several.
    """
    runs: list[list[int]] = []
    for number, strip in enumerate(strips):
        if runs and strip.top - strips[runs[-1][-1]].bottom < _APART * (strip.bottom - strip.top):
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        parts = _repeats(run, kinds)
        if parts:
            return parts
    looks = Counter(tuple(kinds[n] for n in run) for run in runs if len(run) > 1)
    look = next((one for one, count in looks.most_common(1) if count > 1), None)
    return [run for run in runs if tuple(kinds[n] for n in run) == look]


def _repeats(run: Sequence[int], kinds: Sequence[int]) -> list[list[int]]:
    """Cut rows up that come again to the end of a run, two of a kind or more; [] otherwise."""
    for skipped in range(len(run) - 3):
        rest = list(run[skipped:])
        for step in range(2, len(rest) // 2 + 1):
            look = [kinds[n] for n in rest]
            again = all(one == two for one, two in zip(look, look[step:], strict=False))
            if again and len(rest) % step == 0 and len(set(look[:step])) > 1:
                return [rest[n : n + step] for n in range(0, len(rest), step)]
    return []
