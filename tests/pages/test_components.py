"""Pieces are those of OpenCV, with the same numbers, however much of a raster is empty."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from clinic_hwr.pages.components import connected_pieces, of_pieces, pieces_within


@pytest.mark.parametrize(
    ("dots", "label_type"), [(0.02, np.uint16), (1.0, np.int32)], ids=["few", "very many"]
)
def test_same_pieces_as_opencv(dots: float, label_type: type) -> None:
    rng = np.random.default_rng(5)
    ink = np.zeros((700, 700), np.uint8)
    ink[::2, ::2] = np.where(rng.random((350, 350)) < dots, 255, 0)  # no two of them touch
    ink[300:330, 100:500] = 255

    pieces = connected_pieces(ink)

    assert pieces.labels.dtype == label_type
    _assert_like_opencv(ink)


@pytest.mark.parametrize("rows", [301, 302])
def test_rows_without_ink_change_nothing(rows: int) -> None:
    rng = np.random.default_rng(rows)
    ink = np.zeros((rows, 260), np.uint8)
    for top in (0, 41, 43, 120, 205, rows - 12):  # rows of letters, some only a row apart
        part = rng.random((12, 260)) < 0.35
        ink[top : top + 12] = np.where(part[: rows - top], 255, 0)
    ink[53, :] = 0

    _assert_like_opencv(ink)


@pytest.mark.parametrize("value", [0, 255])
def test_a_raster_of_one_kind(value: int) -> None:
    ink = np.full((40, 30), value, np.uint8)

    pieces = connected_pieces(ink)

    assert pieces.number == (2 if value else 1)
    assert pieces.stats[-1].tolist() == [0, 0, 30, 40, 1200]


def _assert_like_opencv(ink: np.ndarray) -> None:
    pieces = connected_pieces(ink)
    number, labels, stats, centroids = cv2.connectedComponentsWithStats(ink, connectivity=8)
    assert pieces.number == number
    assert np.array_equal(pieces.labels, labels)
    assert np.array_equal(pieces.stats, stats)
    assert np.allclose(pieces.centroids, centroids)


def test_values_of_pieces_are_spread_over_their_ink() -> None:
    rng = np.random.default_rng(9)
    ink = np.where(rng.random((90, 70)) < 0.2, 255, 0).astype(np.uint8)
    pieces = connected_pieces(ink)
    values = rng.integers(0, 256, pieces.number).astype(np.uint8)
    values[0] = 0

    assert np.array_equal(of_pieces(values, pieces.labels, ink), values.take(pieces.labels))


@pytest.mark.parametrize("corner", [(0, 0), (13, 8), (31, 77)])
def test_pieces_of_the_part_that_has_ink(corner: tuple[int, int]) -> None:
    rng = np.random.default_rng(corner[0])
    ink = np.zeros((80, 120), np.uint8)
    top, left = corner
    ink[top : top + 20, left : left + 30] = np.where(rng.random((20, 30)) < 0.3, 255, 0)

    labels, stats, centroids, near = pieces_within(ink)

    _, wanted, wanted_stats, wanted_centroids = cv2.connectedComponentsWithStats(
        ink, connectivity=8
    )
    assert np.array_equal(labels, wanted[near])
    assert np.array_equal(stats[1:], wanted_stats[1:])
    assert np.allclose(centroids[1:], wanted_centroids[1:])


def test_no_ink_has_no_pieces() -> None:
    _, stats, centroids, _ = pieces_within(np.zeros((20, 20), np.uint8))

    assert len(stats) == len(centroids) == 1
