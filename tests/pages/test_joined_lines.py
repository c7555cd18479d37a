"""One touch between two lines does not make one line of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.joined_lines import split_joined
from clinic_hwr.pages.line_cores import LineCores, line_cores, with_print
from clinic_hwr.pages.types import Box, LineMaps

Page = tuple[np.ndarray, np.ndarray, LineCores]


def _cores(bands: list[tuple[int, int, int, int]], shape: tuple[int, int]) -> LineCores:
    """Cores at half the size from x0, y0, x1, y1 in page pixels."""
    numbers = np.zeros((shape[0] // 2, shape[1] // 2), np.int32)
    for number, (x0, y0, x1, y1) in enumerate(bands, start=1):
        numbers[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = number
    return LineCores(numbers, 0.5)


def _pieces(ink: np.ndarray) -> tuple[np.ndarray, dict[int, Box]]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    boxes = {n: Box(*(int(v) for v in row[:4])) for n, row in enumerate(stats) if n}
    return labels, boxes


def _word(ink: np.ndarray, x: int, y: int, letters: int) -> None:
    for place in range(letters):
        cv2.ellipse(ink, (x + 16 * place, y), (9, 10), 0, 0, 360, 255, 3)


def test_a_descender_that_touches_the_line_below_is_cut_between_them() -> None:
    ink = np.zeros((160, 200), np.uint8)
    _word(ink, 30, 40, 9)
    _word(ink, 30, 100, 9)
    cv2.line(ink, (62, 40), (62, 100), 255, 3)
    labels, boxes = _pieces(ink)
    assert len(boxes) == 1

    parted, parts = split_joined(labels, boxes, _cores([(20, 32, 170, 48), (20, 92, 170, 108)],
                                                      ink.shape))  # fmt: skip

    ((number, (upper, lower)),) = parts.items()
    assert number == upper
    assert np.nonzero(parted == upper)[0].max() < 78
    assert np.nonzero(parted == lower)[0].min() > 62
    assert ((parted > 0) == (labels > 0)).all()


def test_a_descender_that_only_reaches_into_the_line_below_stays_whole() -> None:
    ink = np.zeros((160, 200), np.uint8)
    _word(ink, 30, 40, 9)
    cv2.line(ink, (62, 40), (62, 97), 255, 3)
    labels, boxes = _pieces(ink)

    parted, parts = split_joined(labels, boxes, _cores([(20, 32, 170, 48), (20, 92, 170, 108)],
                                                      ink.shape))  # fmt: skip

    assert parts == {}
    assert parted is labels


def test_a_frame_around_lines_is_no_piece_of_them() -> None:
    ink = np.zeros((160, 200), np.uint8)
    cv2.rectangle(ink, (5, 5), (195, 150), 255, 2)
    labels, boxes = _pieces(ink)

    _, parts = split_joined(labels, boxes, _cores([(20, 32, 198, 48), (20, 92, 198, 108)],
                                                 ink.shape))  # fmt: skip

    assert parts == {}


@pytest.mark.parametrize("offset", [0, 4])
def test_two_cores_of_one_row_are_one_line(offset: int) -> None:
    ink = np.zeros((100, 240), np.uint8)
    _word(ink, 30, 40, 12)
    labels, boxes = _pieces(ink)
    bands = [(20, 32, 100, 48), (110, 32 + offset, 220, 48 + offset)]

    _, parts = split_joined(labels, boxes, _cores(bands, ink.shape))

    assert parts == {}


def test_writing_that_touches_a_frame_is_cut_off_from_it() -> None:
    ink = np.zeros((200, 300), np.uint8)
    cv2.rectangle(ink, (5, 5), (290, 190), 255, 2)
    _word(ink, 40, 100, 15)
    cv2.line(ink, (260, 100), (290, 100), 255, 3)
    labels, boxes = _pieces(ink)
    frame = int(labels[5, 100])
    assert labels[90, 40] == frame or labels[100, 49] == frame

    parted, parts = split_joined(labels, boxes, _cores([(30, 92, 280, 108)], ink.shape), {frame})

    ((number, (word,)),) = parts.items()
    assert number == frame != word
    assert parted[5, 100] == frame
    assert (parted == word)[85:116, 30:275].sum() > 500


def _label_and_value() -> tuple[np.ndarray, LineCores]:
    """Letters of a label that touch the tops of what is written under them, and their bands."""
    ink = np.zeros((160, 200), np.uint8)
    _word(ink, 30, 40, 5)
    _word(ink, 30, 66, 9)
    cv2.line(ink, (62, 40), (62, 66), 255, 3)
    return ink, _cores([(20, 58, 170, 74), (20, 32, 110, 48)], ink.shape)


def test_a_label_that_writing_touches_is_cut_off_it() -> None:
    ink, cores = _label_and_value()
    labels, boxes = _pieces(ink)
    assert len(boxes) == 1
    assert split_joined(labels, boxes, cores)[1] == {}  # two marks of one letter
    parted, parts = split_joined(labels, boxes, cores, of_print=2)
    (label, value) = parts[1]
    assert np.nonzero(parted == label)[0].max() < 56 < np.nonzero(parted == value)[0].max()
    assert np.nonzero(parted == value)[0].min() > 50
    assert ((parted > 0) == (labels > 0)).all()


def test_letters_that_look_printed_within_a_line_of_writing_stay_in_it() -> None:
    ink = np.zeros((160, 200), np.uint8)
    _word(ink, 30, 40, 9)
    labels, boxes = _pieces(ink)
    cores = _cores([(20, 32, 110, 48), (110, 30, 170, 46)], ink.shape)
    assert split_joined(labels, boxes, cores, of_print=2)[1] == {}


def test_print_is_not_cut_off_a_frame() -> None:
    ink, cores = _label_and_value()
    cv2.rectangle(ink, (10, 10), (190, 150), 255, 2)
    cv2.line(ink, (10, 40), (30, 40), 255, 3)
    labels, boxes = _pieces(ink)
    _, parts = split_joined(labels, boxes, cores, frames={1}, of_print=2)
    assert len(parts[1]) == 1  # the value alone


def test_bands_of_print_are_numbered_behind_the_cores() -> None:
    hand, printed = np.zeros((40, 60), np.float32), np.zeros((40, 60), np.float32)
    hand[10:14, 5:30] = 1.0
    printed[10:14, 25:50] = 0.9  # the core wins where both are
    maps = LineMaps(hand, printed, 0.5)
    every, first = with_print(maps, line_cores(maps))
    assert first == 2
    assert (every.numbers[12, 5:30] == 1).all()
    assert (every.numbers[12, 30:50] == 2).all()
    blank = LineMaps(hand, np.zeros_like(printed), 0.5)
    assert with_print(blank, line_cores(blank))[1] == 0


@pytest.mark.parametrize(("top", "bottom", "cut"), [(10, 290, True), (70, 190, False)])
def test_a_fold_through_a_letter_is_cut_off_it_and_a_flourish_is_not(
    top: int, bottom: int, cut: bool
) -> None:
    ink = np.zeros((300, 200), np.uint8)
    _word(ink, 30, 130, 9)
    cv2.line(ink, (62, top), (62, bottom), 255, 3)
    labels, boxes = _pieces(ink)
    parted, parts = split_joined(labels, boxes, _cores([(20, 122, 170, 138)], ink.shape))
    assert len(parts.get(1, ())) == (2 if cut else 0)
    if cut:
        word, fold = parts[1]
        rows = np.nonzero(parted == word)[0]
        assert rows.min() > 80
        assert rows.max() < 180
        assert np.nonzero(parted == fold)[0].max() > 280
        assert ((parted > 0) == (labels > 0)).all()
