"""Pen strokes of an area grouped to lines of writing.

Where a trained segmenter has marked the cores of the lines (``PageSurvey.cores``), each stroke goes
to the core that holds most of its ink. Without one, and for strokes it did not mark, rows are told
apart at the valleys of the ink profile: the classical way.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .labels import union
from .line_cores import LineCores
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import Box, PrintedWord

# Writing this many letter heights behind other writing on its row is a line of its own.
_WIDE_GAP = 4.0
# A space between words of one line is up to so many letter heights wide.
_SAME_LINE = 2.0
# Pieces stand on one row that share so much of their height, or whose middles are so near.
_ON_ROW, _LEVEL = 0.5, 0.7  # of the lower one's height, letters
# What is a letter of the line it lies in: its width in letters; of the line's height: how far it
# may stand out, and its middle be off that of the line.
_SHORT, _OUT, _OFF = 1.5, 0.15, 0.35
_TALL = 4.0  # letters: what is higher is no stroke of a line


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of handwriting: its box and its strokes."""

    box_px: Box
    strokes: tuple[Stroke, ...]


def text_lines(survey: PageSurvey, strokes: Sequence[Stroke]) -> list[TextLine]:
    """Group strokes to lines, in reading order.

    What stands side by side behind a wide gap are lines of their own.
    """
    if not strokes:
        return []
    letter = letter_height(strokes, survey.unit_px)
    if survey.cores is None:
        lines = lines_by_profile(survey, strokes)
    else:
        # On a fax letters are broken into pieces that say nothing of how high they are.
        letter = max(letter, survey.cores.letter_px)
        lines = _lines_by_cores(survey, survey.cores, strokes, letter)
    lines = [part for line in lines for part in _parted(line, letter, survey.words)]
    return _in_reading_order(_without_inner(_without_crumbs(lines, letter), letter), letter)


def is_seen(survey: PageSurvey, line: TextLine) -> bool:
    """Whether a segmenter has seen handwriting in a line; False without one."""
    cores = survey.cores
    return cores is not None and any(cores.holding(survey.ink, s.box_px) for s in line.strokes)


def _lines_by_cores(
    survey: PageSurvey, cores: LineCores, strokes: Sequence[Stroke], letter: float
) -> list[TextLine]:
    """Give each stroke to the core most of its ink lies in, else to one right beside it."""
    members: dict[int, list[Stroke]] = {}
    left: list[Stroke] = []
    lost: list[Stroke] = []
    for stroke in strokes:
        if stroke.box_px.height > _TALL * letter:
            lost.append(stroke)  # a fold, an emblem: as a part of a line it would swallow others
            continue
        core = cores.holding(survey.ink, stroke.box_px)
        if core:
            members.setdefault(core, []).append(stroke)
        else:
            left.append(stroke)
    lines = [TextLine(union([s.box_px for s in some]), tuple(some)) for some in members.values()]
    lines = _joined(survey, lines, letter)
    added: dict[int, list[Stroke]] = {}
    for stroke in left:
        # Dots, bars of a t and descenders lie outside of the core they belong to.
        near = [
            (_distance(stroke.box_px, line.box_px), number) for number, line in enumerate(lines)
        ]
        gap, number = min(near, default=(float("inf"), -1))
        reach = 0.5
        if number >= 0 and _on_row(stroke.box_px, lines[number].box_px):
            reach = _SAME_LINE
        if gap < reach * letter:
            added.setdefault(number, []).append(stroke)
        else:
            lost.append(stroke)
    whole = [
        TextLine(union([s.box_px for s in (*line.strokes, *more)]), (*line.strokes, *more))
        for number, line in enumerate(lines)
        for more in [added.get(number, [])]
    ]
    return whole + lines_by_profile(survey, lost)


def _on_row(small: Box, line: Box) -> bool:
    """Whether the middle of something is in the middle part of a line's height."""
    middle = small.y + small.height / 2
    return line.y + 0.15 * line.height < middle < line.y + 0.85 * line.height


def _joined(survey: PageSurvey, lines: list[TextLine], letter: float) -> list[TextLine]:
    """Join pieces that stand on one row with no more than a wide space between them."""
    rest = sorted(lines, key=lambda line: line.box_px.x)
    joined: list[TextLine] = []
    for line in rest:
        for number, other in enumerate(joined):
            one, two = other.box_px, line.box_px
            shared = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
            gap = two.x - (one.x + one.width)
            overlapping = gap < -0.3 * min(one.width, two.width)
            close = gap < _SAME_LINE * letter and not _ruled_off(survey, one, two)
            if shared > 0.5 * min(one.height, two.height) and close and not overlapping:
                strokes = (*other.strokes, *line.strokes)
                joined[number] = TextLine(union([s.box_px for s in strokes]), strokes)
                break
        else:
            joined.append(line)
    return joined


