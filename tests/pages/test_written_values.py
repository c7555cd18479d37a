"""Values that a pen wrote and OCR read: they are writing, and no print of the form."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages import Box, PrintedWord, find_fields
from clinic_hwr.pages.types import FieldRegion, Gray, UprightPage


def _page() -> tuple[Gray, list[PrintedWord]]:
    page = np.full((1650, 1275), 255, np.uint8)
    words = [_print(page, text, 100, y) for text, y in (("Name:", 200), ("Address:", 260))]
    return page, words


def _print(page: Gray, text: str, x: int, y: int) -> PrintedWord:
    cv2.putText(page, text, (x, y + 14), cv2.FONT_HERSHEY_DUPLEX, 0.6, 30, 1)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.6, 1)
    return PrintedWord(text, Box(x, y, width, 14), 0.95)


def _five(page: Gray, x: int, y: int) -> Box:
    """A shaky 5 by pen, hardly higher than print."""
    points = [(11, 1), (3, 2), (2, 8), (8, 8), (10, 13), (6, 17), (0, 15)]
    cv2.polylines(page, [np.add(points, (x, y)).astype(np.int32)], False, 60, 3)
    return Box(x - 2, y - 1, 15, 20)


def _fields(page: Gray, words: list[PrintedWord]) -> dict[str, FieldRegion]:
    fields = find_fields(UprightPage(page, 0, 0.0, np.eye(3)), words, forms=[])
    return {one.name: one for one in fields}


def _refills() -> tuple[Gray, list[PrintedWord]]:
    page, words = _page()
    words.append(_print(page, "Refills:", 100, 400))
    cv2.rectangle(page, (200, 418), (330, 420), 60, -1)
    words.append(PrintedWord("5", _five(page, 240, 396), 0.96))
    cv2.rectangle(page, (350, 396), (370, 416), 30, 2)
    cv2.line(page, (354, 400), (366, 412), 20, 2)
    cv2.line(page, (366, 400), (354, 412), 20, 2)
    words.append(_print(page, "Generic", 385, 400))
    words.append(_print(page, "allowed", 391 + words[-1].box_px.width, 400))
    return page, words


def test_a_ticked_box_before_another_label_is_no_answer_to_this_one() -> None:
    found = _fields(*_refills())

    assert 230 < found["refills"].box_px.x < 250
    assert found["substitution"].present is True
    assert found["substitution"].box_px.x > 340


def test_what_ocr_could_not_read_of_a_value_is_no_print() -> None:
    page, words = _page()
    at = 200
    for text in ("Rivor", "stroct"):
        words.append(_print(page, text, at, 200))
        at += words[-1].box_px.width + 8
    read = _fields(page, words)["patient_name"]
    doubted = [
        PrintedWord(one.text, one.box_px, 0.2) if one.box_px.x >= 200 else one for one in words
    ]
    unread = _fields(page, doubted)["patient_name"]

    assert read.printed_text == "Rivor stroct"
    assert unread.printed_text is None
    assert abs(unread.box_px.x - read.box_px.x) < 5


def test_a_value_that_begins_over_its_label_is_whole() -> None:
    """Of one label nobody knows that it stands under its line: the rule is lost."""
    page, words = _page()
    words.append(_print(page, "Physician:", 100, 640))
    boxes = [_five(page, x, 606) for x in (104, 124, 144, 164, 184, 204, 224, 244)]
    behind = _print(page, "Allergies:", 700, 640)
    _five(page, 820, 606 + 34)
    found = _fields(page, [*words, behind])

    assert found["prescriber_name"].box_px.x <= boxes[0].x + 2
    assert found["prescriber_name"].box_px.width > 140
    assert found["allergies"].box_px.x > 800
