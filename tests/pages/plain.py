"""A plain hand for tests that read: digits and some letters of straight strokes and loops."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.recognition.synthesis.hands import InkTile

from .scribble import ScribbleHand


def _loop(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360):
    turn = np.radians(np.linspace(start, end, 24))
    return [(x + rx * np.cos(a), y + ry * np.sin(a)) for a in turn]


# Strokes in a box one high and 0.7 wide, y downwards.
_STROKES = {
    "0": [_loop(0.35, 0.5, 0.3, 0.5)],
    "1": [[(0.38, 0.0), (0.33, 1.0)]],
    "2": [[*_loop(0.35, 0.28, 0.3, 0.28, 200, 390), (0.05, 1.0), (0.68, 0.98)]],
    "3": [[*_loop(0.33, 0.26, 0.28, 0.26, 210, 440), *_loop(0.33, 0.74, 0.32, 0.26, -80, 150)]],
    "4": [[(0.15, 0.0), (0.05, 0.6), (0.68, 0.58)], [(0.5, 0.05), (0.48, 1.0)]],
    "5": [
        [(0.12, 0.02), (0.08, 0.46), *_loop(0.32, 0.68, 0.32, 0.3, 230, 510)],
        [(0.12, 0.02), (0.62, 0.0)],
    ],
    "6": [[(0.5, 0.0), (0.15, 0.45), *_loop(0.35, 0.73, 0.28, 0.27, 180, 540)]],
    "7": [[(0.04, 0.04), (0.66, 0.02), (0.3, 1.0)]],
    "8": [[*_loop(0.35, 0.25, 0.24, 0.25, 90, 450), *_loop(0.35, 0.75, 0.3, 0.25, -90, 270)]],
    "9": [[*_loop(0.32, 0.27, 0.28, 0.27, 0, 360), (0.6, 0.27), (0.55, 1.0)]],
    "A": [[(0.02, 1.0), (0.35, 0.0), (0.68, 1.0)], [(0.15, 0.62), (0.56, 0.62)]],
    "B": [
        [(0.08, 0.0), (0.08, 1.0)],
        [(0.08, 0.0), *_loop(0.25, 0.24, 0.35, 0.24, -70, 90), (0.08, 0.48)],
        [(0.08, 0.48), *_loop(0.25, 0.74, 0.4, 0.26, -80, 90), (0.08, 1.0)],
    ],
}


class PlainHand(ScribbleHand):
    """Writes single digits, A and B so that they can be read; longer texts as wiggles."""

    name = "plain"

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        if text not in _STROKES:
            return super().write(text, rng, x_height_px)
        height, pen = 1.8 * x_height_px, max(1, round(0.2 * x_height_px))
        alpha = np.zeros((round(height) + 4 * pen, round(0.7 * height) + 4 * pen), np.uint8)
        for stroke in _STROKES[text]:
            points = np.round((np.array(stroke) * height + 2 * pen) * 16).astype(np.int32)
            cv2.polylines(alpha, [points.reshape(-1, 1, 2)], False, 255, pen, cv2.LINE_AA, shift=4)
        rows, columns = np.nonzero(alpha)
        tile = alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        return InkTile(np.ascontiguousarray(tile), tile.shape[0])
