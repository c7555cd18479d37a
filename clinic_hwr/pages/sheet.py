"""The sheet in a photo: its four corners on a darker table, when they can be seen."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import flatten_background, ink_mask
from .resampling import reduced
from .types import Gray

_SIDE_PX = 480
# The outline must be this close to its quadrilateral (intersection over union): a curled sheet
# reaches 0.95, a shadow or a hand over the edge does not.
_LIKENESS = 0.94
_BITTEN = 0.75  # of the convex outline: less is no sheet with a shadow over its edge
_SHARE = (0.15, 0.985)  # of the picture; above it there is no table to speak of
_CONTRAST = 18.0  # gray levels between the sheet's rim and what is around it
_INK_OUTSIDE = 0.03  # of all letters: more means that the "table" is shaded paper
_AS_DARK = 0.9  # of the letters on the sheet
_MIDDLE = (0.35, 0.65)  # of both sides of the picture: that much of it is sheet, if there is one
_ANGLES_DEG = (55.0, 125.0)
_MEDIAN_PX, _NEAR_PX = 7, 3  # a median over so many pixels looks so far


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet found in a picture.

    Attributes:
        corners_px: (4, 2) clockwise from the top left, in the picture.
        outline: (height, width) uint8 at a working size, 255 = sheet.
        doubtful: an outline was seen that is no sure sheet; it was not used.
    """

    corners_px: NDArray[np.float64] | None
    outline: NDArray[np.uint8] | None = None
    doubtful: bool = False


def find_sheet(gray: Gray) -> Sheet:
    """Look for the outline of a bright sheet on something darker.

    Args:
        gray: (height, width) uint8.

    Returns:
        A sheet whose ``corners_px`` is None when it fills the picture or cannot be told apart.
    """
    scale = min(1.0, _SIDE_PX / max(gray.shape))
    small = reduced(gray, (round(gray.shape[1] * scale), round(gray.shape[0] * scale)))
    if min(small.shape) < 60:
        return Sheet(None)
    lifted = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))  # ink out
    rim = _rim_of_median(np.asarray(lifted, np.uint8))
    # The middle of the picture, not most of it: a small sheet on a large table has less than half.
    low_part, high_part = _MIDDLE
    rows, columns = (slice(int(low_part * side), int(high_part * side) + 1) for side in small.shape)
    around = tuple(slice(part.start - _NEAR_PX, part.stop + _NEAR_PX) for part in (rows, columns))
    middle = cv2.medianBlur(lifted[around], _MEDIAN_PX)[_NEAR_PX:-_NEAR_PX, _NEAR_PX:-_NEAR_PX]
    bright = float(np.median(middle))
    if bright - float(np.percentile(rim, 15)) < _CONTRAST:
        return Sheet(None)
    paper: Gray = np.asarray(cv2.medianBlur(lifted, _MEDIAN_PX), np.uint8)
    otsu, _ = cv2.threshold(paper, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    low = float(np.percentile(rim, 50))
    seen = False
    levels = (otsu, 0.6 * otsu + 0.4 * low, 0.5 * (low + bright))
    masks = itertools.chain([_within_edges(paper)], (_brighter(paper, level) for level in levels))
    for mask in masks:
        found = _quadrilateral(paper, mask)
        if found is None:
            continue
        seen = True
        corners, outline = found
        if not _is_written_outside(small, outline):
            return Sheet(_in_order(corners) / scale, outline)
    return Sheet(None, doubtful=seen)


def _rim_of_median(lifted: Gray) -> Gray:
    """The outermost pixels of a picture's median, one after the other, without that of the rest."""
    width = 2 * _MEDIAN_PX
    top, bottom, left, right = (
        cv2.medianBlur(np.ascontiguousarray(part), _MEDIAN_PX)
        for part in (lifted[:width], lifted[-width:], lifted[:, :width], lifted[:, -width:])
    )
    return np.concatenate([top[0], bottom[-1], left[:, 0], right[:, -1]])


def _within_edges(paper: Gray) -> NDArray[np.uint8]:
    """What floods from the middle before it meets what floods from the rim (Meyer's watershed).

    They meet at the steepest edge between, so that light which falls off over sheet and table
    does not matter, nor how bright the table is.
    """
    height, width = paper.shape
    seeds = np.zeros((height, width), np.int32)
    seeds[:3], seeds[-3:], seeds[:, :3], seeds[:, -3:] = 1, 1, 1, 1
    low, high = _MIDDLE
    seeds[int(low * height) : int(high * height), int(low * width) : int(high * width)] = 2
    smooth = cv2.GaussianBlur(paper, (0, 0), 1.0)
    steep = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    basins = cv2.watershed(cv2.cvtColor(steep, cv2.COLOR_GRAY2BGR), seeds)
    return np.where(basins == 2, 255, 0).astype(np.uint8)


def _brighter(paper: Gray, level: float) -> NDArray[np.uint8]:
    mask = np.where(paper > level, 255, 0).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)


