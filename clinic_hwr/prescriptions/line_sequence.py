"""Lines that say nothing, named by the lines around them: medications follow one order on a page.

Who writes "drug, directions, quantity" for one medication does so for the next. The lines that name
themselves show that order, where each kind stands and how long it is; a search for the best
sequence (Viterbi) gives the lines between them the names that fit. A name found so is a guess like
every name that no label gives, and a person confirms it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from clinic_hwr.pages.types import Box
from clinic_hwr.prescriptions.line_sense import STRENGTH_ONLY

KINDS = ("drug", "sig", "quantity")
_CELLS = ("strength", "sig", "quantity", "refills")
# A block goes on while the next line begins within so many line heights.
_GAP = 3.0
_SHORT, _QUITE_LONG = 0.35, 0.45  # of the longest line of the block
_KNOWN = 6.0  # what it costs to name a line other than it says
_SKIPPED, _SPECK_SKIPPED = 2.5, 0.3  # to leave a line out, and one of another size
_BEFORE = 1.5  # to name a line before the first that names itself
_LINE_NUMBER = re.compile(r"^\s*\(?\S{1,2}\s?[).]\s*(?!\d)\S")
_FEWEST_KNOWN = 2
_LEADS, _COLUMN = 4.0, 1.5  # line heights that lines of the left column, of a column, differ by
_NUMBER = re.compile(r"^\W*[\dOoIlSZ]{1,4}\W*$")


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """One line of a page.

    Attributes:
        box_px: where it stands.
        text: what was read in it.
        said: the kind that it names itself, "" for none.
        place: the name that its place, or a label, gave it.
        is_open: whether it may be named.
    """

    box_px: Box
    text: str
    said: str
    place: str
    is_open: bool


def names_in_sequence(lines: Sequence[SequenceLine]) -> dict[int, str]:
    """Name the open lines that say nothing, where enough lines around them name themselves.

    Args:
        lines: of one page.

    Returns:
        ``drug``, ``sig`` or ``quantity`` by the line's number; lines that fit no order are not in
        it.
    """
    named: dict[int, str] = {}
    for rows in _blocks(lines):
        block = [number for row in rows for number in row]
        told = [lines[number] for number in block if lines[number].said in KINDS]
        doses = sum(bool(STRENGTH_ONLY.match(lines[number].text)) for number in block)
        if len(told) + doses < _FEWEST_KNOWN or all(line.said != "drug" for line in told):
            continue
        lead = median(line.box_px.x for line in told if line.said == "drug")
        height = median(line.box_px.height for line in told)
        leads = [row[0] for row in rows if abs(lines[row[0]].box_px.x - lead) < _LEADS * height]
        if not any(lines[number].said in KINDS for number in leads):
            continue
        beside = _by_columns(lines, [n for n in block if n not in leads], height)
        named |= beside | _best_names(lines, leads, frozenset(beside.values()))
    return named


def names_beside_drugs(lines: Sequence[SequenceLine]) -> dict[int, str]:
    """Name what stands in the rows of a table whose drugs a label names, and only they.

    A heading that OCR did not read names no cell. Cells below or above one that a label names are
    what it is; others are named by what most cells of their column say.

    Args:
        lines: of one page; those that are not open have the name a label gave them as ``place``.

    Returns:
        ``strength``, ``sig``, ``quantity`` or ``refills`` by the line's number.
    """
    drugs = [line.box_px for line in lines if line.place == "drug" and not line.is_open]
    if not drugs:
        return {}
    height = median(box.height for box in drugs)
    left = median(box.x for box in drugs)
    rows = [box for box in drugs if abs(box.x - left) < _LEADS * height]
    cells = [
        number for number, line in enumerate(lines)
        if (line.is_open or line.place in _CELLS)
        and line.said in ("", *_CELLS)
        and any(_in_row(line.box_px, box) for box in rows)
    ]  # fmt: skip
    named = _by_columns(lines, cells, height)
    named = {n: name for n, name in named.items() if lines[n].is_open and not lines[n].said}
    return named | _amounts_below(lines, named, height)


def _amounts_below(
    lines: Sequence[SequenceLine], named: dict[int, str], height: float
) -> dict[int, str]:
    """Take a number right under labelled directions for the quantity, where none is named."""
    found: dict[int, str] = {}
    sig: SequenceLine | None = None
    waiting: int | None = None
    for number, line in enumerate(lines):
        name = named.get(number) or line.said or line.place
        if name in ("drug", "quantity"):
            if name == "drug" and waiting is not None:
                found[waiting] = "quantity"
            sig = waiting = None
        elif name == "sig" and not line.is_open:
            sig, waiting = line, None
        elif sig is not None and waiting is None and name == "unnamed" and _NUMBER.match(line.text):
            box, above = line.box_px, sig.box_px
            near = abs(box.x - above.x) < _LEADS * height
            below = 0 < box.y - above.y - 0.5 * above.height < _GAP * height
            if near and below and line.is_open and box.height > 0.5 * height:
                waiting = number
    if waiting is not None:
        found[waiting] = "quantity"
    return found


def _in_row(box: Box, drug: Box) -> bool:
    """Whether a box stands right of a drug on its row."""
    off = abs(_middle(box)[1] - _middle(drug)[1])
    return _middle(box)[0] > drug.x + drug.width and off < 0.6 * max(drug.height, box.height)


def _blocks(lines: Sequence[SequenceLine]) -> list[list[list[int]]]:
    """Rows of lines that stand below each other, top to bottom, each from left to right."""
    free = [
        number for number, line in enumerate(lines)
        if line.is_open and line.said in (*KINDS, *_CELLS, "") and line.box_px.height > 0
    ]  # fmt: skip
    placed = [lines[n].box_px for n in free if lines[n].place in KINDS]
    anchors = placed or [lines[n].box_px for n in free if lines[n].said in KINDS]
    if not anchors:
        return []
    height = median(box.height for box in anchors)
    left = min(box.x for box in anchors) - 2 * height
    free = [n for n in free if left <= _middle(lines[n].box_px)[0]]
    if placed:
        # The place under an Rx is known: what stands above and below it is something else.
        top, bottom = min(box.y for box in placed), max(box.y + box.height for box in placed)
        free = [n for n in free if top <= _middle(lines[n].box_px)[1] <= bottom]
    blocks: list[list[int]] = []
    for number in sorted(free, key=lambda n: _middle(lines[n].box_px)[1]):
        if blocks and _gap(lines, blocks[-1], number) <= _GAP * height:
            blocks[-1].append(number)
        else:
            blocks.append([number])
    return [_by_rows(lines, block, height) for block in blocks]


def _by_columns(
    lines: Sequence[SequenceLine], behind: Sequence[int], height: float
) -> dict[int, str]:
    """Name what stands behind the first line of a row by what others in its column say."""
    columns: list[list[int]] = []
    for number in sorted(behind, key=lambda n: lines[n].box_px.x):
        left = lines[columns[-1][0]].box_px.x if columns else 0
        if columns and lines[number].box_px.x - left < _COLUMN * height:
            columns[-1].append(number)
        else:
            columns.append([number])
    named: dict[int, str] = {}
    taken = {lines[number].place for number in behind if not lines[number].is_open}
    for column in columns:
        name = _column_name([lines[number] for number in column], taken)
        if not name:
            continue
        taken.add(name)
        named |= {number: name for number in column if not lines[number].said}
    return named


def _column_name(column: Sequence[SequenceLine], taken: set[str]) -> str:
    """What most lines of a column are, "" for what cannot be told."""
    told = [line.place for line in column if not line.is_open]
    if told:
        return max(sorted(set(told)), key=told.count)
    said = [line.said for line in column if line.said in ("sig", "quantity", "refills")]
    wordy = 2 * sum(len(line.text.split()) > 2 for line in column) >= len(column)
    if said and (3 * len(said) >= len(column) or wordy):
        return max(sorted(set(said)), key=said.count)
    if len(column) < _FEWEST_KNOWN:
        return ""
    if 2 * sum(bool(STRENGTH_ONLY.match(line.text)) for line in column) >= len(column):
        return "" if "strength" in taken else "strength"
    if 2 * sum(bool(_NUMBER.match(line.text)) for line in column) >= len(column):
        rest = [name for name in ("quantity", "refills") if name not in taken]
        return rest[0] if rest else ""
    return ""


def _gap(lines: Sequence[SequenceLine], block: Sequence[int], number: int) -> float:
    bottom = max(lines[n].box_px.y + lines[n].box_px.height for n in block)
    return lines[number].box_px.y - bottom


def _by_rows(lines: Sequence[SequenceLine], block: Sequence[int], height: float) -> list[list[int]]:
    """Order a block by rows, and each row from left to right."""
    rows: list[list[int]] = []
    for number in block:
        middle = _middle(lines[number].box_px)[1]
        if rows and middle - _middle(lines[rows[-1][0]].box_px)[1] < 0.4 * height:
            rows[-1].append(number)
        else:
            rows.append([number])
    return [sorted(row, key=lambda one: lines[one].box_px.x) for row in rows]


def _middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def _best_names(
    lines: Sequence[SequenceLine], block: Sequence[int], beside: frozenset[str]
) -> dict[int, str]:
    """The cheapest way to name the lines of a block, those that say nothing only.

    Args:
        lines: of the page.
        block: the lines that begin the block's rows, top to bottom.
        beside: kinds that stand in columns right of them.
    """
    shape = _Shape.of([lines[number] for number in block], beside)
    # Cost and names so far, by the kind of the last line that has one.
    best: dict[str, tuple[float, tuple[str, ...]]] = {"": (0.0, ())}
    told = False
    for number in block:
        line = lines[number]
        told = told or line.said in KINDS
        early = 0.0 if told or line.place in KINDS or _LINE_NUMBER.match(line.text) else _BEFORE
        after: dict[str, tuple[float, tuple[str, ...]]] = {}
        for last, (cost, names) in best.items():
            choices = [(last, "", shape.cost_of_none(line))]
            choices += [
                (kind, kind, shape.cost(line, kind) + shape.step(last, kind) + early)
                for kind in KINDS
            ]
            for state, name, more in choices:
                if state not in after or cost + more < after[state][0]:
                    after[state] = (cost + more, (*names, name))
        best = after
    _, names = min(best.values())
    return {
        number: name
        for number, name in zip(block, names, strict=True)
        if name and not lines[number].said
    }


@dataclass(frozen=True)
class _Shape:
    """What the lines of a block that name themselves show.

    Attributes:
        height, longest: of the block's lines, pixels.
        lefts: where lines of a kind begin, pixels.
        counts: how many lines of a kind name themselves.
        beside: kinds that stand right of these lines, and so hardly among them.
    """

    height: float
    longest: int
    lefts: dict[str, float]
    counts: dict[str, int]
    beside: frozenset[str]

    @classmethod
    def of(cls, lines: Sequence[SequenceLine], beside: frozenset[str]) -> _Shape:
        by_kind = {kind: [line.box_px.x for line in lines if line.said == kind] for kind in KINDS}
        told = [line.box_px for line in lines if line.said in KINDS]
        return cls(
            median(box.height for box in told),
            max(box.width for box in told),
            {kind: median(some) for kind, some in by_kind.items() if some},
            {kind: len(some) for kind, some in by_kind.items()},
            beside,
        )

    def cost_of_none(self, line: SequenceLine) -> float:
        """What it costs to leave a line without one of the names."""
        if line.said in KINDS:
            return _KNOWN
        if line.said:
            return 0.0
        box = line.box_px
        odd = not 0.33 < box.height / self.height < 2.2 or box.width < 0.8 * self.height
        return _SPECK_SKIPPED if odd else _SKIPPED

    def cost(self, line: SequenceLine, kind: str) -> float:
        """What it costs to call a line so, by what it says, its length and where it begins."""
        if line.said:
            return 0.0 if line.said == kind else _KNOWN
        long = line.box_px.width / self.longest
        if kind == "quantity":
            cost = 0.3 if long < _SHORT else 3.0 if long < _QUITE_LONG else 6.0
        elif kind == "drug":
            cost = 0.5 if long > _QUITE_LONG else 2.0
            cost -= 1.5 if _LINE_NUMBER.match(line.text) else 0.0
        else:
            cost = 0.5 if long > _SHORT else 2.0
            cost += 1.5 if _LINE_NUMBER.match(line.text) else 0.0
        cost -= 1.2 if line.place == kind else 0.0
        cost += 3.0 if kind in self.beside else 0.0
        if kind in self.lefts:
            cost += min(3.0, abs(line.box_px.x - self.lefts[kind]) / self.height * 0.5)
        return cost

    def step(self, last: str, kind: str) -> float:
        """What it costs that a kind follows another."""
        amounts, directions = self.counts["quantity"] > 0, self.counts["sig"] > 0
        if kind == "drug":
            if last in ("", "quantity"):
                return 0.0
            if last == "sig":
                return 2.0 if amounts else 0.5
            return 0.0 if "sig" in self.beside else 2.5 if directions else 1.0
        if kind == "sig":
            return {"drug": 0.0, "": 2.0, "sig": 2.0, "quantity": 1.0}[last]
        return {"drug": 1.0, "": 3.0, "sig": 0.0, "quantity": 4.0}[last] + (0 if amounts else 2.0)
