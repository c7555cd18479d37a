"""Handwriting that a segmenter is sure of, taken off a page before OCR.

OCR spends half of its time on handwriting that it cannot read, and what it makes of it may be taken
for print. What the segmenter doubts stays: print that OCR never sees names no field.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .components import connected_pieces, of_pieces
from .ink_kinds import kinds_by_runs
from .line_cores import places_on_maps
from .types import Box, Gray, LineMaps, PrintedWord

# On 40 synthetic pages (docs/pages.md, "Page time") a core from 0.7 on cost 9% of the printed
# words, and from 0.9 on, with ten times as much of a piece in it as in print, 4%.
_SURE_CORE, _MORE_THAN_PRINT = 0.9, 10.0
_PRINT_CORE = 0.3
_IN_CORE = 0.3  # share of a piece's ink: a core is the middle half of a line
_RIM_PX = 5
_SPECK_PX = 6
_REMNANT_LETTERS, _BESIDE = 2, 0.5  # and how near, in heights of the word


def sure_writing(gray: Gray, maps: LineMaps) -> NDArray[np.uint8]:
    """Return the surely handwritten pieces of a page as a mask, 255 = theirs.

    Args:
        gray: upright page without form rules (they would join its pieces), (height, width) uint8.
        maps: what a segmenter says of the page's lines.
    """
    ink = ink_mask(gray)
    count, labels, stats, _ = connected_pieces(ink)
    hand = (maps.hand >= _SURE_CORE) & (maps.hand > maps.print)
    printed = (maps.print >= _PRINT_CORE) & (maps.print > maps.hand)
    inked = np.flatnonzero(ink.view(np.bool_))
    piece = labels.ravel()[inked]
    rows, columns = places_on_maps(hand.shape, maps.scale, gray.shape)
    row = inked // gray.shape[1]
    place = rows[row] * hand.shape[1] + columns[inked - row * gray.shape[1]]
    in_hand, in_print = (
        np.bincount(piece, weights=core.ravel()[place], minlength=count) for core in (hand, printed)
    )
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 1.0
    # By words: letters of print that look written stand among others that do not.
    letters = np.flatnonzero(areas >= _SPECK_PX)
    letters = letters[letters > 0]
    boxes = [Box(*stats[number, :4].tolist()) for number in letters]
    height_px = float(np.median([box.height for box in boxes])) if boxes else 1.0
    hand_share, print_share = kinds_by_runs(
        boxes, (in_hand / areas)[letters], (in_print / areas)[letters], areas[letters], height_px
    )
    sure = np.zeros(count, bool)
    sure[letters] = (hand_share > _IN_CORE) & (hand_share > _MORE_THAN_PRINT * print_share)
    sure &= (in_hand > _IN_CORE * areas) & (in_hand > _MORE_THAN_PRINT * in_print)
    sure[0] = False
    return of_pieces(np.where(sure, 255, 0).astype(np.uint8), labels, ink)


def without_ink(gray: Gray, pieces: NDArray[np.uint8]) -> Gray:
    """Return a copy of a page on which some pieces, and the blur around them, are white."""
    rim = np.ones((_RIM_PX, _RIM_PX), np.uint8)
    return np.asarray(cv2.max(gray, cv2.dilate(pieces, rim)), np.uint8)


def is_remnant(word: PrintedWord, pieces: NDArray[np.uint8]) -> bool:
    """Whether a word is one or two letters right beside ink that was taken off: the rest of it.

    "tb" of a written "tab" must not be shown as printed; a short label ends with a colon.
    """
    letters = sum(char.isalnum() for char in word.text)
    if not 1 <= letters <= _REMNANT_LETTERS or word.text.endswith(":"):
        return False
    box, reach = word.box_px, round(_BESIDE * word.box_px.height)
    beside = pieces[box.y : box.y + box.height, max(0, box.x - reach) : box.x + box.width + reach]
    return bool(beside.any())
