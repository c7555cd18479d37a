"""Pieces of a stamp or of grain are shown as one thing, lines and named values as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_hwr.pages.other_ink import with_other_ink_together
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.types import FIELD_NAMES, Box, FieldRegion, LineMaps, NamedBy

LETTER = 20.0
FRAME, TEXT, FAR = Box(100, 100, 200, 15), Box(120, 130, 150, 25), Box(100, 300, 40, 20)


def _ink(box: Box, name: str = "unnamed", by: NamedBy = NamedBy.NOBODY) -> FieldRegion:
    return FieldRegion(name, FIELD_NAMES[name], box, named_by=by)


def _together(
    *fields: FieldRegion, hand: Box | None = None, printed: Box | None = None, maps: bool = True
) -> list[Box]:
    planes = []
    for box in (hand, printed):
        plane = np.zeros((200, 200), np.float32)
        if box is not None:
            plane[box.y // 2 : (box.y + box.height) // 2,
                  box.x // 2 : (box.x + box.width) // 2] = 0.9  # fmt: skip
        planes.append(plane)
    page = np.full((400, 400), 255, np.uint8)
    survey = replace(survey_page(page, ()), maps=LineMaps(*planes, 0.5) if maps else None)
    found = with_other_ink_together(survey, fields, LETTER)
    return sorted((one.box_px for one in found), key=lambda box: (box.y, box.x))


def test_what_stands_close_together_is_one_and_what_is_far_is_another() -> None:
    assert _together(_ink(FRAME), _ink(TEXT), _ink(FAR)) == [Box(100, 100, 200, 55), FAR]


def test_a_chain_of_pieces_is_one_whatever_their_order() -> None:
    steps = [Box(100, 100 + 40 * n, 20, 20) for n in (0, 2, 1)]
    assert _together(*map(_ink, steps)) == [Box(100, 100, 20, 100)]


def test_the_print_of_a_stamp_goes_with_its_frame_but_two_lines_of_print_stay_two() -> None:
    assert _together(_ink(FRAME), _ink(TEXT), printed=TEXT) == [Box(100, 100, 200, 55)]
    assert _together(_ink(FRAME), _ink(TEXT), printed=Box(90, 90, 240, 80)) == [FRAME, TEXT]


def test_a_line_of_handwriting_stays_a_line() -> None:
    assert _together(_ink(FRAME), _ink(TEXT), hand=TEXT) == [FRAME, TEXT]


@pytest.mark.parametrize(
    "other",
    [
        _ink(TEXT, "drug", NamedBy.LABEL),
        replace(_ink(TEXT), printed_text="COPY", confidence=0.9),
        replace(_ink(TEXT), options=("1", "2")),
        replace(_ink(TEXT), lines_px=(TEXT,)),
        replace(_ink(TEXT, "signature"), present=True),
    ],
    ids=["named", "read", "choices", "lines", "a mark"],
)
def test_other_fields_are_no_pieces(other: FieldRegion) -> None:
    assert _together(_ink(FRAME), other) == [FRAME, TEXT]


def test_nothing_is_joined_around_a_value() -> None:
    left, right = Box(100, 100, 20, 60), Box(145, 100, 20, 60)
    value = _ink(Box(122, 110, 20, 30), "quantity", NamedBy.LABEL)
    assert _together(_ink(left), _ink(right), value) == [left, right, value.box_px]


def test_without_a_segmenter_everything_stays() -> None:
    assert _together(_ink(FRAME), _ink(TEXT), maps=False) == [FRAME, TEXT]
