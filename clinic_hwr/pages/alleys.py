"""White alleys through rows of writing: the columns of a table whose headings nobody could read.

Where headings are read they name the columns (``tables``). On a poor copy they are not; the rows
are ruled all the same, and what is written in a column begins below what is written over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .areas import same_row
from .labels import union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .text_lines import TextLine
from .types import Box

# Letters: how wide an alley is through two rows and through more; how far apart the columns begin.
_TWO_ROWS, _MORE_ROWS, _ASKEW = 1.5, 1.0, 1.0
_STEP = 1.6  # of the first step between two rows: a wider one leaves the table
_UNDER = 0.6  # share of a row's width that the rule under it has at least


def parted_at_alleys(
    survey: PageSurvey, lines: Sequence[TextLine], letter_px: float
) -> list[TextLine]:
    """Cut lines of ruled rows where all of them leave the same place white.

    Args:
        survey: of the page.
        lines: of handwriting, in reading order.
        letter_px: height of a pen letter.
    """
    rows = _rows(lines)
    cuts: dict[int, list[float]] = {}
    for table in _tables(survey, rows):
        alleys = list(_alleys(table, letter_px))
        for row in table:
            for line in row:
                cuts[id(line)] = alleys
    return [part for line in lines for part in _cut(line, cuts.get(id(line), []))]


def _rows(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Lines that stand on one row together, top to bottom."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: one.box_px.y + one.box_px.height / 2):
        if rows and same_row(rows[-1][-1].box_px, line.box_px):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _tables(
    survey: PageSurvey, rows: Sequence[list[TextLine]]
) -> Iterator[Sequence[list[TextLine]]]:
    """Rows that follow each other at even steps, each with a rule under it."""
    run: list[list[TextLine]] = []
    for row in rows:
        if run and not (_is_ruled(survey, run[-1], row) and _even(run, row)):
            if len(run) > 1:
                yield run
            run = []
        run.append(row)
    if len(run) > 1:
        yield run


def _box(row: Sequence[TextLine]) -> Box:
    return union([line.box_px for line in row])


def _even(run: Sequence[Sequence[TextLine]], row: Sequence[TextLine]) -> bool:
    """Whether a row is about as far below the last one as the rows before it are apart."""
    middles = [box.y + box.height / 2 for box in (_box(one) for one in (*run[:2], run[-1], row))]
    return len(run) < 2 or middles[3] - middles[2] <= _STEP * (middles[1] - middles[0])


def _is_ruled(survey: PageSurvey, over: Sequence[TextLine], under: Sequence[TextLine]) -> bool:
    """Whether a rule runs between two rows, as wide as most of what is written."""
    one, two = _box(over), _box(under)
    left, right = min(one.x, two.x), max(one.x + one.width, two.x + two.width)
    top, bottom = one.y + one.height / 2, two.y + two.height / 2
    reach = sum(
        max(0, min(rule.x + rule.width, right) - max(rule.x, left))
        for rule in survey.rules.horizontal
        if top < rule.y + rule.height / 2 < bottom
    )
    return reach >= _UNDER * (right - left)


def _alleys(rows: Sequence[Sequence[TextLine]], letter: float) -> Iterator[float]:
    """x of the middle of each alley that parts what most of the rows have on both its sides."""
    least = (_TWO_ROWS if len(rows) == 2 else _MORE_ROWS) * letter
    spans = sorted(
        (s.box_px.x, s.box_px.x + s.box_px.width) for row in rows for line in row
        for s in line.strokes
    )  # fmt: skip
    end = spans[0][1]
    for left, right in spans[1:]:
        if left - end >= least and _is_column(rows, end, left, letter):
            yield (end + left) / 2
        end = max(end, right)


def _is_column(rows: Sequence[Sequence[TextLine]], end: int, start: int, letter: float) -> bool:
    """Whether writing begins at one place behind an alley, in all rows that go on behind it."""
    begins = []
    for row in rows:
        strokes = [s.box_px for line in row for s in line.strokes]
        behind = [box.x for box in strokes if box.x >= start]
        if behind and any(box.x < end for box in strokes):
            begins.append(min(behind))
    return len(begins) > 1 and max(begins) - min(begins) <= _ASKEW * letter


def _cut(line: TextLine, alleys: Sequence[float]) -> list[TextLine]:
    """The parts of a line between alleys, left to right."""
    parts: dict[int, list[Stroke]] = {}
    for stroke in line.strokes:
        middle = stroke.box_px.x + stroke.box_px.width / 2
        parts.setdefault(sum(x < middle for x in alleys), []).append(stroke)
    if len(parts) < 2:
        return [line]
    return [
        TextLine(union([s.box_px for s in part]), tuple(part)) for _, part in sorted(parts.items())
    ]
