"""Measure how well crossed-out lines are told from others, on generated lines.

    python benchmarks/strikes.py --data FOLDER [--cuts FOLDER] [--split held_out] [--lines 400]
        [--seed 1009] [--rules]

Lines of fonts and real strokes: untouched, on ruled paper, over a form line, underlined, crossed
out in eight ways, each alone on a page. All of it is synthetic; the strokes are drawn by other code
than those that the segmenter learnt from. In four more ways they are real: dashes, zigzags of "w"
and "z", loops of "e" and "l", an X, as UNIPEN's writers of that split drew them, stretched.
``--rules`` looks without the segmenter. Thresholds are chosen with ``--split train`` and measured
with ``--split held_out`` and another seed: other writers, other fonts, other lines. What is said to
be struck out, wholly or in part, goes to a person; what is missed may not.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from pages_material import hands_of

from clinic_hwr.pages.background import ink_mask
from clinic_hwr.pages.rules import find_rules
from clinic_hwr.pages.strikes import find_strikes
from clinic_hwr.pages.types import Box, StruckOut
from clinic_hwr.recognition.segmentation.finder import load_line_marker
from clinic_hwr.recognition.synthesis.hands import CannotWrite, Hand
from clinic_hwr.recognition.synthesis.pages_content import MEDICATIONS
from clinic_hwr.recognition.synthesis.pages_paper import Paper
from clinic_hwr.recognition.synthesis.strokes import load_strokes

CLEAN = ("none", "ruled", "form line", "underline")
WAYS = (*CLEAN, "one", "two", "wavy", "sloped", "zigzag", "scribble", "cross", "part")
# Way -> the characters whose strokes cross out, and how many letters wide each is; 0: one for all.
REAL = {"real dash": ("-_~", 0.0), "real zigzag": ("wWzZmNM", 2.0), "real loops": ("elo", 1.0),
        "real X": ("xX", 0.0)}  # fmt: skip


def wilson(good: int, n: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927)."""
    z, p = 1.96, good / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def real_strokes(
    samples: Sequence[list[np.ndarray]], width: float, high: float, each: float,
    rng: np.random.Generator,
) -> list[np.ndarray]:  # fmt: skip
    """Strokes of one sample after another until they are so wide, ``high`` at most, from 0, 0.

    Args:
        samples: of the characters wanted.
        width: of all of them.
        high: of the highest.
        each: width of a sample; 0: one is as wide as all.
        rng: chooses and shakes.
    """
    found, x = [], 0.0
    sample = samples[int(rng.integers(len(samples)))]  # people go on as they began
    low, top = np.concatenate(sample).min(axis=0), np.concatenate(sample).max(axis=0)
    span = np.maximum(top - low, 1e-6)
    step = each * float(rng.uniform(0.7, 1.3)) if each else width
    scale = np.array([step / span[0], min(step / span[0], high / span[1])])
    while x < width - 0.3 * step:
        found += [(stroke - low) * scale + (x, 0.0) for stroke in sample]
        x += step
    return found


