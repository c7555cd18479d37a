"""A long line is as probable as all its pieces together."""

import pytest

from clinic_hwr.recognition.pieces import join_pieces
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
