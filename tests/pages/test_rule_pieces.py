"""Underlines too short to be rules: they are none of the writing that stands on them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import PrintedWord, UprightPage, find_fields
from clinic_hwr.pages.line_cores import LineCores
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.rule_pieces import cell_sides, short_blanks, without_rule_pieces
from clinic_hwr.pages.rules import DarkParts
from clinic_hwr.pages.types import Box, LineMaps

RULE = Box(200, 278, 360, 5)
UNIT = 17.0


def _kept(box: Box, rule: Box = RULE) -> bool:
    stroke = Stroke(box, box.width * box.height)
    return without_rule_pieces([stroke], [rule], UNIT) == (stroke,)


@pytest.mark.parametrize("box", [Box(620, 279, 54, 2), Box(620, 280, 15, 3), Box(60, 278, 50, 4)])
def test_a_flat_piece_that_goes_on_where_a_rule_does_is_none_of_the_writing(box: Box) -> None:
    assert not _kept(box)


@pytest.mark.parametrize(
    ("what", "box"),
    [
        ("a letter on the rule", Box(620, 258, 22, 24)),
        ("a dash above it", Box(620, 268, 40, 3)),
        ("a dot on it", Box(620, 279, 3, 3)),
        ("a hyphen on it", Box(620, 279, 12, 3)),
        ("a flat piece far away", Box(1000, 279, 54, 2)),
    ],
)
def test_what_is_not_level_flat_and_near_stays(what: str, box: Box) -> None:
    assert _kept(box), what


@pytest.mark.parametrize("rule_of_its_row", [True, False])
def test_the_letter_on_a_short_underline_is_the_value_and_no_wider_than_it_is(
    rule_of_its_row: bool,
) -> None:
    gray = np.full((900, 1200), 255, np.uint8)
    if rule_of_its_row:
        cv2.rectangle(gray, (200, 278), (560, 281), 60, -1)
    cv2.rectangle(gray, (680, 278), (720, 280), 60, -1)
    for x in (230, 300, 370, 440):
        cv2.line(gray, (x, 275), (x + 14, 245), 0, 3)
        cv2.line(gray, (x + 14, 245), (x + 28, 274), 0, 3)
    cv2.line(gray, (700, 272), (706, 246), 0, 3)
    cv2.line(gray, (706, 246), (720, 272), 0, 3)
    words = [
        PrintedWord(text, box, 0.96)
        for text, box in (
            ("Name", Box(120, 258, 64, 17)), ("Sex", Box(620, 258, 38, 17)),
        )
    ]  # fmt: skip
    for word in words:
        box = word.box_px
        cv2.putText(gray, word.text, (box.x, box.y + 17), 0, 0.7, 0, 2)
    fields = find_fields(UprightPage(gray, 0, 0.0, np.eye(3)), words, forms=[])
    [sex] = [one for one in fields if one.name == "patient_sex"]

    assert sex.box_px.width < 32


@pytest.mark.parametrize("label", [Box(100, 396, 60, 30), Box(590, 200, 60, 17)])
def test_a_label_at_the_edge_of_the_page_has_no_blank(label: Box) -> None:
    parts = DarkParts.of(np.full((400, 600), 255, np.uint8))
    assert not short_blanks(parts, [label], UNIT).any()


UPPER, LOWER = Box(100, 200, 600, 4), Box(100, 260, 600, 4)
SIDE = Box(300, 206, 4, 52)


def _sides(*boxes: Box, marked: Box | None = None) -> list[Box]:
    """Which of some strokes between two rules are sides of cells; one is marked as writing."""
    ink, numbers = np.zeros((400, 800), np.uint8), np.zeros((400, 800), np.int32)
    for box in boxes:
        ink[box.y : box.y + box.height, box.x : box.x + box.width] = 255
    if marked:
        numbers[marked.y : marked.y + marked.height, marked.x : marked.x + marked.width] = 1
    strokes = [Stroke(box, box.width * box.height) for box in boxes]
    found = cell_sides(strokes, [UPPER, LOWER], UNIT, LineCores(numbers, 1.0), ink)
    return [one.box_px for one in found]


def test_an_upright_line_from_rule_to_rule_is_the_side_of_a_cell() -> None:
    assert _sides(SIDE) == [SIDE]
    assert _sides(Box(300, 206, 4, 45)) == [Box(300, 206, 4, 45)]  # faded at its lower end


@pytest.mark.parametrize(
    ("what", "box"),
    [
        ("a figure one that meets no rule", Box(300, 213, 4, 40)),
        ("a tail that hangs from a rule", Box(300, 206, 4, 30)),
        ("what is no thinner than a letter", Box(300, 206, 12, 52)),
        ("what stands beside the rules", Box(740, 206, 4, 52)),
    ],
)
def test_what_else_stands_between_rules_is_none(what: str, box: Box) -> None:
    assert _sides(box) == [], what


def test_a_figure_one_in_a_tight_row_is_no_side() -> None:
    """Marked by the segmenter, or beside a figure that is as high."""
    assert _sides(SIDE, marked=SIDE) == []
    two = Box(280, 212, 16, 44)
    assert _sides(two, SIDE, marked=two) == []
    small = Box(280, 230, 16, 24)
    assert _sides(small, SIDE, marked=small) == [SIDE]
    far = Box(250, 212, 16, 44)
    assert _sides(far, SIDE, marked=far) == [SIDE]


def test_the_side_of_a_low_cell_ends_the_value_before_it() -> None:
    gray = np.full((900, 1200), 255, np.uint8)
    for y in (236, 292):
        cv2.rectangle(gray, (100, y), (1100, y + 2), 90, -1)
    cv2.rectangle(gray, (520, 240), (523, 290), 90, -1)
    letters = [(x, 252, 16, 26) for x in (220, 250, 280, 310)]
    hand = np.zeros((900, 1200), np.float32)
    for x, y, width, height in letters:
        cv2.ellipse(gray, (x + width // 2, y + height // 2), (8, 13), 0, 0, 360, 0, 3)
    hand[258:272, 216:330] = 1.0
    words = [
        PrintedWord(text, box, 0.96)
        for text, box in (("Name", Box(120, 256, 64, 17)), ("Sex", Box(540, 256, 38, 17)))
    ]
    (field,) = [
        one
        for one in find_fields(
            UprightPage(gray, 0, 0.0, np.eye(3)), words, forms=[],
            segmenter=lambda _: LineMaps(hand, np.zeros_like(hand), 1.0),
        )
        if one.name == "patient_name"
    ]  # fmt: skip
    assert field.box_px.x + field.box_px.width < 335
