"""One pen wrote what OCR read of a line and what it did not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.print_or_hand import odds_beside
from clinic_hwr.pages.types import Box, LineMaps, PrintedWord

WORDS = (
    PrintedWord("Losartan", Box(100, 100, 160, 30), 0.9),
    PrintedWord("Date", Box(700, 100, 80, 30), 0.9),
)


def page(*pen: Box) -> tuple[np.ndarray, LineMaps]:
    """Ink of words and pen, and maps that are sure of the pen and doubt the rest."""
    ink = np.zeros((300, 1000), np.uint8)
    hand = np.zeros((150, 500), np.float32)
    for box in (*pen, *(word.box_px for word in WORDS)):
        cv2.rectangle(ink, (box.x, box.y), (box.x + box.width - 1, box.y + box.height - 1), 255, 3)
    for box in pen:
        hand[box.y // 2 : (box.y + box.height) // 2, box.x // 2 : (box.x + box.width) // 2 + 1] = (
            1.0
        )
    return ink, LineMaps(hand, np.zeros_like(hand), 0.5)


def test_pen_right_beside_what_was_read_votes_by_its_letters() -> None:
    ink, maps = page(Box(275, 102, 72, 28))
    ((odds, letters),) = odds_beside(ink, WORDS, [0], [], maps)
    assert odds == pytest.approx(-7.0, abs=0.7)
    assert letters == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("gap, runs", [(20, 1), (60, 0)])
def test_only_what_is_near_votes(gap: int, runs: int) -> None:
    ink, maps = page(Box(260 + gap, 102, 60, 28))
    assert len(odds_beside(ink, WORDS, [0], [], maps)) == runs


def test_a_rule_or_another_word_ends_the_row() -> None:
    ink, maps = page(Box(275, 102, 60, 28))
    assert odds_beside(ink, WORDS, [0], [Box(266, 50, 3, 200)], maps) == []
    assert odds_beside(ink, WORDS, [0], [Box(266, 200, 3, 90)], maps) != []
    beyond = PrintedWord("a", Box(262, 100, 10, 30), 0.9)
    assert odds_beside(ink, [WORDS[0], beyond], [0], [], maps) == []
    assert odds_beside(ink, [WORDS[0], beyond], [0, 1], [], maps) != []


def test_words_that_were_read_do_not_vote_again() -> None:
    ink, maps = page()
    assert odds_beside(ink, WORDS, [0], [], maps) == []
