"""Letters that cross a form rule: taking out the rule cuts their tails off; they are put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .labels import union
from .pen_strokes import Stroke
from .types import Box

_NEAR_PX = 3  # from the rule: where a stroke that was cut ends
_LEAN_PX = 3  # along the rule, from where a stroke goes in to where it comes out
_TAIL = 0.7  # of the height of the letter, at most
_TALL = 1.2  # a tail is no higher, in heights of a printed capital


@dataclass(frozen=True, slots=True)
class _End:
    """Where a stroke meets a rule, as columns of its ink."""

    number: int
    left: int
    right: int


def with_tails(
    strokes: Sequence[Stroke], ink: NDArray[np.uint8], rules: Sequence[Box], unit: float
) -> tuple[Stroke, ...]:
    """Join what a horizontal rule has cut from a letter to the rest of it.

    The tail of a letter above would be taken for writing in the cell below, and stretch its line.

    Args:
        strokes: of the page.
        ink: (height, width) uint8, 255 = ink, the rules taken out.
        rules: horizontal ones.
        unit: height of a printed capital in pixels.
    """
    tops = np.array([one.box_px.y for one in strokes], int)
    bottoms = np.array([one.box_px.y + one.box_px.height for one in strokes], int)
    owners: dict[int, int] = {}
    for rule in rules:
        low = rule.y + rule.height
        over = np.flatnonzero((abs(bottoms - rule.y) <= _NEAR_PX) & (tops < rule.y)).tolist()
        under = np.flatnonzero((abs(tops - low) <= _NEAR_PX) & (bottoms > low)).tolist()
        if not over or not under:
            continue
        above = [end for n in over if (end := _end(strokes[n], n, ink, rule, bottom=True))]
        below = [end for n in under if (end := _end(strokes[n], n, ink, rule, bottom=False))]
        for one in above:
            for other in below:
                if min(one.right, other.right) - max(one.left, other.left) < -_LEAN_PX:
                    continue
                letter, tail = one.number, other.number
                if strokes[letter].box_px.height < strokes[tail].box_px.height:
                    letter, tail = tail, letter
                high = strokes[tail].box_px.height
                if high <= min(_TAIL * strokes[letter].box_px.height, _TALL * unit):
                    owners.setdefault(tail, letter)
    return _joined(strokes, owners)


def _end(
    stroke: Stroke, number: int, ink: NDArray[np.uint8], rule: Box, *, bottom: bool
) -> _End | None:
    """The columns in which a stroke meets a rule; None where it ends beside it."""
    box = stroke.box_px
    if box.x + box.width <= rule.x or box.x >= rule.x + rule.width:
        return None
    edge = box.y + box.height - _NEAR_PX if bottom else box.y
    columns = np.flatnonzero(ink[edge : edge + _NEAR_PX, box.x : box.x + box.width].any(axis=0))
    if not len(columns):
        return None
    return _End(number, box.x + int(columns[0]), box.x + int(columns[-1]))


def _joined(strokes: Sequence[Stroke], owners: dict[int, int]) -> tuple[Stroke, ...]:
    """Give every tail to its letter; what is a tail itself owns none."""
    whole = list(strokes)
    given = set()
    for tail, letter in owners.items():
        if letter in owners:
            continue
        own, piece = whole[letter], strokes[tail]
        whole[letter] = replace(
            own, box_px=union([own.box_px, piece.box_px]), area_px=own.area_px + piece.area_px
        )
        given.add(tail)
    return tuple(one for number, one in enumerate(whole) if number not in given)
