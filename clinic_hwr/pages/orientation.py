"""Which way up a page lies, by what OCR can read: the slow judge for pages whose letters disagree.

``glyphs.turn_votes`` is asked first and decides nearly every page.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces
from .print_words import recognize_words, shrink
from .types import Gray

# Letters (of confident alphabetic words) that make a reading direction certain without looking at
# the others: upside-down generated pages never reached 25 in benchmarks/pages.py.
_CERTAIN_LETTERS = 45.0
_HINT_LETTERS = 6.0
# Long side of the raster that OCR judges: 8 pt print still has 8 px tall letters.
_JUDGED_SIDE_PX = 1300
_MAX_COMPONENTS = 1200


def rows_are_vertical(ink: NDArray[np.uint8]) -> float:
    """Share (0..1) of letter-sized components whose nearest neighbour stands above or below.

    Letters of one word are closer to each other than to the next line, so near 0 means that text
    runs along the rows, near 1 along the columns, and 0.5 that this page does not tell.
    """
    count, _, stats, centroids = connected_pieces(ink)
    if count < 12:
        return 0.5
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    centres = centroids[1:][sides >= 4]
    sides = sides[sides >= 4]
    if len(sides) < 12:
        return 0.5
    typical = float(np.median(sides))
    chosen = centres[(sides >= 0.5 * typical) & (sides <= 2.0 * typical)][:_MAX_COMPONENTS]
    if len(chosen) < 12:
        return 0.5
    delta = chosen[:, None, :] - chosen[None, :, :]  # (n, n, 2)
    distance = np.hypot(delta[..., 0], delta[..., 1])
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    step = np.abs(delta[np.arange(len(chosen)), nearest])
    near = distance.min(axis=1) <= 3.0 * typical
    if int(near.sum()) < 12:
        return 0.5
    return float(np.mean(step[near, 1] > step[near, 0]))


def print_evidence(gray: Gray) -> float:
    """How many letters OCR reads with confidence in words of three letters and more.

    Raises:
        PrintUnread: Tesseract is missing, or does not answer.
    """
    words = recognize_words(shrink(gray, _JUDGED_SIDE_PX), languages="eng")
    return sum(
        len(word.text) * word.confidence
        for word in words
        if word.confidence > 0.6 and len(word.text) >= 3 and word.text.isalpha()
    )


def clockwise_turns(
    upright_or_flipped: Gray, on_its_side: Gray, *, sideways: float, guess: int
) -> tuple[int, bool]:
    """Decide how many clockwise quarter turns (0..3) the page has undergone.

    Args:
        upright_or_flipped: the page as it came, deskewed for text along its rows.
        on_its_side: the page turned back by one quarter turn, deskewed likewise.
        sideways: what ``rows_are_vertical`` said of the page.
        guess: the turn to look at first, and to fall back on.

    Returns:
        The turns, and whether OCR read enough to be sure of them.

    Raises:
        PrintUnread: Tesseract is missing, or does not answer.
    """
    rasters = {0: upright_or_flipped, 1: on_its_side}
    evidence: dict[int, float] = {}
    for turns in (guess, (guess + 2) % 4, (guess + 1) % 4, (guess + 3) % 4):
        axis = turns % 2
        evidence[turns] = print_evidence(np.rot90(rasters[axis], turns - axis))
        if evidence[turns] >= _CERTAIN_LETTERS:
            return turns, True
        # The geometry is sure of the axis and OCR reads something along it: no need to look on.
        both = len(evidence) == 2
        agreed = abs(sideways - 0.5) > 0.25 and (sideways > 0.5) == bool(guess % 2)
        if both and agreed and max(evidence.values()) >= _HINT_LETTERS:
            break
    # Upside-down handwriting reads as words of three letters here and there: what OCR makes of a
    # turn counts for as much as it is more than OCR makes of the letters' own choice.
    best = max(evidence, key=lambda turns: evidence[turns])
    rivals = [letters for turns, letters in evidence.items() if turns != best]
    if evidence[best] - max(rivals, default=0.0) >= _HINT_LETTERS:
        return best, True
    return guess, False
