"""Many crops with their truths on one picture, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
CELL_HEIGHT_PX, CELL_WIDTH_PX, COLUMNS = 64, 300, 4


def contact_sheet(crops: Sequence[tuple[Gray, str]]) -> Gray:
    """Return a sheet of (crop, text) pairs, four in a row, the text under each crop."""
    rows = max(1, -(-len(crops) // COLUMNS))
    sheet = np.full((rows * (CELL_HEIGHT_PX + 18), COLUMNS * CELL_WIDTH_PX), 255, np.uint8)
    for i, (crop, text) in enumerate(crops):
        x, y = i % COLUMNS * CELL_WIDTH_PX, i // COLUMNS * (CELL_HEIGHT_PX + 18)
        factor = min(CELL_HEIGHT_PX / crop.shape[0], (CELL_WIDTH_PX - 8) / crop.shape[1])
        size = (max(1, int(crop.shape[1] * factor)), max(1, int(crop.shape[0] * factor)))
        sheet[y : y + size[1], x : x + size[0]] = cv2.resize(crop, size)
        label = text or "(reject)"
        cv2.putText(
            sheet, label[:44], (x + 2, y + CELL_HEIGHT_PX + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 60
        )
    return sheet
