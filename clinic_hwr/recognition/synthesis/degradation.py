"""From clean ink to a crop as scanners, faxes and phones deliver it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Alpha = NDArray[np.uint8]


CLIPPED = 0.08  # share of crops that are cut into the ink
PRINTED_LABELS = ("Rx", "Sig:", "Name", "Date", "Disp", "Refill", "Qty", "DOB", "Address", "No.")


def degrade_ink(alpha: Alpha, rng: np.random.Generator, severity: float | None = None) -> Gray:
    """Put ink on paper and scan it.

    Args:
        alpha: ink, shape (height, width) uint8, 255 = full ink.
        rng: source of all variation.
        severity: 0 = clean .. 1 = everything as often as in a bad office; None = drawn.

    Returns:
        Grayscale crop, uint8; its size differs from the input's.
    """
    if severity is None:
        severity = float(rng.uniform(0.25, 1.0))
    ink = _pad(alpha, rng).astype(np.float32) / 255.0
    if rng.random() < 0.5 * severity:
        ink = _slow_warp(ink, rng)
    ink = _with_distractors(ink, rng, severity)
    if rng.random() < 0.3 * severity:  # ball pens skip, inks fade
        noise = cv2.resize(
            rng.random((max(2, ink.shape[0] // 6), max(2, ink.shape[1] // 6)), np.float32),
            (ink.shape[1], ink.shape[0]),
        )
        ink = ink * np.clip(0.35 + 1.3 * noise, 0, 1)
    darkness = rng.uniform(0.35, 1.0)
    paper = rng.uniform(165, 255)
    gray = paper * (1 - ink * darkness)
    if rng.random() < 0.35 * severity:  # shadow across the crop
        ramp = np.linspace(0, rng.uniform(-60, 60), gray.shape[1], dtype=np.float32)
        gray = gray + ramp - ramp.max() * (ramp.max() > 0)
    gray = _through_the_scanner(gray, rng, severity)
    return np.clip(gray, 0, 255).astype(np.uint8)


def scan_real_crop(gray: Gray, rng: np.random.Generator) -> Gray:
    """Vary a crop that was scanned already: slant, stretch, stroke width, resolution."""
    h, w = gray.shape
    paper = float(np.median(gray))
    slant, stretch = rng.normal(0, 0.15), float(np.exp(rng.normal(0, 0.15)))
    angle = rng.normal(0, 0.025) * min(1.0, 3 * h / w)  # lines are turned less than words
    matrix = np.array(
        [[stretch, -slant, max(0.0, slant) * h], [angle, 1.0, max(0.0, -angle) * w]], np.float32
    )
    size = (int(w * stretch + abs(slant) * h) + 1, int(h + abs(angle) * w) + 1)
    out = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_LINEAR, borderValue=paper)
    roll = rng.random()
    kernel = np.ones((2, 2), np.uint8)
    if roll < 0.15:
        out = cv2.erode(out, kernel)
    elif roll < 0.25 and out.shape[0] > 40:
        out = cv2.dilate(out, kernel)
    return np.clip(_through_the_scanner(out.astype(np.float32), rng, 0.6), 0, 255).astype(np.uint8)


def scribble(rng: np.random.Generator) -> Alpha:
    """Ink that is no text: loops, zigzags or a crossing-out. For the reject class."""
    h, w = int(rng.integers(24, 60)), int(rng.integers(40, 200))
    n = int(rng.integers(12, 60))
    t = np.linspace(0, 1, n)
    x = w * (t + rng.normal(0, 0.06, n))
    y = h / 2 + h * 0.4 * np.sin(t * rng.uniform(20, 90) + rng.normal(0, 0.4, n))
    canvas = np.zeros((h + 8, w + 8), np.uint8)
    points = np.stack([x + 4, y + 4], 1).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [points], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return canvas


def cross_out(alpha: Alpha, rng: np.random.Generator) -> Alpha:
    """Scribble over written ink until it cannot be read; for the reject class."""
    h, w = alpha.shape
    canvas = alpha.copy()
    pen = int(rng.integers(2, 5))
    for _ in range(int(rng.integers(2, 4))):
        turns = max(8, int(w / h * rng.uniform(5, 9)))
        x = np.linspace(0.02, 0.98, turns) * w + rng.normal(0, 0.05 * h, turns)
        swing = np.where(np.arange(turns) % 2 == 0, 0.18, 0.82)
        y = h * (swing + rng.normal(0, 0.09, turns))
        points = np.stack([x, y], 1).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [points], False, 255, pen, cv2.LINE_AA)
    return canvas


def _pad(alpha: Alpha, rng: np.random.Generator) -> Alpha:
    h = alpha.shape[0]
    top, bottom = (int(h * v) for v in rng.uniform(0, 0.25, 2))
    left, right = (int(h * v) for v in rng.uniform(0, 0.4, 2))
    padded = np.pad(alpha, ((top, bottom), (left, right)))
    if rng.random() > CLIPPED:
        return padded
    # The crop was cut into the ink: at one or two sides a little is missing.
    cut = [int(h * v) if rng.random() < 0.5 else 0 for v in rng.uniform(0, 0.14, 3)]
    return padded[top + cut[0] : padded.shape[0] - bottom - cut[1], left + cut[2] // 2 :]


def _slow_warp(ink: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    h, w = ink.shape
    coarse = (max(2, h // 24), max(2, w // 24))
    strength = rng.uniform(0.3, 1.6)
    dx = cv2.resize(rng.normal(0, strength, coarse).astype(np.float32), (w, h))
    dy = cv2.resize(rng.normal(0, strength, coarse).astype(np.float32), (w, h))
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    return cv2.remap(ink, xs + dx, ys + dy, cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _with_distractors(
    ink: NDArray[np.float32], rng: np.random.Generator, severity: float
) -> NDArray[np.float32]:
    """Rules, box edges and neighbours' strokes that a crop takes along."""
    h, w = ink.shape
    if rng.random() < 0.28 * severity:  # underline or rule
        y = int(h * rng.uniform(0.68, 0.98))
        x0, x1 = (0, w) if rng.random() < 0.6 else sorted(rng.integers(0, w, 2).tolist())
        tilt = int(rng.normal(0, 1.0))
        shade = rng.uniform(0.3, 0.9)
        cv2.line(ink, (x0, y), (x1, y + tilt), shade, int(rng.integers(1, 3)), cv2.LINE_AA)
    if rng.random() < 0.06 * severity:  # side of a box
        x = int(rng.choice([rng.integers(0, 3), w - 1 - rng.integers(0, 3)]))
        cv2.line(ink, (x, 0), (x, h), rng.uniform(0.4, 1.0), int(rng.integers(1, 3)))
    if rng.random() < 0.18 * severity:  # tails of the lines above and below
        for _ in range(rng.integers(1, 4)):
            _neighbour_tail(ink, rng)
    if rng.random() < 0.03 * severity:  # struck through once, still legible
        y = h * rng.uniform(0.4, 0.65)
        start, stop = (0, int(y)), (w, int(y + rng.normal(0, 0.08) * h))
        cv2.line(ink, start, stop, rng.uniform(0.7, 1.0), int(rng.integers(1, 3)), cv2.LINE_AA)
    if rng.random() < 0.05 * severity:  # rim of a stamp
        center = (int(rng.uniform(-0.2, 1.2) * w), int(rng.uniform(-0.5, 1.5) * h))
        axes = (int(rng.uniform(0.6, 2.5) * h), int(rng.uniform(0.5, 1.5) * h))
        rim = np.zeros_like(ink)
        cv2.ellipse(rim, center, axes, rng.uniform(0, 180), 0, 360, 1.0, 2, cv2.LINE_AA)
        ink = np.maximum(ink, rim * np.float32(rng.uniform(0.2, 0.55)))
    if rng.random() < 0.05 * severity:  # what is left of a printed label
        ink = _with_label(ink, rng)
    return ink