def _ruled_off(survey: PageSurvey, one: Box, two: Box) -> bool:
    """Whether an upright form rule stands between two pieces of a row.

    On squared paper rules cross the writing itself, and part nothing.
    """
    top, bottom = max(one.y, two.y), min(one.y + one.height, two.y + two.height)
    upright = [
        rule.x + rule.width // 2
        for rule in survey.rules.vertical
        if rule.y < bottom and rule.y + rule.height > top
    ]
    if any(_crosses(x, one) or _crosses(x, two) for x in upright):
        return False
    left, right = one.x + 0.8 * one.width, two.x + 0.2 * two.width
    return any(left < x < right for x in upright)


def _crosses(x: int, box: Box) -> bool:
    """Whether an upright at x goes through the inner part of a piece."""
    return box.x + 0.2 * box.width < x < box.x + 0.8 * box.width


def _parted(line: TextLine, letter: float, words: Sequence[PrintedWord]) -> list[TextLine]:
    """Cut a line where nothing is written for several letters, or where print stands between."""
    row = [
        word.box_px
        for word in words
        if line.box_px.y
        < word.box_px.y + word.box_px.height / 2
        < line.box_px.y + line.box_px.height
    ]
    runs: list[list[Stroke]] = []
    end = 0
    for stroke in sorted(line.strokes, key=lambda s: s.box_px.x):
        start = stroke.box_px.x
        printed = start > end and any(end <= box.x + box.width / 2 <= start for box in row)
        if not runs or printed or start - end > _WIDE_GAP * letter:
            runs.append([])
        runs[-1].append(stroke)
        end = max(end, start + stroke.box_px.width)
    return [TextLine(union([s.box_px for s in run]), tuple(run)) for run in runs]


def _in_reading_order(lines: list[TextLine], letter: float) -> list[TextLine]:
    """Rows top to bottom, left to right within a row."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: one.box_px.x):
        shares = [_shared_row(row[-1].box_px, line.box_px, letter) for row in rows]
        best = max(range(len(rows)), key=shares.__getitem__, default=-1)
        if best >= 0 and shares[best] > 0:
            rows[best].append(line)
        else:
            rows.append([line])
    rows.sort(key=lambda row: row[0].box_px.y + row[0].box_px.height / 2)
    return [line for row in rows for line in row]


def _shared_row(left: Box, line: Box, letter: float) -> float:
    """How much of the lower one's height two pieces share that stand on one row; 0: they do not.

    A line with a long descender has its middle below that of the short number behind it.
    """
    shared = min(left.y + left.height, line.y + line.height) - max(left.y, line.y)
    share = shared / max(1, min(left.height, line.height))
    middles = abs(left.y + left.height / 2 - line.y - line.height / 2)
    behind = line.x > left.x + left.width - letter
    return share if behind and (share > _ON_ROW or middles < _LEVEL * letter) else 0.0


def _distance(one: Box, other: Box) -> float:
    """Gap in pixels between two boxes; 0 where they overlap."""
    across = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    return max(0.0, float(across), float(_vertical_gap(one, other)))


def lines_by_profile(survey: PageSurvey, strokes: Sequence[Stroke]) -> list[TextLine]:
    """Group strokes to lines, top to bottom, without a segmenter.

    Rows are told apart at the valleys of the smoothed ink profile; a stroke belongs to the row
    that holds most of its ink, so a descender that reaches into the next row stays with its word.
    Columns that nothing joins are looked at each for itself.
    """
    return [
        line
        for column in _columns(strokes, letter_height(strokes, survey.unit_px))
        for line in _lines_of_column(survey, column)
    ]


def _columns(strokes: Sequence[Stroke], letter: float) -> list[list[Stroke]]:
    """Strokes parted at vertical white alleys, several letters wide."""
    columns: list[list[Stroke]] = []
    end = 0
    for stroke in sorted(strokes, key=lambda s: s.box_px.x):
        if not columns or stroke.box_px.x - end > _WIDE_GAP * letter:
            columns.append([])
        columns[-1].append(stroke)
        end = max(end, stroke.box_px.x + stroke.box_px.width)
    return columns


def _lines_of_column(survey: PageSurvey, strokes: Sequence[Stroke]) -> list[TextLine]:
    letter = letter_height(strokes, survey.unit_px)
    area = union([stroke.box_px for stroke in strokes])
    # Tall strokes (brackets, margin lines, touching rows) would fill the valleys.
    profile = np.zeros(area.height + 1)
    for stroke in strokes:
        box = stroke.box_px
        if box.height <= 2.6 * letter:
            rows = survey.ink[box.y : box.y + box.height, box.x : box.x + box.width] > 0
            profile[box.y - area.y : box.y - area.y + box.height] += rows.sum(axis=1)
    borders = [area.y + cut for cut in _valleys(profile, letter)]
    rows_of: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        rows_of.setdefault(_row_of(survey, stroke, borders), []).append(stroke)
    lines = [
        TextLine(union([s.box_px for s in members]), tuple(members))
        for _, members in sorted(rows_of.items())
    ]
    return _without_crumbs(lines, letter)


def letter_height(strokes: Sequence[Stroke], unit_px: float) -> float:
    """Typical height of a pen letter in pixels."""
    heights = [s.box_px.height for s in strokes if s.box_px.height > 0.45 * unit_px]
    return float(np.median(heights)) if heights else unit_px


def _valleys(profile: NDArray[np.float64], letter: float) -> list[int]:
    """Row positions between the lines of a profile."""
    # The root keeps a short "#21" from drowning beside long lines.
    smooth = _smoothed(np.sqrt(profile), max(1.0, 0.22 * letter))
    peaks = [
        i for i in range(len(smooth))
        if smooth[i] > 0 and smooth[i] >= smooth[max(0, i - 1)]
        and smooth[i] > smooth[min(len(smooth) - 1, i + 1)]
    ]  # fmt: skip
    # Weak bumps (dots, descenders) between lines are no lines of their own.
    strong = [p for p in peaks if smooth[p] > 0.2 * smooth.max()]
    merged: list[int] = []
    for peak in strong:
        if merged:
            valley = smooth[merged[-1] : peak + 1].min()
            low = min(smooth[merged[-1]], smooth[peak])
            if peak - merged[-1] < 0.75 * letter or valley > 0.85 * low:
                if smooth[peak] > smooth[merged[-1]]:
                    merged[-1] = peak
                continue
        merged.append(peak)
    return [
        left + int(np.argmin(smooth[left : right + 1]))
        for left, right in itertools.pairwise(merged)
    ]


def _smoothed(profile: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(profile, reach), kernel / kernel.sum(), mode="valid")


def _row_of(survey: PageSurvey, stroke: Stroke, borders: Sequence[int]) -> int:
    """Index of the row that holds most of a stroke's ink."""
    box = stroke.box_px
    mass = (survey.ink[box.y : box.y + box.height, box.x : box.x + box.width] > 0).sum(axis=1)
    rows = np.searchsorted(borders, np.arange(box.y, box.y + box.height))
    return int(np.bincount(rows, weights=mass).argmax())


