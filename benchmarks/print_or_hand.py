"""Fit the weights that tell printed words from handwriting OCR happened to read.

    python benchmarks/print_or_hand.py --data FOLDER [--pages 60] [--seed 100]

Prints the weights for ``clinic_hwr/pages/print_or_hand.py`` and how well weights fitted on one half
of the pages tell the words of the other half. Synthetic pages.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.pages import halves, truth_box
from clinic_hwr.pages import PrintedWord, make_upright, read_print
from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.print_or_hand import FEATURES, word_features
from clinic_hwr.pages.rules import find_rules
from clinic_hwr.recognition.synthesis.hands import load_hands
from clinic_hwr.recognition.synthesis.pages import DrawnPage

_RIM_PX = 4


def examples(drawn: DrawnPage) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features of the page's words, and 1 for print, 0 for handwriting."""
    page = make_upright(drawn.gray)
    words = read_print(page.gray)
    if not words:
        return np.zeros((0, len(FEATURES))), np.zeros(0)
    ink = ink_mask(page.gray)
    ink[find_rules(page.gray).mask > 0] = 0
    written = [truth_box(f, page) for f in drawn.fields if not f.printed and f.name != "refills"]
    labels = [float(not any(_inside(word, box) for box in written)) for word in words]
    return word_features(page.gray, ink, words), np.array(labels)


def _inside(word: PrintedWord, box: tuple[float, float, float, float]) -> bool:
    x = word.box_px.x + word.box_px.width / 2
    y = word.box_px.y + word.box_px.height / 2
    x0, y0, x1, y1 = box
    return x0 - _RIM_PX < x < x1 + _RIM_PX and y0 - _RIM_PX < y < y1 + _RIM_PX


def fit(table: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression by Newton steps, both classes weighing the same."""
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    mean[0], spread[0] = 0.0, 1.0  # the bias
    scaled = (table - mean) / spread
    weight = np.where(labels == 1, 1.0, labels.sum() / max(1.0, (1 - labels).sum()))
    weight /= weight.sum()
    solution = np.zeros(table.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-scaled @ solution))
        gradient = scaled.T @ (weight * (p - labels)) + 1e-3 * solution
        curve = (scaled.T * (weight * p * (1 - p))) @ scaled + 1e-3 * np.eye(len(solution))
        solution -= np.linalg.solve(curve, gradient)
    original = solution / spread
    original[0] = solution[0] - (solution * mean / spread)[1:].sum()
    return original


def main() -> None:
    """Draw, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    pages = halves(load_hands(Path(options.data)), options.pages, options.seed)
    parts = [examples(page) for page in pages]
    for name, held_out in (("even", 0), ("odd", 1)):
        train = [part for n, part in enumerate(parts) if n % 2 != held_out]
        test = [part for n, part in enumerate(parts) if n % 2 == held_out]
        weights = fit(np.vstack([t for t, _ in train]), np.concatenate([y for _, y in train]))
        said = np.vstack([t for t, _ in test]) @ weights > 0
        truth = np.concatenate([y for _, y in test]) == 1
        print(
            f"{name} pages held out: print told {said[truth].mean():.3f}, "
            f"handwriting told {(~said[~truth]).mean():.3f}, {len(truth)} words"
        )
    weights = fit(np.vstack([t for t, _ in parts]), np.concatenate([y for _, y in parts]))
    for feature, value in zip(FEATURES, weights, strict=True):
        print(f"{feature:18} {value:7.2f}")


if __name__ == "__main__":
    main()
