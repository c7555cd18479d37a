"""The print of forms and pages, prepared for matching, and what a registration is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .form_features import PrintFeatures, print_features, small_ink
from .print_pieces import faint_pieces, print_pieces
from .print_shifts import shift_at
from .types import Box, Gray


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
        faint: of each piece, whether it is printed much paler than the rest: a fax or a photo may
            lose it, so that nothing follows from its absence.
    """

    mask: NDArray[np.uint8]
    small: Gray
    scale: float
    features: PrintFeatures
    pieces: tuple[Box, ...]
    faint: tuple[bool, ...]

    @classmethod
    def of(cls, gray: Gray) -> FormPrint:
        """Prepare the raster of a clean page."""
        mask = ink_mask(gray)
        small, scale = small_ink(gray)
        pieces = print_pieces(mask)
        return cls(
            mask, small, scale, print_features(gray), pieces, faint_pieces(gray, mask, pieces)
        )


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
