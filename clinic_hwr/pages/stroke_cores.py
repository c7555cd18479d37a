"""Strokes as wide as the pen was: the mask of a page makes them wider, and letters of them blots.

The ink of a page is all that is darker than its paper, the soft edges of a photo included. In a
small hand or with a thick pen the letters of a word then run together into a bar, which looks like
a stroke through it. What is half as dark as the writing around it is where the pen was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .types import Box, Gray

# A stroke begins at this share of how dark the writing is: the darkest but for 15 in a hundred.
_CORE, _DARK = 0.45, 85.0
_AROUND = 0.6  # heights of the line


def stroke_cores(gray: Gray, ink: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Return the ink of a page with the strokes in and around some lines as wide as the pen.

    Args:
        gray: the page, (height, width) uint8, white paper.
        ink: its mask, 255 = ink.
        boxes: of lines of writing.
    """
    cores = ink.copy()
    for box in boxes:
        margin = round(_AROUND * box.height)
        rows = slice(max(0, box.y - margin), box.y + box.height + margin)
        columns = slice(max(0, box.x - margin), box.x + box.width + margin)
        depth = 255 - gray[rows, columns]
        inked = ink[rows, columns] > 0
        if inked.any():
            dark = float(np.percentile(depth[inked], _DARK))
            cores[rows, columns][depth < _CORE * dark] = 0
    return cores
