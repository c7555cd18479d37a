"""Rules too short to be found as such: underlines of a letter or two, the sides of low cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .line_cores import LineCores
from .pen_strokes import Stroke
from .rules import DarkParts, rule_runs
from .types import Box

# A piece is so flat and at least so wide, in heights of a printed capital; a hyphen is narrower.
_FLAT, _WIDE = 0.25, 0.8
_LONGER_THAN_HIGH = 5.0
_OFF_PX = 2  # above or below the rule
_GAP = 12.0  # from the piece to the rule, in heights of a printed capital
# A blank is so long at least, begins so near behind its label, and lies so far under its middle.
_BLANK, _BEHIND, _UNDER = 1.8, 1.5, (0.2, 1.4)
# The side of a cell is so thin and so high at least, in heights of a printed capital, and so many
# times as high as wide; it meets a rule within this, which may end so far from it, and is so much
# of the cell's height.
_SIDE_THIN, _SIDE_HIGH, _SLENDER, _MEETS, _CORNER, _SPANS = 0.45, 1.2, 3.0, 0.4, 1.0, 0.75
_CELL = 14.0  # heights of a printed capital: a higher one is no row
# A 1 is about as high as the figure it stands beside.
_BESIDE, _AS_HIGH = 1.5, 0.75
_THICK, _SHARED, _REACH = 0.6, 0.2, 10.0  # of a blank; of a label's box; of where it is looked for


def without_rule_pieces(
    strokes: Sequence[Stroke], rules: Sequence[Box], unit: float
) -> tuple[Stroke, ...]:
    """Leave out the strokes that go on where a printed rule of the same row does.

    ``Age ____ Sex __``: the second rule may be no longer than a letter is, and would be taken for
    writing, or make the letter that stands on it wider than it is.

    Args:
        strokes: of the page.
        rules: horizontal ones that were found.
        unit: height of a printed capital in pixels.
    """
    return tuple(one for one in strokes if not _is_piece(one.box_px, rules, unit))


def _is_piece(box: Box, rules: Sequence[Box], unit: float) -> bool:
    if box.height > max(3.0, _FLAT * unit):
        return False
    if box.width < max(_WIDE * unit, _LONGER_THAN_HIGH * box.height):
        return False
    return any(_goes_on(box, rule, unit) for rule in rules)


def _goes_on(box: Box, rule: Box, unit: float) -> bool:
    if not rule.y - _OFF_PX <= box.y <= box.y + box.height <= rule.y + rule.height + _OFF_PX:
        return False
    gap = max(rule.x - box.x - box.width, box.x - rule.x - rule.width)
    return gap <= _GAP * unit


def cell_sides(
    strokes: Sequence[Stroke],
    rules: Sequence[Box],
    unit: float,
    cores: LineCores,
    ink: NDArray[np.uint8],
) -> tuple[Stroke, ...]:
    """Return the strokes that are sides of cells: upright, from one rule to another, on no line.

    A low cell has sides no longer than a tall letter, which are not looked for as rules.

    Args:
        strokes: of the page.
        rules: horizontal ones that were found.
        unit: height of a printed capital in pixels.
        cores: of the lines of handwriting; what they hold is a letter.
        ink: of the page, (height, width) uint8, 255 = ink.
    """
    slender = [one.box_px for one in strokes if _is_side(one.box_px, rules, unit)]
    if not slender:
        return ()
    reach = _BESIDE * unit
    near = [
        one.box_px for one in strokes
        if any(_is_beside(one.box_px, side, reach) for side in slender)
    ]  # fmt: skip
    letters = [box for box in near if cores.holding(ink, box)]
    return tuple(
        one for one in strokes
        if one.box_px in slender and not cores.holding(ink, one.box_px)
        and not any(
            _is_beside(box, one.box_px, reach) and box.height > _AS_HIGH * one.box_px.height
            for box in letters
        )
    )  # fmt: skip


def _is_beside(box: Box, side: Box, reach: float) -> bool:
    """Whether something stands within reach right or left of an upright line."""
    level = box.y < side.y + side.height and side.y < box.y + box.height
    gap = max(side.x - box.x - box.width, box.x - side.x - side.width)
    return level and gap <= reach


def _is_side(box: Box, rules: Sequence[Box], unit: float) -> bool:
    """Whether a slender piece stands between two rules, meets one, and leaves little room."""
    if box.width > max(5.0, _SIDE_THIN * unit) or box.height < _SLENDER * box.width:
        return False
    middle, lower = box.x + box.width / 2, box.y + box.height
    across = [
        rule for rule in rules
        if rule.x - _CORNER * unit <= middle <= rule.x + rule.width + _CORNER * unit
    ]  # fmt: skip
    level = box.y + box.height / 2
    over = max((r.y + r.height for r in across if r.y + r.height / 2 < level), default=None)
    under = min((r.y for r in across if r.y + r.height / 2 > level), default=None)
    if over is None or under is None or box.height < _SIDE_HIGH * unit:
        return False
    meets = min(abs(box.y - over), abs(under - lower)) <= _MEETS * unit
    return meets and _SPANS * (under - over) <= box.height and under - over <= _CELL * unit


def short_blanks(parts: DarkParts, labels: Sequence[Box], unit: float) -> NDArray[np.uint8]:
    """Find the blanks to write on behind labels, which are shorter than any rule: ``Sex __``.

    Args:
        parts: of the page.
        labels: boxes of printed labels.
        unit: height of a printed capital in pixels.

    Returns:
        (height, width) uint8, 255 on every pixel of theirs.
    """

    mask = np.zeros_like(parts.ink)
    for label in labels:
        # Looked for where it may be: on the whole page it takes ten times as long.
        left, middle = label.x + label.width - _SHARED * unit, label.y + label.height / 2
        columns = slice(max(0, round(left)), max(1, round(left + _REACH * unit)))
        rows = slice(
            max(0, round(middle + _UNDER[0] * unit)), max(1, round(middle + _UNDER[1] * unit))
        )
        found, _ = rule_runs(
            parts.ink[rows, columns],
            parts.level_lines[rows, columns],
            round(_BLANK * unit),
            lambda box: (
                box.x <= (_SHARED + _BEHIND) * unit and box.height <= max(6.0, _THICK * unit + 3)
            ),
        )
        mask[rows, columns] |= found
    return mask
