"""Which values of a page are crossed out, as a whole, in part or perhaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .areas import centre, contains
from .medication_groups import PER_MEDICATION
from .pen_strokes import Stroke
from .replaced_words import parted_at_strike
from .strikes import find_strikes
from .survey import PageSurvey
from .types import Box, FieldRegion, LineMaps, StruckOut

_READ_THROUGH = 0.85  # confidence of OCR
MAY_BE_ORDERED = frozenset({"drug", "strength"})
"""Names of what harms most if it was crossed out: directions are more, and longer to look at."""
# What has no name yet may be a drug where it is so wide and the segmenter is so sure of writing.
_DRUG_LETTERS, _MARKED = 7.0, 0.5
# Letter heights below a drug where a line through its row may be, and the share of a value that it
# goes along. On six sets of developing pages, 2026-11-28, it is one of 434 struck drugs, and none
# of 1,270 others.
_LOW, _ALONG = 0.6, 0.5


def with_strikes(
    survey: PageSurvey, fields: Sequence[FieldRegion], letter_px: float
) -> list[FieldRegion]:
    """Say of written and printed values whether they are crossed out; marks are left out.

    Args:
        survey: of the page.
        fields: of the page, all of them.
        letter_px: typical height of a pen letter.
    """
    ink = survey.all_ink
    looked_at = [
        one for one in fields
        if one.present is None and not (_in_cells(one) or is_choice(one) or is_read_through(one))
    ]  # fmt: skip
    if ink is None or not looked_at:
        return list(fields)
    lines = [(one.name, line) for one in looked_at for line in one.lines_px or (one.box_px,)]
    said = iter(find_strikes(
        survey.gray, ink, survey.rules, [line for _, line in lines], letter_px, survey.maps,
        ask_of=[_may_be_ordered(survey, name, box, letter_px) for name, box in lines],
    ))  # fmt: skip
    struck = {
        id(one): struck_together([next(said) for _ in one.lines_px or (one.box_px,)])
        for one in looked_at
    }
    found: list[FieldRegion] = []
    for one in fields:
        field = replace(one, struck_out=struck.get(id(one), StruckOut.NO))
        partly = field.struck_out is StruckOut.PARTLY and not field.lines_px
        if partly and field.name in MAY_BE_ORDERED:
            found += parted_at_strike(
                field, _strokes_of(survey, field), letter_px,
                lambda words: find_strikes(
                    survey.gray, ink, survey.rules, words, letter_px, survey.maps
                ),
            )  # fmt: skip
        else:
            found.append(field)
    return _asked_by_row(found, survey.rules.horizontal, letter_px)


def _asked_by_row(
    fields: Sequence[FieldRegion], rules: Sequence[Box], letter_px: float
) -> list[FieldRegion]:
    """Ask about a drug under which a level line runs that crosses out directions on its row.

    A line through a row of a chart lies low in it, and looks like one of its rules: what is
    written higher there, as drugs are now and then, is not crossed by it.
    """
    crossed = [
        one for one in fields
        if one.struck_out.is_said and one.name in PER_MEDICATION
        and one.name not in MAY_BE_ORDERED
    ]  # fmt: skip
    return [
        replace(one, struck_out=StruckOut.PERHAPS)
        if one.name in MAY_BE_ORDERED
        and one.struck_out is StruckOut.NO
        and any(
            one.group == other.group
            and _goes_along(line, one.box_px, _LOW * letter_px)
            and _goes_along(line, other.box_px, 0.0)
            for other in crossed
            for line in rules
        )
        else one
        for one in fields
    ]  # fmt: skip


def _goes_along(line: Box, value: Box, below_px: float) -> bool:
    """Whether a level line goes along half of a value, no more than so far below it."""
    shared = min(line.x + line.width, value.x + value.width) - max(line.x, value.x)
    down = line.y + line.height / 2 - value.y
    return shared >= _ALONG * value.width and 0 < down < value.height + below_px


def _strokes_of(survey: PageSurvey, field: FieldRegion) -> list[Stroke]:
    return [one for one in survey.strokes if contains(field.box_px, *centre(one.box_px))]


def _in_cells(field: FieldRegion) -> bool:
    """Whether a value is written in a comb; what is taken for a drug in one is strokes as well."""
    return bool(field.comb) and field.name not in MAY_BE_ORDERED


def _may_be_ordered(survey: PageSurvey, name: str, line: Box, letter_px: float) -> bool:
    if name in MAY_BE_ORDERED:
        return True
    wide = name == "unnamed" and line.width >= _DRUG_LETTERS * letter_px
    return wide and survey.maps is not None and _is_marked(survey.maps, line)


def _is_marked(maps: LineMaps, line: Box) -> bool:
    """Whether a segmenter sees handwriting in a line: grain and streaks are none."""
    top, bottom = (round(y * maps.scale) for y in (line.y, line.y + line.height))
    left, right = (round(x * maps.scale) for x in (line.x, line.x + line.width))
    return bool((maps.hand[top : bottom + 1, left : right + 1] > _MARKED).any())


def struck_together(lines: Sequence[StruckOut]) -> StruckOut:
    """What is said of a block whose lines are crossed out or not."""
    if lines and all(line is StruckOut.WHOLLY for line in lines):
        return StruckOut.WHOLLY
    if any(line.is_said for line in lines):
        return StruckOut.PARTLY
    return StruckOut.PERHAPS if StruckOut.PERHAPS in lines else StruckOut.NO


def is_choice(field: FieldRegion) -> bool:
    """Whether a field is a circle around a printed choice: a stroke through print by nature."""
    return bool(field.options or field.mark_doubt) or (
        field.name == "refills" and field.printed_text is not None
    )


def is_read_through(field: FieldRegion) -> bool:
    """Whether OCR read a printed value too surely for a stroke to go through it.

    What may be a drug is looked at all the same: a thin stroke through type is still read.
    """
    said = field.printed_text is not None and field.confidence >= _READ_THROUGH
    return said and field.name not in (*PER_MEDICATION, "refills", "unnamed")