def draw(
    way: str, hand: Hand, rng: np.random.Generator, samples: Sequence[list[np.ndarray]] = ()
) -> tuple[np.ndarray, Box]:
    """One line on a slip of paper, treated in one way, and the box around its ink."""
    dpi = int(rng.choice((150, 200, 250)))
    paper = Paper(6.0, 1.2, dpi, hand, rng)
    one = MEDICATIONS[int(rng.integers(len(MEDICATIONS)))]
    text = one.drug if rng.random() < 0.5 else one.sig
    if not hand.can_write(text):
        text = one.drug
    if way == "ruled":
        paper.rule(0.1, 0.73, 5.9, 0.73)
    elif way == "form line":  # who writes beside the line writes over it
        level = 0.72 - float(rng.uniform(0.1, 0.6)) * paper.x_height_in
        paper.rule(0.1, level, 5.9, level)
    x0, y0, x1, y1 = paper.write(0.5, 0.72, text, max_width=5.0)
    base, x_height = 0.72, paper.x_height_in
    pen = paper.pen_width_in

    def stroke(points: list[tuple[float, float]]) -> None:
        paper.stroke(np.array(points), width_in=pen)

    def level(height: float, start: float = 0.0, end: float = 1.0, tilt: float = 0.0) -> None:
        xs = np.linspace(x0 + start * (x1 - x0) - 0.05, x0 + end * (x1 - x0) + 0.05, 20)
        ys = base - height * x_height + np.cumsum(rng.normal(0, 0.003, 20))
        ys += np.linspace(-tilt, tilt, 20)
        stroke(list(zip(xs, ys, strict=True)))

    if way == "underline":
        level(float(rng.uniform(-0.6, -0.25)))
    elif way == "one":
        level(float(rng.uniform(0.35, 0.75)))
    elif way == "two":
        level(0.35)
        level(0.85)
    elif way == "wavy":
        xs = np.linspace(x0, x1, 80)
        ys = base - 0.5 * x_height + 0.3 * x_height * np.sin(xs * rng.uniform(10, 20))
        stroke(list(zip(xs, ys, strict=True)))
    elif way == "sloped":
        level(0.5, tilt=float(rng.uniform(0.04, 0.09)) * float(rng.choice((-1, 1))))
    elif way == "zigzag":
        xs = np.linspace(x0, x1, max(8, round((x1 - x0) / 0.05)))
        ys = base - x_height * np.where(np.arange(len(xs)) % 2, -0.1, 1.4)
        stroke(list(zip(xs, ys, strict=True)))
        stroke(list(zip(xs + 0.03, ys[::-1], strict=True)))
    elif way == "scribble":
        turns = np.linspace(0, 2 * np.pi * max(4, (x1 - x0) / 0.12), 400)
        xs = np.linspace(x0, x1, 400) + 0.07 * np.cos(turns)
        stroke(list(zip(xs, base - 0.5 * x_height + 0.9 * x_height * np.sin(turns), strict=True)))
    elif way == "cross":
        stroke([(x0, y0), (x1, y1)])
        stroke([(x0, y1), (x1, y0)])
    elif way == "part":
        start = float(rng.uniform(0.0, 0.5))
        level(0.5, start, start + float(rng.uniform(0.3, 0.45)))
    elif way in REAL:
        each = REAL[way][1] * x_height
        high = x_height * float(rng.uniform(1.0, 2.2)) if each or way == "real X" else x_height
        strokes = real_strokes(samples, x1 - x0 + 0.1, high, each, rng)
        middle = np.concatenate(strokes)[:, 1].mean()
        move = (x0 - 0.05, base - float(rng.uniform(0.35, 0.7)) * x_height - middle)
        for points in strokes:
            if len(points) > 1:
                stroke([(float(x), float(y)) for x, y in points + move])
    gray = paper.ink.astype(np.float32) + rng.normal(0, 4, paper.ink.shape)
    gray = np.clip(gray, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(paper.ink < 160)
    if way in ("ruled", "form line"):
        return gray, Box(round(x0 * dpi), round(y0 * dpi), round((x1 - x0) * dpi),
                         round((y1 - y0) * dpi))  # fmt: skip
    top, left = int(rows.min()), int(columns.min())
    return gray, Box(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


def _drawn(
    way: str, hands: Sequence[Hand], rng: np.random.Generator, samples: Sequence[list[np.ndarray]]
) -> tuple[np.ndarray, Box]:
    while True:
        hand = hands[int(rng.integers(len(hands)))]
        if not hand.can_write("Amoxicillin 500 mg cap, 1 tab po q6h #21"):
            continue
        try:
            return draw(way, hand, rng, samples)
        except CannotWrite:
            continue


def on_a_page(gray: np.ndarray) -> np.ndarray:
    """A slip on a sheet as wide and high as letter paper: the network sees pages."""
    height, width = (round(side * gray.shape[1] / 6.0) for side in (11.0, 8.5))
    page = np.full((height, width), 255, np.uint8)
    page[height // 3 :, width // 8 :][: gray.shape[0], : gray.shape[1]] = gray
    return page


def main() -> None:
    """Draw, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CLINIC_HWR_DATA"))
    parser.add_argument("--lines", type=int, default=400, help="of each way")
    parser.add_argument("--seed", type=int, default=1009)
    parser.add_argument("--cuts", type=Path, default=Path("runs/cache"))
    parser.add_argument("--split", choices=("train", "held_out"), default="held_out")
    parser.add_argument("--rules", action="store_true", help="without the segmenter")
    options = parser.parse_args()
    if not options.data:
        parser.error("give --data FOLDER or set CLINIC_HWR_DATA")
    hands, cuts = hands_of(Path(options.data), options.split, options.cuts)
    segmenter = None if options.rules else load_line_marker()
    print(
        f"Synthetic lines, {date.today()}, n = {options.lines} of each way, seed {options.seed}, "
        f"{len(hands)} hands of the split {options.split} ({cuts}), "
        f"{segmenter.version if segmenter else 'rules alone'}.\n"
    )
    print("| way | said struck out | wholly | partly |\n| --- | --- | --- | --- |")
    part = "val" if options.split == "held_out" else "train"
    characters = load_strokes(Path(options.data) / "online" / f"unipen_chars_{part}.npz")
    for number, way in enumerate((*WAYS, *REAL)):
        rng = np.random.default_rng([options.seed, number])
        wanted = REAL.get(way, ("", 0.0))[0]
        samples = [
            strokes for index, label in enumerate(characters.label)
            if label and label in wanted and (strokes := characters.strokes(index))
        ]  # fmt: skip
        said: Counter[StruckOut] = Counter()
        for _ in range(options.lines):
            gray, box = _drawn(way, hands, rng, samples)
            letter = 0.8 * box.height if way in ("zigzag", "scribble") else 0.62 * box.height
            page, maps = gray, None
            if segmenter is not None:
                page = on_a_page(gray)
                maps = segmenter(page)
                box = replace(box, x=box.x + page.shape[1] // 8, y=box.y + page.shape[0] // 3)
            rules = find_rules(page, length=40)
            said[find_strikes(page, ink_mask(page), rules, [box], letter, maps)[0]] += 1
        struck = said[StruckOut.WHOLLY] + said[StruckOut.PARTLY]
        low, high = wilson(struck, options.lines)
        print(
            f"| {way} | {struck / options.lines:.3f} [{low:.3f}, {high:.3f}] | "
            f"{said[StruckOut.WHOLLY]} | {said[StruckOut.PARTLY]} |"
        )


if __name__ == "__main__":
    main()
