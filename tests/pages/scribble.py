"""A made-up hand for geometry tests: every character becomes a wiggle of its height."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.recognition.synthesis.hands import InkTile


class ScribbleHand:
    """Writes pen-like wiggles that nobody can read; needs no data."""

    name = "scribble"

    def can_write(self, text: str) -> bool:
        return bool(text.strip())

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        unit = x_height_px
        width = int(len(text) * 0.95 * unit + 2 * unit)
        alpha = np.zeros((int(4 * unit), width), np.uint8)
        baseline = int(2.5 * unit)
        x = unit / 2
        for char in text:
            if char != " ":
                high = 1.7 if char.isupper() or char.isdigit() or char in "bdfhklt#" else 1.0
                low = 0.7 if char in "gjpqy" else 0.0
                t = np.linspace(0, 1, 14)
                xs = x + unit * (0.7 * t + 0.18 * np.sin(6.28 * t + rng.uniform(0, 6)))
                wave = 0.5 - 0.5 * np.cos(6.28 * t * 1.5)
                ys = baseline - unit * ((high + low) * wave - low + rng.normal(0, 0.06))
                points = np.round(np.stack([xs, ys], 1) * 16).astype(np.int32).reshape(-1, 1, 2)
                pen = max(1, round(0.13 * unit))
                cv2.polylines(alpha, [points], False, 255, pen, cv2.LINE_AA, shift=4)
            x += 0.9 * unit
        rows, columns = np.nonzero(alpha)
        top, left = int(rows.min()), int(columns.min())
        tile = alpha[top : int(rows.max()) + 1, left : int(columns.max()) + 1]
        return InkTile(np.ascontiguousarray(tile), baseline - top)
