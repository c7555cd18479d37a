"""A printed cell with several labels, as on a German prescription: each has the part under it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, NamedBy, PrintedWord, find_fields
from clinic_hwr.pages.types import FieldRegion, Gray, UprightPage

LEFT, RIGHT = 100, 900


class _Sheet:
    """A frame of two cells, one over the other."""

    def __init__(self) -> None:
        self.page: Gray = np.full((1650, 1275), 255, np.uint8)
        self.words: list[PrintedWord] = []
        for y in (180, 340, 480):
            cv2.line(self.page, (LEFT, y), (RIGHT, y), 40, 3)
        for x in (LEFT, RIGHT):
            cv2.line(self.page, (x, 180), (x, 480), 40, 3)
        self.text("Name, Vorname", 112, 194)
        self.text("Datum", 620, 356)

    def text(self, text: str, x: int, y: int) -> None:
        for word in text.split():
            cv2.putText(self.page, word, (x, y + 14), cv2.FONT_HERSHEY_DUPLEX, 0.6, 30, 1)
            (width, _), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, 0.6, 1)
            self.words.append(PrintedWord(word, Box(x, y, width, 14), 0.95))
            x += width + 8

    def write(self, x: int, y: int) -> Box:
        """Some shaky letters, 26 px high."""
        rng = np.random.default_rng(x + y)
        for at in range(x, x + 160, 20):
            points = np.array([(0, 25), (5, 1), (9, 22), (14, 3)])
            shaken = (points + rng.normal(0, 1.5, points.shape) + (at, y)).astype(np.int32)
            cv2.polylines(self.page, [shaken], False, 70, 3)
        return Box(x, y, 156, 26)

    def fields(self) -> dict[str, FieldRegion]:
        page = UprightPage(self.page, 0, 0.0, np.eye(3))
        return {one.name: one for one in find_fields(page, self.words, forms=[])}


def _is_around(found: FieldRegion, box: Box) -> bool:
    return (
        abs(found.box_px.x - box.x) < 8
        and abs(found.box_px.y - box.y) < 8
        and abs(found.box_px.width - box.width) < 16
    )


@pytest.mark.parametrize("lower", [0, 24], ids=["on its row", "a little lower"])
def test_print_under_two_labels_of_a_cell_answers_both(lower: int) -> None:
    sheet = _Sheet()
    sheet.text("geb. am", 620, 194 + lower)
    sheet.text("Greta Vorlage", 120, 244)
    sheet.text("03.03.1970", 620, 224 + lower)
    found = sheet.fields()

    assert found["patient_name"].printed_text == "Greta Vorlage"
    assert found["patient_dob"].printed_text == "03.03.1970"


def test_a_date_written_low_under_the_second_label_of_a_cell_is_its_value() -> None:
    sheet = _Sheet()
    sheet.text("Versicherten-Nr.", 112, 356)
    box = sheet.write(612, 424)
    assert _is_around(sheet.fields()["date_written"], box)


def test_what_is_written_under_the_first_label_of_a_cell_does_not_answer_the_second() -> None:
    sheet = _Sheet()
    sheet.text("Dx", 112, 356)  # names nothing that is read
    box = sheet.write(120, 424)
    found = sheet.fields()
    assert "date_written" not in found and _is_around(found["unnamed"], box)


def test_below_labels_whose_values_stand_on_rules_beside_them_is_nothing_of_theirs() -> None:
    sheet = _Sheet()
    sheet.text("Dx", 112, 356)
    cv2.line(sheet.page, (700, 372), (860, 372), 40, 2)
    sheet.write(620, 424)
    assert "date_written" not in sheet.fields()


def test_a_speck_under_a_label_does_not_hide_its_printed_value() -> None:
    sheet = _Sheet()
    sheet.text("Greta Vorlage", 120, 244)
    sheet.page[300:303, 500:505] = 60
    assert sheet.fields()["patient_name"].printed_text == "Greta Vorlage"


def test_what_is_printed_under_the_name_is_the_address_where_nothing_asks_for_it() -> None:
    sheet = _Sheet()
    sheet.text("geb. am", 620, 194)
    sheet.text("Greta Vorlage", 120, 244)
    sheet.text("814 Am Markt, Altheim", 120, 290)
    sheet.text("03.03.1970", 620, 224)
    found = sheet.fields()

    assert found["patient_address"].printed_text == "814 Am Markt, Altheim"
    assert found["patient_address"].named_by is NamedBy.PLACE
    assert found["patient_dob"].printed_text == "03.03.1970"


@pytest.mark.parametrize(
    ("text", "x", "asked"),
    [
        ("Am Markt, Altheim", 120, False),
        ("814 Am Markt, Altheim", 150, False),
        ("814 Am Markt", 120, True),
    ],
    ids=["no number", "elsewhere", "an address has its label"],
)
def test_what_else_is_printed_under_the_name_is_no_address(text: str, x: int, asked: bool) -> None:
    sheet = _Sheet()
    sheet.text("Greta Vorlage", 120, 244)
    sheet.text(text, x, 290)
    if asked:
        sheet.text("Anschrift:", 112, 560)
    found = sheet.fields()

    assert found["patient_name"].printed_text == "Greta Vorlage"
    assert "patient_address" not in found


def test_a_label_that_ocr_misread_is_no_name() -> None:
    sheet = _Sheet()
    sheet.text("gcb. cn", 620, 208)  # begins behind the label's end
    sheet.text("Greta Vorlage", 120, 244)
    assert sheet.fields()["patient_name"].printed_text == "Greta Vorlage"


def test_a_word_without_height_stops_nothing() -> None:
    sheet = _Sheet()
    sheet.text("Greta Vorlage", 120, 244)
    sheet.words.append(PrintedWord("814", Box(130, 290, 30, 0), 0.95))
    assert sheet.fields()["patient_name"].printed_text == "Greta Vorlage"
