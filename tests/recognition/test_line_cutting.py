"""Lines are cut where words end, and only words that a reader finds are kept."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures.contract import Encoded
from clinic_hwr.recognition.architectures.trba import TrbaConfig
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training import line_cutting
from clinic_hwr.recognition.training.line_cutting import CutLineSource, split_line, verified_words
from clinic_hwr.recognition.training.sources import ScannedLine


def _line(*widths: int, gap: int = 14) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Blocks of ink as wide as given (letters 10 px each, 2 px apart) and where they are."""
    image = np.full((40, sum(widths) + gap * (len(widths) + 1)), 235, np.uint8)
    places, x = [], gap
    for width in widths:
        for letter in range(x, x + width, 10):
            image[8:34, letter : letter + 8] = 15
        places.append((x, x + width))
        x += width + gap
    return image, places


def _ink(image: np.ndarray) -> np.ndarray:
    return (image < 100).astype(np.float32)


def test_words_are_cut_where_their_lengths_fit():
    image, places = _line(30, 80, 50)
    spans = split_line(_ink(image), ["abc", "abcdefgh", "abcde"])
    for (a, b), (x0, x1) in zip(spans, places, strict=True):
        assert abs(a - x0) <= 7
        assert abs(b - x1) <= 7


def test_a_gap_inside_a_word_is_passed_over():
    image, _ = _line(40, 40, 80)  # three blocks, but the first word has eight letters
    spans = split_line(_ink(image), ["abcdefgh", "abcdefgh"])
    assert len(spans) == 2
    assert spans[0][1] > 100


def test_too_few_blanks_are_no_line_of_so_many_words():
    image, _ = _line(30)
    image[8:34, 14:44] = 15
    assert split_line(_ink(image), ["ab", "cd", "ef"]) is None
    assert split_line(np.zeros((20, 50), np.float32), ["ab"]) is None


class _Reader:
    """Writes as many a's as its crop has letters' widths."""

    config = TrbaConfig()
    charset = Charset("ab ")

    def encode(self, images: torch.Tensor, widths: torch.Tensor) -> Encoded:
        count, steps = len(images), images.shape[3] // 4
        logits = torch.full((count, steps, 4), -20.0)
        logits[:, :, 0] = 0.0
        for row, width in enumerate(widths.tolist()):
            logits[row, 1 : width // 4 : 3, 0] = -20.0
            logits[row, 1 : width // 4 : 3, 1] = 0.0
        return Encoded(torch.zeros(count, steps, 1), torch.ones(count, steps), logits)


def test_a_word_that_the_reader_does_not_find_is_left_out(monkeypatch):
    image, _ = _line(50, 50)
    scores = iter([-0.5, -9.0])
    monkeypatch.setattr(
        line_cutting, "string_log_probabilities", lambda frames, strings: [next(scores)]
    )
    found = verified_words(_Reader(), image, "aaaaa bbbbb")
    assert [(w.text, w.place) for w in found] == [("aaaaa", 0)]


def test_neighbours_are_drawn_together_only_when_they_touch(tmp_path):
    import cv2

    image, places = _line(50, 50, 50)
    cv2.imwrite(str(tmp_path / "l.png"), image)
    line = ScannedLine(tmp_path / "l.png", "aa bb cc", "line", "w")
    words = {"l.png": [["aa", 0, *places[0]], ["cc", 2, *places[2]]]}
    source = CutLineSource([line], words, tmp_path)
    rng = np.random.default_rng(0)
    texts = {source.draw(rng).text for _ in range(40)}
    assert texts == {"aa", "cc"}
    words["l.png"].insert(1, ["bb", 1, *places[1]])
    source = CutLineSource([line], words, tmp_path)
    assert {source.draw(rng).text for _ in range(80)} >= {"aa", "bb", "aa bb", "aa bb cc"}
    with pytest.raises(ValueError, match="No line"):
        CutLineSource([line], {}, tmp_path)
