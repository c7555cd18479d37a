"""What is crossed out on a registered page, and what was written beside it instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .pen_strokes import Stroke
from .replaced_words import parted_at_strike
from .struck_fields import MAY_BE_ORDERED, struck_together
from .types import Box, FieldRegion, StruckOut

SaysStruck = Callable[[Sequence[Box], bool], list[StruckOut]]
"""Boxes of lines or words, whether a doubt is to be said too -> whether each is crossed out."""


def with_strike(
    field: FieldRegion, strokes: Sequence[Stroke], letter_px: float, says: SaysStruck
) -> list[FieldRegion]:
    """Say of a value whether it is crossed out; what replaces a part of it is a value of its own.

    Args:
        field: a value.
        strokes: its ink; none: what is crossed out is not looked for.
        letter_px: typical height of a pen letter.
        says: of the page.

    Returns:
        The value; or what counts of it, then what is crossed out, both under its name.
    """
    lines = field.lines_px or (field.box_px,)
    struck = struck_together(says(lines, field.name in MAY_BE_ORDERED))
    whole = [replace(field, struck_out=struck)]
    if struck is not StruckOut.PARTLY or field.lines_px or not strokes:
        return whole
    return parted_at_strike(whole[0], strokes, letter_px, lambda words: says(words, False))