def _neighbour_tail(ink: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A descender from above or an ascender from below reaches into the crop."""
    h, w = ink.shape
    x, reach = rng.uniform(0, w), h * rng.uniform(0.06, 0.2)
    t = np.linspace(0, 1, 7)
    bend = rng.normal(0, 0.25) * h
    xs = x + bend * t * t
    ys = reach * (1 - t) if rng.random() < 0.5 else h - 1 - reach * (1 - t)
    if rng.random() < 0.4:  # a loop: there and back
        xs, ys = np.r_[xs, xs[::-1] + 0.12 * h], np.r_[ys[::-1], ys]
    points = np.stack([xs, ys], 1).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(ink, [points], False, rng.uniform(0.5, 1.0), int(rng.integers(1, 3)), cv2.LINE_AA)


def _with_label(ink: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Put cut-off print above or before the ink."""
    h, w = ink.shape
    label = PRINTED_LABELS[int(rng.integers(len(PRINTED_LABELS)))]
    scale = h / 100 * rng.uniform(0.6, 1.1)
    (tw, th), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    shade = rng.uniform(0.4, 0.9)
    if rng.random() < 0.5:
        out = np.pad(ink, ((0, 0), (int(tw * rng.uniform(0.2, 0.8)), 0)))
        place = (out.shape[1] - w - tw - 2, int(h * rng.uniform(0.5, 0.9)))
    else:
        out = np.pad(ink, ((int(th * rng.uniform(0.3, 0.6)), 0), (0, 0)))
        place = (int(rng.uniform(0, max(1, w - tw))), out.shape[0] - h)
    print_layer = np.zeros(out.shape, np.uint8)
    cv2.putText(print_layer, label, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    return np.maximum(out, print_layer.astype(np.float32) * np.float32(shade / 255))


def _through_the_scanner(
    gray: NDArray[np.float32], rng: np.random.Generator, severity: float
) -> NDArray[np.float32]:
    """Resolution, focus, sensor noise, threshold and compression."""
    h = gray.shape[0]
    if rng.random() < 0.6 * severity:
        target = rng.uniform(15, 64)
        if target < h:
            size = (max(1, round(gray.shape[1] * target / h)), max(1, round(target)))
            small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
            gray = small.astype(np.float32, copy=False)
    if rng.random() < 0.4 * severity:
        blurred = cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.3, 1.1))
        gray = blurred.astype(np.float32, copy=False)
    if rng.random() < 0.5 * severity:
        gray = gray + rng.standard_normal(gray.shape, np.float32) * rng.uniform(1, 14)
    roll = rng.random()
    if roll < 0.12 * severity:  # fax or copier
        level = np.percentile(gray, 50) * rng.uniform(0.7, 0.9)
        gray = np.where(gray < level, 0.0, 255.0).astype(np.float32)
    elif roll < 0.35 * severity:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        ok, data = cv2.imencode(".jpg", np.clip(gray, 0, 255).astype(np.uint8), quality)
        decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if ok else None
        if decoded is not None:
            gray = decoded.astype(np.float32)
    return gray
