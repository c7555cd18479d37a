"""Order tables: what their columns mean, where they end, and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, PrintedWord, find_fields
from clinic_hwr.pages.ink_kinds import of_broken_rules
from clinic_hwr.pages.label_vocabulary import label_vocabulary
from clinic_hwr.pages.marks import signature_fields
from clinic_hwr.pages.survey import survey_page
from clinic_hwr.pages.tables import find_table
from clinic_hwr.pages.types import FieldRegion, LineMaps, UprightPage

_TOP, _HEAD, _TALL = 300, 40, 60


def _scrawl(page: np.ndarray, x: int, y: int, letters: int = 3) -> None:
    for number in range(letters):
        cv2.ellipse(page, (x + 18 * number, y), (6, 10), 0, 0, 300, 0, 3)


def _word(page: np.ndarray, text: str, x: int, y: int) -> PrintedWord:
    cv2.putText(page, text, (x, y + 14), cv2.FONT_HERSHEY_DUPLEX, 0.55, 30, 1)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.55, 1)
    return PrintedWord(text, Box(x, y, width, 14), 0.9)


def _table(
    headings: Sequence[str], *, rows: int = 3, sides: bool = True, indent: int = 8
) -> tuple[np.ndarray, list[PrintedWord], list[int]]:
    """A table with something written in every cell: page, words, left edges of its columns."""
    page = np.full((1650, 1275), 255, np.uint8)
    edges = [100 + 1000 * n // len(headings) for n in range(len(headings) + 1)]
    words = []
    for text, x in zip(headings, edges, strict=False):
        at = x + indent
        for one in text.split():
            words.append(_word(page, one, at, _TOP + 12))
            at += words[-1].box_px.width + 7
    bottom = _TOP + _HEAD + rows * _TALL
    for y in (_TOP, *range(_TOP + _HEAD, bottom + 1, _TALL)):
        page[y : y + 2, edges[0] : edges[-1]] = 60
    if sides:
        for x in edges:
            page[_TOP:bottom, x : x + 2] = 60
    for row in range(rows):
        for x in edges[:-1]:
            _scrawl(page, x + 20, _TOP + _HEAD + row * _TALL + 32)
    return page, words, edges


def _fields(page: np.ndarray, words: list[PrintedWord]) -> tuple[FieldRegion, ...]:
    return find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words, forms=[])


def _names(fields: Sequence[FieldRegion], edges: Sequence[int], row: int) -> list[str]:
    """Names of the cells of a row, left to right; one that spans columns stands in each."""
    middle = _TOP + _HEAD + row * _TALL + 30
    names = []
    for x in edges[:-1]:
        names += [
            one.name for one in fields
            if one.box_px.x <= x + 40 <= one.box_px.x + one.box_px.width
            and one.box_px.y <= middle <= one.box_px.y + one.box_px.height
        ]  # fmt: skip
    return names


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        (("Medicine", "Dose", "Rte", "Interval"), ["drug", "sig", "sig", "sig"]),
        (("Medicine", "Dose", "Instructions", "Qty"), ["drug", "strength", "sig", "quantity"]),
        (("Medikament", "Dosis", "Gabe", "wie oft"), ["drug", "sig", "sig", "sig"]),
        (("Drug", "Dose", "Freqency", "Init."), ["drug", "sig", "sig", "unnamed"]),
        (("Drug", "Dose", "Qty", "rouute of"), ["drug", "sig", "quantity", "sig"]),
    ],
)
def test_columns_mean_what_their_headings_together_say(
    headings: tuple[str, ...], names: list[str]
) -> None:
    page, words, edges = _table(headings)
    fields = _fields(page, words)
    found = _names(fields, edges, 1)
    sigs = [one for one in fields if one.name == "sig" and one.group == 2]
    assert len(sigs) == 1
    if names == ["drug", "sig", "quantity", "sig"]:
        assert len(sigs[0].lines_px) == 2  # read cell by cell, around the cell between
        assert {"drug", "quantity", "sig"} == set(found)
    else:
        assert found == names


def test_a_row_of_labels_that_are_answered_at_once_is_no_table() -> None:
    page, words, edges = _table(("Medicine", "Dose", "Qty"))
    for x in edges[:-1]:
        _scrawl(page, x + 100, _TOP + 22, 2)  # beside the label, over the first rule
    survey = survey_page(page, words, vocabulary=label_vocabulary())
    assert find_table(survey) is None
    page, words, _ = _table(("Medicine", "Dose", "Qty"))
    assert find_table(survey_page(page, words, vocabulary=label_vocabulary())) is not None


@pytest.mark.parametrize("label", ["Patient:", ""])
def test_rows_of_the_patient_or_without_its_columns_are_no_rows_of_a_table(label: str) -> None:
    page, words, edges = _table(("Medicine", "Dose", "Qty"), rows=2)
    top = _TOP + _HEAD + 2 * _TALL
    for y in (top + 20, top + 20 + _TALL):
        page[y : y + 2, edges[0] : edges[-1]] = 60
    page[top + 20 : top + 20 + _TALL, 500:502] = 60
    if label:
        words.append(_word(page, label, 105, top + 26))
    _scrawl(page, 200, top + 55)
    _scrawl(page, 820, top + 55)
    drugs = [one for one in _fields(page, words) if one.name in ("drug", "quantity")]
    assert {one.group for one in drugs} == {1, 2}
    assert all(one.box_px.y < top for one in drugs)


def test_a_dash_between_two_headings_joins_them_to_none() -> None:
    page, words, edges = _table(("Medicine", "Dose", "Frequency", "Qty"))
    end = words[2].box_px.x + words[2].box_px.width
    dash = PrintedWord("—-", Box(end + 5, _TOP + 12, words[3].box_px.x - end - 10, 14), 0.2)

    fields = _fields(page, [*words[:3], dash, words[3]])

    assert sum(one.name == "quantity" for one in fields) == 3
    assert all(one.box_px.x > edges[3] for one in fields if one.name == "quantity")


def test_a_level_stroke_in_the_patients_row_is_no_border_of_the_table() -> None:
    page, words, _ = _table(("Medicine", "Dose", "Qty"), rows=2, sides=False)
    y = _TOP + _HEAD + 2 * _TALL + 40
    words.append(_word(page, "Patient:", 105, y))
    page[y + 2 : y + 4, 300:900] = 0  # of a name, above its blank
    _scrawl(page, 260, y - 8)

    fields = _fields(page, words)

    assert {one.group for one in fields if one.name == "drug"} == {1, 2}
    assert all(one.box_px.y < y - 40 for one in fields if one.name in ("drug", "sig", "quantity"))


def test_without_rules_a_column_ends_at_the_gap_of_all_rows() -> None:
    """What stands under a heading that OCR did not read belongs to no other column."""
    page, words, _ = _table(("Medicine", "Dose", "Frequency", "Supply"), sides=False)
    read = [one for one in words if one.text != "Supply"]
    sigs = [one for one in _fields(page, read) if one.name == "sig"]
    assert [one.group for one in sigs] == [1, 2, 3]
    assert all(one.box_px.x + one.box_px.width < 800 for one in sigs)


def test_a_heading_in_the_middle_of_its_column_has_what_is_written_before_it() -> None:
    page, words, edges = _table(("Drug", "Dose", "Route", "Frequency"), sides=False, indent=70)
    for row in range(3):  # a second word in the last cell, behind a blank
        _scrawl(page, edges[3] + 92, _TOP + _HEAD + row * _TALL + 32)
    fields = [one for one in _fields(page, words) if one.name == "sig"]
    assert [one.group for one in fields] == [1, 2, 3]
    for one in fields:
        ends = [(box.x, box.x + box.width) for box in one.lines_px]
        assert [start - edge for (start, _), edge in zip(ends, edges[1:], strict=False)] == (
            pytest.approx([14] * 3, abs=3)
        )
        assert len(ends) == 3 and ends[-1][1] > edges[3] + 125


def test_a_heading_at_the_left_of_its_column_has_nothing_of_the_one_before() -> None:
    """A long drug ends before the next heading: the gap behind it is not that column's end."""
    page, words, edges = _table(("Drug", "Quantity", "Route", "Frequency"), sides=False)
    for row in range(3):
        for x in (edges[0] + 90, edges[0] + 160, edges[1] + 95, edges[1] + 175):
            _scrawl(page, x, _TOP + _HEAD + row * _TALL + 32)
    found = {(one.name, one.group): one.box_px for one in _fields(page, words)}
    for group in (1, 2, 3):
        drug, quantity = found["drug", group], found["quantity", group]
        assert edges[0] + 195 < drug.x + drug.width < edges[1]
        assert edges[1] < quantity.x < edges[1] + 30
        assert edges[1] + 205 < quantity.x + quantity.width < edges[2]


