"""Blocks of printed cells that repeat, one a drug: what is read of one block names all of them.

A ward chart prints the same small labels into the corners of the same cells for every drug. Pen
runs over them, so that each is read in some blocks only; the blocks are alike, and vote.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .areas import centre, contains
from .labels import Label, union
from .pen_strokes import Stroke
from .rules import FormRules
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion
from .values import is_writing

PER_BLOCK = ("drug", "strength", "sig", "quantity", "refills")
_LEVEL_SHARE = 0.5  # of the longest: what a rule between rows of cells covers
_SAME_Y, _SAME_X = 0.6, 1.0  # units: one level, one edge
_LOW, _HIGH = 1.5, 9.0  # units: a row of cells
_CROSSING = 0.6  # of a row's height that its sides run along
_LOST_SIDES = 2  # that a row may lack of those of its fellows
_LEAST_WIDTH = 10.0  # units: of a row


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


@dataclass(frozen=True, slots=True)
class BlockCell:
    """A cell of a block whose meaning is known.

    Attributes:
        field: that it holds, one of ``PER_BLOCK``.
        label: as it is printed in the block where it was read.
        group: number of the block on the page, from 1.
        box_px: the cell.
    """

    field: str
    label: str
    group: int
    box_px: Box


def repeated_cells(
    rules: FormRules, labels: Sequence[Label], unit_px: float
) -> tuple[tuple[BlockCell, ...], tuple[Box, ...]]:
    """Find blocks of cells that repeat and what their cells hold.

    Args:
        rules: of the page.
        labels: that were read.
        unit_px: height of a printed capital.

    Returns:
        The cells with a meaning, and the areas of all blocks; both empty where fewer than two
        blocks are alike, or none has a cell for a drug.
    """
    strips, kinds = _kinds(_strips(rules, unit_px), unit_px)
    blocks = [[strips[n] for n in numbers] for numbers in _blocks(strips, kinds, labels)]
    if len(blocks) < 2:
        return (), ()
    votes: dict[tuple[int, int], Counter[tuple[str, str]]] = {}
    for block in blocks:
        for place, cell in _places(block):
            for label in labels:
                if contains(cell, *centre(label.box_px)):
                    votes.setdefault(place, Counter())[label.field, label.text] += 1
    meaning = {}
    for place, counted in votes.items():
        fields: Counter[str] = Counter()
        for (field, _), count in counted.items():
            fields[field] += count
        field = fields.most_common(1)[0][0]
        if field in PER_BLOCK:
            text = next(text for (one, text), _ in counted.most_common() if one == field)
            meaning[place] = field, text
    if "drug" not in {field for field, _ in meaning.values()}:
        return (), ()
    cells = tuple(
        BlockCell(*meaning[place], group, cell)
        for group, block in enumerate(blocks, start=1)
        for place, cell in _places(block)
        if place in meaning
    )
    return cells, tuple(_around(block) for block in blocks)


def block_fields(
    survey: PageSurvey, pile: Sequence[Stroke]
) -> tuple[list[FieldRegion], set[Stroke], tuple[Box, ...]]:
    """Return what is written in the cells of repeated blocks.

    Args:
        survey: of the page.
        pile: strokes that nobody has claimed yet.

    Returns:
        A field for each cell that is written in, its group the number of its block among those with
        a drug; the strokes they took; the areas of the blocks.
    """
    cells, areas = repeated_cells(survey.rules, survey.labels, survey.unit_px)
    fields, taken = [], set[Stroke]()
    for cell in cells:
        found = [one for one in pile if contains(cell.box_px, *centre(one.box_px))]
        if not found or not is_writing(survey, union([one.box_px for one in found])):
            continue
        taken.update(found)
        lines = [line.box_px for line in text_lines(survey, found)
                 if is_writing(survey, line.box_px)]  # fmt: skip
        rows = any(two.y > one.y + 0.6 * one.height for one, two in itertools.pairwise(lines))
        fields.append(
            FieldRegion(
                cell.field, FIELD_NAMES[cell.field], union([one.box_px for one in found]),
                group=cell.group, label=cell.label, lines_px=tuple(lines) if rows else (),
            )
        )  # fmt: skip
    written = sorted({one.group for one in fields})
    fields = [replace(one, group=written.index(one.group) + 1) for one in fields]
    return fields, taken, areas


def _places(block: Sequence[Strip]) -> Iterator[tuple[tuple[int, int], Box]]:
    for row, strip in enumerate(block):
        for column, cell in enumerate(strip.cells()):
            yield (row, column), cell


def _around(block: Sequence[Strip]) -> Box:
    left, right = block[0].edges[0], block[0].edges[-1]
    return Box(left, block[0].top, right - left, block[-1].bottom - block[0].top)


def _strips(rules: FormRules, unit_px: float) -> list[Strip]:
    """Rows of cells, top to bottom."""
    levels: list[list[Box]] = []
    for rule in sorted(rules.horizontal, key=lambda box: box.y + box.height / 2):
        y = rule.y + rule.height / 2
        if levels and y - (levels[-1][0].y + levels[-1][0].height / 2) < _SAME_Y * unit_px:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    longest = max((sum(one.width for one in level) for level in levels), default=0)
    full = [one for one in levels if sum(box.width for box in one) > _LEVEL_SHARE * longest]
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


def _kinds(strips: Sequence[Strip], unit_px: float) -> tuple[list[Strip], list[int]]:
    """Tell rows of cells apart by their edges; a row that lacks a side or two gets them back.

    Returns:
        The rows, and a number for each: rows of the same edges have the same.
    """
    near = _SAME_X * unit_px

    def within(one: Strip, other: Strip) -> bool:
        """Whether all edges of a row are edges of another, first and last ones included."""
        ends = (
            abs(one.edges[0] - other.edges[0]) < near
            and abs(one.edges[-1] - other.edges[-1]) < near
        )
        return ends and all(min(abs(x - y) for y in other.edges) < near for x in one.edges)

    kinds: list[list[int]] = []  # numbers of rows
    for number, strip in enumerate(strips):
        for some in kinds:
            first = strips[some[0]]
            if len(first.edges) == len(strip.edges) and within(strip, first):
                some.append(number)
                break
        else:
            kinds.append([number])
    kinds.sort(key=len, reverse=True)
    whole: list[list[int]] = []
    for some in kinds:
        fuller = next(
            (
                other for other in whole
                if len(other) > len(some) and within(strips[some[0]], strips[other[0]])
                and len(strips[some[0]].edges) >= len(strips[other[0]].edges) - _LOST_SIDES
            ),
            None,
        )  # fmt: skip
        if fuller is None:
            whole.append(some)
        else:
            fuller += some
    kind_of = {number: kind for kind, some in enumerate(whole) for number in some}
    mended = [
        replace(strip, edges=strips[whole[kind_of[number]][0]].edges)
        for number, strip in enumerate(strips)
    ]
    return mended, [kind_of[number] for number in range(len(strips))]


def _blocks(
    strips: Sequence[Strip], kinds: Sequence[int], labels: Sequence[Label]
) -> list[list[int]]:
    """The rows of each block: from a row with a cell for a drug to the next one of its kind."""

    def says_drug(strip: Strip) -> bool:
        area = _around([strip])
        return any(one.field == "drug" and contains(area, *centre(one.box_px)) for one in labels)

    first = [n for n, strip in enumerate(strips) if says_drug(strip)]
    if not first:
        return []
    kind = Counter(kinds[n] for n in first).most_common(1)[0][0]
    starts = [n for n, one in enumerate(kinds) if one == kind]
    # Rows all of one kind: only those in step with the drugs that were read begin a block.
    read = [n for n in first if kinds[n] == kind]
    if any(two == one + 1 for one, two in itertools.pairwise(starts)):
        steps = [two - one for one, two in itertools.pairwise(read)]
        if not steps:
            return []
        starts = [n for n in starts if (n - read[0]) % min(steps) == 0]
    ends = [*starts[1:], len(strips)]
    # The last block ends as soon as its rows are no longer those of the first.
    pattern = kinds[starts[0] : ends[0]]
    blocks = []
    for start, end in zip(starts, ends, strict=True):
        rows = [n for n in range(start, end) if n - start < len(pattern)]
        if [kinds[n] for n in rows] == list(pattern):
            blocks.append(rows)
    return blocks
