"""What a scanner, a fax or a phone does to a page: turn, skew, shadow, blur, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .pages_paper import FieldTruth, Gray


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """How a page is degraded.

    Attributes:
        quarter_turns: clockwise quarter turns the paper lies in, 0..3.
        skew_deg: small rotation, degrees, counter-clockwise positive.
        paper_gray: brightness of the paper, 0..255.
        shadow: depth of a soft shadow over the page, 0 = none .. 1 = black.
        blur_px: standard deviation of the optical blur.
        noise: standard deviation of the sensor noise in gray levels.
        jpeg_quality: 0 = no JPEG, else 1..100.
    """

    quarter_turns: int = 0
    skew_deg: float = 0.0
    paper_gray: int = 250
    shadow: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    jpeg_quality: int = 0


def random_settings(rng: np.random.Generator) -> ScanSettings:
    """Draw settings as an office scanner or a careful phone photo would give."""
    return ScanSettings(
        quarter_turns=int(rng.choice(4, p=(0.55, 0.15, 0.15, 0.15))),
        skew_deg=float(np.clip(rng.normal(0.0, 3.0), -12.0, 12.0)),
        paper_gray=int(rng.integers(215, 254)),
        shadow=float(rng.choice((0.0, rng.uniform(0.05, 0.4)))),
        blur_px=float(rng.uniform(0.0, 1.1)),
        noise=float(rng.uniform(0.0, 9.0)),
        jpeg_quality=int(rng.integers(45, 95)) if rng.random() < 0.5 else 0,
    )


def scan_paper(
    ink: Gray, fields: tuple[FieldTruth, ...], settings: ScanSettings, rng: np.random.Generator
) -> tuple[Gray, tuple[FieldTruth, ...]]:
    """Degrade a clean drawing and carry the truth along.

    Args:
        ink: the clean page, 255 = paper.
        fields: ground truth in its pixels.
        settings: what to do.
        rng: noise source.

    Returns:
        The scan and the same fields in the scan's pixels.
    """
    page, matrix = _rotate(ink, settings)
    scan = page.astype(np.float32) * (settings.paper_gray / 255.0)
    if settings.shadow > 0:
        scan *= _shadow(page.shape[0], page.shape[1], settings.shadow, rng)
    if settings.blur_px > 0.2:
        scan = np.asarray(cv2.GaussianBlur(scan, (0, 0), settings.blur_px), np.float32)
    if settings.noise > 0:
        scan += rng.normal(0.0, settings.noise, scan.shape).astype(np.float32)
    gray = np.clip(np.round(scan), 0, 255).astype(np.uint8)
    if settings.jpeg_quality:
        _, data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
        gray = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray, tuple(_moved(field, matrix) for field in fields)


def _rotate(ink: Gray, settings: ScanSettings) -> tuple[Gray, NDArray[np.float64]]:
    """Turn the paper inside a canvas that holds all of it; returns the 2x3 matrix used."""
    height, width = ink.shape
    angle = settings.skew_deg - 90.0 * settings.quarter_turns
    matrix = np.asarray(
        cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0), np.float64
    )
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    out = round(height * sin + width * cos), round(height * cos + width * sin)
    matrix[0, 2] += (out[0] - width) / 2
    matrix[1, 2] += (out[1] - height) / 2
    page = cv2.warpAffine(ink, matrix, out, flags=cv2.INTER_AREA, borderValue=255)
    return np.asarray(page, np.uint8), matrix


def _shadow(height: int, width: int, depth: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A soft, one-sided darkening as of a hand or a book fold; factors 1-depth..1."""
    small = rng.random((4, 4)).astype(np.float32)
    field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1.0 - depth * np.clip(field, 0.0, 1.0), np.float32)


def _moved(field: FieldTruth, matrix: NDArray[np.float64]) -> FieldTruth:
    points = np.asarray(field.quad_px) @ matrix[:, :2].T + matrix[:, 2]
    return replace(field, quad_px=tuple((float(x), float(y)) for x, y in points))
