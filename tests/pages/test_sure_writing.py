"""What a segmenter is sure of is not read by OCR; what it doubts is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages import read_print
from clinic_hwr.pages.sure_writing import is_remnant, sure_writing, without_ink
from clinic_hwr.pages.types import Box, Gray, LineMaps, PrintedWord

from .conftest import needs_tesseract

_SCALE = 0.25


def _page() -> Gray:
    page = np.full((400, 900), 255, np.uint8)
    for y, text in ((120, "Patient name"), (300, "Amoxicillin")):
        cv2.putText(page, text, (40, y), cv2.FONT_HERSHEY_DUPLEX, 1.4, 0, 3, cv2.LINE_AA)
    return page


class _Marker:
    """Says how sure it is that the second line is handwriting, and print."""

    version = "test"

    def __init__(self, hand: float, printed: float = 0.0) -> None:
        self._hand, self._printed = hand, printed

    def __call__(self, gray: Gray) -> LineMaps:
        hand = np.zeros((100, 225), np.float32)
        printed = hand.copy()
        hand[67:76], printed[67:76] = self._hand, self._printed
        return LineMaps(hand, printed, _SCALE)


def test_sure_handwriting_goes_and_nothing_else() -> None:
    page = _page()

    clean = without_ink(page, sure_writing(page, _Marker(0.97)(page)))

    assert clean[240:340].min() > 200
    assert np.array_equal(clean[:200], page[:200])


@pytest.mark.parametrize(("hand", "printed"), [(0.8, 0.0), (0.95, 0.96)])
def test_doubtful_handwriting_stays(hand: float, printed: float) -> None:
    page = _page()
    assert not sure_writing(page, _Marker(hand, printed)(page)).any()


@pytest.mark.parametrize(
    ("text", "x", "is_rest"),
    [("tb", 110, True), ("Wt:", 110, False), ("mg", 180, False), ("tablet", 110, False)],
    ids=["beside", "label", "apart", "a word"],
)
def test_a_letter_or_two_beside_sure_writing_is_the_rest_of_it(
    text: str, x: int, is_rest: bool
) -> None:
    pieces = np.zeros((100, 300), np.uint8)
    pieces[40:60, 60:104] = 255
    assert is_remnant(PrintedWord(text, Box(x, 40, 30, 20), 0.9), pieces) is is_rest


@needs_tesseract
def test_ocr_does_not_see_what_is_surely_written() -> None:
    page = _page()
    read = [
        [word.text for word in read_print(page, segmenter=marker)]
        for marker in (None, _Marker(0.97), _Marker(0.6))
    ]
    both = ["Patient", "name", "Amoxicillin"]
    assert read == [both, both[:2], both]
