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
    cores = survey.cores
    if cores is None:
        return list(fields)
    kept = list(fields)
    for one in fields:
        if one.named_by is not NamedBy.NOBODY or one.printed_text is not None or one.lines_px:
            continue
        if not _may_be_tail(survey, one.box_px, letter_px) or cores.holding(survey.ink, one.box_px):
            continue
        owners = [
            other for other in kept
            if other is not one and _is_over(other, one.box_px, letter_px)
        ]  # fmt: skip
        if owners:
            owner = min(owners, key=lambda other: abs(_lower(other.box_px) - one.box_px.y))
            kept[kept.index(owner)] = _with(owner, one.box_px)
            kept.remove(one)
    return kept


def _may_be_tail(survey: PageSurvey, box: Box, letter: float) -> bool:
    if box.width > _WIDE * letter or box.height > _HIGH * letter:
        return False
    return any(
        rule.x < box.x + box.width and rule.x + rule.width > box.x
        and abs(box.y - rule.y - rule.height) <= _NEAR_PX
        for rule in survey.rules.horizontal
    )  # fmt: skip


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
