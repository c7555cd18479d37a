"""What was crossed out in a line and what was written behind it instead, as two values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .labels import union
from .pen_strokes import Stroke
from .types import Box, FieldRegion, StruckOut

# Words stand so many letter heights apart where one was crossed out and another written behind it.
_APART = 0.6
# What is crossed out is a word or more, not a dash or a long bar.
_WORD = 2.5


def parted_at_strike(
    field: FieldRegion,
    strokes: Sequence[Stroke],
    letter_px: float,
    says: Callable[[Sequence[Box]], list[StruckOut]],
) -> list[FieldRegion]:
    """Part a value of which words are crossed out and others are written behind them.

    Args:
        field: a value that is crossed out in part.
        strokes: its ink.
        letter_px: typical height of a pen letter.
        says: boxes of words -> whether each is crossed out.

    Returns:
        What counts of the value, then what is crossed out, both under its name; the value as it
        is where it is not words that are crossed out, or nothing is written behind them.
    """
    words = _words(strokes, _APART * letter_px)
    boxes = [union([one.box_px for one in word]) for word in words]
    said = says(boxes) if len(words) > 1 else []
    crossed = [box for box, one in zip(boxes, said, strict=False) if one is StruckOut.WHOLLY]
    left = [box for box, one in zip(boxes, said, strict=False) if one is StruckOut.NO]
    if not crossed or not left or len(crossed) + len(left) < len(words):
        return [field]
    counts, out = union(left), union(crossed)
    if out.width < _WORD * letter_px or out.x + out.width > counts.x:
        return [field]
    return [
        replace(field, box_px=counts, struck_out=StruckOut.NO),
        replace(field, box_px=out, struck_out=StruckOut.WHOLLY),
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
