"""Taking the print of a form off a page, so that only what was added to it remains.

The print never lies exactly where the registration says, and a fax or a copy makes it thicker: how
far the page's print reaches beyond the form's is measured on the page, and so much is taken off.
Where pen crosses print, what was taken between two ends of a stroke is put back.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Gray

_MOST_REACH_PX = 4
# Print next to the form's print, as a share of what is there anyway: beyond it is pen or paper.
_STILL_PRINT = 0.2
_PAPER = 255


def print_reach(page_ink: NDArray[np.uint8], form_print: NDArray[np.uint8]) -> int:
    """Return how many pixels the page's print reaches beyond the form's, 1..4.

    Args:
        page_ink: (height, width) uint8, 255 where the page has ink.
        form_print: same shape, 255 where the form's print should lie.
    """
    distance = cv2.distanceTransform(cv2.bitwise_not(form_print), cv2.DIST_L2, 3)
    inked = page_ink > 0
    for reach in range(1, _MOST_REACH_PX):
        ring = (distance > reach) & (distance <= reach + 1)
        # Pen near print is not evenly spread along it; the share over the whole page tells print.
        if np.count_nonzero(inked & ring) < _STILL_PRINT * np.count_nonzero(ring):
            return reach
    return _MOST_REACH_PX


def without_form(
    gray: Gray, page_ink: NDArray[np.uint8], form_print: NDArray[np.uint8]
) -> tuple[Gray, NDArray[np.uint8]]:
    """Take the print of a form off a page.

    Args:
        gray: upright page, (height, width) uint8, white paper.
        page_ink: where it has ink, 255.
        form_print: where the form's print lies on it, 255.

    Returns:
        The page with paper where the print was, and its remaining ink (255).
    """
    reach = print_reach(page_ink, form_print)
    covered = np.asarray(cv2.dilate(form_print, _disc(reach)), np.uint8)
    left = np.asarray(cv2.bitwise_and(page_ink, cv2.bitwise_not(covered)), np.uint8)
    left = _without_rims(left, covered, reach)
    bridges = cv2.bitwise_and(_crossings(left, 2 * reach), cv2.bitwise_and(page_ink, covered))
    ink = np.asarray(cv2.bitwise_or(left, bridges), np.uint8)
    # the gray seam of what is taken goes with it, the seam of what stays stays
    taken = cv2.bitwise_and(cv2.dilate(form_print, _disc(reach + 1)), cv2.bitwise_not(ink))
    keep = cv2.bitwise_and(cv2.dilate(ink, _disc(1)), cv2.bitwise_not(covered))
    page = gray.copy()
    page[(taken > 0) & (keep == 0)] = _PAPER
    return page, ink


def _disc(radius: int) -> NDArray[np.uint8]:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _without_rims(
    left: NDArray[np.uint8], covered: NDArray[np.uint8], reach: int
) -> NDArray[np.uint8]:
    """Drop slivers that cling to the print: thin, and nowhere far from it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(left, connectivity=8)
    if count <= 1:
        return left
    away = cv2.distanceTransform(cv2.bitwise_not(covered), cv2.DIST_L2, 3)
    farthest = np.zeros(count, np.float32)
    np.maximum.at(farthest, np.asarray(labels, np.int64).ravel(), away.ravel())
    small = stats[:, cv2.CC_STAT_AREA] < 6
    drop = (farthest <= 1.5 + 0.5 * reach) | (small & (farthest < 3 * reach + 3))
    drop[0] = True
    return np.where(drop[labels], 0, 255).astype(np.uint8)


def _crossings(ink: NDArray[np.uint8], gap: int) -> NDArray[np.uint8]:
    """Ink joined over gaps of the width of a rule: closed along lines of eight directions."""
    length = gap + 7  # rules are up to 7 px wide
    joined = np.zeros_like(ink)
    for degrees in range(0, 180, 22):
        closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _line(length, degrees))
        joined = np.asarray(cv2.bitwise_or(joined, closed), np.uint8)
    return joined


def _line(length: int, degrees: int) -> NDArray[np.uint8]:
    """A straight structuring element, three pixels wide so that slanted strokes stay whole."""
    side = length | 1
    kernel = np.zeros((side, side), np.uint8)
    middle = side // 2
    angle = np.radians(degrees)
    dx, dy = round(middle * float(np.cos(angle))), round(middle * float(np.sin(angle)))
    cv2.line(kernel, (middle - dx, middle - dy), (middle + dx, middle + dy), 1, 1)
    return kernel
