"""Which way up a page lies: quarter turns from letter geometry and from what OCR can read."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

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
    count, _, stats, centroids = cv2.connectedComponentsWithStats(ink, connectivity=8)
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
    """How many letters OCR reads with confidence in words of three letters and more."""
    words = recognize_words(shrink(gray, _JUDGED_SIDE_PX), languages="eng")
    return sum(
        len(word.text) * word.confidence
        for word in words
        if word.confidence > 0.6 and len(word.text) >= 3 and word.text.isalpha()
    )


def clockwise_turns(upright_or_flipped: Gray, on_its_side: Gray, *, sideways: float) -> int:
    """Decide how many clockwise quarter turns (0..3) the page has undergone.

    Args:
        upright_or_flipped: the page as it came, deskewed for text along its rows.
        on_its_side: the page turned back by one quarter turn, deskewed likewise.
        sideways: what ``rows_are_vertical`` said of the page.

    Returns:
        0 when nothing on the page can be read either way: the page is left as it came.
    """
    rasters = {0: upright_or_flipped, 1: on_its_side}
    order = (1, 0) if sideways > 0.5 else (0, 1)
    evidence: dict[int, float] = {}
    for axis in order:
        for turns in (axis, axis + 2):
            evidence[turns] = print_evidence(np.rot90(rasters[axis], turns - axis))
            if evidence[turns] >= _CERTAIN_LETTERS:
                return turns
        # The geometry is sure of the axis and OCR reads something along it: no need to look on.
        if max(evidence.values()) >= _HINT_LETTERS and abs(sideways - 0.5) > 0.25:
            break
    best = max(evidence, key=lambda turns: evidence[turns])
    if evidence[best] >= _HINT_LETTERS:
        return best
    return 1 if sideways > 0.75 else 0
