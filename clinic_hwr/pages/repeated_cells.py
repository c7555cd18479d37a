"""Blocks of printed cells that repeat, one a drug: what is read of one block names all of them.

A ward chart prints the same small labels into the corners of the same cells for every drug. Pen
runs over them, so that each is read in some blocks only; the blocks are alike, and vote.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from .areas import centre, contains
from .label_vocabulary import DOSE, LabelVocabulary, label_vocabulary, normalised
from .labels import Label, union, word_rows
from .pen_strokes import Stroke
from .rules import FormRules
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion, PrintedWord
from .values import is_writing, printed_region

PER_BLOCK = ("drug", "strength", "sig", "quantity", "refills")
_LEVEL_SHARE = 0.5  # of the longest: what a rule between rows of cells covers
_SAME_Y, _SAME_X = 0.6, 1.2  # units: one level, one edge
_LOW, _HIGH = 1.5, 9.0  # units: a row of cells
_CROSSING = 0.6  # of a row's height that its sides run along
_LOST_SIDES, _FEW = 2, 0.5  # that a row may lack of those of its fellows, which are so many more
_LABEL_PART = 0.4  # of a cell's height: its label
# Words this near to a label may be it, in percent; cells must say so much together to tell one.
_NEAR, _SURE, _AHEAD = 60.0, 0.7, 1.3
_SHORT, _LONGEST = 4, 4  # letters that must all be right; words of a label
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
    survey: PageSurvey, vocabulary: LabelVocabulary | None = None
) -> tuple[tuple[BlockCell, ...], tuple[Box, ...]]:
    """Find blocks of cells that repeat and what their cells hold.

    Args:
        survey: of the page.
        vocabulary: words of the languages enabled; None: of all that are known.

    Returns:
        The cells with a meaning, and the areas of all blocks; both empty where fewer than two
        blocks are alike, or none has a cell for a drug.
    """
    strips, kinds = _kinds(_strips(survey.rules, survey.unit_px), survey.unit_px)
    numbers = _blocks(strips, kinds, survey.labels)
    blocks = [[strips[n] for n in block] for block in numbers]
    if len(blocks) < 2:
        return (), ()
    meaning = _meanings(survey, blocks, vocabulary or label_vocabulary())
    if "drug" not in {field for field, _ in meaning.values()}:
        return (), ()
    cells = tuple(
        BlockCell(*meaning[place], group, cell)
        for group, block in enumerate(blocks, start=1)
        for place, cell in _places(block)
        if place in meaning
    )
    return cells, tuple(_around(block) for block in blocks)


def _meanings(
    survey: PageSurvey, blocks: Sequence[Sequence[Strip]], vocabulary: LabelVocabulary
) -> dict[tuple[int, int], tuple[str, str]]:
    """What the cells hold, and how their label reads best, by row and column in a block.

    The words in a cell of every block are compared with all labels there are. One that is read
    badly five times over is told by all five together.
    """
    columns = vocabulary.columns
    fields = {one: f for one, f in vocabulary.fields.items() if columns.get(one) != DOSE}
    known = {**columns, **fields}
    packed = {phrase.replace(" ", ""): phrase for phrase in known}
    votes: dict[tuple[int, int], defaultdict[str, float]] = {}
    texts: dict[tuple[int, int], dict[str, tuple[float, str]]] = {}
    for block in blocks:
        for place, cell in _places(block):
            for role, (score, text) in _likely(survey, cell, packed, known).items():
                votes.setdefault(place, defaultdict(float))[role] += score
                best = texts.setdefault(place, {})
                if score > best.get(role, (0.0, ""))[0]:
                    best[role] = score, text
    roles = {}
    for place, counted in votes.items():
        role, *others = sorted(counted, key=lambda one: counted[one], reverse=True)
        second = counted[others[0]] if others else 0.0
        if counted[role] >= max(_SURE, _AHEAD * second):
            roles[place] = role
    said = set(roles.values())
    # A dose with a cell of its own beside how often, or beside directions, is the strength.
    dose = "strength" if "sig" in said and "strength" not in said else "sig"
    meaning = {place: dose if role == DOSE else role for place, role in roles.items()}
    return {
        place: (field, texts[place][roles[place]][1])
        for place, field in meaning.items()
        if field in PER_BLOCK
    }


def _likely(
    survey: PageSurvey, cell: Box, packed: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, tuple[float, str]]:
    """How surely the words of a cell begin with a label, 0 to 1, and its text, by what it names."""
    words = [one for one in survey.words if contains(cell, *centre(one.box_px))]
    rows = word_rows(words)
    if not rows:
        return {}
    row = [words[index].text for index in rows[0]]
    found: dict[str, tuple[float, str]] = {}
    for count in range(1, min(_LONGEST, len(row)) + 1):
        text = " ".join(row[:count])
        phrase = normalised(text).replace(" ", "")
        if len(phrase) < _SHORT:
            role = known.get(packed.get(phrase, ""))
            near = [] if role is None else [(phrase, 100.0)]
        else:
            near = [
                (one, ratio) for one, ratio, _ in process.extract(
                    phrase, packed.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR, limit=8
                )
            ]  # fmt: skip
        for one, ratio in near:
            role, score = known[packed[one]], (ratio - _NEAR) / (100.0 - _NEAR)
            if score > found.get(role, (0.0, ""))[0]:
                found[role] = score, text
    return found


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
    cells, areas = repeated_cells(survey)
    labelled = {i for label in survey.labels for i in label.word_indexes}
    fields, taken = [], set[Stroke]()
    for cell in cells:
        found = [
            one for one in pile
            if contains(cell.box_px, *centre(one.box_px))
            and not _is_side(one.box_px, cell.box_px, survey.unit_px)
        ]  # fmt: skip
        if not found or not is_writing(survey, union([one.box_px for one in found])):
            typed = _typed_in(survey, cell, labelled)
            if typed:
                fields.append(printed_region(cell.field, typed, label=cell.label, group=cell.group))
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


def _is_side(stroke: Box, cell: Box, unit_px: float) -> bool:
    """Whether a stroke is a piece of the cell's side, on a sheet so bent that it was no rule."""
    thin = stroke.width < 0.5 * unit_px and stroke.height > 0.6 * cell.height
    middle = stroke.x + stroke.width / 2
    return thin and min(middle - cell.x, cell.x + cell.width - middle) < unit_px


def _typed_in(survey: PageSurvey, cell: BlockCell, labelled: Set[int]) -> list[PrintedWord]:
    """Words in a cell under its label: typed, or written so neatly that they were read as print."""
    box = cell.box_px
    low = Box(box.x, box.y + round(_LABEL_PART * box.height), box.width,
              round((1 - _LABEL_PART) * box.height))  # fmt: skip
    return [
        word for index, word in enumerate(survey.words)
        if index not in labelled and contains(low, *centre(word.box_px))
        and any(char.isalnum() for char in word.text)
    ]  # fmt: skip


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
