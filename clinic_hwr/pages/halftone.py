"""Dots of a one-bit page that stand for gray, told from specks of noise.

A fax machine set to "photo" and many gateways dither: a thin stroke or a hairline of a form
arrives as single dots in a row, each no larger than a speck. Specks lie anywhere; dots of a stroke
lie along it, more of them together than chance would put there.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Gray

# Places in which dots are counted (width, height): a row, a column, a piece of a stroke.
_PLACES = ((17, 3), (3, 17), (7, 7))
# As many specks as would fall together once in so many places are no chance.
_CHANCE = 1e-4
_UNEVEN = 1.25  # times as many dots as around: shades are uneven
_GROUND_PX = 65  # around a place: as many dots as there are chance would put into it
_REACH_PX, _ROUNDS = 5, 3  # dots so near to sure ones belong to them, step by step
_LEAST_DOTS, _LEAST_SHARE = 500, 0.05  # of the specks: fewer are chance, and no halftone
_BLUR_PX, _GAIN = 1.0, 1.3  # of dots at every second place: dark enough, and no bolder
_AROUND_PX, _DOTTED = 7, (0.08, 0.2)  # of the pixels around stand alone: no edge, but dots


def dots_of_strokes(
    speck: NDArray[np.uint8],
    small: NDArray[np.uint8],
    around: NDArray[np.uint8] | None = None,
    shaded: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Tell which small pieces lie along a stroke or a rule.

    Args:
        speck: (height, width) uint8, 255 on pieces small enough to be specks.
        small: likewise, on these and on somewhat larger ones: dots that touch.
        around: likewise, places that are not looked at.
        shaded: likewise, places where the paper itself has dots: those of a stroke must stand out.

    Returns:
        (height, width) uint8, 255 on dots of strokes; nothing where the page is no halftone.
    """
    if around is not None:
        speck = np.asarray(cv2.subtract(speck, around), np.uint8)
        small = np.asarray(cv2.subtract(small, around), np.uint8)
    specks = np.count_nonzero(speck)
    none = np.zeros_like(speck)
    if specks < _LEAST_DOTS:
        return none
    density = specks / speck.size
    shaded = none if shaded is None else shaded
    ground = None
    if shaded.any():
        ground = cv2.boxFilter(small, cv2.CV_32F, (_GROUND_PX, _GROUND_PX)) / 255
        ground = np.where(shaded > 0, _UNEVEN * ground, 0.0)
    many = none.copy()
    for width, height in _PLACES:
        held = cv2.boxFilter(small, cv2.CV_32F, (width, height), normalize=False)
        least: NDArray[np.float64] | int = _no_chance(density * (width * height - 1))
        if ground is not None:
            means = np.arange(width * height, dtype=np.float64)
            table = [_no_chance(mean) for mean in means]
            least = np.maximum(least, np.interp(ground * (width * height - 1), means, table))
        many |= (held > 255 * least).view(np.uint8) * np.uint8(255)
    dots = cv2.bitwise_and(small, many)
    sure = np.count_nonzero(cv2.bitwise_and(dots, speck))
    if sure < max(_LEAST_DOTS, _LEAST_SHARE * specks):
        return none
    side = np.ones((_REACH_PX, _REACH_PX), np.uint8)
    firm, spread = cv2.bitwise_and(dots, shaded), cv2.subtract(small, shaded)
    for _ in range(_ROUNDS):
        dots = cv2.bitwise_and(spread, cv2.dilate(dots, side))
    dots = cv2.max(dots, firm)
    return np.asarray(dots, np.uint8)


def dots_joined(gray: Gray, stretch: tuple[float, float] = (1.0, 1.0)) -> Gray:
    """Blur dots into the strokes they stand for; strokes that are whole keep their weight.

    Args:
        gray: one-bit page, (height, width) uint8.
        stretch: how much wider and taller it will be drawn; see ``fax.fax_stretch``.
    """
    ink = cv2.bitwise_not(gray)
    lone = cv2.compare(ink, cv2.medianBlur(ink, 3), cv2.CMP_NE)
    share = cv2.boxFilter(lone, cv2.CV_32F, (_AROUND_PX, _AROUND_PX)) / 255
    low, high = _DOTTED
    gain = 1.0 + (_GAIN - 1.0) * np.clip((share - low) / (high - low), 0.0, 1.0)
    blurred = cv2.GaussianBlur(
        ink, (0, 0), _BLUR_PX / stretch[0], sigmaY=_BLUR_PX / stretch[1]
    ).astype(np.float32)
    return np.asarray(255 - np.minimum(blurred * gain, 255), np.uint8)


def _no_chance(mean: float) -> int:
    """Most specks that chance puts into a place, but for one place in many (Poisson).

    Args:
        mean: of the specks in such a place.
    """
    count, term = 0, math.exp(-mean)
    below = term
    while 1.0 - below > _CHANCE:
        count += 1
        term *= mean / count
        below += term
    return count + 1
