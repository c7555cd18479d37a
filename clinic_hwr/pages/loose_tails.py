"""Tails of letters under a rule that no letter owns: they belong to the line above, as a whole.

``crossed_rules`` gives a tail to the stroke it was cut from. Where the letter ends before the rule,
or the tail leans away in it, none is; it would be shown as ink of its own, and its line without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .labels import union
from .survey import PageSurvey
from .types import Box, FieldRegion, NamedBy

_NEAR_PX = 5  # from the rule to the tail
_WIDE, _HIGH = 1.6, 1.2  # of a tail, in letters
_UP, _DOWN = 1.2, 0.6  # from the lower edge of the line to the tail, in letters
_UNDER = 0.7  # share of a tail's width that is under its line


def with_loose_tails(
    survey: PageSurvey, fields: Sequence[FieldRegion], letter_px: float
) -> list[FieldRegion]:
    """Join unnamed pieces of ink right under a rule to the value that is written on it.

    Args:
        survey: of the page; without a segmenter nothing is joined, for what it marks is no tail.
        fields: found on it, unnamed ink among them.
        letter_px: typical height of a pen letter.
    """
    if survey.cores is None:
        return list(fields)
    kept: list[FieldRegion] = []
    tails: list[FieldRegion] = []
    for one in fields:
        (tails if _may_be_tail(survey, one, letter_px) else kept).append(one)
    whole = list(kept)
    for tail in tails:
        over = [n for n, one in enumerate(kept) if _is_over(one, tail.box_px, letter_px)]
        if over:
            owner = min(over, key=lambda n: abs(_lower(kept[n].box_px) - tail.box_px.y))
            whole[owner] = _with(whole[owner], tail.box_px)
        else:
            whole.append(tail)
    return whole


def _may_be_tail(survey: PageSurvey, field: FieldRegion, letter: float) -> bool:
    """Whether this is small ink right under a rule that nobody has named and no segmenter seen."""
    box = field.box_px
    if field.named_by is not NamedBy.NOBODY or field.printed_text is not None or field.lines_px:
        return False
    if box.width > _WIDE * letter or box.height > _HIGH * letter:
        return False
    under = any(
        rule.x < box.x + box.width and rule.x + rule.width > box.x
        and abs(box.y - rule.y - rule.height) <= _NEAR_PX
        for rule in survey.rules.horizontal
    )  # fmt: skip
    return under and survey.cores is not None and not survey.cores.holding(survey.ink, box)


def _is_over(field: FieldRegion, tail: Box, letter: float) -> bool:
    """Whether a written value ends right over a tail."""
    if field.printed_text is not None or field.present is not None or field.comb or field.options:
        return False
    box = field.box_px
    shared = min(box.x + box.width, tail.x + tail.width) - max(box.x, tail.x)
    if shared < _UNDER * tail.width or box.height < tail.height:
        return False
    return -_UP * letter <= tail.y - _lower(box) <= _DOWN * letter


def _lower(box: Box) -> int:
    return box.y + box.height


def _with(field: FieldRegion, tail: Box) -> FieldRegion:
    """The value with its tail; of several lines the one nearest over it gets it."""
    lines = list(field.lines_px)
    if lines:
        near = min(range(len(lines)), key=lambda n: abs(_lower(lines[n]) - tail.y))
        lines[near] = union([lines[near], tail])
    return replace(field, box_px=union([field.box_px, tail]), lines_px=tuple(lines))
