"""Ruled order tables: column headings name the cells, every written row is one medication."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .areas import centre, contains, same_row
from .label_vocabulary import DOSE, PART, LabelVocabulary, label_vocabulary, normalised
from .labels import union, word_rows
from .pen_strokes import Stroke
from .row_borders import row_borders
from .survey import PageSurvey
from .text_lines import text_lines
from .types import FIELD_NAMES, Box, FieldRegion
from .values import is_writing

_PATIENTS = {
    "patient_name", "patient_dob", "patient_age", "patient_sex", "patient_weight",
    "patient_address", "patient_mrn", "allergies",
}  # fmt: skip
_MIN_COLUMNS = 3
_SAYING = {"sig", "strength", "quantity"}  # beside the drug an order says one of these
_GAP_OF_ROWS, _GAP_OF_A_ROW = 1.5, 3.0  # heights of a capital: between two columns
_CENTRED = 2.0  # heights of a capital from where rows begin to where their first heading does


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        field: that its cells hold, "" for none of ours.
        heading: as it is printed.
        left, right: x range in pixels.
        start: x where the heading begins.
        ruled: whether a rule stands at its right side, or no other column does.
        closed: whether a rule stands there.
    """

    field: str
    heading: str
    left: int
    right: int
    start: int = 0
    ruled: bool = True
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table: its columns, and the y borders of its rows below the heading."""

    box_px: Box
    columns: tuple[Column, ...]
    borders: tuple[int, ...]


def find_table(survey: PageSurvey, vocabulary: LabelVocabulary | None = None) -> Table | None:
    """Find the order table of a page: a row of three or more known headings, one of them a drug.

    Args:
        survey: of the page.
        vocabulary: words of the languages enabled; None: of all that are known.
    """
    known = vocabulary or label_vocabulary()
    for row in word_rows(survey.words):
        headings = _headings(survey, row, known)
        roles = {role for role, _, _ in headings}
        if len(headings) < _MIN_COLUMNS or "drug" not in roles or not roles & _SAYING:
            continue
        heading_box = union([box for _, _, box in headings])
        borders = row_borders(survey, heading_box)
        if len(borders) < 2:
            continue
        columns = _columns(survey, headings, borders[0], borders[-1])
        borders = _as_far_as_columns_go(survey, columns, borders)
        if len(borders) < 2:
            continue
        if _answered_at_once(survey, columns, heading_box, borders[0]):
            continue
        if len(borders) == 2:
            borders = _by_writing(survey, columns, borders)
        left, right = columns[0].left, columns[-1].right
        box = Box(left, heading_box.y, right - left, borders[-1] - heading_box.y)
        return Table(box, columns, borders)
    return None


def _as_far_as_columns_go(
    survey: PageSurvey, columns: Sequence[Column], borders: tuple[int, ...]
) -> tuple[int, ...]:
    """Drop rows of the patient's, and below the last one that rules between columns run through."""
    above = [one.box_px.y for one in survey.labels
             if one.field in _PATIENTS and one.box_px.y > borders[0]]  # fmt: skip
    if above:
        borders = tuple(y for y in borders if y < min(above))
    between = [one.right for one in columns[:-1] if one.ruled]
    if len(borders) < 2:
        return borders

    def crossed(top: int, bottom: int) -> int:
        return sum(
            any(
                abs(rule.x + rule.width / 2 - x) < 0.5 * survey.unit_px
                and min(rule.y + rule.height, bottom) - max(rule.y, top) > 0.5 * (bottom - top)
                for rule in survey.rules.vertical
            )
            for x in between
        )

    if not between or not crossed(borders[0], borders[1]):
        return borders
    rows = [2 * crossed(*ends) >= len(between) for ends in itertools.pairwise(borders)]
    return borders[: max((n for n, ruled in enumerate(rows) if ruled), default=0) + 2]


def _answered_at_once(
    survey: PageSurvey, columns: Sequence[Column], heading: Box, border: int
) -> bool:
    """Whether something is written beside or under most headings before the first rule.

    Then they are labels in the corners of cells, or on a row of a pad: no head of a table.
    """
    written = 0
    for column in columns:
        area = Box(column.left, heading.y, column.right - column.left, border - heading.y)
        boxes = [one.box_px for one in survey.strokes
                 if not one.printed and contains(area, *centre(one.box_px))]  # fmt: skip
        written += bool(boxes) and is_writing(survey, union(boxes))
    return 2 * written > len(columns)


