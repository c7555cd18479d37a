"""Words are cut into letters at given borders, and new words are put together from them."""

import numpy as np
import pytest

from clinic_hwr.recognition.synthesis.hands import CannotWrite, has_the_shape, stroke_hands
from clinic_hwr.recognition.synthesis.letters import (
    LetterHand,
    cut_letters,
    cut_words,
    letter_hands,
    load_cuts,
    save_cuts,
)
from clinic_hwr.recognition.synthesis.strokes import StrokeSet, bounds


def _zigzag(x0: float, x1: float, top: float, bottom: float, n: int = 40) -> np.ndarray:
    """One stroke that goes up and down between two heights while it moves to the right."""
    x = np.linspace(x0, x1, n)
    y = np.where(np.arange(n) % 2 == 0, top, bottom)
    return np.stack([x, y], 1).astype(np.float32)


def _word(*letters: tuple[float, float], joined: bool = False) -> list[np.ndarray]:
    """Letters 20 wide with (top, bottom) each; in one stroke or one stroke a letter."""
    strokes = [_zigzag(20 * i, 20 * i + 19, top, bottom) for i, (top, bottom) in enumerate(letters)]
    return [np.concatenate(strokes)] if joined else strokes


CUTS3 = np.array([0, 20, 40, 60], np.float32)


def test_letters_are_measured_in_x_heights_over_the_baseline():
    letters = cut_letters(_word((-20, 0), (-36, 0), (-20, 0)), "alo", CUTS3)
    tops = [min(r[:, 1].min() for r, o in zip(letters.runs, letters.owner, strict=True) if o == k)
            for k in range(3)]  # fmt: skip
    assert tops == pytest.approx([-1.0, -1.8, -1.0], abs=0.05)
    assert letters.cuts == pytest.approx(CUTS3 / 20, abs=0.05)
    assert letters.sound == (True, True, True)


def test_a_sloping_word_is_levelled():
    strokes = _word((-20, 0), (-20, 0), (-20, 0), (-20, 0))
    for stroke in strokes:
        stroke[:, 1] += 0.2 * stroke[:, 0]
    letters = cut_letters(strokes, "aone", np.array([0, 20, 40, 60, 80], np.float32))
    bottoms = [run[:, 1].max() for run in letters.runs]
    assert np.ptp(bottoms) < 0.15


def test_a_letter_without_its_ink_is_not_used():
    cuts = np.array([0, 20, 40, 41], np.float32)  # the last letter was squeezed out
    letters = cut_letters(_word((-20, 0), (-20, 0)), "aon", cuts)
    assert letters.sound == (True, True, False)
    hand = LetterHand("w", [letters], {})
    assert hand.can_write("oa")
    assert not hand.can_write("an")


def test_a_stroke_that_runs_through_a_piece_stays_in_one():
    letters = cut_letters(_word((-20, 0), (-20, 0), (-20, 0), joined=True), "ace", CUTS3)
    assert letters.joined == (False, True, True)
    hand = LetterHand("w", [letters], {})
    placed: list[np.ndarray] = []
    [whole] = hand.pieces["ace"]
    width, is_open = hand._place(whole, 0.0, False, placed)
    assert len(placed) == 1
    assert (width, is_open) == (pytest.approx(3.0, abs=0.1), False)
    [first] = hand.pieces["ac"]
    assert hand._place(first, 0.0, False, [])[1]  # the pen went on to the e


def test_a_new_word_has_the_ink_of_its_letters_side_by_side():
    letters = cut_letters(_word((-20, 0), (-36, 0), (-20, 0)), "alo", CUTS3)
    hand = LetterHand("w", [letters], {})
    rng = np.random.default_rng(0)
    narrow = hand.write("al", rng, 20.0).alpha
    wide = hand.write("lalalala", np.random.default_rng(0), 20.0).alpha
    assert 2.5 < wide.shape[1] / narrow.shape[1] < 5.5
    assert narrow.max() == 255


def test_only_a_share_of_letters_may_be_borrowed():
    letters = cut_letters(_word((-20, 0), (-36, 0), (-20, 0)), "alo", CUTS3)
    spare = {"x": [[_zigzag(0, 10, -10, 0)]]}
    hand = LetterHand("w", [letters], spare)
    assert hand.can_write("alox")
    assert not hand.can_write("xx")
    assert not hand.can_write("alq")
    with pytest.raises(CannotWrite):
        hand.write("xx", np.random.default_rng(0), 20.0)
    assert hand.write("alox", np.random.default_rng(0), 20.0).alpha.any()


def test_borders_lie_between_centres_and_survive_the_disk(tmp_path):
    strokes = _word((-20, 0), (-20, 0))
    xy = np.concatenate(strokes).astype(np.int16)
    new = np.zeros(len(xy), np.uint8)
    new[[0, 40]] = 1
    words = StrokeSet(xy, new, np.array([0, len(xy)]), ["on"], ["w"])
    found = cut_words(words, lambda inks, texts: [np.array([10.0, 28.0], np.float32)])
    assert found[0] == pytest.approx([0.0, 19.0, 39.0])
    save_cuts(tmp_path / "cuts.npz", found)
    assert load_cuts(tmp_path / "cuts.npz")[0] == pytest.approx(found[0])
    assert cut_words(words, lambda inks, texts: [None]) == {}


@pytest.mark.parametrize(
    ("char", "width", "height", "may_be"),
    [("1", 30, 2, False), ("E", 30, 10, True), ("E", 31, 10, False), ("m", 50, 10, True),
     ("m", 61, 10, False), ("-", 30, 1, True), ("_", 30, 0, True), ("1", 0, 20, True)],
)  # fmt: skip
def test_a_sample_of_which_a_level_stroke_is_left_is_no_letter(char, width, height, may_be):
    stroke = np.array([[0, 0], [width, height]], np.float32)
    assert has_the_shape(char, [stroke]) is may_be


def _samples(*letters: tuple[str, float, float]) -> StrokeSet:
    """Characters of one writer, each a stroke of a width and a height."""
    xy = np.concatenate([np.array([[0, 0], [w, h]], np.float32) for _, w, h in letters])
    new = np.tile([True, False], len(letters))
    labels = [char for char, _, _ in letters]
    return StrokeSet(xy, new, np.arange(0, len(xy) + 1, 2), labels, ["w"] * len(letters))


def test_nobody_writes_a_one_that_is_a_dash_as_long_as_the_line():
    samples = _samples(("1", 200, 10), ("1", 3, 20), ("7", 200, 10))
    (hand,) = stroke_hands(samples, minimum=1)
    assert hand.can_write("1") and not hand.can_write("7")
    assert len(hand.characters["1"]) == 1

    strokes = _word((-20, 0), (-20, 0))
    xy = np.concatenate(strokes)
    new = np.zeros(len(xy), bool)
    new[[0, len(strokes[0])]] = True
    words = StrokeSet(xy, new, np.array([0, len(xy)]), ["on"], ["w"])
    (joined,) = letter_hands(words, {0: np.array([0, 20, 40], np.float32)}, samples, minimum=1)
    assert set(joined.spare) == {"1"}
    x0, y0, x1, y1 = bounds(joined.spare["1"][0])
    assert x1 - x0 < y1 - y0