def _quadrilateral(
    paper: Gray, mask: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]] | None:
    """Corners and filled outline of the largest area of a mask, if it has four sides."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    share = cv2.contourArea(contour) / mask.size
    if not _SHARE[0] < share < _SHARE[1]:
        return None
    hull = cv2.convexHull(contour)
    length = cv2.arcLength(hull, True)
    for tolerance in np.arange(0.01, 0.08, 0.005):
        corners = cv2.approxPolyDP(hull, tolerance * length, True).reshape(-1, 2)
        if len(corners) == 4:
            break
    else:
        return None
    outline: Gray = np.zeros_like(mask)
    cv2.drawContours(outline, [contour], -1, 255, -1)
    if np.count_nonzero(outline) > _BITTEN * cv2.contourArea(hull):
        # The shadow of a hand or of the phone over an edge takes a bite out of the sheet.
        cv2.fillConvexPoly(outline, hull, 255)
    filled: Gray = np.zeros_like(mask)
    cv2.fillPoly(filled, [corners], 255)
    shared = np.count_nonzero(outline & filled) / np.count_nonzero(outline | filled)
    if shared < _LIKENESS or not _is_plausible(corners.astype(float)):
        return None
    ring = _grown(outline, 17) & ~_grown(outline, 7)
    inner = outline & ~np.asarray(cv2.erode(outline, np.ones((13, 13), np.uint8)), np.uint8)
    if not ring.any() or not inner.any():
        return None
    contrast = float(np.median(paper[inner > 0])) - float(np.median(paper[ring > 0]))
    if contrast < _CONTRAST:
        return None
    return _fitted(corners.astype(float), np.asarray(contour, np.int32)), outline


def _is_plausible(corners: NDArray[np.float64]) -> bool:
    """Whether a camera can see a rectangle like this."""
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if lengths.min() < 40 or max(lengths[0] / lengths[2], lengths[2] / lengths[0]) > 1.8:
        return False
    if max(lengths[1] / lengths[3], lengths[3] / lengths[1]) > 1.8:
        return False
    back = -np.roll(edges, 1, axis=0)
    cosines = (edges * back).sum(axis=1) / (lengths * np.roll(lengths, 1))
    angles = np.rad2deg(np.arccos(np.clip(cosines, -1, 1)))
    return bool((angles > _ANGLES_DEG[0]).all() and (angles < _ANGLES_DEG[1]).all())


def _fitted(corners: NDArray[np.float64], contour: NDArray[np.int32]) -> NDArray[np.float64]:
    """Corners where the lines through the middles of the four sides meet: worn corners, too."""
    points = contour.reshape(-1, 2).astype(np.float64)
    lines = []
    for start, stop in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = stop - start
        length = np.hypot(*along)
        unit = along / length
        at = (points - start) @ unit / length
        off = np.abs((points - start) @ np.array([-unit[1], unit[0]]))
        near = points[(at > 0.1) & (at < 0.9) & (off < 0.03 * length + 2)]
        if len(near) < 10:
            return corners
        vx, vy, x, y = (float(v) for v in cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER,
                                                      0, 0.01, 0.01).ravel())  # fmt: skip
        lines.append(np.array([vy, -vx, vx * y - vy * x]))
    crossings = [np.cross(lines[k - 1], lines[k]) for k in range(4)]
    if min(abs(one[2]) for one in crossings) < 1e-6:
        return corners
    fitted = np.array([one[:2] / one[2] for one in crossings])
    return fitted if np.abs(fitted - corners).max() < 0.08 * max(np.ptp(corners, 0)) else corners


def _is_written_outside(small: Gray, outline: NDArray[np.uint8]) -> bool:
    """Whether letters stand outside of an outline: then it is the edge of a shadow."""
    flat = flatten_background(small)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink_mask(flat), connectivity=8)
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    letter = (np.maximum(wide, high) <= 24) & (np.minimum(wide, high) >= 3)
    letter[0] = False
    inside = letter[labels] & (outline > 0)
    if not inside.any():
        return bool(letter[labels].any())
    # The grain of a table is as small as letters, but never as dark as the ink of the sheet.
    depth = np.bincount(labels.ravel(), 255.0 - flat.ravel()) / stats[:, cv2.CC_STAT_AREA]
    letter &= depth > _AS_DARK * float(np.median(depth[np.unique(labels[inside])]))
    outside = letter[labels] & (_grown(outline, 9) == 0)
    return bool(np.count_nonzero(outside) > _INK_OUTSIDE * np.count_nonzero(letter[labels]))


def _grown(mask: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.dilate(mask, np.ones((side_px, side_px), np.uint8)), np.uint8)


def _in_order(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Clockwise on the screen, the one nearest to the top left first."""
    centre = corners.mean(axis=0)
    angles = np.arctan2(corners[:, 1] - centre[1], corners[:, 0] - centre[0])
    corners = corners[np.argsort(angles)]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)


def flat_view(
    corners_px: NDArray[np.float64],
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the 3x3 matrix picture -> flat sheet, and the sheet's (width, height) in pixels.

    The sides of the sheet are the longer ones of the picture's, so that no detail is lost.
    """
    edges = np.roll(corners_px, -1, axis=0) - corners_px
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    width, height = round(max(lengths[0], lengths[2])), round(max(lengths[1], lengths[3]))
    target = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    matrix = cv2.getPerspectiveTransform(corners_px.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, np.float64), (width, height)
