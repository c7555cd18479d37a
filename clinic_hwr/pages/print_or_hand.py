"""Which of the words Tesseract found are print, and which are handwriting it happened to read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Box, Gray, LineMaps, PrintedWord

FEATURES = (
    "bias", "confidence", "log_height", "darkness", "stroke_width", "stroke_variation",
    "baseline_spread", "top_levels", "upright_edges", "word_length",
)  # fmt: skip

# Fitted by benchmarks/print_or_hand.py on generated pages; see docs/pages.md.
WEIGHTS: tuple[float, ...] = (-6.8, 4.89, -2.74, -1.27, 2.61, 1.77, -2.26, -0.45, 1.4, 1.46)


# A map that is sure (a difference of 1) outweighs what the looks of one word say.
_MAP_WEIGHT = 7.0
# Ink so near belongs to the same words; a letter is about so wide: in heights of a word.
_WORD_GAP, _LETTER_WIDE, _RIM = 1.2, 0.6, 0.12


def print_log_odds(
    gray: Gray, ink: NDArray[np.uint8], words: Sequence[PrintedWord]
) -> NDArray[np.float64]:
    """Return for each word the log odds that it is print (> 0) and not handwriting.

    Args:
        gray: flattened upright page.
        ink: its ink without form rules, 255 = ink.
        words: what OCR found.
    """
    if not words:
        return np.zeros(0)
    return np.asarray(word_features(gray, ink, words) @ np.asarray(WEIGHTS), np.float64)


def map_log_odds(maps: LineMaps, words: Sequence[PrintedWord]) -> NDArray[np.float64]:
    """What a trained segmenter adds to the log odds of each word: > 0 where it sees print."""
    return np.array([map_of(maps, word.box_px) for word in words])


def map_of(maps: LineMaps, box: Box) -> float:
    """Log odds of print in the middle rows of a box."""
    top, bottom = box.y + 0.25 * box.height, box.y + 0.75 * box.height
    rows = slice(int(top * maps.scale), int(np.ceil(bottom * maps.scale)) + 1)
    columns = slice(int(box.x * maps.scale), int(np.ceil((box.x + box.width) * maps.scale)) + 1)
    hand, printed = maps.hand[rows, columns], maps.print[rows, columns]
    return _MAP_WEIGHT * float(printed.mean() - hand.mean()) if hand.size else 0.0


def odds_beside(
    ink: NDArray[np.uint8],
    words: Sequence[PrintedWord],
    slot: Collection[int],
    sides: Sequence[Box],
    maps: LineMaps,
) -> list[tuple[float, float]]:
    """What the segmenter says of ink right beside some words on their row, which OCR did not read.

    Part of a neat line may be read, and the rest not: one pen wrote all of it.

    Args:
        ink: the page's ink without form rules, 255 = ink.
        words: what OCR found.
        slot: indexes of the words that stand together.
        sides: upright form rules: no row goes on behind one.
        maps: of the segmenter.

    Returns:
        Log odds of print, and about how many letters, of each run of ink.
    """
    own = [words[index].box_px for index in slot]
    top, bottom = min(box.y for box in own), max(box.y + box.height for box in own)
    height = float(np.median([box.height for box in own]))
    left, right = min(box.x for box in own), max(box.x + box.width for box in own)
    others = [words[index].box_px for index in range(len(words)) if index not in slot]
    level = [box for box in (*others, *sides) if box.y < bottom and top < box.y + box.height]
    first = max([box.x + box.width for box in level if box.x < left], default=0)
    last = min([box.x for box in level if box.x + box.width > right], default=ink.shape[1])
    row = np.asarray((ink[top:bottom, first:last] > 0).any(axis=0))
    rim = round(_RIM * height) + 1  # OCR's boxes are tight
    for box in own:  # what is read says enough itself
        row[max(0, box.x - rim - first) : max(0, box.x + box.width + rim - first)] = False
    votes = []
    reach = max(1, round(_WORD_GAP * height))
    near_left, near_right = left - first, right - first
    for start, end in _runs(row, reach):
        if end < near_left - reach or start > near_right + reach:
            continue
        at = Box(first + start, top, end - start, bottom - top)
        votes.append((map_of(maps, at), at.width / (_LETTER_WIDE * height)))
    return votes


def _runs(row: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """Starts and ends of what is True, over gaps up to so many places."""
    places = np.flatnonzero(row)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > gap)
    starts = [int(places[0]), *(int(places[n + 1]) for n in breaks)]
    ends = [*(int(places[n]) + 1 for n in breaks), int(places[-1]) + 1]
    return list(zip(starts, ends, strict=True))


def word_features(
    gray: Gray, ink: NDArray[np.uint8], words: Sequence[PrintedWord]
) -> NDArray[np.float64]:
    """Return the features of every word, shape (n, len(FEATURES))."""
    measured = [_measure(gray, ink, word) for word in words]
    table = np.array(measured, np.float64)
    confident = np.array([word.confidence > 0.85 for word in words])
    # Height and darkness mean something only against the print of the same page.
    reference = confident if confident.any() else np.ones(len(words), bool)
    table[:, 2] = np.log(table[:, 2] / max(1.0, float(np.median(table[reference, 2]))))
    table[:, 3] = (table[:, 3] - np.percentile(table[:, 3], 20)) / 64.0
    return np.clip(table, -4.0, 4.0)


def _measure(gray: Gray, ink: NDArray[np.uint8], word: PrintedWord) -> tuple[float, ...]:
    box = word.box_px
    rows, columns = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
    # A rim of paper: the distance to paper is undefined where there is none.
    part, gray_part = _padded(ink[rows, columns], 0), _padded(gray[rows, columns], 255)
    inked = part > 0
    if not inked.any():
        return (1.0, word.confidence, float(max(box.height, 1)), 128.0, 0, 0, 0, 0, 0, 0)
    heights, bottoms, tops = _letters(part)
    height = _quantile(heights, 0.75) if len(heights) else float(box.height)
    darkness = _quantile(gray_part[inked], 0.25)
    ridge = cv2.distanceTransform(part, cv2.DIST_L2, 3)
    core = ridge[ridge >= cv2.dilate(ridge, np.ones((3, 3), np.uint8))]
    core = core[core > 0]
    width, variation = float(core.mean()), float(core.std() / core.mean())
    gx, gy = _edges(gray, box)
    strength = gx + gy
    strong = strength > 0.4 * float(strength.max())
    straight = np.minimum(gx, gy)[strong] < 0.18 * np.maximum(gx, gy)[strong]
    return (
        1.0,
        word.confidence,
        height,
        darkness,
        10 * width / max(height, 1.0),
        2 * variation,
        10 * _spread(bottoms) / max(height, 1.0),
        10 * _spread(tops) / max(height, 1.0),
        4 * float(straight.mean() if straight.size else 0.5) - 2,
        min(len(word.text), 8) / 4,
    )


def _padded(part: NDArray[np.uint8], fill: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[fill]))


def _quantile(values: NDArray[Any], share: float) -> float:
    """As ``np.quantile``, which takes ten times as long for few values."""
    ordered = np.sort(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low]) + (at - low) * (float(ordered[high]) - float(ordered[low]))


def _edges(gray: Gray, box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How steep the gray of a box is along its rows and down its columns."""
    top, left = max(0, box.y - 1), max(0, box.x - 1)
    around = gray[top : box.y + box.height + 1, left : box.x + box.width + 1]
    inner = (
        slice(box.y - top, box.y - top + box.height),
        slice(box.x - left, box.x - left + box.width),
    )
    gx = np.asarray(cv2.Sobel(around, cv2.CV_32F, 1, 0), np.float32)[inner]
    gy = np.asarray(cv2.Sobel(around, cv2.CV_32F, 0, 1), np.float32)[inner]
    return np.abs(gx), np.abs(gy)


def _letters(part: NDArray[np.uint8]) -> tuple[NDArray[np.int32], ...]:
    """Heights, bottoms and tops of the letter-sized components of a word."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    stats = stats[1:count]
    tall = stats[stats[:, cv2.CC_STAT_HEIGHT] >= 0.4 * part.shape[0]]
    top, height = tall[:, cv2.CC_STAT_TOP], tall[:, cv2.CC_STAT_HEIGHT]
    return height, top + height, top


def _spread(levels: NDArray[np.int32]) -> float:
    """Mean distance of levels to the nearest of their two commonest values (px).

    Print stands on one baseline and reaches one of two heights; a pen does so roughly.
    """
    if len(levels) < 2:
        return 0.0
    values, counts = np.unique(levels, return_counts=True)
    best = values[np.argsort(-counts, kind="stable")[:1]]
    far = values[np.abs(values - best[0]) > 3]
    if len(far):
        best = np.append(best, far[np.argmax(counts[np.abs(values - best[0]) > 3])])
    return float(np.abs(levels[:, None] - best[None, :]).min(axis=1).mean())
