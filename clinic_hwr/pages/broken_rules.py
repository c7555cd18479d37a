"""Form rules of which a fax or a faint copy has left dashes.

A thin rule that is not quite level falls between the rows of a scanner, again and again, and comes
out in pieces. Pieces in one line, nothing between them, are the rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces
from .rules import DarkParts, FormRules, turned
from .types import Box

_RIM_PX = 3  # of a gap, in which the ends of dashes are blurred
_THICK_PX, _LONG_PX, _FLAT = 6, 9, 2.5  # of a dash at most, at least, and length over thickness
_OFF_PX, _SLOPE = 2.0, 0.01  # from one dash to the next
_GAP, _CLEAR_GAP = 0.6, 1.4  # of the shortest rule: between dashes; where nothing stands between
_TALL_PX = 14  # across the line: where something in a gap is looked for
_PIECES, _SHARE, _SPAN = 4, 0.4, 3.0  # of a rule: at least; the span in shortest rules
_MAX_BEND_PX = 1.5


@dataclass(frozen=True, slots=True)
class _Dash:
    """A level piece of a rule; ``whole`` where it was long enough to be found by itself."""

    left: int
    right: int
    start: float
    end: float
    box: Box
    whole: bool

    @classmethod
    def of(cls, box: Box, mask: NDArray[np.uint8], whole: bool) -> _Dash:
        part = mask[box.y : box.y + box.height, box.x : box.x + box.width] > 0
        ends = [
            box.y + float(np.flatnonzero(some.any(axis=1)).mean())
            for some in (part[:, :_LONG_PX], part[:, -_LONG_PX:])
            if some.any()
        ] or [box.y + box.height / 2]
        return cls(box.x, box.x + box.width, ends[0], ends[-1], box, whole)


def with_broken_rules(parts: DarkParts, rules: FormRules, length: int) -> FormRules:
    """Add the rules that stand in pieces.

    Args:
        parts: the dark parts of the page.
        rules: those found whole.
        length: of the shortest rule; see ``rules.shortest_rule``.
    """
    mask = rules.mask.copy()
    level = _chains(parts.ink, parts.level_lines, rules.mask, rules.horizontal, length, mask)
    turned_mask = turned(mask)
    sides = [box.turned() for box in rules.vertical]
    # Level rules would hold the dashes of upright ones together.
    known = np.asarray(cv2.dilate(turned_mask, np.ones((3, 3), np.uint8)), np.uint8)
    upright = _chains(*parts.turned, known, sides, length, turned_mask)
    if not level and not upright:
        return rules
    horizontal = _with(rules.horizontal, level)
    vertical = _with(rules.vertical, [box.turned() for box in upright])
    return replace(rules, mask=turned(turned_mask), horizontal=horizontal, vertical=vertical)


def _with(rules: Sequence[Box], whole: Sequence[Box]) -> tuple[Box, ...]:
    """The rules, those that are pieces of longer ones left out."""

    def within(box: Box, other: Box) -> bool:
        return (
            other.x <= box.x
            and other.y <= box.y
            and box.x + box.width <= other.x + other.width
            and box.y + box.height <= other.y + other.height
        )

    kept = [one for one in rules if not any(within(one, other) for other in whole)]
    return tuple(sorted([*kept, *whole], key=lambda box: (box.y, box.x)))


def _chains(
    ink: NDArray[np.uint8],
    hairlines: NDArray[np.uint8],
    known: NDArray[np.uint8],
    rules: Sequence[Box],
    length: int,
    mask: NDArray[np.uint8],
) -> list[Box]:
    """Boxes of the level rules that stand in pieces; their pixels are added to ``mask``.

    Args:
        ink, hairlines: of the page.
        known: pixels of the rules.
        rules: the level ones.
        length: of the shortest rule.
        mask: takes the pixels of what is found.
    """
    dark = np.asarray(cv2.subtract(cv2.max(ink, hairlines), known), np.uint8)
    dashes = [_Dash.of(box, dark, False) for box in _flat_pieces(dark)]
    if len(dashes) < _PIECES - 1:
        return []
    dashes += [_Dash.of(box, known, True) for box in rules]
    lines = _joined(_lines_of(dashes, length), ink, length)
    found = []
    for line in lines:
        new = [one for one in line if not one.whole]
        span = line[-1].right - line[0].left
        held = sum(one.right - one.left for one in line)
        if len(new) + 1 < _PIECES or span < _SPAN * length or held < _SHARE * span:
            continue
        if _bend(line) > _MAX_BEND_PX:
            continue
        for one in new:
            part = slice(one.box.y, one.box.y + one.box.height), slice(one.left, one.right)
            mask[part] |= dark[part]
        top, bottom = min(one.box.y for one in line), max(o.box.y + o.box.height for o in line)
        found.append(Box(line[0].left, top, span, bottom - top))
    return found


def _flat_pieces(dark: NDArray[np.uint8]) -> list[Box]:
    """Boxes of the thin level pieces that stand by themselves.

    They are looked for at half the size: the dots of a dash touch there, and it is soon done.
    """
    near = np.asarray(cv2.dilate(dark, np.ones((2, 2), np.uint8), anchor=(0, 0)), np.uint8)
    half = np.ascontiguousarray(near[::2, ::2])
    stats = connected_pieces(half).stats[1:]
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    may_be = (2 * high <= _THICK_PX + 2) & (2 * wide >= _LONG_PX)
    pieces = []
    for x, y, width, height in (2 * stats[may_be, :4]).tolist():
        rows, columns = np.nonzero(dark[y : y + height + 1, x : x + width + 1])
        left, top = int(columns.min()), int(rows.min())
        box = Box(x + left, y + top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
        flat = box.height <= _THICK_PX and box.width >= max(_LONG_PX, _FLAT * box.height)
        if flat:
            pieces.append(box)
    return pieces


def _lines_of(dashes: Sequence[_Dash], length: int) -> list[list[_Dash]]:
    """Dashes in one line, one soon after the other."""
    lines: list[list[_Dash]] = []
    for dash in sorted(dashes, key=lambda one: one.left):
        near = [
            line for line in lines
            if -_OFF_PX <= dash.left - line[-1].right <= _GAP * length and _goes_on(line[-1], dash)
        ]  # fmt: skip
        if near:
            min(near, key=lambda line: dash.left - line[-1].right).append(dash)
        else:
            lines.append([dash])
    return lines


def _joined(lines: list[list[_Dash]], ink: NDArray[np.uint8], length: int) -> list[list[_Dash]]:
    """Join lines over wider gaps in which nothing stands: no label, and no blank of another."""
    lines = sorted(lines, key=lambda line: line[0].left)
    open_lines: list[list[_Dash]] = []
    for line in lines:
        first = line[0]
        for before in open_lines:
            last = before[-1]
            gap = first.left - last.right
            if not 0 <= gap <= _CLEAR_GAP * length or not _goes_on(last, first):
                continue
            top = max(0, round(min(last.end, first.start)) - _TALL_PX)
            low = round(max(last.end, first.start)) + _TALL_PX
            if not ink[top:low, last.right + _RIM_PX : first.left - _RIM_PX].any():
                before.extend(line)
                break
        else:
            open_lines.append(line)
    return open_lines


def _goes_on(last: _Dash, dash: _Dash) -> bool:
    gap = max(0, dash.left - last.right)
    return abs(dash.start - last.end) <= _OFF_PX + _SLOPE * gap


def _bend(line: Sequence[_Dash]) -> float:
    """How far (px, 90th percentile) the ends of the dashes stray from a straight line."""
    x = np.array(list(itertools.chain(*((one.left, one.right) for one in line))), float)
    y = np.array(list(itertools.chain(*((one.start, one.end) for one in line))), float)
    slope, at = np.polyfit(x, y, 1)
    return float(np.percentile(np.abs(y - slope * x - at), 90))
