"""Letters that a form rule runs through: their tails belong to them, not to the cell below."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.crossed_rules import with_tails
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.types import Box

RULE = Box(50, 100, 400, 4)
UNIT = 16.0


def _joined(*boxes: Box) -> list[Box]:
    """Boxes of what is left of filled boxes of ink."""
    ink = np.zeros((300, 500), np.uint8)
    for box in boxes:
        ink[box.y : box.y + box.height, box.x : box.x + box.width] = 255
    strokes = [Stroke(box, box.width * box.height) for box in boxes]
    found = with_tails(strokes, ink, [RULE], UNIT)
    assert sum(one.area_px for one in found) == sum(one.area_px for one in strokes)
    return [one.box_px for one in found]


LETTER = Box(120, 68, 20, 31)


def test_a_tail_below_the_rule_belongs_to_the_letter_above() -> None:
    assert _joined(LETTER, Box(126, 105, 8, 12)) == [Box(120, 68, 20, 49)]


def test_the_top_of_a_letter_belongs_to_what_is_below() -> None:
    assert _joined(Box(200, 92, 6, 7), Box(196, 105, 18, 30)) == [Box(196, 92, 18, 43)]


def test_the_tail_of_a_slanted_stroke_may_come_out_beside_where_it_went_in() -> None:
    assert len(_joined(LETTER, Box(142, 105, 8, 12))) == 1


@pytest.mark.parametrize(
    ("what", "below"),
    [
        ("a letter of the next line", Box(122, 105, 18, 28)),
        ("a tail that is none of this letter", Box(150, 105, 8, 12)),
        ("an accent that does not reach the rule", Box(126, 110, 8, 8)),
    ],
)
def test_what_else_stands_below_stays_by_itself(what: str, below: Box) -> None:
    assert _joined(LETTER, below) == [LETTER, below], what


def test_beside_the_rule_nothing_is_joined() -> None:
    boxes = [Box(470, 68, 20, 31), Box(476, 105, 8, 12)]

    assert _joined(*boxes) == boxes


def test_a_tail_from_the_cell_above_is_no_part_of_a_value() -> None:
    gray = np.full((900, 1200), 255, np.uint8)
    for y in (200, 260, 320):
        cv2.rectangle(gray, (100, y), (800, y + 2), 60, -1)
    words = []
    for text, y in (("Patient", 202), ("Allergies", 262)):
        cv2.putText(gray, text, (104, y + 16), 0, 0.5, 0, 1)
        words.append(PrintedWord(text, Box(104, y + 4, 9 * len(text), 13), 0.96))
    for x in (240, 280, 320, 360):
        cv2.line(gray, (x, 250), (x + 14, 222), 0, 3)
        cv2.line(gray, (x + 14, 222), (x + 20, 252), 0, 3)
        cv2.line(gray, (x, 310), (x + 10, 288), 0, 3)
        cv2.line(gray, (x + 10, 288), (x + 24, 311), 0, 3)
    cv2.line(gray, (520, 225), (510, 276), 0, 3)  # a long letter of the row above
    fields = find_fields(UprightPage(gray, 0, 0.0, np.eye(3)), words, forms=[])
    [allergies] = [one for one in fields if one.name == "allergies"]

    assert allergies.box_px.y > 280
    assert allergies.box_px.x + allergies.box_px.width < 400
