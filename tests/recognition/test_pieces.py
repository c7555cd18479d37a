"""A long line is as probable as all its pieces together."""

import math

import pytest

from clinic_hwr.recognition.calibration import Calibrator
from clinic_hwr.recognition.pieces import PIECES_FEATURES, join_pieces
from clinic_hwr.recognition.types import Alternative, CharConfidence, Reading


def _reading(text: str, p: float, *others: str) -> Reading:
    shares = [0.6, 0.3, 0.1]
    return Reading(
        text,
        p,
        tuple(CharConfidence(c, 0.9) for c in text),
        tuple(Alternative(t, s) for t, s in zip((text, *others), shares, strict=False)),
        "m@1",
        {"weakest": -0.5, "ctc": -1.0, "attention": -2.0},
    )


def test_one_piece_is_itself():
    reading = _reading("1 tab", 0.8)
    assert join_pieces([reading], 5) is reading


def test_probabilities_multiply_and_characters_line_up():
    joined = join_pieces([_reading("1 tab po", 0.8, "1 tub po"), _reading("bid", 0.5, "tid")], 5)
    assert joined.text == "1 tab po bid"
    assert joined.p_correct == pytest.approx(0.4)
    assert "".join(c.char for c in joined.chars) == joined.text
    assert [a.text for a in joined.alternatives] == ["1 tab po bid", "1 tub po bid", "1 tab po tid"]
    assert joined.scores["pieces"] == 2.0


def test_a_piece_without_ink_keeps_the_line_doubtful():
    empty = Reading("", 0.0, (), (), "m@1", {"no_ink": 1.0})
    joined = join_pieces([_reading("1 tab", 0.9), empty], 5)
    assert (joined.text, joined.p_correct) == ("1 tab", 0.0)


def test_a_calibrator_of_joined_lines_has_the_last_word_unless_a_piece_is_unreadable():
    by_product = Calibrator(PIECES_FEATURES, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 2.0, 0.0), 1.0)
    parts = [_reading("1 tab", 0.8), _reading("bid", 0.5)]
    joined = join_pieces(parts, 5, by_product)
    assert joined.p_correct == pytest.approx(1 / (1 + math.exp(-(1.0 + 2.0 * math.log(0.4)))))
    assert joined.scores["pieces_least_log_p"] == pytest.approx(math.log(0.5))
    empty = Reading("", 0.0, (), (), "m@1", {"no_ink": 1.0})
    assert join_pieces([parts[0], empty], 5, by_product).p_correct == 0.0
    assert join_pieces(parts[:1], 5, by_product) is parts[0]
