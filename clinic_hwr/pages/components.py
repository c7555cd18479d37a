"""Connected pieces of ink, measured where there is ink: most of a page has none."""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

# A piece can begin where nothing stands left, above and above left: so many labels at most are
# given out. Labels of 16 bits take a third of the time of those of 32 (6 for 19 ms a page).
_FIRST_OF_PIECE = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], np.uint8)
_MOST_SHORT_LABELS = 65_000
# Of a raster: with more ink OpenCV, which measures every pixel, is as fast.
_MOST_INK = 0.1
_MOST_ROWS = 0.8  # of a raster: less of them, and the others are left out


class Pieces(NamedTuple):
    """What ``cv2.connectedComponentsWithStats`` returns; label 0 is what is no ink.

    The box of label 0 is that of the whole raster, even where a side of that is all ink.
    """

    number: int
    labels: NDArray[np.uint16 | np.int32]
    stats: NDArray[np.int32]
    centroids: NDArray[np.float64]


def connected_pieces(ink: NDArray[np.uint8]) -> Pieces:
    """Find the pieces of ink that hang together, corners included.

    Args:
        ink: (height, width) uint8, > 0 = ink.
    """
    # Rows without ink part what is above from what is below: two of them do. By twos, as OpenCV
    # goes through a raster, so that the pieces have the same numbers.
    rows = np.append(ink.any(axis=1), np.zeros(len(ink) % 2, bool))
    pairs: NDArray[np.bool_] = rows[::2] | rows[1::2]
    pairs[1:] |= pairs[:-1]
    pairs[0] = True
    kept = np.flatnonzero(np.repeat(pairs, 2)[: len(ink)])
    if len(kept) > _MOST_ROWS * len(ink):
        found = _labelled(ink, np.arange(len(ink)))
    else:
        found = _labelled(ink[kept], kept)
        labels = np.zeros(ink.shape, found.labels.dtype)
        labels[kept] = found.labels
        found = found._replace(labels=labels)
    height, width = ink.shape
    areas = found.stats[1:, cv2.CC_STAT_AREA]
    empty = ink.size - int(areas.sum())
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    found.stats[0] = 0, 0, width, height, empty
    found.centroids[0] = (middle * ink.size - areas @ found.centroids[1:]) / max(1, empty)
    return found


def _labelled(ink: NDArray[np.uint8], places: NDArray[np.intp]) -> Pieces:
    """The pieces of some rows of a raster, with their places on the whole of it; not of label 0.

    Args:
        ink: the rows.
        places: which row of the raster each of them is; those of a piece follow each other.
    """
    begins = cv2.compare(ink, cv2.dilate(ink, _FIRST_OF_PIECE), cv2.CMP_GT)
    short = cv2.countNonZero(begins) < _MOST_SHORT_LABELS
    label_type = cv2.CV_16U if short else cv2.CV_32S
    if cv2.countNonZero(ink) > _MOST_INK * ink.size:
        count, labels, stats, centroids = cv2.connectedComponentsWithStats(
            ink, connectivity=8, ltype=label_type
        )
        moved = places[stats[1:, cv2.CC_STAT_TOP]] - stats[1:, cv2.CC_STAT_TOP]
        stats[1:, cv2.CC_STAT_TOP] += moved.astype(np.int32)
        centroids[1:, 1] += moved
    else:
        count, labels = cv2.connectedComponents(ink, connectivity=8, ltype=label_type)
        of_type = cast("NDArray[np.uint16 | np.int32]", labels)
        stats, centroids = _measured(of_type, count, ink, places)
    return Pieces(
        count,
        cast("NDArray[np.uint16 | np.int32]", labels),
        np.asarray(stats, np.int32),
        np.asarray(centroids, np.float64),
    )


def pieces_within(
    ink: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], tuple[slice, slice]]:
    """Find the pieces of a small raster, looking at no more than the part that has ink.

    Args:
        ink: (height, width) uint8, > 0 = ink.

    Returns:
        Labels of that part; stats and centroids on the whole raster, but for those of label 0;
        and where the part is.
    """
    x, y, width, height = cv2.boundingRect(ink)
    # Even, as OpenCV goes through a raster by twos: the pieces have the same numbers.
    left, top = x - x % 2, y - y % 2
    near = slice(top, y + height), slice(left, x + width)
    if not width:
        empty = np.zeros((1, 5), np.int32), np.zeros((1, 2))
        return np.zeros((0, 0), np.int32), *empty, near
    _, labels, stats, centroids = cv2.connectedComponentsWithStats(ink[near], connectivity=8)
    stats[:, :2] += np.array([left, top], np.int32)
    return (
        np.asarray(labels, np.int32),
        np.asarray(stats, np.int32),
        np.asarray(centroids + np.array([left, top]), np.float64),
        near,
    )


def of_pieces(
    values: NDArray[np.uint8], labels: NDArray[np.uint16 | np.int32], ink: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Give every pixel of ink the value of its piece: ``values.take(labels)``, 0 without ink.

    Args:
        values: of each piece, by its label.
        labels: of ``connected_pieces``.
        ink: the ink they were found in.
    """
    spread = np.zeros(labels.shape, np.uint8)
    inked = inked_places(ink)
    spread.ravel()[inked] = values.take(labels.ravel().take(inked))
    return spread


def inked_places(ink: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the places of ink in a raster, row after row, as ``np.flatnonzero``, but sooner."""
    return np.flatnonzero(np.ascontiguousarray(ink).view(np.bool_))


def _measured(
    labels: NDArray[np.uint16 | np.int32],
    count: int,
    ink: NDArray[np.uint8],
    places: NDArray[np.intp],
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Stats and centroids as OpenCV has them, from the runs of ink of each row; not of label 0."""
    stats = np.zeros((count, 5), np.int32)
    centroids = np.zeros((count, 2))
    width, inked = ink.shape[1], inked_places(ink)
    if count == 1:
        return stats, centroids
    parted = np.diff(inked) > 1
    # A run ends with its row.
    parted |= inked[1:] % width == 0
    last = np.append(np.flatnonzero(parted), len(inked) - 1)
    first = np.append(0, last[:-1] + 1)
    piece = labels.ravel()[inked[first]]
    order = np.argsort(piece, kind="stable")
    row, left = np.divmod(inked[first[order]], width)
    row = places[row]
    length = (last - first + 1)[order]
    right = left + length - 1
    of_piece = np.flatnonzero(np.diff(piece[order], prepend=0))  # where each piece's runs begin
    ends = np.append(of_piece[1:], len(order)) - 1
    area = np.add.reduceat(length, of_piece)
    stats[1:, cv2.CC_STAT_LEFT] = np.minimum.reduceat(left, of_piece)
    stats[1:, cv2.CC_STAT_WIDTH] = np.maximum.reduceat(right, of_piece) + 1
    stats[1:, cv2.CC_STAT_WIDTH] -= stats[1:, cv2.CC_STAT_LEFT]
    stats[1:, cv2.CC_STAT_TOP] = row[of_piece]
    stats[1:, cv2.CC_STAT_HEIGHT] = row[ends] - row[of_piece] + 1
    stats[1:, cv2.CC_STAT_AREA] = area
    centroids[1:, 0] = np.add.reduceat(length * (left + right), of_piece) / 2 / area
    centroids[1:, 1] = np.add.reduceat(length * row, of_piece) / area
    return stats, centroids