def test_dashes_of_a_broken_rule_are_the_papers_and_hyphens_are_not() -> None:
    rule = [Box(100 + 90 * n, 500 + n % 2, 20, 3) for n in range(8)]
    hyphens = [Box(200, 300, 12, 3), Box(240, 300, 12, 3)]
    lone = [Box(100 + 20 * n, 700, 12, 3) for n in range(6)]  # "1-0-1-0-1": no rule is so short
    said = of_broken_rules([*rule, *hyphens, *lone], 15.0)
    assert said == [True] * len(rule) + [False] * (len(hyphens) + len(lone))


def test_who_signs_before_a_printed_degree_has_signed() -> None:
    page = np.full((1650, 1275), 255, np.uint8)
    page[1400:1402, 600:1050] = 60
    words = [_word(page, "M.D.", 1060, 1388), _word(page, "Name:", 100, 300)]
    unsigned = survey_page(page, words, vocabulary=label_vocabulary())
    assert signature_fields(unsigned, unsigned.strokes, unsigned.labels) == ([], set())
    _scrawl(page, 650, 1380, 8)
    survey = survey_page(page, words, vocabulary=label_vocabulary())
    fields, taken = signature_fields(survey, survey.strokes, survey.labels)
    assert [(one.name, one.present) for one in fields] == [("signature", True)]
    assert taken == set(survey.strokes) and fields[0].box_px.x < 660


