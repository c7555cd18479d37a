"""Long openings are those of OpenCV, at the edges as well."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.straight_runs import opened_along, opened_down


@pytest.mark.parametrize("length", [7, 16, 17, 64, 111, 430])
def test_same_as_opencv(length: int) -> None:
    rng = np.random.default_rng(length)
    raster = rng.integers(0, 256, (420, 400), np.uint8)
    raster[100:104] = 255
    raster[200:204, :30] = 255  # reaches over the edge
    raster[:, 300:303] = 255
    raster[370:, 20:25] = 255

    along, down = opened_along(raster, length), opened_down(raster, length)

    row, column = np.ones((1, length), np.uint8), np.ones((length, 1), np.uint8)
    assert np.array_equal(along, cv2.morphologyEx(raster, cv2.MORPH_OPEN, row))
    assert np.array_equal(down, cv2.morphologyEx(raster, cv2.MORPH_OPEN, column))
