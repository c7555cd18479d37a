"""A small form drawn with OpenCV, and filled-in pages of it; no fonts or data sets needed."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.types import Gray

WIDTH, HEIGHT = 1275, 1650
LABELS = (
    ("Riverside Family Clinic", 90, 120, 1.6),
    ("12 Harbour Street, Milltown", 90, 170, 0.9),
    ("Patient name", 90, 320, 1.0),
    ("Date of birth", 800, 320, 1.0),
    ("Medication and strength", 90, 520, 1.0),
    ("Directions for use", 90, 760, 1.0),
    ("Quantity", 90, 1000, 1.0),
    ("Substitution allowed", 520, 1000, 1.0),
    ("Signature of prescriber", 90, 1300, 1.0),
    ("Please write clearly. Keep the yellow copy. Form RX-7", 90, 1580, 0.8),
)
REGIONS = [
    {"field": "patient_name", "kind": "text", "box": [0.06, 0.20, 0.52, 0.052]},
    {"field": "patient_dob", "kind": "date", "box": [0.62, 0.20, 0.32, 0.052]},
    {"field": "drug", "kind": "drug", "box": [0.06, 0.322, 0.88, 0.056], "group": 1},
    {"field": "sig", "kind": "text", "box": [0.06, 0.468, 0.88, 0.056], "group": 1},
    {"field": "quantity", "kind": "digits", "box": [0.2, 0.575, 0.18, 0.05], "group": 1},
    {"field": "substitution", "kind": "checkbox", "box": [0.70, 0.583, 0.05, 0.035]},
    {"field": "signature", "kind": "signature", "box": [0.06, 0.80, 0.6, 0.065]},
]


def blank_form(*, moved: bool = False, clinic: str = "") -> Gray:
    """The clean page; ``moved`` is a later version with two rows exchanged."""
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for text, x, y, size in LABELS:
        said = clinic if clinic and y == 120 else text
        if moved and y in (520, 760):
            y = 1280 - y
        cv2.putText(
            page, said, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 40, round(2 * size), cv2.LINE_AA
        )
    for y in (410, 620, 860, 1420):
        cv2.line(page, (90, y), (1190 if y != 1420 else 850, y), 80, 2)
    cv2.rectangle(page, (900, 970), (945, 1015), 60, 2)
    cv2.rectangle(page, (250, 955), (480, 1025), 60, 2)
    cv2.rectangle(page, (60, 230), (1215, 1480), 60, 3)
    return page


def wiggle(page: Gray, x: int, y: int, width: int, seed: int) -> tuple[int, int, int, int]:
    """Write a line of loops with its feet on ``y``; returns x, y, width and height of its ink."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, width / 24, max(20, width))
    xs = x + width * t / t[-1] * 0.96 + 8 * np.sin(2 * np.pi * t)
    ys = y - 17 - (12 + 6 * rng.random()) * np.cos(2 * np.pi * t) - 4 * np.sin(t)
    points = np.round(np.stack([xs, ys], 1) * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(page, [points], False, 30, 4, cv2.LINE_AA, shift=4)
    return int(xs.min()), int(ys.min()), int(np.ptp(xs)), int(np.ptp(ys))


def filled_form(*, seed: int = 1, ticked: bool = True, signed: bool = True) -> Gray:
    """The form filled in by hand: writing that touches and crosses its rules."""
    page = blank_form()
    wiggle(page, 110, 412, 420, seed)
    wiggle(page, 820, 408, 250, seed + 1)
    wiggle(page, 110, 624, 700, seed + 2)
    wiggle(page, 110, 866, 800, seed + 3)
    wiggle(page, 280, 1012, 120, seed + 4)
    if ticked:
        cv2.polylines(page, [np.array([[905, 990], [918, 1008], [950, 962]])], False, 30, 4)
    if signed:
        wiggle(page, 130, 1424, 400, seed + 5)
    return page


def faxed(page: Gray, seed: int = 1) -> Gray:
    """Threshold, specks, a slight turn and stretch."""
    rng = np.random.default_rng(seed)
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.7, 1.0)
    turned = cv2.warpAffine(page, turn, (width, height), borderValue=255)
    small = cv2.resize(turned, (round(0.93 * width), round(0.95 * height)))
    noisy = cv2.GaussianBlur(small, (0, 0), 0.6) + rng.normal(0, 8, small.shape)
    fax = np.where(noisy < 170, 0, 255).astype(np.uint8)
    fax[rng.random(fax.shape) < 0.001] = 0
    return fax


def photographed(page: Gray, seed: int = 1) -> Gray:
    """Perspective, curl, shadow, blur and noise."""
    rng = np.random.default_rng(seed)
    height, width = page.shape
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target = source + rng.uniform(-0.03, 0.03, (4, 2)).astype(np.float32) * [width, height] + 80
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    size = (width + 160, height + 160)
    photo = cv2.warpPerspective(page, matrix, size, borderValue=90)
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    bent = ys + (5 * np.sin(xs / size[0] * np.pi * 1.5)).astype(np.float32)
    photo = cv2.remap(photo, xs, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shade = cv2.resize(rng.random((3, 3)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    dim = photo * (0.9 - 0.25 * np.clip(shade, 0, 1)) + rng.normal(0, 4, photo.shape)
    return cv2.GaussianBlur(np.clip(dim, 0, 255).astype(np.uint8), (0, 0), 0.9)


def png(page: Gray) -> bytes:
    """The page as a PNG file."""
    return bytes(cv2.imencode(".png", page)[1])
