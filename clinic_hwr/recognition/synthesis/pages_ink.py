"""What ink on a drawn page needs: faces of print, rows that climb, needles, widths of strokes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

Gray = NDArray[np.uint8]

# Faces that Linux images often carry; PIL's own face stands in where none of them is found.
FACES = {
    "sans": ("DejaVuSans.ttf", "LiberationSans-Regular.ttf"),
    "bold": ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf"),
    "serif": ("DejaVuSerif.ttf", "LiberationSerif-Regular.ttf"),
    "serif-bold": ("DejaVuSerif-Bold.ttf", "LiberationSerif-Bold.ttf"),
    "narrow": ("DejaVuSansCondensed.ttf", "LiberationSansNarrow-Regular.ttf"),
}


_other_faces: ContextVar[Mapping[str, str] | None] = ContextVar("other_faces", default=None)


@contextmanager
def other_faces(files: Mapping[str, str]) -> Iterator[None]:
    """Print with other font files: face (a key of ``FACES``) -> file."""
    before = _other_faces.set(files)
    try:
        yield
    finally:
        _other_faces.reset(before)


def print_font(face: str, size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a print face at a size; falls back to the face inside PIL."""
    other = (_other_faces.get() or {}).get(face)
    return _first_font((other,) if other else FACES[face], size_px)


@lru_cache(maxsize=2048)
def _first_font(
    files: tuple[str, ...], size_px: int
) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for file_name in files:
        try:
            return ImageFont.truetype(file_name, size_px)
        except OSError:
            continue
    return ImageFont.load_default(size_px)


def climbing(alpha: Gray, baseline: int, angle_deg: float) -> tuple[Gray, int]:
    """Shear a row so that it climbs (positive) from its left end; returns it and its baseline."""
    rise = np.tan(np.deg2rad(angle_deg))
    width = alpha.shape[1]
    above, below = (max(0, round(width * rise)), max(0, round(-width * rise)))
    matrix = np.array([[1.0, 0.0, 0.0], [-rise, 1.0, above]])
    size = (width, alpha.shape[0] + above + below)
    return np.asarray(cv2.warpAffine(alpha, matrix, size), np.uint8), baseline + above


def needle_gaps(shape: tuple[int, ...], dpi: int) -> NDArray[np.bool_]:
    """Where no needle strikes: between rows and columns of dots."""
    pitch = dpi / 72
    rows, columns = (np.arange(size) % pitch > 0.72 * pitch for size in shape)
    return np.asarray(rows[:, None] | columns[None, :])


def stroke_width(alpha: Gray) -> float:
    """Mean width of the strokes of a tile in pixels: twice the ridge of the distance to paper."""
    inside = np.where(alpha > 127, 255, 0).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    ridge = distance[(distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3))))]
    return max(0.5, 2.0 * float(ridge.mean()) - 0.5) if ridge.size else 1.0
