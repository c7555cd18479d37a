"""Which field a comb holds: the label left of it, above it or below it, and its writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .combs import Comb, without_print
from .labels import Label, Placement, union
from .types import FIELD_NAMES, Box, CombRun, FieldRegion, PrintedWord

# How far a label may be from its comb, in heights of a printed capital.
_LEFT, _ABOVE, _BELOW = 6.0, 2.5, 1.5
# Without a label only what cannot be chance is a comb: rows of check boxes, and stems of bold
# letters between two rules, are shorter than a date.
_FEWEST_UNNAMED = 8
# Cells without a frame are no larger, in heights of a printed capital: tall letters of spread
# writing above its rule are. On generated pages the largest were 2.6 wide and 3.2 high, and
# four that were none 4.3 to 5.1 wide and 5.1 to 6.1 high (2026-11-28, 544 pages).
_WIDEST, _HIGHEST = 3.8, 4.6
_MARKS = frozenset({"signature", "substitution"})


@dataclass(frozen=True, slots=True)
class NamedComb:
    """A comb and what names it.

    Attributes:
        comb: its cells.
        field: a key of ``FIELD_NAMES``; ``unnamed`` without a label.
        label: text of the label, "" without one.
        label_px: where that stands.
    """

    comb: Comb
    field: str
    label: str = ""
    label_px: Box | None = None


def name_combs(
    combs: Sequence[Comb], words: Sequence[PrintedWord], labels: Sequence[Label], unit_px: float
) -> tuple[NamedComb, ...]:
    """Give each comb the nearest label that no other comb is nearer to.

    Args:
        combs: of the page, some of which may be bold print.
        words: what OCR read.
        labels: found among the words.
        unit_px: height of a printed capital.

    Returns:
        the combs that have a name, and long framed ones without.
    """
    found = [one for one in without_print(combs, words) if _is_cells(one, unit_px)]
    usable = [
        label for label in labels
        if label.placement is Placement.BESIDE
        and label.field in FIELD_NAMES
        and label.field not in _MARKS
    ]  # fmt: skip
    near = sorted(
        (distance, number, place)
        for number, comb in enumerate(found)
        for place, label in enumerate(usable)
        if (distance := _distance(comb.box_px, label.box_px, unit_px)) is not None
    )
    owner: dict[int, int] = {}
    for _, number, place in near:
        if number not in owner and place not in owner.values():
            owner[number] = place
    named = []
    for number, comb in enumerate(found):
        if number in owner:
            label = usable[owner[number]]
            named.append(NamedComb(comb, label.field, label.text, label.box_px))
        elif comb.framed and comb.cells >= _FEWEST_UNNAMED:
            named.append(NamedComb(comb, "unnamed"))
    return tuple(named)


def _is_cells(comb: Comb, unit_px: float) -> bool:
    """Whether a comb is framed, or no larger than cells are."""
    wide = max(run.box_px.width / run.cells for run in comb.runs)
    return comb.framed or (wide <= _WIDEST * unit_px and comb.box_px.height <= _HIGHEST * unit_px)


def with_hidden_ends(named: NamedComb, strokes: Sequence[Box]) -> NamedComb:
    """Give a comb one more cell at an end where writing stands in the next cell's place.

    Writing may hide the lines of the first or the last cell. A digit too few would be read as
    another number; a cell too many is read as a character that does not fit.

    Args:
        named: the comb.
        strokes: all pen strokes of the page that nothing else claims.
    """
    comb = named.comb
    first, last = comb.runs[0], comb.runs[-1]
    box, pitch = comb.box_px, first.box_px.width / first.cells
    left, right = (
        any(_stands(stroke, edge, pitch, box) for stroke in strokes)
        for edge in (box.x - pitch, float(box.x + box.width))
    )
    runs = list(comb.runs)
    if left:
        wide = Box(first.box_px.x - round(pitch), first.box_px.y,
                   first.box_px.width + round(pitch), first.box_px.height)  # fmt: skip
        runs[0] = CombRun(wide, first.cells + 1)
    if right:
        last = runs[-1]
        wide = replace(last.box_px, width=last.box_px.width + round(pitch))
        runs[-1] = CombRun(wide, last.cells + 1)
    whole = union([run.box_px for run in runs])
    return replace(named, comb=replace(comb, runs=tuple(runs), box_px=whole))


def _stands(stroke: Box, left: float, pitch: float, row: Box) -> bool:
    """Whether a stroke as high as a character stands in the cell that begins at ``left``."""
    middle = stroke.x + stroke.width / 2
    shared = min(stroke.y + stroke.height, row.y + row.height) - max(stroke.y, row.y)
    return (
        left + 0.1 * pitch <= middle <= left + 0.9 * pitch
        and stroke.width <= 1.3 * pitch
        and shared > 0.7 * stroke.height
        and stroke.height > 0.4 * row.height
    )


def is_boxed_writing(comb: Box, strokes: Sequence[Box]) -> bool:
    """Whether some stroke in a comb can be a character: it is a third as high as the cells."""
    return any(max(box.height, box.width) > 0.33 * comb.height for box in strokes)


def comb_region(named: NamedComb, strokes: Sequence[Box]) -> FieldRegion:
    """Return the field of a comb; its box is around the cells and the writing in them."""
    box = union([named.comb.box_px, *strokes])
    kind = FIELD_NAMES[named.field]
    return FieldRegion(named.field, kind, box, label=named.label, comb=named.comb.runs)


def _distance(comb: Box, label: Box, unit: float) -> float | None:
    """How far a label is from a comb in pixels, None where it cannot name it.

    Left comes before above, and above before below, where all are near.
    """
    middle = label.y + label.height / 2
    gap = comb.x - label.x - label.width
    on_row = comb.y - 0.3 * comb.height <= middle <= comb.y + 1.3 * comb.height
    if on_row and -0.5 * unit <= gap <= _LEFT * unit:
        return float(gap)
    if not comb.x - 2 * unit - label.width <= label.x <= comb.x + comb.width:
        return None
    above, below = comb.y - label.y - label.height, label.y - comb.y - comb.height
    aside = abs(label.x - comb.x) * 0.1
    if -0.3 * unit <= above <= _ABOVE * unit:
        return above + aside + unit
    if -0.3 * unit <= below <= _BELOW * unit:
        return below + aside + 3 * unit
    return None
