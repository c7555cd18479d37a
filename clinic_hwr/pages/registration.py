"""Laying a page over the clean print of a form: features, homography, local shifts, and proof.

A homography from matched features (RANSAC, USAC-MAGSAC: Barath et al. 2020) is refined by how far
each printed spot really lies from where it should. What is left after that, the curl of a photo,
becomes a coarse field of shifts. The print must then coincide, or the fit is refused with a reason:
a value under a wrong name is worse than a page that a person names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .form_features import PrintFeatures, matched_points, print_features, small_ink
from .print_pieces import print_pieces, print_sum
from .print_shifts import UNCLEAR, shift_at, shift_grid, smooth_field, tile_shifts
from .types import Box, Gray

# Measured on generated pages (benchmarks/known_forms.py): right forms after fax and phone hold 60
# and more inliers, other forms up to 14.
_MIN_INLIERS = 24
_RANSAC_PX = 4.0  # in pixels of the small raster; curl and paper stretch stay inside
_SCALES = (0.3, 3.5)  # page pixels per form pixel
_MAX_TURN_DEG = 20.0  # pages arrive upright; a page that does not is turned again first
_MAX_STRETCH = 1.35  # of one side against the other; receipts are not forms
_MAX_KEYSTONE = 0.5  # of opposite sides' lengths, a photo from 45 degrees
_MIN_INSIDE = 0.75  # share of the form that must lie on the page

_NEAR_PX = 2  # page ink this near to a printed pixel is that print

# A piece of print is absent when its picture is not there and most of its ink is not either. Pen
# over a word spoils its picture but not its ink; another word in its place has some of its ink.
_PICTURE_ABSENT, _INK_ABSENT = 0.68, 0.95
_SEARCH_PX = 3
MIN_COINCIDENCE = 0.8
"""Share of the form's print that must lie on the page where it should."""
MAX_ABSENT = 0.01
"""Share of the form's printed pieces that may be missing before it is taken for another version."""
SPARE_ABSENT = 1
"""So many pieces may be missing of any form: a staple, a blot. Regions beside them are doubtful."""


class Refusal(StrEnum):
    """Why a page is not taken for a form; values are stored."""

    BLANK = "blank"  # nothing on the page or on the form to go by
    FEW_INLIERS = "few_inliers"
    IMPLAUSIBLE = "implausible"  # no camera or scanner makes such a picture of the form
    TURNED = "turned"  # it is the form, but not upright
    CUT_OFF = "cut_off"  # too much of the form lies outside of the page
    PRINT_DIFFERS = "print_differs"  # much of the print is not where it should be
    OTHER_VERSION = "other_version"  # most print fits, single pieces of it do not
    AMBIGUOUS = "ambiguous"  # two forms fit, and what differs cannot be seen


@dataclass(frozen=True, slots=True)
class FormPrint:
    """The clean page of a form, prepared once for matching.

    Attributes:
        mask: (height, width) uint8, 255 where it is printed.
        small: its print at feature scale, 0 none .. 255 full.
        scale: pixels of ``small`` per pixel of ``gray``.
        features: to recognise it by.
        pieces: boxes of words and rules in pixels of ``gray``: what can be there or not.
    """

    mask: NDArray[np.uint8]
    small: Gray
    scale: float
    features: PrintFeatures
    pieces: tuple[Box, ...]

    @classmethod
    def of(cls, gray: Gray) -> FormPrint:
        """Prepare the raster of a clean page."""
        mask = ink_mask(gray)
        small, scale = small_ink(gray)
        return cls(mask, small, scale, print_features(gray), print_pieces(mask))


