"""Blocks of cells that repeat: their labels, their groups, and what is no block."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, PrintedWord, find_fields
from clinic_hwr.pages.label_vocabulary import label_vocabulary
from clinic_hwr.pages.repeated_cells import repeated_cells
from clinic_hwr.pages.rules import find_rules
from clinic_hwr.pages.survey import PageSurvey, survey_page
from clinic_hwr.pages.types import UprightPage

_LEFT, _RIGHT, _TALL = 100, 1100, 60
_EDGES = ((_LEFT, 700, _RIGHT), (_LEFT, 400, 800, _RIGHT))


def _word(text: str, x: int, y: int) -> PrintedWord:
    return PrintedWord(text, Box(x, y, 10 * len(text), 14), 0.9)


def _blocks(labels: list[list[list[str]]], gap: int = 25) -> tuple[np.ndarray, list[PrintedWord]]:
    """Draw a block for every entry: two rows of cells with a label and a scrawl in each."""
    page = np.full((1650, 1275), 255, np.uint8)
    words, y = [_word("Name:", 100, 100)], 300
    for block in labels:
        for edges, texts in zip(_EDGES, block, strict=True):
            for x0, x1, text in zip(edges, edges[1:], texts, strict=False):
                cv2.rectangle(page, (x0, y), (x1, y + _TALL), 60, 2)
                for letter in range(4):
                    x = x0 + 20 + 18 * letter
                    cv2.ellipse(page, (x, y + 42), (6, 9), 0, 0, 300, 0, 3)
                at = x0 + 6
                for one in text.split():
                    words.append(_word(one, at, y + 5))
                    cv2.putText(page, one, (at, y + 19), cv2.FONT_HERSHEY_DUPLEX, 0.55, 30, 1)
                    at += 10 * len(one) + 8
            y += _TALL
        y += gap
    return page, words


def _survey(page: np.ndarray, words: list[PrintedWord]) -> PageSurvey:
    return survey_page(page, words, vocabulary=label_vocabulary())


_WHOLE = [["Medication", "Dose"], ["Directions", "Route", "Quantity"]]


def test_a_label_that_was_read_in_one_block_names_that_cell_of_all() -> None:
    blind = [["", "Dose"], ["", "", ""]]
    page, words = _blocks([_WHOLE, blind, [["", ""], ["", "Route", ""]]])
    cells, areas = repeated_cells(_survey(page, words))
    assert len(areas) == 3
    assert {(one.field, one.group) for one in cells if one.field} == {
        (field, group) for group in (1, 2, 3) for field in ("drug", "strength", "sig", "quantity")
    }
    third = {one.field: one.box_px for one in cells if one.group == 3 and one.field}
    assert abs(third["quantity"].x - 800) < 5 and abs(third["strength"].x - 700) < 5


def test_badly_read_labels_are_told_together_and_one_alone_is_not() -> None:
    misread = [
        [["Medication", ""], ["Qyantiey", "", ""]],
        [["Medication", ""], ["Guantitv", "", ""]],
        [["Medication", ""], ["Quamtlty", "", ""]],
    ]
    page, words = _blocks(misread)
    cells, _ = repeated_cells(_survey(page, words))
    assert {one.field for one in cells} - {""} == {"drug", "quantity"}
    misread[1][1][0] = misread[2][1][0] = ""
    misread[0][1][0] = "Quarrtlfv"
    page, words = _blocks(misread)
    cells, _ = repeated_cells(_survey(page, words))
    assert {one.field for one in cells} - {""} == {"drug"}


def test_fields_have_the_group_of_their_block_and_nothing_else_is_a_drug() -> None:
    page, words = _blocks([_WHOLE, [["", ""], ["", "", ""]], _WHOLE])
    upright = UprightPage(page, 0, 0.0, np.eye(3))
    fields = find_fields(upright, words, forms=[])
    found = {(one.name, one.group) for one in fields if one.group}
    assert found == {
        (name, group) for group in (1, 2, 3) for name in ("drug", "strength", "sig", "quantity")
    }
    routes = [one for one in fields if one.name == "unnamed"]
    assert len(routes) == 3 and all(380 < one.box_px.x < 500 for one in routes)


@pytest.mark.parametrize("gap", [0, 25])
def test_one_block_alone_is_left_to_its_labels(gap: int) -> None:
    page, words = _blocks([_WHOLE], gap)
    assert repeated_cells(_survey(page, words)) == ((), ())


def test_sides_of_low_cells_are_rules_and_a_tall_one_is_a_digit() -> None:
    page, _ = _blocks([_WHOLE, _WHOLE])
    page[302:358, 640:644] = 0  # a 1 that fills its cell
    sides = {
        round(one.x + one.width / 2)
        for one in find_rules(page).vertical
        if _LEFT + 5 < one.x < _RIGHT - 5
    }
    assert all(min(abs(x - edge) for edge in (400, 700, 800)) < 4 for x in sides)
    assert len(sides) >= 3


def test_a_side_ends_at_its_rule_where_a_letter_goes_on_below_it() -> None:
    """Sides of the upper rows stand over the stems of labels; they are no longer for it."""
    page, _ = _blocks([_WHOLE, _WHOLE])
    whole = find_rules(page).vertical
    for top in (300, 300 + 2 * _TALL):
        page[top + _TALL + 2 : top + _TALL + 40, 699:702] = 0
    stems = find_rules(page).vertical
    sides = [one for one in whole if 690 < one.x < 710]
    assert len(sides) == 2
    assert [one for one in stems if 690 < one.x < 710] == sides


def test_sides_that_lean_with_the_sheet_are_sides_of_one_chart() -> None:
    page, _ = _blocks([_WHOLE, _WHOLE, _WHOLE], gap=0)
    lean = np.array([[1.0, 0.035, 0.0], [0.0, 1.0, 0.0]])
    page = cv2.warpAffine(page, lean, page.shape[::-1], borderValue=255)

    sides = find_rules(page).vertical

    for row, edge in enumerate((700, 400, 700, 400, 700, 400)):
        y = 300 + row * _TALL + _TALL // 2
        assert any(
            abs(one.x + one.width / 2 - edge - 0.035 * y) < 4 and one.y < y < one.y + one.height
            for one in sides
        ), row


def test_a_label_read_exactly_is_not_said_to_be_like_another() -> None:
    """The French word for a doctor is near to "Medicine", and nearer to what is misread."""
    medicine = [["Medicine", "Dose"], ["Directions", "Route", "Quantity"]]
    page, words = _blocks([[["Medecin", "Dose"], ["", "", ""]], medicine, medicine])
    cells, _ = repeated_cells(_survey(page, words))
    assert {one.group for one in cells if one.field == "drug"} == {1, 2, 3}


@pytest.mark.parametrize("gap", [0, 25])
def test_blocks_without_a_readable_label_for_drugs_are_told_by_their_likeness(gap: int) -> None:
    block = [["Mwdicotion", "Dose"], ["Directions", "Route", "Quantity"]]
    page, words = _blocks([block, block, block], gap)
    survey = _survey(page, words)
    assert all(label.field != "drug" for label in survey.labels)
    cells, areas = repeated_cells(survey)
    assert len(areas) == 3
    drugs = [one for one in cells if one.field == "drug"]
    assert [one.group for one in drugs] == [1, 2, 3]
    assert all(abs(one.box_px.x - _LEFT) < 5 for one in drugs)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_block_whose_rules_a_fold_has_hidden_is_numbered_with_the_others(lost: int) -> None:
    page, words = _blocks([_WHOLE, _WHOLE, _WHOLE], gap=0)
    y = 300 + lost * 2 * _TALL
    page[y + _TALL - 4 : y + _TALL + 5, _LEFT - 5 : _RIGHT + 6] = 255  # between its two rows
    cells, areas = repeated_cells(_survey(page, words))
    assert len(areas) == 3
    drugs = [one.box_px.y for one in cells if one.field == "drug"]
    assert [abs(at - 300 - 2 * _TALL * number) < 6 for number, at in enumerate(drugs)] == [True] * 3


def test_no_block_is_made_up_where_none_is_printed() -> None:
    page, words = _blocks([_WHOLE, _WHOLE], gap=0)
    words += [_word("Notes", 110, 300 + 4 * _TALL + 20)]
    _, areas = repeated_cells(_survey(page, words))
    assert len(areas) == 2


def test_two_rules_close_above_each_other_are_as_long_as_one() -> None:
    page, words = _blocks([_WHOLE, _WHOLE, _WHOLE], gap=6)
    _, areas = repeated_cells(_survey(page, words))
    assert len(areas) == 3


def test_a_label_that_nobody_read_is_told_from_pen_by_its_coming_again() -> None:
    hour = [["Medication", "Dose"], ["Directions", "Hqvr", "Quantity"]]
    page, words = _blocks([hour, hour, hour])
    words = [one for one in words if one.text != "Hqvr"]
    shifted = page.copy()  # pen stands where it likes: one block has it elsewhere
    box = (slice(300 + _TALL + 2, 300 + 2 * _TALL - 2), slice(404, 796))
    shifted[box] = 255
    shifted[box][:, 30:] = page[box][:, :-30]

    def unnamed(paper: np.ndarray) -> list[Box]:
        fields = find_fields(UprightPage(paper, 0, 0.0, np.eye(3)), words, forms=[])
        return [one.box_px for one in fields if one.name == "unnamed"]

    same = unnamed(page)
    assert len(same) == 3
    assert all((one.y - 300) % (2 * _TALL + 25) > _TALL + 25 for one in same)
    moved = unnamed(shifted)
    first = [one for one in moved if one.y < 300 + 2 * _TALL]
    assert min(one.y for one in first) < 300 + _TALL + 20  # shown, as it may be pen
