"""A word crossed out in a field and the word written behind it are two values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clinic_hwr.pages.form_strikes import SaysStruck, with_strike
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.types import Box, FieldKind, FieldRegion, StruckOut

FIRST, SECOND = Box(100, 100, 120, 30), Box(260, 100, 140, 30)
FIELD = FieldRegion("drug", FieldKind.DRUG, Box(100, 100, 300, 30), group=1)
STROKES = (Stroke(FIRST, 900), Stroke(SECOND, 900))


def says(struck: Box) -> SaysStruck:
    def of(boxes: Sequence[Box], doubts: bool) -> list[StruckOut]:
        wide = [StruckOut.PARTLY if box.width > 200 else StruckOut.NO for box in boxes]
        return [
            StruckOut.WHOLLY if box == struck else one for box, one in zip(boxes, wide, strict=True)
        ]

    return of


def test_what_replaces_a_crossed_out_word_is_a_value_of_its_own() -> None:
    found = with_strike(FIELD, STROKES, 20.0, says(FIRST))

    assert [(one.box_px, one.struck_out) for one in found] == [
        (SECOND, StruckOut.NO),
        (FIRST, StruckOut.WHOLLY),
    ]
    assert {(one.name, one.group) for one in found} == {("drug", 1)}


def test_a_word_crossed_out_at_the_end_leaves_the_value_one_and_doubtful() -> None:
    found = with_strike(FIELD, STROKES, 20.0, says(SECOND))

    assert [(one.box_px, one.struck_out) for one in found] == [(FIELD.box_px, StruckOut.PARTLY)]


def test_what_is_crossed_out_as_a_whole_stays_whole() -> None:
    found = with_strike(FIELD, STROKES, 20.0, says(FIELD.box_px))

    assert [one.struck_out for one in found] == [StruckOut.WHOLLY]


def test_a_doubt_is_asked_of_a_value_and_not_of_its_words() -> None:
    asked: list[tuple[int, bool]] = []

    def of(boxes: Sequence[Box], doubts: bool) -> list[StruckOut]:
        asked.append((len(boxes), doubts))
        return [StruckOut.PARTLY if len(boxes) == 1 else StruckOut.NO] * len(boxes)

    with_strike(FIELD, STROKES, 20.0, of)
    with_strike(replace(FIELD, name="quantity"), STROKES, 20.0, of)
    assert asked == [(1, True), (2, False), (1, False), (2, False)]


def test_what_is_perhaps_crossed_out_stays_whole() -> None:
    found = with_strike(FIELD, STROKES, 20.0, lambda boxes, doubts: [StruckOut.PERHAPS])

    assert [(one.box_px, one.struck_out) for one in found] == [(FIELD.box_px, StruckOut.PERHAPS)]
