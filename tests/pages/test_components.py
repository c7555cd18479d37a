"""Pieces are counted the same with short labels and with long ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.components import connected_pieces


@pytest.mark.parametrize(
    ("dots", "label_type"), [(0.02, np.uint16), (1.0, np.int32)], ids=["few", "very many"]
)
def test_same_pieces_as_opencv(dots: float, label_type: type) -> None:
    rng = np.random.default_rng(5)
    ink = np.zeros((700, 700), np.uint8)
    ink[::2, ::2] = np.where(rng.random((350, 350)) < dots, 255, 0)  # no two of them touch
    ink[300:330, 100:500] = 255

    pieces = connected_pieces(ink)

    number, _, stats, centroids = cv2.connectedComponentsWithStats(ink, connectivity=8)
    assert pieces.labels.dtype == label_type
    assert pieces.number == number
    order, wanted = np.lexsort(pieces.stats.T), np.lexsort(stats.T)
    assert np.array_equal(pieces.stats[order], stats[wanted])
    assert np.allclose(pieces.centroids[order], centroids[wanted])
    for index in (0, 1, number - 1):
        assert np.count_nonzero(pieces.labels == index) == pieces.stats[index, cv2.CC_STAT_AREA]
