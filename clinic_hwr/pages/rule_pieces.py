"""Underlines too short to be found as rules: beside a label, or level with a rule of their row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
