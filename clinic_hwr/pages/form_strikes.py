"""What is crossed out on a registered page, and what was written beside it instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .labels import union
from .pen_strokes import Stroke
from .struck_fields import MAY_BE_ORDERED, struck_together
from .types import Box, FieldRegion, StruckOut

SaysStruck = Callable[[Sequence[Box], bool], list[StruckOut]]
"""Boxes of lines or words, whether a doubt is to be said too -> whether each is crossed out."""

# Words stand so many letter heights apart where one was crossed out and another written behind it.
_APART = 0.6
# What is crossed out is a word or more, not a dash or a long bar.
_WORD = 2.5


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
    words = _words(strokes, _APART * letter_px)
    said = says([union([one.box_px for one in word]) for word in words], False)
    crossed = [word for word, one in zip(words, said, strict=True) if one is StruckOut.WHOLLY]
    left = [word for word, one in zip(words, said, strict=True) if one is StruckOut.NO]
    if not crossed or not left or len(crossed) + len(left) < len(words):
        return whole
    boxes = [union([s.box_px for word in part for s in word]) for part in (left, crossed)]
    # who crosses a word out writes the next behind it
    if boxes[1].width < _WORD * letter_px or boxes[1].x + boxes[1].width > boxes[0].x:
        return whole
    return [
        replace(field, box_px=boxes[0]),
        replace(field, box_px=boxes[1], struck_out=StruckOut.WHOLLY),
    ]


def _words(strokes: Sequence[Stroke], gap: float) -> list[list[Stroke]]:
    """Strokes parted where nothing is written for a gap."""
    words: list[list[Stroke]] = []
    end = 0
    for stroke in sorted(strokes, key=lambda one: one.box_px.x):
        if not words or stroke.box_px.x - end > gap:
            words.append([])
        words[-1].append(stroke)
        end = max(end, stroke.box_px.x + stroke.box_px.width)
    return words
