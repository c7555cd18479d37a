"""What the segmenter marks is shown, whatever became of its ink."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import Box, FieldRegion, UprightPage, find_fields
from clinic_hwr.pages.types import LineMaps, NamedBy, PrintedWord

LINE = Box(300, 700, 240, 24)
RX = PrintedWord("Rx", Box(100, 500, 60, 60), 0.95)


def _page(at: Box = LINE) -> np.ndarray:
    """Faint small letters under a thick stroke, as a crossed-out order may come by phone."""
    page = np.full((1650, 1275), 255, np.uint8)
    cv2.putText(page, "Rx", (100, 555), cv2.FONT_HERSHEY_DUPLEX, 2.0, 0, 4)
    for x in range(at.x + 10, at.x + at.width, 12):
        cv2.line(page, (x, at.y + 6), (x + 4, at.y + 18), 150, 1)
    middle = at.y + at.height // 2
    page[middle - 3 : middle + 4, at.x - 40 : at.x + at.width + 40] = 40
    return page


def _found(page: np.ndarray, band: Box, sure: float = 0.98) -> list[FieldRegion]:
    hand = np.zeros((825, 638), np.float32)
    rows = slice(band.y // 2, (band.y + band.height) // 2)
    hand[rows, band.x // 2 : (band.x + band.width) // 2] = sure
    maps = LineMaps(hand, np.zeros_like(hand), 0.5)
    upright = UprightPage(page, 0, 0.0, np.eye(3))
    return list(find_fields(upright, [RX], forms=[], segmenter=lambda _: maps))


def _holds(fields: list[FieldRegion], line: Box) -> list[FieldRegion]:
    x, y = line.x + line.width / 2, line.y + line.height / 2
    return [
        one for one in fields
        if one.box_px.x < x < one.box_px.x + one.box_px.width
        and one.box_px.y < y < one.box_px.y + one.box_px.height
    ]  # fmt: skip


def test_a_line_of_which_only_specks_are_left_is_shown() -> None:
    (field,) = _holds(_found(_page(), LINE), LINE)
    assert field.named_by is NamedBy.NOBODY and field.name == "unnamed"
    assert field.box_px.x <= LINE.x and field.box_px.width >= LINE.width
    assert field.box_px.y <= LINE.y and field.box_px.height >= LINE.height


def test_what_a_field_holds_already_is_shown_once() -> None:
    page = np.full((1650, 1275), 255, np.uint8)
    cv2.putText(page, "Rx", (100, 555), cv2.FONT_HERSHEY_DUPLEX, 2.0, 0, 4)
    cv2.putText(page, "Amoxil 500", (300, 724), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.2, 0, 3)
    assert len(_holds(_found(page, LINE), LINE)) == 1


@pytest.mark.parametrize(
    ("what", "at", "band", "sure"),
    [
        ("the edge of a sheet", Box(300, 1606, 240, 24), Box(300, 1606, 240, 24), 0.98),
        ("a place without ink", LINE, Box(300, 1000, 240, 24), 0.98),
        ("what the segmenter is not sure of", LINE, LINE, 0.6),
        ("a dot", LINE, Box(300, 700, 20, 24), 0.98),
    ],
)
def test_what_else_is_marked_is_no_line(what: str, at: Box, band: Box, sure: float) -> None:
    assert _holds(_found(_page(at), band, sure), band) == [], what
