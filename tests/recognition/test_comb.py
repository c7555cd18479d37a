"""Boxed characters: the boxes go, each cell's writing stays in its cell."""

import cv2
import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures.contract import Encoded, Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.comb import character_image, read_comb, split_comb

PITCH, HEIGHT, MARGIN = 44, 52, 8
TOP, BOTTOM = MARGIN, MARGIN + HEIGHT


def _comb(style, text):
    """A drawn comb, one character a cell, as (page, page without print)."""
    width = len(text) * PITCH + 2 * MARGIN
    page = np.full((HEIGHT + 2 * MARGIN, width), 240, np.uint8)
    for i, char in enumerate(text):
        at = (MARGIN + i * PITCH + 10, BOTTOM - 11)
        cv2.putText(page, char, at, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 40, 3, cv2.LINE_AA)
    bare = page.copy()
    xs = [MARGIN + i * PITCH for i in range(len(text) + 1)]
    if style == "frame":
        cv2.rectangle(page, (xs[0], TOP), (xs[-1], BOTTOM), 60, 2)
    if style in ("frame", "dividers"):
        for x in xs:
            cv2.line(page, (x, TOP), (x, BOTTOM), 60, 2)
    if style == "boxes":
        for x in xs[:-1]:
            cv2.rectangle(page, (x + 3, TOP), (x + PITCH - 3, BOTTOM), 90, 1)
    if style == "ticks":
        cv2.line(page, (xs[0], BOTTOM), (xs[-1], BOTTOM), 60, 2)
        for x in xs:
            cv2.line(page, (x, BOTTOM - HEIGHT // 4), (x, BOTTOM), 60, 2)
    return page, bare


def _likeness(a, b):
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def _alone(bare, cell):
    left = MARGIN + cell * PITCH
    return character_image((240 - bare[:, left : left + PITCH].astype(np.float32)) / 200)


@pytest.mark.parametrize("style", ["frame", "boxes", "ticks", "dividers", "none"])
@pytest.mark.parametrize("text", ["0529 74", "1111111", "TEN HLF"])
def test_each_cell_gives_its_own_character_without_the_print(style, text):
    page, bare = _comb(style, text)
    cells = split_comb(page, len(text))
    assert len(cells) == len(text)
    for i, (char, cell) in enumerate(zip(text, cells, strict=True)):
        assert cell.shape == (28, 28)
        if char == " ":
            assert not cell.any()
        else:
            assert _likeness(cell, _alone(bare, i)) > 0.9, (char, i)


def test_a_comb_that_leans_a_little_is_still_lifted():
    page, bare = _comb("boxes", "40629385")
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), 0.5, 1)
    leaning = cv2.warpAffine(page, turn, page.shape[::-1], borderValue=240)
    for i, cell in enumerate(split_comb(leaning, 8)):
        assert _likeness(cell, _alone(bare, i)) > 0.8


def test_a_tail_in_the_neighbours_cell_stays_with_its_character():
    page, _ = _comb("frame", "   ")
    points = np.array([[70, 20], [70, 45], [42, 52]])  # cell 1, its end in cell 0
    cv2.polylines(page, [points], False, 40, 3)
    cells = split_comb(page, 3)
    assert [bool(cell.any()) for cell in cells] == [False, True, False]
    ys, xs = np.nonzero(cells[1] > 0.5)
    assert np.ptp(ys) >= 20
    assert np.ptp(xs) >= 15


@pytest.mark.parametrize("style", ["frame", "none"])
def test_characters_that_touch_are_cut_at_the_edge(style):
    page, _ = _comb(style, "  ")
    middles = (MARGIN + PITCH // 2, MARGIN + PITCH + PITCH // 2)
    for x in middles:
        cv2.circle(page, (x, 34), 14, 40, 3)
    cv2.line(page, (middles[0] + 14, 34), (middles[1] - 14, 34), 40, 3)
    left, right = split_comb(page, 2)
    for cell in (left, right):
        ys, xs = np.nonzero(cell > 0.5)
        assert 16 <= np.ptp(ys) <= 21  # a circle with half of the line is wider than high
        assert 22 <= np.ptp(xs) <= 24
    assert left[14, 25] > 0.5 > left[14, 14]  # the line points to the right
    assert right[14, 2] > 0.5 > right[14, 14]


def test_print_below_the_boxes_and_dirt_are_no_characters():
    page, _ = _comb("frame", "   ")
    page = np.pad(page, ((0, 22), (0, 0)), constant_values=240)
    cv2.putText(page, "MONTH", (30, BOTTOM + 22), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 60, 1)
    page[30:33, 30:33] = 60
    assert [bool(cell.any()) for cell in split_comb(page, 3)] == [False] * 3


def test_a_character_is_scaled_and_centred_as_in_emnist():
    ink = np.zeros((90, 60), np.float32)
    ink[10:70, 40:46] = 1
    image = character_image(ink)
    ys, xs = np.nonzero(image > 0.5)
    assert (ys.min(), ys.max()) == (2, 25)
    assert xs.min() + xs.max() in (26, 27)
    assert image.max() == 1
    assert not character_image(np.zeros((5, 5), np.float32)).any()


def test_a_comb_needs_a_cell():
    with pytest.raises(ValueError, match="at least one"):
        split_comb(np.zeros((10, 10), np.uint8), 0)


def test_a_crop_that_is_too_small_has_empty_cells():
    assert [bool(c.any()) for c in split_comb(np.zeros((0, 0), np.uint8), 2)] == [False, False]


class _Scripted(Recognizer):
    """Says of every character the same."""

    def __init__(self, charset, shares):
        super().__init__(None, charset)
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.shares = shares
        self.asked = 0

    def encode_batch(self, images, widths):
        self.asked += len(images)
        logits = torch.full((len(images), 1, self.charset.size), -30.0)
        for char, share in self.shares.items():
            logits[:, 0, self.charset.characters.index(char) + 1] = float(np.log(share))
        return Encoded(logits, torch.ones(len(images), 1, dtype=torch.bool), logits)

    def loss(self, images, widths, targets, lengths):
        raise NotImplementedError


def test_only_what_is_allowed_is_read_and_empty_cells_are_spaces():
    page, _ = _comb("frame", "5 5")
    model = _Scripted(Charset("S0123456789"), {"S": 0.6, "5": 0.3, "6": 0.1}).eval()
    text, nbest = read_comb(model, page, 3, "0123456789")
    assert text == "5 5"
    assert model.asked == 2
    assert nbest[1] == [(" ", 1.0)]
    assert nbest[0][:2] == [("5", pytest.approx(0.75)), ("6", pytest.approx(0.25))]
    assert read_comb(model, page, 3, "0123456789S")[0] == "S S"


def test_a_reader_that_knows_none_of_the_allowed_characters_is_refused():
    page, _ = _comb("frame", "5")
    with pytest.raises(ValueError, match="knows none"):
        read_comb(_Scripted(Charset("ab"), {"a": 1.0}), page, 1, "0123456789")
