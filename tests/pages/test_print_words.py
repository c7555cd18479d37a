"""Printed words come with boxes and confidence; a missing Tesseract says what to install."""

from __future__ import annotations

import cv2
import numpy as np
import pytesseract
import pytest

from clinic_hwr.pages import LineMaps, TesseractMissing, print_words, read_print
from clinic_hwr.pages.print_words import recognize_words
from clinic_hwr.pages.types import Gray

from .conftest import PreparedPage, needs_tesseract


@needs_tesseract
def test_words_of_a_pad_are_read_with_boxes(us_pad: PreparedPage) -> None:
    by_text = {word.text.strip(":"): word for word in us_pad.words}
    assert {"Riverside", "DEA", "NPI", "Address", "1234567893"} <= set(by_text)
    npi, value = by_text["NPI"].box_px, by_text["1234567893"].box_px
    assert npi.x + npi.width <= value.x
    assert abs(npi.y - value.y) < npi.height
    assert all(0.0 <= word.confidence <= 1.0 for word in us_pad.words)


def test_missing_program_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "no-such-program")
    page = np.full((200, 200), 255, np.uint8)
    page[50:60, 20:180] = 0
    with pytest.raises(TesseractMissing, match="apt-get install tesseract-ocr"):
        read_print(page)


@needs_tesseract
def test_missing_language_names_the_package() -> None:
    page = np.full((200, 200), 255, np.uint8)
    page[50:60, 20:180] = 0
    with pytest.raises(TesseractMissing, match="tesseract-ocr-xyz"):
        read_print(page, languages="xyz")


@pytest.mark.parametrize("shape", [(5, 400), (800, 600)])
def test_pages_without_print_have_no_words(shape: tuple[int, int]) -> None:
    assert read_print(np.full(shape, 255, np.uint8)) == ()


class _NothingMarked:
    """A segmenter that sees no line."""

    version = "none"

    def __call__(self, gray: Gray) -> LineMaps:
        empty = np.zeros((gray.shape[0] // 4, gray.shape[1] // 4), np.float32)
        return LineMaps(empty, empty, 0.25)


@needs_tesseract
def test_boxes_are_those_of_the_page_though_its_margins_are_not_read() -> None:
    page = np.full((900, 1200), 255, np.uint8)
    cv2.putText(page, "Patient", (700, 600), cv2.FONT_HERSHEY_DUPLEX, 1.2, 0, 2, cv2.LINE_AA)

    (word,) = read_print(page, segmenter=_NothingMarked())

    rows, columns = np.nonzero(page < 128)
    assert word.text == "Patient"
    assert abs(word.box_px.x - columns.min()) <= 3
    assert abs(word.box_px.y - rows.min()) <= 3


def test_missing_program_is_said_of_a_page_without_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "no-such-program")
    page = np.full((200, 200), 255, np.uint8)
    page[:, 100:] = 240
    with pytest.raises(TesseractMissing):
        read_print(page, segmenter=_NothingMarked())


@needs_tesseract
def test_white_letters_on_black_are_read() -> None:
    page = np.zeros((300, 900), np.uint8)
    for row, text in enumerate(("Patient name", "Refills")):
        at = (60, 100 + 120 * row)
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 2, cv2.LINE_AA)

    words = recognize_words(page, languages="eng")

    assert [word.text for word in words] == ["Patient", "name", "Refills"]


@needs_tesseract
def test_noise_of_the_paper_is_not_read_as_print() -> None:
    rng = np.random.default_rng(3)
    page = np.clip(rng.normal(246, 4, (900, 700)), 0, 255).astype(np.uint8)
    cv2.putText(page, "Refills", (60, 280), cv2.FONT_HERSHEY_DUPLEX, 1.2, 30, 2, cv2.LINE_AA)

    words = read_print(page, segmenter=_NothingMarked())

    assert [word.text for word in words] == ["Refills"]


def test_a_box_that_reaches_over_the_next_words_of_its_line_ends_before_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = (
        ("1", "100", "50", "140", "20", "Date"), ("1", "150", "48", "20", "24", "of"),
        ("1", "180", "50", "60", "20", "Birth"), ("2", "185", "55", "30", "20", "Rx"),
    )  # fmt: skip
    table = "\n".join(
        "\t".join(("5", "1", "1", "1", line, "1", *box, "91.5", text)) for line, *box, text in rows
    )
    monkeypatch.setattr(print_words, "_probe", lambda command: "5")
    monkeypatch.setattr(print_words, "warm_table", lambda gray, **given: table)

    words = recognize_words(np.full((90, 300), 255, np.uint8), languages="eng")

    ends = [(word.text, word.box_px.x + word.box_px.width) for word in words]
    assert ends == [("Date", 150), ("of", 170), ("Birth", 240), ("Rx", 215)]