def table_fields(survey: PageSurvey, table: Table) -> tuple[list[FieldRegion], set[Stroke]]:
    """Return the fields of a table and the strokes they took."""
    cells: dict[tuple[int, str], dict[int, list[Stroke]]] = {}
    headings: dict[tuple[int, str], str] = {}
    for stroke, row, column in _placed(survey, table):
        if not column.field:
            continue
        cells.setdefault((row, column.field), {}).setdefault(column.left, []).append(stroke)
        headings.setdefault((row, column.field), column.heading)
    written = {
        key: columns for key, columns in cells.items()
        if union([s.box_px for some in columns.values() for s in some]).height
        > 0.5 * survey.unit_px
    }  # fmt: skip
    rows = sorted({row for row, _ in written})
    fields, taken = [], set()
    for (row, name), columns in written.items():
        boxes = []
        for _, strokes in sorted(columns.items()):
            taken.update(strokes)
            boxes += [line.box_px for line in text_lines(survey, strokes)]
        # Dose, route and frequency stand in cells of their own, and are read cell by cell; behind
        # a wide gap is a cell whose heading was not read.
        parts = tuple(box for box in boxes if is_writing(survey, box))
        field = FieldRegion(
            name, FIELD_NAMES[name], union(boxes), rows.index(row) + 1, headings[(row, name)],
            lines_px=parts if len(parts) > 1 else (),
        )  # fmt: skip
        fields.append(field)
    return fields, taken


def _placed(survey: PageSurvey, table: Table) -> list[tuple[Stroke, int, Column]]:
    """Every stroke of a table with its row and column.

    Where no rule parts two columns, the widest gap of the row near their border does.
    """
    rows: dict[int, list[Stroke]] = {}
    for stroke in survey.strokes:
        x, y = centre(stroke.box_px)
        inside = table.columns[0].left <= x < table.columns[-1].right
        if inside and table.borders[0] <= y <= table.borders[-1]:
            rows.setdefault(sum(1 for one in table.borders if one <= y) - 1, []).append(stroke)
    every = [stroke for strokes in rows.values() for stroke in strokes]
    centred = _is_centred(list(rows.values()), table.columns[0], survey.unit_px)
    commons = [
        None if before.ruled else _common_gap(every, before, after, survey.unit_px, centred=centred)
        for before, after in itertools.pairwise(table.columns)
    ]
    end = _end_of_last(list(rows.values()), table.columns[-1], survey.unit_px)
    placed = []
    for row, strokes in rows.items():
        borders = [
            before.right
            if before.ruled
            else common or _gap_near(strokes, before, after, 0.5 * survey.unit_px)
            for (before, after), common in zip(
                itertools.pairwise(table.columns), commons, strict=True
            )
        ]
        for stroke in strokes:
            x, _ = centre(stroke.box_px)
            if x > end:
                continue
            column = table.columns[sum(1 for border in borders if border <= x)]
            if column.left <= x < column.right or not column.ruled:
                placed.append((stroke, row, column))
    return placed


def _end_of_last(rows: Sequence[Sequence[Stroke]], last: Column, unit_px: float) -> float:
    """x where the last known column ends: at a gap of all rows, where no rule stands behind it.

    What stands behind the gap is under a heading that was not read.
    """
    if last.closed:
        return last.right
    least = (_GAP_OF_ROWS if len(rows) > 1 else _GAP_OF_A_ROW) * unit_px
    end: float | None = None
    for stroke in sorted((s for row in rows for s in row), key=lambda one: one.box_px.x):
        box = stroke.box_px
        if box.x + box.width < last.start:
            continue
        if end is not None and box.x - end > least:
            return (box.x + end) / 2
        end = max(end or 0.0, float(box.x + box.width))
    return last.right


def _is_centred(rows: Sequence[Sequence[Stroke]], first: Column, unit_px: float) -> bool:
    """Whether rows begin well before the first heading does: it is in the middle of its column."""
    begins = [min(stroke.box_px.x for stroke in strokes) for strokes in rows]
    return bool(begins) and first.start - float(np.median(begins)) > _CENTRED * unit_px


def _common_gap(
    strokes: Sequence[Stroke], before: Column, after: Column, least_px: float, *, centred: bool
) -> float | None:
    """Middle of the widest gap between two headings that no row writes into; None: there is none.

    Args:
        strokes: of all rows.
        before, after: the columns on both sides.
        least_px: a narrower gap may be one between words.
        centred: whether headings stand in the middle of their columns.
    """
    low, high = before.start, after.start + 0.6 * (after.right - after.start)
    spans = sorted((s.box_px.x, s.box_px.x + s.box_px.width) for s in strokes)
    # A heading in the middle of its column begins behind what is written under it.
    under = [right for _, right in spans if before.left < right <= low] if centred else []
    best, at, end = least_px, None, float(max(under, default=low))
    seen = bool(under)
    for left, right in spans:
        if right <= low:
            continue
        if left >= high:
            break
        if seen and left - end > best:
            best, at = left - end, (end + left) / 2
        end, seen = max(end, right), True
    return at


