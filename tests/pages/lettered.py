"""A sheet of small boxes in rows, which count as letters."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.types import Gray


def lettered_page(gray: int = 0) -> Gray:
    """A letter sheet at 150 dpi, (1650, 1275), its rows from 200 to 1400 and columns to 1000."""
    page = np.full((1650, 1275), 255, np.uint8)
    for y in range(200, 1400, 60):
        for x in range(150, 1000, 34):
            cv2.rectangle(page, (x, y), (x + 14, y + 18), gray, 3)
    return page
