"""How far a value goes: up to a wide gap, past the end of its rule, and no farther than its pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .areas import same_row
from .labels import Label, union
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import Box

_RUN_ON = 1.6  # label heights between words of one value
# Label heights: from a label's top down to where a value above it ends; from its end to that value.
_ABOVE, _BEHIND = 0.6, 3.0
# What the segmenter does not mark is of a value this near to what it marks, in letters: a letter it
# passed over, and a flat speck such as a dash or the rest of a rule.
_NEAR, _SPECK_NEAR = 1.5, 0.7
_FLAT = 0.35  # of the height of a printed capital: a speck
_FIRST_GAP = 4.0  # label heights
# Print between two parts of a row: heights of a printed capital, and of the segmenter's map.
_PRINT_WIDE, _PRINT_MARKED = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Slot:
    """A label and the space its value may stand in."""

    label: Label
    box_px: Box


def written_run(
    survey: PageSurvey, slot: Slot, strokes: Sequence[Stroke], others: Sequence[Stroke]
) -> list[Stroke]:
    """Return the strokes of the value of a slot.

    Args:
        survey: of the page.
        slot: of the value.
        strokes: found in it, of one row.
        others: that nothing has claimed.
    """
    height = slot.label.box_px.height
    run = _up_to_print(survey, slot.label.box_px, first_run(strokes, _FIRST_GAP * height))
    run = run_before(survey, slot, run_on(survey, slot, run, others), others)
    return near_marked(survey, run)


def near_marked(survey: PageSurvey, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes a segmenter marks, and those near to them, one beside the other.

    A stamp at the end of a row, a fold or the side of a cell is no part of the value before it.
    Where the segmenter marks nothing, or there is none, all are returned.

    Args:
        survey: of the page.
        strokes: of one value.
    """
    cores = survey.cores
    if cores is None:
        return list(strokes)
    marked = {s for s in strokes if cores.holding(survey.ink, s.box_px)}
    rest = [s for s in strokes if s not in marked]
    if not marked or not rest:
        return list(strokes)
    letter = max(survey.unit_px, cores.letter_px)
    kept, fresh = set(marked), list(marked)
    while fresh:
        box = fresh.pop().box_px
        for stroke in [s for s in rest if s not in kept]:
            flat = stroke.box_px.height < _FLAT * survey.unit_px
            if _gap(box, stroke.box_px) <= (_SPECK_NEAR if flat else _NEAR) * letter:
                kept.add(stroke)
                fresh.append(stroke)
    return [s for s in strokes if s in kept]


def _gap(one: Box, other: Box) -> int:
    """Pixels between two boxes from left to right; negative where they overlap."""
    return max(one.x, other.x) - min(one.x + one.width, other.x + other.width)


def first_run(strokes: Sequence[Stroke], gap_px: float) -> list[Stroke]:
    """Return the strokes up to the first horizontal gap wider than ``gap_px``.

    What stands far behind a value answers another label, one that OCR did not read.
    """
    run: list[Stroke] = []
    end = 0
    for stroke in sorted(strokes, key=lambda s: s.box_px.x):
        if run and stroke.box_px.x - end > gap_px:
            break
        run.append(stroke)
        end = max(end, stroke.box_px.x + stroke.box_px.width)
    return run


def _up_to_print(survey: PageSurvey, label: Box, run: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes of a row up to print that stands between handwriting: the next label.

    Badly read it is no label, but print that a value goes on behind is none of its own.
    """
    cores = survey.cores
    if cores is None:
        return list(run)
    kept: list[Stroke] = []
    end = 0  # of what the segmenter marks as handwriting
    for stroke in run:
        if cores.holding(survey.ink, stroke.box_px):
            if end and _is_print_between(survey, label, end, stroke.box_px.x):
                break
            end = max(end, stroke.box_px.x + stroke.box_px.width)
        kept.append(stroke)
    return kept


def _is_print_between(survey: PageSurvey, label: Box, left: int, right: int) -> bool:
    """Whether print stands between two columns on the row of a label: read, or marked as such."""
    if right - left < _PRINT_WIDE * survey.unit_px:
        return False
    if any(
        same_row(label, word.box_px) and left <= word.box_px.x + word.box_px.width / 2 <= right
        for word in survey.words
    ):
        return True
    maps = survey.maps
    if maps is None:
        return False
    x0, x1 = round(left * maps.scale), round(right * maps.scale)
    y0, y1 = round(label.y * maps.scale), round((label.y + label.height) * maps.scale)
    marked = maps.print[y0 : y1 + 1, x0:x1] > _PRINT_MARKED
    return int(marked.any(axis=0).sum()) >= _PRINT_WIDE * survey.unit_px * maps.scale


def run_on(
    survey: PageSurvey, slot: Slot, strokes: Sequence[Stroke], others: Sequence[Stroke]
) -> list[Stroke]:
    """Add what goes on right behind a value past its slot: writing that is longer than its rule.

    Args:
        survey: of the page.
        slot: of the value.
        strokes: found in it.
        others: that nothing has claimed.
    """
    run = list(strokes)
    if not run:
        return run
    label, space = slot.label.box_px, slot.box_px
    label_ends = [
        one.box_px.x for one in survey.labels
        if one.box_px.x > label.x + label.width and same_row(label, one.box_px)
    ]  # fmt: skip
    rules = [
        one.x for one in survey.rules.vertical
        if one.y < label.y + label.height / 2 < one.y + one.height
    ]  # fmt: skip
    value = union([stroke.box_px for stroke in run])
    for stroke in sorted(others, key=lambda one: one.box_px.x):
        if stroke in run or not same_row(value, stroke.box_px):
            continue
        start, end = stroke.box_px.x, value.x + value.width
        if start > end + _RUN_ON * label.height:
            break
        free = all(not end - label.height < x <= start for x in (*label_ends, *rules))
        if start > space.x + space.width - 2 * label.height and free:
            run.append(stroke)
            value = union([value, stroke.box_px])
    return run


def run_before(
    survey: PageSurvey, slot: Slot, strokes: Sequence[Stroke], others: Sequence[Stroke]
) -> list[Stroke]:
    """Add what a value begins with over its label, where it stands above it altogether.

    Such a label stands under its line; behind its end is only the second half of the value.

    Args:
        survey, slot, strokes, others: see ``run_on``.
    """
    run = list(strokes)
    label = slot.label.box_px
    if not run:
        return run
    value = union([stroke.box_px for stroke in run])
    behind = value.x - label.x - label.width
    if value.y + value.height > label.y + _ABOVE * label.height or behind > _BEHIND * label.height:
        return run
    sides = [
        one.x + one.width for one in survey.rules.vertical
        if one.y < value.y + value.height / 2 < one.y + one.height
    ]  # fmt: skip
    for stroke in sorted(others, key=lambda one: -one.box_px.x - one.box_px.width):
        end = stroke.box_px.x + stroke.box_px.width
        if stroke in run or not same_row(value, stroke.box_px) or end > value.x + value.width:
            continue
        if end < value.x - _RUN_ON * label.height or stroke.box_px.x < label.x - 2 * label.height:
            break
        if not any(end <= x <= value.x for x in sides):
            run.append(stroke)
            value = union([value, stroke.box_px])
    return run