@dataclass(frozen=True, slots=True)
class PagePrint:
    """A page, prepared once for all forms it is laid over; see ``FormPrint``."""

    gray: Gray
    mask: NDArray[np.uint8]
    small: Gray
    scale: float
    features: PrintFeatures

    @classmethod
    def of(cls, gray: Gray) -> PagePrint:
        """Prepare the raster of an upright page."""
        small, scale = small_ink(gray)
        return cls(gray, ink_mask(gray), small, scale, print_features(gray))


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a page lies over a form.

    Attributes:
        inliers: matched features that agree.
        coincidence: share 0..1 of the form's print found where it should be.
        residual_px: median distance of printed spots from their place after the fit, page pixels.
        absent: printed pieces of the form that the page does not have, in form pixels.
        pieces: printed pieces that could be looked for.
        evidence: pixels of print that were found, less three times those that were not: of two
            forms that both fit, the one that explains more of the page has more.
    """

    inliers: int
    coincidence: float = 0.0
    residual_px: float = 0.0
    absent: tuple[Box, ...] = ()
    pieces: int = 0
    evidence: int = 0


_NO_FIT = Fit(0)
_FEWEST_PX = 12  # a piece with less print than this on the page is not looked for


@dataclass(frozen=True, slots=True)
class Registration:
    """A form laid over a page.

    Attributes:
        matrix: 3x3, form pixels -> page pixels.
        shifts: (rows, columns, 2) float32: x and y in page pixels to add to what the matrix says,
            on a grid over the form; bilinear in between.
        fit: how good it is.
        warped: (page height, page width) uint8, 255 where the form's print lies on the page.
    """

    matrix: NDArray[np.float64]
    shifts: NDArray[np.float32]
    fit: Fit
    warped: NDArray[np.uint8]

    def to_page(self, points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Form points (n, 2) of a form of (width, height) pixels -> page points."""
        moved = cv2.perspectiveTransform(points.reshape(-1, 1, 2), self.matrix).reshape(-1, 2)
        return np.asarray(moved + shift_at(self.shifts, points, size), np.float64)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A form that does not fit, why, and how near it came."""

    reason: Refusal
    fit: Fit | None = None


def register(form: FormPrint, page: PagePrint) -> Registration | Misfit:
    """Lay a form over a page.

    Args:
        form: the clean page.
        page: an upright page.

    Returns:
        The registration, or why there is none. The same two rasters give the same answer.
    """
    source, target = matched_points(form.features, page.features)
    if len(form.features.points) < 8 or len(page.features.points) < 8:
        return Misfit(Refusal.BLANK)
    if len(source) < 8:
        return Misfit(Refusal.FEW_INLIERS)
    matrix, inliers = _homography(source, target, _RANSAC_PX / page.scale)
    if matrix is None or inliers < _MIN_INLIERS:
        return Misfit(Refusal.FEW_INLIERS, Fit(inliers))
    height, width = form.mask.shape
    bad = _implausible(matrix, (width, height), page.gray.shape)
    if bad is not None:
        return Misfit(bad, Fit(inliers))
    matrix, _, _ = _refined(form, page, matrix)
    matrix, shifts, residual = _refined(form, page, matrix)
    warped = _warped_print(form, matrix, shifts, page.gray.shape)
    fit = _measured(form, page, matrix, shifts, warped, inliers, residual)
    if fit.coincidence < MIN_COINCIDENCE:
        return Misfit(Refusal.PRINT_DIFFERS, fit)
    if len(fit.absent) > max(SPARE_ABSENT, MAX_ABSENT * fit.pieces):
        return Misfit(Refusal.OTHER_VERSION, fit)
    return Registration(matrix, shifts, fit, warped)


def _homography(
    source: NDArray[np.float32], target: NDArray[np.float32], tolerance: float
) -> tuple[NDArray[np.float64] | None, int]:
    cv2.setRNGSeed(1)  # the same page gives the same fit
    matrix, kept = cv2.findHomography(
        source, target, method=cv2.USAC_MAGSAC, ransacReprojThreshold=tolerance, maxIters=3000
    )
    if matrix is None:
        return None, 0
    # many matches of one spot prove nothing: count those that stand apart
    spots = np.unique(np.round(source[np.asarray(kept).ravel() > 0] / 6.0), axis=0)
    return np.asarray(matrix, np.float64), len(spots)


def _implausible(
    matrix: NDArray[np.float64], size: tuple[int, int], page: tuple[int, ...]
) -> Refusal | None:
    """Whether no scanner or camera gives this picture of a sheet of (width, height) pixels."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    weights = np.c_[corners, np.ones(4)] @ matrix[2]
    if (weights * weights[0] <= 0).any():
        return Refusal.IMPLAUSIBLE
    quad = cv2.perspectiveTransform(corners.reshape(-1, 1, 2), matrix).reshape(-1, 2)
    sides = np.roll(quad, -1, axis=0) - quad
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if not (turns > 0).all():  # mirrored or folded over
        return Refusal.IMPLAUSIBLE
    lengths = np.linalg.norm(sides, axis=1)
    top, right, bottom, left = lengths
    keystone = max(abs(np.log(top / bottom)), abs(np.log(left / right)))
    across, down = np.sqrt(top * bottom) / width, np.sqrt(left * right) / height
    stretch = abs(np.log(across / down))
    if keystone > _MAX_KEYSTONE or stretch > np.log(_MAX_STRETCH):
        return Refusal.IMPLAUSIBLE
    if not _SCALES[0] < np.sqrt(across * down) < _SCALES[1]:
        return Refusal.IMPLAUSIBLE
    turn = float(np.degrees(np.arctan2(sides[0, 1], sides[0, 0])))
    if abs(turn) > _MAX_TURN_DEG:
        return Refusal.TURNED
    xs, ys = np.meshgrid(np.linspace(0, width, 21), np.linspace(0, height, 21))
    spots = np.stack([xs.ravel(), ys.ravel()], 1).reshape(-1, 1, 2)
    x, y = cv2.perspectiveTransform(spots, matrix).reshape(-1, 2).T
    inside = (x > -2) & (x < page[1] + 2) & (y > -2) & (y < page[0] + 2)
    return Refusal.CUT_OFF if inside.mean() < _MIN_INSIDE else None


