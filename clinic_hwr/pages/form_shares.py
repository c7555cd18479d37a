"""Which region of a form each pen stroke belongs to: people write beside, over and under boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from .pen_strokes import Stroke
from .types import Box

# A stroke belongs to the region that holds most of it; so much at least. People write over edges.
_SHARE = 0.3
_MARGIN = 0.5  # of a capital: how far beside a region a stroke may start
# Regions that share so much of their width stand above each other, not side by side.
_ABOVE_EACH_OTHER = 0.3
# A word that leaves its region goes on within so many letter heights of what is in it.
_GOES_ON = 1.5


def share_of(inner: Box, outer: Box) -> float:
    """Share of a box that lies inside of another, 0..1."""
    width = min(inner.x + inner.width, outer.x + outer.width) - max(inner.x, outer.x)
    height = min(inner.y + inner.height, outer.y + outer.height) - max(inner.y, outer.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(1, inner.width * inner.height)


def share_strokes(
    strokes: Sequence[Stroke],
    boxes: Sequence[Box],
    unit_px: float,
    *,
    lines: Sequence[Sequence[Stroke]],
    seen: Collection[Stroke],
    written: Collection[int],
    letter_px: float,
) -> dict[int, list[Stroke]]:
    """Give each stroke to the region that holds most of it, small regions before large ones.

    The strokes of one line of writing go to one of regions that stand above each other, the one
    that holds most of the line. Writing that leaves its region beside it stays with it.

    Args:
        strokes: of the page.
        boxes: where the regions lie on it.
        unit_px: height of a printed capital.
        lines: the strokes of each line of the page.
        seen: strokes that a segmenter has seen in a line of writing; without one lines are not
            sure enough to decide by.
        written: numbers of the regions for lines of writing, not for marks or cells.
        letter_px: typical height of a pen letter.

    Returns:
        Strokes by number of the region; what no region holds is in none.
    """
    grow = round(_MARGIN * unit_px)
    wide = [Box(b.x - grow, b.y - grow, b.width + 2 * grow, b.height + 2 * grow) for b in boxes]
    owners = {stroke: _owner(stroke.box_px, boxes, wide) for stroke in strokes}
    sure = [line for line in lines if any(stroke in seen for stroke in line)]
    _keep_lines_together(owners, boxes, sure, written)
    _follow_lines(owners, sure, seen, written, letter_px)
    shared: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        owner = owners[stroke]
        if owner is not None:
            shared.setdefault(owner, []).append(stroke)
    return shared


def _owner(stroke: Box, boxes: Sequence[Box], wide: Sequence[Box]) -> int | None:
    best: tuple[float, float, float] = (0.0, 0.0, 0.0)
    owner = None
    for number, (box, around) in enumerate(zip(boxes, wide, strict=True)):
        inside = share_of(stroke, around)
        if inside < _SHARE:
            continue
        # a mark around a small box covers it though most of the mark is outside
        rank = (share_of(stroke, box), inside, -float(box.width * box.height))
        if owner is None or rank > best:
            owner, best = number, rank
    return owner


def _keep_lines_together(
    owners: dict[Stroke, int | None], boxes: Sequence[Box], lines: Sequence[Sequence[Stroke]],
    written: Collection[int],
) -> None:  # fmt: skip
    """Of regions above each other one owns a line: the one with most of its ink."""
    for line in lines:
        ink: Counter[int] = Counter()
        for stroke in line:
            for number in written:
                ink[number] += round(share_of(stroke.box_px, boxes[number]) * stroke.area_px)
        for stroke in line:
            mine = owners[stroke]
            if mine not in written or mine is None:
                continue
            rivals = [n for n in written if n == mine or _above_each_other(boxes[n], boxes[mine])]
            most = max(rivals, key=lambda n: (ink[n], n == mine))
            if ink[most] > ink[mine] and _shared_rows(stroke.box_px, boxes[most]) > _SHARE:
                owners[stroke] = most


def _shared_rows(stroke: Box, region: Box) -> float:
    """Share of a stroke's height that lies in the rows of a region."""
    top, bottom = max(stroke.y, region.y), min(stroke.y + stroke.height, region.y + region.height)
    return (bottom - top) / max(1, stroke.height)


def _above_each_other(one: Box, other: Box) -> bool:
    shared = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    return shared > _ABOVE_EACH_OTHER * min(one.width, other.width)


def _follow_lines(
    owners: dict[Stroke, int | None], lines: Sequence[Sequence[Stroke]], seen: Collection[Stroke],
    written: Collection[int], letter_px: float,
) -> None:  # fmt: skip
    """Give writing right or left of a region to it where it goes on what is in the region."""
    line_of = {stroke: number for number, line in enumerate(lines) for stroke in line}
    free = {stroke for stroke, owner in owners.items() if owner is None and stroke in seen}
    owned = [stroke for stroke, owner in owners.items() if owner in written]
    while True:
        found = [
            (gap, stroke.box_px.x, stroke, near)
            for stroke in free
            for near in owned
            if (gap := _gap(stroke.box_px, near.box_px)) < _GOES_ON * letter_px
            and (line_of.get(stroke) == line_of.get(near) or _on_one_row(stroke, near))
        ]
        if not found:
            return
        _, _, stroke, near = min(found, key=lambda one: one[:2])
        owners[stroke] = owners[near]
        free.discard(stroke)
        owned.append(stroke)


def _gap(one: Box, other: Box) -> float:
    return float(max(one.x, other.x) - min(one.x + one.width, other.x + other.width))


def _on_one_row(stroke: Stroke, near: Stroke) -> bool:
    one, other = stroke.box_px, near.box_px
    shared = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return shared > 0.5 * min(one.height, other.height)
