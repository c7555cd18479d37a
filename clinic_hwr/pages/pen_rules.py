"""Strokes of a pen that a finder of rules takes for rules: as long as a word, not as a blank.

Two lines as long as each other, so close that nothing is written between them, cross out what
stands on them or underline it twice: a person says which. A rule of a form is level; one that
climbs by a letter over a word goes through it from corner to corner. And a rule that is twice as
thick where something is written has a stroke on it.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .rules import FormRules
from .types import Box

# Letter heights: between two lines, of their ends from each other, of the shortest. On pages of
# writers in training, 2026-11-28, 27 of 29 such pairs at a line were strikes.
_CLOSE, _ENDS, _SHORTEST = (0.2, 0.66), 0.75, 3.2
_REACH = 1.8  # letter heights that a stroke goes on for beyond the writing
_ABOVE, _UNDER = 0.1, 0.4  # share of the line, letter heights: where one is looked for
# A stroke on a rule: how much thicker it is there, times and letter heights, than it is so many
# letter heights away, over so many. Of 291 lines in training hands on a rule that goes through
# them, 2026-11-28, 4 were like this, of 292 with a stroke on it 245.
_TWICE, _MORE, _ASIDE, _FAR = 1.9, 0.09, 1.5, 8.0
_CLIMBS, _ACROSS = 0.9, 0.5  # letter heights; share of the line's width


def pen_rules(rules: FormRules, box: Box, letter_px: float) -> NDArray[np.bool_]:
    """Say which columns of a line have two strokes close to each other, or one that climbs.

    Args:
        rules: of the page.
        box: of the line.
        letter_px: typical height of a pen letter.

    Returns:
        (width of the line,) True where a stroke goes.
    """
    covered = np.zeros(box.width, bool)
    near = [one for one in rules.horizontal if _is_pen(one, box, letter_px)]
    pairs = [two for two in itertools.combinations(near, 2) if _is_pair(*two, letter_px)]
    climbing = [one for one in near if _climbs(one, box, letter_px)]
    doubled = [
        one for one in rules.horizontal
        if _is_at(one, box) and _is_doubled(rules.mask, one, box, letter_px)
    ]  # fmt: skip
    for one in itertools.chain(*pairs, climbing, doubled):
        covered[max(0, one.x - box.x) : max(0, one.x + one.width - box.x)] = True
    return covered


def _is_pen(rule: Box, box: Box, letter: float) -> bool:
    """Whether a rule is at a line of writing, and does not go on beyond it."""
    reach = _REACH * letter
    return (
        rule.y < box.y + box.height + 2 * _UNDER * letter
        and rule.y + rule.height > box.y
        and rule.x >= box.x - reach
        and rule.x + rule.width <= box.x + box.width + reach
    )


def _is_at(rule: Box, box: Box) -> bool:
    at = (rule.y + rule.height / 2 - box.y) / box.height
    return _ABOVE < at < 1 and box.x < rule.x + rule.width and rule.x < box.x + box.width


def _is_pair(one: Box, other: Box, letter: float) -> bool:
    apart = abs(one.y + one.height / 2 - other.y - other.height / 2)
    ends = max(abs(one.x - other.x), abs(one.x + one.width - other.x - other.width))
    return (
        _CLOSE[0] * letter <= apart <= _CLOSE[1] * letter
        and ends <= _ENDS * letter
        and min(one.width, other.width) >= _SHORTEST * letter
    )


def _is_doubled(mask: NDArray[np.uint8], rule: Box, box: Box, letter: float) -> bool:
    """Whether a rule is much thicker at the writing than it is elsewhere."""
    part = np.count_nonzero(mask[rule.y : rule.y + rule.height], axis=0)
    right, end, aside = rule.x + rule.width, box.x + box.width, round(_ASIDE * letter)
    here = part[max(rule.x, box.x) : min(end, right)]
    there = np.r_[part[rule.x : max(rule.x, box.x - aside)], part[end + aside : right]]
    here, there = here[here > 0], there[there > 0]
    if len(here) < _SHORTEST * letter or len(there) < _FAR * letter:
        return False
    # Nearly all along: letters that cross it are on most of it, and leave some of it as it was.
    thick, usual = float(np.percentile(here, 30)), float(np.percentile(there, 60))
    return thick >= _TWICE * usual and thick - usual >= _MORE * letter


def _climbs(rule: Box, box: Box, letter: float) -> bool:
    return rule.height >= _CLIMBS * letter and rule.width >= _ACROSS * box.width