def _refined(
    form: FormPrint, page: PagePrint, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
    """Look how far each tile of print lies from its place; mend the matrix, then the rest.

    Returns:
        The matrix, the shifts that remain and their median length, in page pixels.
    """
    to_small = np.diag([page.scale, page.scale, 1.0])
    from_small = np.diag([form.scale, form.scale, 1.0])
    small = to_small @ matrix @ np.linalg.inv(from_small)
    height, width = page.small.shape
    print_px = cv2.warpPerspective(form.small, small, (width, height), flags=cv2.INTER_LINEAR)
    at, moved, weights = tile_shifts(np.asarray(print_px, np.uint8), page.small)
    rows, columns = shift_grid(form.small.shape)
    none = np.zeros((rows, columns, 2), np.float32)
    if len(at) < 8:
        return matrix, none, 0.0
    back = cv2.perspectiveTransform(at.reshape(-1, 1, 2), np.linalg.inv(small)).reshape(-1, 2)
    cv2.setRNGSeed(1)
    better, kept = cv2.findHomography(
        back, moved, method=cv2.RANSAC, ransacReprojThreshold=3.0, maxIters=500
    )
    if better is None or np.count_nonzero(kept) < 0.4 * len(at):
        return matrix, none, 0.0
    better = np.asarray(better, np.float64)
    rest = moved - cv2.perspectiveTransform(back.reshape(-1, 1, 2), better).reshape(-1, 2)
    near = np.linalg.norm(rest, axis=1) < 6.0
    rest, back, weights = rest[near], back[near], weights[near]
    size = (form.small.shape[1], form.small.shape[0])
    for _ in range(2):  # a tile that took pen for print disagrees with its neighbours
        field = smooth_field(back, rest, weights, form.small.shape)
        off = rest - shift_at(field.astype(np.float32), back, size)
        off = np.linalg.norm(np.where(weights > UNCLEAR, off, 0.0), axis=1)
        agree = off < max(1.0, 2.5 * float(np.median(off))) if len(off) else off > 0
        rest, back, weights = rest[agree], back[agree], weights[agree]
    field = smooth_field(back, rest, weights, form.small.shape) / page.scale
    final = np.linalg.inv(to_small) @ better @ from_small
    residual = float(np.median(np.linalg.norm(rest, axis=1))) / page.scale if len(rest) else 0.0
    return np.asarray(final / final[2, 2], np.float64), field.astype(np.float32), residual


def _warped_print(
    form: FormPrint,
    matrix: NDArray[np.float64],
    shifts: NDArray[np.float32],
    shape: tuple[int, ...],
) -> NDArray[np.uint8]:
    """The form's print as it lies on the page."""
    height, width = shape[0], shape[1]
    if float(np.abs(shifts).max()) < 0.3:
        flat = cv2.warpPerspective(form.mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return np.where(np.asarray(flat) > 110, 255, 0).astype(np.uint8)
    # The shift of a page point is looked up where the matrix alone would send it: shifts are
    # small against a tile, so that is the same one. Maps on every 8th pixel, then enlarged.
    step = 8
    ys, xs = np.mgrid[0 : height + step : step, 0 : width + step : step].astype(np.float64)
    grid = np.stack([xs.ravel(), ys.ravel()], 1)
    inverse = np.linalg.inv(matrix)
    size = (form.mask.shape[1], form.mask.shape[0])
    first = np.asarray(
        cv2.perspectiveTransform(grid.reshape(-1, 1, 2), inverse).reshape(-1, 2), np.float64
    )
    moved = grid - shift_at(shifts, first, size)
    back = cv2.perspectiveTransform(moved.reshape(-1, 1, 2), inverse).reshape(*xs.shape, 2)
    full = cv2.resize(
        back.astype(np.float32), None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR
    )
    # cv2.resize aligns the middles of pixels: sample i of the coarse map stands at 8 i + 3.5
    place = cv2.warpAffine(
        full, np.array([[1.0, 0.0, -(step - 1) / 2], [0.0, 1.0, -(step - 1) / 2]]),
        (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    flat = cv2.remap(
        form.mask, place[..., 0], place[..., 1], interpolation=cv2.INTER_LINEAR, borderValue=0
    )
    return np.where(np.asarray(flat) > 110, 255, 0).astype(np.uint8)


def _measured(
    form: FormPrint,
    page: PagePrint,
    matrix: NDArray[np.float64],
    shifts: NDArray[np.float32],
    warped: NDArray[np.uint8],
    inliers: int,
    residual: float,
) -> Fit:
    """Share of the print that is there, as a whole and piece by piece."""
    side = 2 * _NEAR_PX + 1
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    there = cv2.bitwise_and(cv2.dilate(page.mask, reach), warped)
    total = int(np.count_nonzero(warped))
    if total == 0:
        return Fit(inliers, residual_px=residual)
    whole = np.asarray(cv2.integral(warped // 255, sdepth=cv2.CV_32S), np.int32)
    found = np.asarray(cv2.integral(there // 255, sdepth=cv2.CV_32S), np.int32)
    soft = [
        np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.uint8) for mask in (warped, page.mask)
    ]
    boxes = page_boxes(Registration(matrix, shifts, _NO_FIT, warped), form.pieces, form.mask.shape)
    absent: list[Box] = []
    looked_for = 0
    for piece, box in zip(form.pieces, boxes, strict=True):
        expected = print_sum(whole, box)
        if expected < _FEWEST_PX:
            continue  # outside of the page
        looked_for += 1
        share = print_sum(found, box) / expected
        if share < _INK_ABSENT and _likeness(soft[0], soft[1], box) < _PICTURE_ABSENT:
            absent.append(piece)
    count = int(np.count_nonzero(there))
    return Fit(inliers, count / total, residual, tuple(absent), looked_for, 4 * count - 3 * total)


def _likeness(expected: Gray, page: Gray, box: Box) -> float:
    """Best normalised correlation of a piece of print with the page near its place, -1..1."""
    height, width = page.shape
    x0, y0 = max(_SEARCH_PX, box.x - 2), max(_SEARCH_PX, box.y - 2)
    x1 = min(width - _SEARCH_PX, box.x + box.width + 2)
    y1 = min(height - _SEARCH_PX, box.y + box.height + 2)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return 0.0
    tile = expected[y0:y1, x0:x1].astype(np.float32)
    if float(tile.std()) < 1.0:
        return 0.0
    window = page[y0 - _SEARCH_PX : y1 + _SEARCH_PX, x0 - _SEARCH_PX : x1 + _SEARCH_PX]
    scores = cv2.matchTemplate(window.astype(np.float32), tile, cv2.TM_CCOEFF_NORMED)
    return float(np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0).max())


def page_boxes(
    registration: Registration, boxes: tuple[Box, ...], form_shape: tuple[int, ...]
) -> list[Box]:
    """Boxes of a form of (height, width) pixels around their place on the page."""
    if not boxes:
        return []
    corners = np.array(
        [
            [
                [b.x, b.y],
                [b.x + b.width, b.y],
                [b.x + b.width, b.y + b.height],
                [b.x, b.y + b.height],
            ]
            for b in boxes
        ],
        np.float64,
    )
    size = (form_shape[1], form_shape[0])
    moved = registration.to_page(corners.reshape(-1, 2), size).reshape(-1, 4, 2)
    low = np.floor(moved.min(axis=1)).astype(int)
    high = np.ceil(moved.max(axis=1)).astype(int)
    return [
        Box(int(x0), int(y0), max(1, int(x1 - x0)), max(1, int(y1 - y0)))
        for (x0, y0), (x1, y1) in zip(low, high, strict=True)
    ]
