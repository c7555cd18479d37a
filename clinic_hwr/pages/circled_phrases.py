"""Phrases that say by themselves whether a drug may be substituted, and a loop around one of them.

"Dispense as written" stands under a signature line on most pads; on others it is circled. OCR reads
nothing, or nonsense, inside of a loop: what it holds is read once more without it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from .choice_marks import loop_in
from .choice_reread import reread_rows
from .label_vocabulary import label_vocabulary, normalised
from .pen_strokes import Stroke
from .survey import PageSurvey
from .types import FIELD_NAMES, Box, FieldRegion, MarkDoubt, PrintedWord

_AS_WRITTEN = frozenset({
    "dispense as written", "daw", "do not substitute", "brand medically necessary",
    "may not substitute", "brand necessary", "no substitution", "no sustituir",
    "aut idem ausgeschlossen",
})  # fmt: skip
_WIDE, _HIGH = 2.5, 1.25  # capitals: no loop around three letters is smaller
_RIM = 0.4  # capitals: what OCR or a rule of the form may have taken of a loop's box
_LONG = 1.6  # times as wide as high
_AROUND = 0.6  # of its box: a loop in a word of print is a letter or two
# A phrase is one that we know from this likeness on, if nothing of the other meaning is as near.
_ALIKE, _CLEARLY = 83.0, 5.0
_MOST = 4  # loops of a page that are read


def circled_phrase(
    survey: PageSurvey, words: Sequence[PrintedWord], known: Sequence[Box]
) -> tuple[FieldRegion, frozenset[Stroke]] | None:
    """Return the substitution field of a page on which such a phrase is circled, and the loops.

    Args:
        survey: of the page.
        words: all that OCR read: a loop may have been read as part of a word.
        known: boxes of choices that were understood: their loops are not looked at again.
    """
    boxes = [one.box_px for one in survey.strokes] + [one.box_px for one in words]
    large = [
        box for box in boxes
        if box.width > _WIDE * survey.unit_px and box.height > _HIGH * survey.unit_px
        and box.width > _LONG * box.height and not any(_meet(box, other) for other in known)
    ]  # fmt: skip
    gray = survey.gray.copy()
    loops: list[Box] = []
    for box in (_wider(box, round(_RIM * survey.unit_px)) for box in large):
        if any(_meet(box, other) for other in loops):
            continue
        loop = loop_in(survey, box)
        if loop is not None and len(loops) < _MOST and _is_around_all(loop, survey.unit_px):
            part = gray[box.y : box.y + box.height, box.x : box.x + box.width]
            part[cv2.dilate(loop, np.ones((5, 5), np.uint8)) > 0] = 255  # with its blur
            loops.append(box)
    said: list[tuple[bool, str, Box]] = []
    rows = [(box, (), ()) for box in loops]
    for box, inside in zip(
        loops, reread_rows(gray, rows, [survey.unit_px] * len(rows)), strict=True
    ):
        phrase = " ".join(word.text for word in inside)
        for allows in _meanings(normalised(phrase)):
            said.append((allows, phrase, box))
    if not said:
        return None
    meant = {allows for allows, _, _ in said}
    doubt = MarkDoubt.NO
    if len(meant) > 1:
        doubt = MarkDoubt.SEVERAL if len(loops) > 1 else MarkDoubt.UNREAD
    field = FieldRegion(
        "substitution", FIELD_NAMES["substitution"], said[0][2], label=said[0][1],
        present=said[0][0] if doubt is MarkDoubt.NO else None, mark_doubt=doubt,
        options=tuple(dict.fromkeys(phrase for _, phrase, _ in said)),
    )  # fmt: skip
    used = frozenset(
        stroke for stroke in survey.strokes if any(_meet(stroke.box_px, box) for _, _, box in said)
    )
    return field, used


def _meanings(phrase: str) -> tuple[bool, ...]:
    """What a phrase says of substitution: one thing, nothing, or both where either may be meant.

    "May substitute" and "may not substitute" are alike: letters lost under the loop must not turn
    one into the other.
    """
    allows = label_vocabulary().fields
    alike = {
        True: [one for one, field in allows.items() if field == "substitution"],
        False: list(_AS_WRITTEN),
    }
    best = {
        meaning: max((fuzz.ratio(phrase, one) for one in phrases), default=0.0)
        for meaning, phrases in alike.items()
    }
    top = max(best.values())
    if not phrase or top < _ALIKE:
        return ()
    return tuple(meaning for meaning, ratio in best.items() if ratio > top - _CLEARLY)


def _is_around_all(loop: NDArray[np.uint8], unit_px: float) -> bool:
    """Whether a loop is around what stands in its box (without the rim), and not within it."""
    width = cv2.boundingRect(loop)[2]
    box_width = loop.shape[1] - 2 * round(_RIM * unit_px)
    return bool(width >= max(_WIDE * unit_px, _AROUND * box_width))


def _wider(box: Box, rim: int) -> Box:
    x, y = max(0, box.x - rim), max(0, box.y - rim)
    return Box(x, y, box.x + box.width + rim - x, box.y + box.height + rim - y)


def _meet(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
