"""What a scanner, a fax or a phone does to a page: turn, skew, shadow, blur, noise, JPEG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .pages_camera import camera_view, table_top
from .pages_fax import fax_of
from .pages_paper import Gray
from .pages_truth import FieldTruth, LineTruth, MarkTruth

Moves = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Points of the clean drawing (n, 2) to points of the scan (n, 2), both in pixels."""
Truth = TypeVar("Truth", FieldTruth, LineTruth, MarkTruth)


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
        folds: creases across the paper.
        photo: taken by a camera: the next four count.
        tilt_deg: how far the sheet leans back, and to the side.
        bend: how far it is bent up, two shapes, in shares of its width.
        margin: table around the sheet as a share of the picture; negative cuts its edge off.
        table_gray: brightness of what it lies on.
        cast_shadow: depth of a shadow with an edge, as of a hand or the phone.
        motion_px: length of a camera shake.
        fax_dpi: resolution (across, down) of a one-bit fax; None is no fax.
        dither: the fax renders gray as a pattern of dots instead of by a threshold.
        speckle: share of pixels that come out wrong on a fax.
        dropped_rows: groups of rows lost on the line.
    """

    quarter_turns: int = 0
    skew_deg: float = 0.0
    paper_gray: int = 250
    shadow: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    jpeg_quality: int = 0
    folds: int = 0
    photo: bool = False
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    bend: tuple[float, float] = (0.0, 0.0)
    margin: float = 0.0
    table_gray: int = 60
    cast_shadow: float = 0.0
    motion_px: float = 0.0
    fax_dpi: tuple[int, int] | None = None
    dither: bool = False
    speckle: float = 0.0
    dropped_rows: int = 0


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
    gray, moves, _ = scan_with_moves(ink, settings, rng)
    return gray, moved(fields, moves)


def scan_with_moves(
    ink: Gray,
    settings: ScanSettings,
    rng: np.random.Generator,
    *,
    pen: Gray | None = None,
    dpi: int = 200,
) -> tuple[Gray, Moves, Gray | None]:
    """Degrade a clean drawing; returns the scan, where its points went, and the pen layer.

    Args:
        ink: the clean page, 255 = paper.
        settings: what to do.
        rng: noise source.
        pen: a layer (255 = pen ink) that shall go through the same geometry, undegraded.
        dpi: pixels an inch of ``ink``: a fax has its own.
    """
    if settings.folds:
        ink = _folded(ink, settings.folds, rng)
    if settings.photo:
        scan, moves, layer = _photo(ink, settings, rng, pen)
    else:
        page, matrix = _rotate(ink, settings)
        layer = None if pen is None else 255 - _rotate(255 - pen, settings)[0]
        scan, moves = page.astype(np.float32) * (settings.paper_gray / 255.0), _affine(matrix)
    gray = _through_the_lens(scan, settings, rng)
    if settings.fax_dpi is None:
        return gray, moves, layer
    sent = fax_of(
        gray, settings.fax_dpi, rng, page_dpi=dpi, dither=settings.dither,
        speckle=settings.speckle, dropped_rows=settings.dropped_rows,
    )  # fmt: skip
    stretch, shift = sent.scale, sent.offset
    if layer is not None:
        layer = sent.carried(layer)
    return sent.gray, lambda points: moves(points) * stretch + shift, layer


def moved(truths: Sequence[Truth], moves: Moves) -> tuple[Truth, ...]:
    """The same truths where their ink is on the scan."""
    if not truths:
        return ()
    corners = moves(np.array([point for one in truths for point in one.quad_px]))
    quads = corners.reshape(len(truths), 4, 2)
    return tuple(
        replace(one, quad_px=tuple((float(x), float(y)) for x, y in quad))
        for one, quad in zip(truths, quads, strict=True)
    )


def bands_moved(lines: Sequence[LineTruth], moves: Moves) -> tuple[LineTruth, ...]:
    """The same lines with their bands where these are on the scan; see ``moved`` for corners."""
    return tuple(
        replace(
            line,
            band_px=tuple((float(x), float(y)) for x, y in moves(np.array(line.band_px))),
        )
        if line.band_px
        else line
        for line in lines
    )


def _through_the_lens(
    scan: NDArray[np.float32], settings: ScanSettings, rng: np.random.Generator
) -> Gray:
    """Light, focus, sensor and compression."""
    height, width = scan.shape
    if settings.shadow > 0:
        scan *= _shadow(height, width, settings.shadow, rng)
    if settings.cast_shadow > 0:
        scan *= _cast_shadow(height, width, settings.cast_shadow, rng)
    if settings.blur_px > 0.2:
        scan = np.asarray(cv2.GaussianBlur(scan, (0, 0), settings.blur_px), np.float32)
    if settings.motion_px >= 2:
        scan = _shaken(scan, settings.motion_px, rng)
    if settings.noise > 0:
        scan += rng.normal(0.0, settings.noise, scan.shape).astype(np.float32)
    gray = np.clip(np.round(scan), 0, 255).astype(np.uint8)
    if settings.jpeg_quality:
        _, data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
        gray = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray


def _photo(
    ink: Gray, settings: ScanSettings, rng: np.random.Generator, pen: Gray | None
) -> tuple[NDArray[np.float32], Moves, Gray | None]:
    height, width = ink.shape
    view = camera_view(
        (width, height),
        turn_deg=settings.skew_deg - 90.0 * settings.quarter_turns,
        tilt_deg=settings.tilt_deg,
        bend=settings.bend,
        margin=settings.margin,
    )
    xs, ys = view.paper_points()
    shape = (view.size[1], view.size[0])
    table = table_top(shape, settings.table_gray, rng)
    paper = cv2.remap(ink, xs, ys, cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    on_paper = (xs >= -0.5) & (ys >= -0.5) & (xs <= width - 0.5) & (ys <= height - 0.5)
    lit = paper.astype(np.float32) * (settings.paper_gray / 255.0)
    # The sheet casts a thin shadow on the table.
    near = cv2.GaussianBlur(on_paper.astype(np.float32), (0, 0), 6.0)
    scan = np.where(on_paper, lit, table * (1.0 - 0.5 * near)).astype(np.float32)
    layer = None if pen is None else np.asarray(cv2.remap(pen, xs, ys, cv2.INTER_LINEAR), np.uint8)
    return scan, view.project, layer


def _affine(matrix: NDArray[np.float64]) -> Moves:
    return lambda points: points @ matrix[:, :2].T + matrix[:, 2]


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


def _cast_shadow(
    height: int, width: int, depth: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A shadow with an edge a few millimetres soft: a half-plane, or a blob from one side."""
    scale = 8
    low = np.zeros((height // scale + 1, width // scale + 1), np.float32)
    rows, columns = low.shape
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.35)
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
    side = (xs / columns - 0.5) * np.cos(angle) + (ys / rows - 0.5) * np.sin(angle)
    low[side > offset] = 1.0
    if rng.random() < 0.5:
        centre = (int(rng.uniform(0, columns)), int(rng.choice((0, rows))))
        axes = (int(columns * rng.uniform(0.2, 0.5)), int(rows * rng.uniform(0.15, 0.4)))
        low[:] = 0.0
        cv2.ellipse(low, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    low = np.asarray(cv2.GaussianBlur(low, (0, 0), float(rng.uniform(1.0, 6.0))), np.float32)
    full = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1.0 - depth * full, np.float32)


def _shaken(
    scan: NDArray[np.float32], length_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    size = 2 * round(length_px) + 1
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    start, stop = size // 2 - reach, size // 2 + reach
    cv2.line(kernel, tuple(np.round(start).astype(int).tolist()),
             tuple(np.round(stop).astype(int).tolist()), 1.0)  # fmt: skip
    return np.asarray(cv2.filter2D(scan, -1, kernel / kernel.sum()), np.float32)


def _folded(ink: Gray, count: int, rng: np.random.Generator) -> Gray:
    """Creases: a bright ridge beside a dark one, and slightly darker paper on one side."""
    page = ink.astype(np.float32)
    height, width = ink.shape
    for number in range(count):
        across = bool((number + int(rng.integers(2))) % 2)
        length = width if across else height
        at = int((height if across else width) * rng.uniform(0.25, 0.75))
        profile = np.zeros(height if across else width, np.float32)
        reach = max(2, round(0.006 * max(height, width)))
        profile[at : at + reach] = -float(rng.uniform(25, 70))
        profile[max(0, at - reach) : at] = float(rng.uniform(5, 25))
        profile[at:] -= float(rng.uniform(0, 8))
        worn = np.clip(rng.normal(0.8, 0.25, length // 40 + 2), 0, 1.2).astype(np.float32)
        along = cv2.resize(worn[None, :], (length, 1))[0]
        page += profile[:, None] * along[None, :] if across else along[:, None] * profile[None, :]
    return np.clip(page, 0, 255).astype(np.uint8)