def _gap_near(strokes: Sequence[Stroke], before: Column, after: Column, least_px: float) -> float:
    """Middle of the gap of a row behind which writing begins nearest to where a heading does.

    Args:
        strokes: of the row.
        before, after: the columns on both sides.
        least_px: a narrower gap is one between letters.
    """
    low, high = before.start, after.start + 0.6 * (after.right - after.start)
    spans = sorted((s.box_px.x, s.box_px.x + s.box_px.width) for s in strokes)
    best, at, end = float("inf"), float(before.right), float(low)
    for left, right in spans:
        off = abs(left - after.start)
        if low < left < high and left - end >= least_px and off < best:
            best, at = off, (end + left) / 2
        end = max(end, right)
    return at


def _headings(
    survey: PageSurvey, row: Sequence[int], vocabulary: LabelVocabulary
) -> list[tuple[str, str, Box]]:
    """Known headings of a row of words, words close to each other taken together."""
    runs: list[list[int]] = []
    for index in row:
        if not normalised(survey.words[index].text):  # a dash, or a piece of a rule
            continue
        box = survey.words[index].box_px
        last = survey.words[runs[-1][-1]].box_px if runs else None
        if last is not None and box.x - (last.x + last.width) < 1.0 * box.height:
            runs[-1].append(index)
        else:
            runs.append([index])
    texts = [" ".join(survey.words[i].text for i in run) for run in runs]
    roles = vocabulary.columns_of([normalised(text) for text in texts])
    known = {role for role in roles if role is not None}
    found: list[tuple[str, str, Box]] = []
    for run, text, role in zip(runs, texts, roles, strict=True):
        if role is None and "drug" in known and len(known) >= _MIN_COLUMNS:
            role = PART if vocabulary.may_be_part(normalised(text)) else None
        if role is not None:
            found.append((role, text, union([survey.words[i].box_px for i in run])))
    # Dose, route, frequency and reason together are the directions of an order, read cell by cell;
    # where a column asks for the directions, a dose is the strength.
    dose = "strength" if "sig" in known and "strength" not in known else "sig"
    meaning = {DOSE: dose, PART: "sig"}
    return [(meaning.get(role, role), text, box) for role, text, box in found]


def _by_writing(
    survey: PageSurvey, columns: Sequence[Column], borders: tuple[int, ...]
) -> tuple[int, ...]:
    """Rows of a table that has no rules between them: one for each line in the drugs' column."""
    drug = next(one for one in columns if one.field == "drug")
    area = Box(drug.left, borders[0], drug.right - drug.left, borders[1] - borders[0])
    strokes = [s for s in survey.strokes if not s.printed and contains(area, *centre(s.box_px))]
    lines = sorted(
        (one.box_px for one in text_lines(survey, strokes) if is_writing(survey, one.box_px)),
        key=lambda box: box.y,
    )
    rows: list[Box] = []
    for line in lines:
        if rows and same_row(rows[-1], line):
            rows[-1] = union([rows[-1], line])
        else:
            rows.append(line)
    between = [
        round((one.y + one.height / 2 + two.y + two.height / 2) / 2)
        for one, two in itertools.pairwise(rows)
    ]
    return (borders[0], *between, borders[1])


def _columns(
    survey: PageSurvey, headings: Sequence[tuple[str, str, Box]], top: int, bottom: int
) -> tuple[Column, ...]:
    """Column borders: the vertical rules around each heading, else halfway to the next heading."""
    crossing = sorted(
        rule.x + rule.width // 2
        for rule in survey.rules.vertical
        if min(rule.y + rule.height, bottom) - max(rule.y, top) > 0.25 * (bottom - top)
    )
    columns = []
    width = survey.gray.shape[1]
    for place, (field, text, box) in enumerate(headings):
        middle = box.x + box.width / 2
        before = headings[place - 1][2] if place else None
        after = headings[place + 1][2] if place + 1 < len(headings) else None
        left_guess = (before.x + before.width + box.x) // 2 if before else max(0, box.x - box.width)
        right_guess = (
            (box.x + box.width + after.x) // 2 if after else min(width, box.x + 2 * box.width)
        )
        left = max((x for x in crossing if x < middle), default=left_guess)
        right = min((x for x in crossing if x > middle), default=right_guess)
        ruled = after is None or any(box.x + box.width <= x <= after.x for x in crossing)
        # A rule that was not found must not lend this column its neighbour's cells.
        left = max(left, before.x + before.width if before else 0)
        right = min(right, after.x if after else width)
        closed = any(abs(x - right) <= 1 for x in crossing)
        columns.append(Column(field, text, left, right, box.x, ruled, closed))
    return tuple(columns)