def test_a_signature_keeps_to_its_row_and_its_cell() -> None:
    page = np.full((1650, 1275), 255, np.uint8)
    page[1346:1348, 100:1150] = 60  # the last rule of the rows above
    page[1400:1402, 100:1150] = 60
    page[1100:1402, 900:902] = 60
    words = [_word(page, "Signature:", 500, 1378), _word(page, "Name:", 100, 300)]
    _scrawl(page, 650, 1334, 4)  # an order in the row above
    _scrawl(page, 950, 1380, 4)  # in the next cell
    unsigned = survey_page(page, words, vocabulary=label_vocabulary())
    (field,), taken = signature_fields(unsigned, unsigned.strokes, unsigned.labels)
    assert not field.present and not taken
    assert field.box_px.y >= 1348 and field.box_px.x + field.box_px.width <= 901
    _scrawl(page, 650, 1380, 8)
    survey = survey_page(page, words, vocabulary=label_vocabulary())

    (field,), taken = signature_fields(survey, survey.strokes, survey.labels)

    assert field.present and taken
    assert field.box_px.y > 1348 and field.box_px.x + field.box_px.width < 900


def test_behind_a_wide_gap_in_a_cell_is_one_whose_heading_was_not_read() -> None:
    page, words, edges = _table(("Medicine", "Dose", "Qty"))
    for row in range(3):
        _scrawl(page, edges[1] + 240, _TOP + _HEAD + row * _TALL + 32)

    doses = [one for one in _fields(page, words) if one.name == "sig"]

    assert len(doses) == 3
    for one in doses:
        left, right = one.lines_px
        assert left.x + left.width < edges[1] + 120 < right.x


def test_a_tick_over_aut_idem_is_no_signature() -> None:
    page = np.full((1650, 1275), 255, np.uint8)
    page[1400:1402, 600:1050] = 60
    words = [_word(page, "aut", 100, 700), _word(page, "idem", 136, 700),
             _word(page, "Signature", 620, 1412)]  # fmt: skip
    _scrawl(page, 100, 670, 4)  # where a tick and its box would be
    survey = survey_page(page, words, vocabulary=label_vocabulary())
    assert any(one.field == "substitution" for one in survey.labels)

    (field,), taken = signature_fields(survey, survey.strokes, survey.labels)

    assert (field.name, field.present, field.label) == ("signature", False, "Signature")
    assert not taken


def test_a_stamp_over_a_signature_is_none_of_it() -> None:
    page = np.full((1650, 1275), 255, np.uint8)
    page[1400:1402, 600:1050] = 60
    words = [_word(page, "Signature", 620, 1412)]
    _scrawl(page, 650, 1385, 8)
    cv2.ellipse(page, (900, 1370), (50, 20), 0, 0, 360, 0, 2)
    hand = np.zeros((1650, 1275), np.float32)
    hand[1375:1395, 640:800] = 1
    maps = LineMaps(hand, np.zeros_like(hand), 1.0)
    survey = survey_page(page, words, vocabulary=label_vocabulary(), maps=maps)

    (field,), taken = signature_fields(survey, survey.strokes, survey.labels)

    assert field.present and max(one.box_px.x + one.box_px.width for one in taken) > 940
    assert field.box_px.x + field.box_px.width < 850
