"""Where a segmenter says that a line is crossed out.

Rules know strokes by their shape; a network has seen the whole of the page around them: a wave
that is a strike and one that is a signature, a line that is low in its row, a strike that lies on
a form's rule.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Box, LineMaps

_STRUCK = 0.1  # from this probability on: to look is a small thing, to miss one is not
_MIDDLE = 0.2  # of a line's height at its top and its foot is not looked at: others reach there
_GAP = 1.0  # letters between two marked words of one strike


def marked_strikes(maps: LineMaps, box: Box, letter_px: float) -> NDArray[np.bool_]:
    """Return the columns of a line that are crossed out, (width,) bool.

    Args:
        maps: of the page; nothing is said without a map of crossed-out lines.
        box: of the line.
        letter_px: height of its letters.
    """
    rows = _rows(maps, box)
    if not rows.size:
        return np.zeros(box.width, bool)
    said = rows.max(axis=0)[_places(maps, box)] >= _STRUCK
    kernel = np.ones((1, round(_GAP * letter_px) | 1), np.uint8)
    closed = cv2.morphologyEx(said.astype(np.uint8)[None], cv2.MORPH_CLOSE, kernel)
    return np.asarray(closed, np.uint8).reshape(-1) > 0


def highest_mark(maps: LineMaps, box: Box) -> float:
    """How likely a line is crossed out where that is likeliest; 0 without such a map."""
    rows = _rows(maps, box)
    return float(rows[:, _places(maps, box)].max()) if rows.size else 0.0


def _rows(maps: LineMaps, box: Box) -> NDArray[np.float32]:
    """The rows of the map in the middle of a line; none without one."""
    if maps.struck is None:
        return np.zeros((0, 0), np.float32)
    rim = _MIDDLE * box.height
    top, bottom = (box.y + rim) * maps.scale, (box.y + box.height - rim) * maps.scale
    return maps.struck[max(0, int(top)) : max(int(np.ceil(bottom)), int(top) + 1)]


def _places(maps: LineMaps, box: Box) -> NDArray[np.intp]:
    """For each column of a line that of the map."""
    at = ((np.arange(box.x, box.x + box.width) + 0.5) * maps.scale).astype(np.intp)
    return np.clip(at, 0, maps.hand.shape[1] - 1)