def _without_crumbs(lines: list[TextLine], letter: float) -> list[TextLine]:
    """Give lines too small to be writing (dots, dashes) to the line nearest to them."""
    real = [line for line in lines if max(s.box_px.height for s in line.strokes) > 0.45 * letter]
    if not real or len(real) == len(lines):
        return lines
    members = {id(line): list(line.strokes) for line in real}
    far = []
    for line in lines:
        if id(line) in members:
            continue
        nearest = min(real, key=lambda other: _distance(line.box_px, other.box_px))
        if _vertical_gap(line.box_px, nearest.box_px) >= letter:
            continue
        if _distance(line.box_px, nearest.box_px) < _SAME_LINE * letter:
            members[id(nearest)] += line.strokes
        else:
            far.append(line)  # the rest of a letter in another column
    whole = [
        TextLine(union([s.box_px for s in members[id(line)]]), tuple(members[id(line)]))
        for line in real
    ]
    return whole + far


def _without_inner(lines: list[TextLine], letter: float) -> list[TextLine]:
    """Give a line that lies in the middle of a longer one to that one: it is a letter of it."""
    outer: list[TextLine] = []
    for line in sorted(lines, key=lambda one: -one.box_px.width):
        holding = [
            n for n, other in enumerate(outer) if _lies_in(line.box_px, other.box_px, letter)
        ]
        if holding:
            strokes = (*outer[holding[0]].strokes, *line.strokes)
            outer[holding[0]] = TextLine(union([s.box_px for s in strokes]), strokes)
        else:
            outer.append(line)
    return outer


def _lies_in(small: Box, line: Box, letter: float) -> bool:
    """Whether something short is inside of a line from side to side, and level with it."""
    middle = small.y + small.height / 2 - line.y - line.height / 2
    return (
        small.width < min(_SHORT * letter, line.width)
        and line.x < small.x
        and small.x + small.width < line.x + line.width
        and small.y > line.y - _OUT * line.height
        and small.y + small.height < line.y + (1 + _OUT) * line.height
        and abs(middle) < _OFF * line.height
    )


def _vertical_gap(one: Box, other: Box) -> int:
    return max(one.y, other.y) - min(one.y + one.height, other.y + other.height)
