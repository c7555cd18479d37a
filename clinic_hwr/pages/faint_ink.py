"""Writing too faint for the ink mask of the page, found where a segmenter sees a line.

One threshold for a page takes a hard pencil, or a fax of a thin pen, for paper: single dots of it
are left, and a line that a person can read is cut in pieces or lost. Where the segmenter marks a
line of which the mask holds little, a softer threshold holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import smoothed
from .line_cores import on_page
from .types import Box, Gray, LineMaps

_IS_LINE = 0.5
# So many standard deviations off the paper is ink here, at most this gray; see ``background``.
_OFF, _BELOW = 3.0, 228.0
# A line is faint when the mask holds less than this share of what the softer threshold finds.
_FAINT = 0.5
_MOST = 0.5  # of the lines: then the whole page is written faintly
# Letters rise and hang out of the marked band by about its height.
_RISE = 1.2


def with_faint_ink(
    gray: Gray, ink: NDArray[np.uint8], maps: LineMaps, numbers: NDArray[np.int32],
    places: Sequence[Box] = (),
) -> NDArray[np.uint8]:  # fmt: skip
    """Add the ink of faint lines to a mask.

    Args:
        gray: flattened upright page, (height, width) uint8.
        ink: its mask, 255 = ink.
        maps: what a segmenter says of it.
        numbers: numbered cores of the lines of handwriting in those maps, 0 outside of them.
        places: where something may be written; they count where most lines are faint, as a
            number of two digits is often not marked.

    Returns:
        The mask itself where no line is faint, else a new one.
    """
    if not numbers.any():
        return ink
    smooth, noise = smoothed(gray)
    level = float(np.clip(255.0 - _OFF * noise, 0.0, _BELOW))
    soft = np.asarray(cv2.threshold(smooth, level, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)
    core = on_page(numbers.astype(np.uint16), maps.scale, gray.shape)
    within = np.flatnonzero(core > 0)
    of_core = core.ravel()[within]
    share = [
        np.bincount(of_core, weights=mask.ravel()[within] > 0, minlength=int(numbers.max()) + 1)
        for mask in (ink, soft)
    ]
    faint = share[0] < _FAINT * share[1]
    faint[0] = False
    if not faint.any():
        return ink
    bands = faint[numbers].astype(np.uint8)
    columns = np.count_nonzero(bands.any(axis=0))
    thick = bands.sum() / max(1, columns)
    rise = max(1, round(_RISE * thick))
    zone = cv2.dilate(bands, np.ones((2 * rise + 1, 2 * rise + 1), np.uint8))
    zone = on_page(np.asarray(zone, np.uint8), maps.scale, gray.shape).copy()
    if np.count_nonzero(faint[1:]) > _MOST * np.count_nonzero(share[1][1:]):
        for box in places:
            zone[max(0, box.y) : max(0, box.y + box.height),
                 max(0, box.x) : max(0, box.x + box.width)] = 1  # fmt: skip
    added = cv2.bitwise_and(soft, np.asarray(zone * 255, np.uint8))
    return np.asarray(cv2.bitwise_or(ink, added), np.uint8)
