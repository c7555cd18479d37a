"""Local features of print, and which of many forms a page may be printed on.

SIFT (Lowe 2004) on the ink of a downsized page, with Hellinger-normalised descriptors (RootSIFT,
Arandjelovic and Zisserman 2012). A small sample of a page's descriptors votes among all forms at
once, so that only a handful has to be matched in full, however many a site has.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .types import Gray

FEATURE_SIDE_PX = 640
"""Long side for features; SIFT doubles it first. At 900 they take twice as long."""
SMALL_SIDE_PX = 900
"""Long side for looking how far print lies off: labels of 8 points still have 9 px."""

_MOST_FEATURES = 1400
_VOTERS = 220  # descriptors a page or a form sends to the vote: strongest first
_ALIKE = 0.86  # cosine of two RootSIFT descriptors of the same printed spot after a fax: 0.85-0.98
_RATIO = 0.98  # of the angle to the second best; print repeats its letters, RANSAC does the rest


@dataclass(frozen=True, slots=True)
class PrintFeatures:
    """Keypoints and descriptors of a page's ink.

    Attributes:
        points: (n, 2) float32, x and y in pixels of the full-size page.
        descriptors: (n, 128) float32 of length one, strongest keypoints first.
        scale: pixels of the small raster per pixel of the page.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    scale: float


def small_ink(gray: Gray, side_px: int = SMALL_SIDE_PX) -> tuple[Gray, float]:
    """Return the ink of a page (0 none, 255 full) with a long side of ``side_px``, and its scale.

    A page that is smaller already keeps its size.
    """
    ink = ink_mask(gray)
    scale = min(1.0, side_px / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale


def print_features(gray: Gray) -> PrintFeatures:
    """Detect and describe what can be recognised of a page again; none on a blank page."""
    small, scale = small_ink(gray, FEATURE_SIDE_PX)
    soft = cv2.GaussianBlur(small, (0, 0), 1.0)
    keypoints, descriptors = _detector().detectAndCompute(soft, None)
    if descriptors is None or len(keypoints) == 0:
        return PrintFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), scale)
    order = np.argsort([-point.response for point in keypoints], kind="stable")[:_MOST_FEATURES]
    points = np.array([keypoints[int(index)].pt for index in order], np.float32)
    # pixel centres: pixel i of the small raster lies over pixels i/scale .. of the page
    points = ((points + 0.5) / scale - 0.5).astype(np.float32)
    return PrintFeatures(points, _hellinger(np.asarray(descriptors[order], np.float32)), scale)


@cache
def _detector() -> cv2.SIFT:
    return cv2.SIFT.create(nfeatures=_MOST_FEATURES, contrastThreshold=0.03)


def _hellinger(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    total = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.sqrt(descriptors / total), np.float32)


def likely_forms(
    page: PrintFeatures, forms: Sequence[PrintFeatures], *, most: int = 4
) -> list[int]:
    """Return the indexes of the forms worth matching in full, likeliest first.

    Every voter of the page asks each form for its most similar descriptor; what is similar in
    a form more often than in the other forms speaks for it. One matrix product for all forms.
    """
    if len(forms) <= most:
        return list(range(len(forms)))
    if len(page.points) == 0:
        return []
    voters = page.descriptors[: 2 * _VOTERS]
    sizes = [min(_VOTERS, len(form.points)) for form in forms]
    if sum(sizes) == 0:
        return []
    table = np.concatenate([form.descriptors[:_VOTERS] for form in forms])
    alike = voters @ table.T
    starts = np.concatenate([[0], np.cumsum(sizes)])
    best = np.stack(
        [
            alike[:, start:stop].max(axis=1) if stop > start else np.zeros(len(voters), np.float32)
            for start, stop in itertools.pairwise(starts)
        ],
        axis=1,
    )
    votes = np.clip(best - _ALIKE, 0.0, None).sum(axis=0)
    order = np.argsort(-votes, kind="stable")
    return [int(index) for index in order[:most] if votes[index] > 0]


def matched_points(
    form: PrintFeatures, page: PrintFeatures
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return corresponding points (n, 2) of a form and a page: mutually best, and distinct."""
    none = np.zeros((0, 2), np.float32)
    if len(form.points) < 2 or len(page.points) < 2:
        return none, none
    alike = page.descriptors @ form.descriptors.T
    best = alike.argmax(axis=1)
    rows = np.arange(len(best))
    top = alike[rows, best]
    back = alike.argmax(axis=0)[best] == rows
    alike[rows, best] = -1.0
    second = alike.max(axis=1)
    angle, other = np.arccos(np.clip(top, -1, 1)), np.arccos(np.clip(second, -1, 1))
    good = back & (angle < _RATIO * other) & (top > 0.75)
    return form.points[best[good]], page.points[good]
