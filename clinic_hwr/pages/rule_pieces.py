"""Underlines too short to be found as rules: what is level with a rule of its row is one too."""

from __future__ import annotations

from collections.abc import Sequence

from .pen_strokes import Stroke
from .types import Box

# A piece is so flat and at least so wide, in heights of a printed capital; a hyphen is narrower.
_FLAT, _WIDE = 0.25, 0.8
_LONGER_THAN_HIGH = 5.0
_OFF_PX = 2  # above or below the rule
_GAP = 12.0  # from the piece to the rule, in heights of a printed capital


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
