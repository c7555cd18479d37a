"""Values that a label cut in two: what stands right beside the rest of its line belongs to it.

A label under its line names what is written to the right of its own end; where the form is not
known to set its labels so, the beginning of the value is left over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .areas import same_row
from .labels import union
from .survey import PageSurvey
from .types import Box, FieldRegion, NamedBy

_NEAR, _INTO = 0.8, 1.0  # letters: a gap no wider than between words; how far boxes may overlap
_NAMED = (NamedBy.LABEL, NamedBy.PLACE)
_UNDER = 0.3  # heights of a word that stands no lower under them: it is the label under their line
_AS_HIGH = 0.4, 1.8  # of the other's height: a fold is higher


def with_halves(
    survey: PageSurvey, fields: Sequence[FieldRegion], letter_px: float
) -> list[FieldRegion]:
    """Join unnamed ink to the value that goes on right beside it, or ends there.

    Args:
        survey: of the page; without a segmenter nothing is joined.
        fields: found on it.
        letter_px: typical height of a pen letter.
    """
    if survey.cores is None:
        return list(fields)
    letter = max(letter_px, survey.cores.letter_px)
    whole = list(fields)
    for one in fields:
        if one.named_by is not NamedBy.NOBODY or not _is_line(one):
            continue
        near = [
            number for number, other in enumerate(whole)
            if other.named_by in _NAMED and _is_line(other)
            and _goes_on(survey, one.box_px, other.box_px, letter)
        ]  # fmt: skip
        if len(near) == 1:
            other = whole[near[0]]
            whole[near[0]] = replace(other, box_px=union([other.box_px, one.box_px]))
            whole.remove(one)
    return whole


def _is_line(field: FieldRegion) -> bool:
    """Whether a field is one line of writing."""
    plain = field.printed_text is None and field.present is None
    return plain and not (field.comb or field.options or field.lines_px or field.mark_doubt)


def _goes_on(survey: PageSurvey, one: Box, other: Box, letter: float) -> bool:
    """Whether two boxes stand on one row side by side, and nothing printed between them."""
    left, right = sorted((one, other), key=lambda box: box.x)
    gap = right.x - left.x - left.width
    if not (same_row(left, right) and -_INTO * letter <= gap <= _NEAR * letter):
        return False
    least, most = (share * other.height for share in _AS_HIGH)
    if not least <= one.height <= most or right.x + right.width < left.x + left.width:
        return False
    top, bottom = max(left.y, right.y), min(left.y + left.height, right.y + right.height)
    sides = [r for r in survey.rules.vertical if r.y < bottom and r.y + r.height > top]
    middle = left.x + left.width + gap / 2
    if any(abs(side.x + side.width / 2 - middle) <= letter / 2 + gap / 2 for side in sides):
        return False
    return not any(
        box.x < middle < box.x + box.width
        and top < box.y + box.height / 2 < bottom - _UNDER * box.height
        for box in (word.box_px for word in survey.words)
    )
