"""Laying a page over the clean print of a form: features, homography, local shifts, and proof.

A homography from matched features (RANSAC, USAC-MAGSAC: Barath et al. 2020) is refined by how far
each printed spot really lies from where it should. What is left after that, the curl of a photo,
becomes a coarse field of shifts. The print must then coincide, or the fit is refused with a reason:
a value under a wrong name is worse than a page that a person names.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .form_features import matched_points
from .form_prints import (
    Fit,
    FormPrint,
    Misfit,
    PagePrint,
    Refusal,
    Registration,
    page_boxes,
)
from .print_pieces import print_sum
from .print_shifts import UNCLEAR, shift_at, shift_grid, smooth_field, tile_shifts
from .print_warp import bent_shifts, warped
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
# A rule of few pixels, or a corner of a frame, is broken by a coarse fax and hidden by letters: on
# generated faxes of 204 x 98 dots some that were there had no more than 0.88 of their ink.
_RULE_PX, _SPARSE, _RULE_ABSENT = 6, 0.08, 0.8
_SEARCH_PX = 3
MIN_COINCIDENCE = 0.8
"""Share of the form's print that must lie on the page where it should."""
MAX_ABSENT = 0.01
"""Share of the form's printed pieces that may be missing before it is taken for another version."""
SPARE_ABSENT = 1
"""So many pieces may be missing of any form: a staple, a blot. Regions beside them are doubtful."""


_NO_FIT = Fit(0)
_FEWEST_PX = 12  # a piece with less print than this on the page is not looked for


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
    first = matrix
    matrix, _, _ = _refined(form, page, matrix)
    matrix, shifts, residual = _refined(form, page, matrix)
    best = _laid(form, page, matrix, shifts, inliers, residual)
    if _refusal(best.fit) is not None:
        # A sheet that curls more than tiles find in one step: looked for from either matrix.
        for start in (matrix, first):
            bent, rest = _bent(form, page, start)
            other = _laid(form, page, start, bent, inliers, rest)
            best = max(best, other, key=_agreement)
            if _refusal(best.fit) is None:
                break
    refused = _refusal(best.fit)
    return best if refused is None else Misfit(refused, best.fit)


def _refusal(fit: Fit) -> Refusal | None:
    """Why a fit does not prove the form; None when it does."""
    if fit.coincidence < MIN_COINCIDENCE:
        return Refusal.PRINT_DIFFERS
    if len(fit.absent) > max(SPARE_ABSENT, MAX_ABSENT * fit.pieces):
        return Refusal.OTHER_VERSION
    return None


def _agreement(found: Registration) -> tuple[bool, int, float]:
    fit = found.fit
    return _refusal(fit) is None, -len(fit.absent), fit.coincidence


def _laid(
    form: FormPrint, page: PagePrint, matrix: NDArray[np.float64], shifts: NDArray[np.float32],
    inliers: int, residual: float,
) -> Registration:  # fmt: skip
    print_px = _warped_print(form, matrix, shifts, page.gray.shape)
    fit = _measured(form, page, matrix, shifts, print_px, inliers, residual)
    return Registration(matrix, shifts, fit, print_px)


def _bent(
    form: FormPrint, page: PagePrint, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """Shifts of a curled sheet and what remains of them, in page pixels."""
    small = (
        np.diag([page.scale, page.scale, 1.0])
        @ matrix
        @ np.linalg.inv(np.diag([form.scale, form.scale, 1.0]))
    )
    shifts, rest = bent_shifts(form.small, page.small, small)
    return (shifts / page.scale).astype(np.float32), rest / page.scale


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
    flat = warped(form.mask, matrix, shifts, shape)
    return np.where(flat > 110, 255, 0).astype(np.uint8)


def _measured(
    form: FormPrint,
    page: PagePrint,
    matrix: NDArray[np.float64],
    shifts: NDArray[np.float32],
    print_px: NDArray[np.uint8],
    inliers: int,
    residual: float,
) -> Fit:
    """Share of the print that is there, as a whole and piece by piece."""
    boxes = page_boxes(
        Registration(matrix, shifts, _NO_FIT, print_px), form.pieces, form.mask.shape
    )
    firm = print_px.copy()
    for box, pale in zip(boxes, form.faint, strict=True):
        if pale:
            y0, x0 = max(0, box.y - 1), max(0, box.x - 1)
            firm[y0 : max(0, box.y + box.height + 1), x0 : max(0, box.x + box.width + 1)] = 0
    side = 2 * _NEAR_PX + 1
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    there = cv2.bitwise_and(cv2.dilate(page.mask, reach), firm)
    total = int(np.count_nonzero(firm))
    if total == 0:
        return Fit(inliers, residual_px=residual)
    whole = np.asarray(cv2.integral(firm // 255, sdepth=cv2.CV_32S), np.int32)
    found = np.asarray(cv2.integral(there // 255, sdepth=cv2.CV_32S), np.int32)
    soft = [np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.uint8) for mask in (firm, page.mask)]
    absent: list[Box] = []
    looked_for = 0
    for piece, box in zip(form.pieces, boxes, strict=True):
        expected = print_sum(whole, box)
        if expected < _FEWEST_PX:
            continue  # outside of the page
        looked_for += 1
        share = print_sum(found, box) / expected
        is_rule = min(box.width, box.height) <= _RULE_PX or expected < _SPARSE * _area(box)
        if share >= (_RULE_ABSENT if is_rule else _INK_ABSENT):
            continue
        if _likeness(soft[0], soft[1], box) < _PICTURE_ABSENT:
            absent.append(piece)
    count = int(np.count_nonzero(there))
    return Fit(inliers, count / total, residual, tuple(absent), looked_for, 4 * count - 3 * total)


def _area(box: Box) -> int:
    return box.width * box.height


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


__all__ = [
    "MIN_COINCIDENCE",
    "Fit",
    "FormPrint",
    "Misfit",
    "PagePrint",
    "Refusal",
    "Registration",
    "page_boxes",
    "register",
]  # fmt: skip
