"""Crops to network input: one normalisation for training, evaluation and the product.

A crop is turned into an *ink map*: 0 = paper, 1 = the darkest ink of the crop, cut to the
ink and scaled to a fixed height. Zero being paper means that padding is paper.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Ink = NDArray[np.float32]

# Widths are padded up to a multiple, so an answer never depends on batch mates. On 822 words
# of the fitting halves 32 read as well as 16 (49.3% against 48.7% exact) and 17% faster.
WIDTH_STEP_PX = 32
MIN_INK_AREA_PX = 6  # smaller specks do not stretch the bounding box
MIN_GAP = 0.15  # of the ink height: a blank narrower than this is inside a word
# What is still too wide is written tightly and is cut at narrower blanks. On the lines of the
# fitting halves: CER 17.6 -> 16.9% (106 scanned) and 42.1 -> 40.9% (173 of UNIPEN).
NARROW_GAP = 0.06
MARGIN = 0.06  # of the ink height, kept as paper around the ink
WORD_HEIGHT = 0.75  # of a line: the usual word has ascenders or descenders, rarely both


def ink_map(gray: Gray) -> Ink:
    """Flatten the paper and stretch the ink.

    Args:
        gray: crop, shape (height, width) uint8, dark ink on light paper or the reverse.

    Returns:
        float32 of the same shape, 0 = paper .. 1 = ink.
    """
    if gray.size == 0:
        return np.zeros((1, 1), np.float32)
    image = gray.astype(np.float32)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if np.median(border) < 90 and np.median(image) < 110:  # white on black
        image = 255.0 - image
    # Paper = a heavily blurred local maximum; follows shadows, ignores strokes.
    kernel = max(9, (min(image.shape) // 2) | 1)
    paper = cv2.dilate(cv2.GaussianBlur(image, (0, 0), 1.0), np.ones((kernel, kernel), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), kernel / 2)
    ink = np.clip(paper - image, 0, None)
    top = float(np.percentile(ink, 99.5))
    floor = float(np.median(ink))
    if top - floor < 12:  # nothing but paper noise
        return np.zeros_like(ink)
    return np.clip((ink - floor) / (top - floor), 0.0, 1.0).astype(np.float32)


def ink_box(ink: Ink) -> tuple[int, int, int, int] | None:
    """Return (x, y, width, height) in pixels around the ink, or None when there is none."""
    if ink.size == 0:  # OpenCV 5.0 ends the process on an image without columns
        return None
    mask = (ink > 0.35).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    boxes = stats[1:]
    boxes = boxes[boxes[:, cv2.CC_STAT_AREA] >= MIN_INK_AREA_PX]
    if len(boxes) == 0:
        return None
    x0, y0 = boxes[:, 0].min(), boxes[:, 1].min()
    x1 = (boxes[:, 0] + boxes[:, 2]).max()
    y1 = (boxes[:, 1] + boxes[:, 3]).max()
    return int(x0), int(y0), int(x1 - x0), int(y1 - y0)


def prepare(gray: Gray, height_px: int, max_width_px: int) -> Ink:
    """Turn a crop into the network's input.

    Args:
        gray: crop, shape (height, width) uint8.
        height_px: height of the result.
        max_width_px: wider ink is squeezed to this width.

    Returns:
        Ink map, float32, shape (height_px, width), width a multiple of ``WIDTH_STEP_PX``;
        all zero when the crop holds no ink.
    """
    return fit_ink(ink_map(gray), height_px, max_width_px)


def prepare_block(gray: Gray, height_px: int, max_width_px: int, line_px: int) -> Ink:
    """Turn a block of several lines into the network's input: a canvas of one height.

    ``prepare`` would scale the whole block to the height of the input, so that letters were
    smaller the more lines there are. Here lines become about ``line_px`` high whatever their
    number, and what is left of the canvas below them is paper.

    Args:
        gray: crop, shape (height, width) uint8.
        height_px: of the canvas; a block that is higher is scaled down to it.
        max_width_px: a block that is wider is scaled down to it.
        line_px: height of a line with its ascenders and descenders.

    Returns:
        Ink map, float32, (height_px, width), the ink in its upper left corner, width a
        multiple of ``WIDTH_STEP_PX``; all zero when the crop holds no ink.
    """
    ink = ink_map(gray)
    box = ink_box(ink)
    if box is None:
        return np.zeros((height_px, WIDTH_STEP_PX), np.float32)
    x, y, w, h = box
    ink = ink[y : y + h, x : x + w]
    scale = min(WORD_HEIGHT * line_px / _word_height(ink), height_px / h, max_width_px / w)
    size = max(4, round(w * scale)), max(1, round(h * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(ink, size, interpolation=method).astype(np.float32)
    below = ((0, height_px - small.shape[0]), (0, 0))
    return pad_width(np.pad(small, below), padded_width(size[0]))


def _word_height(ink: Ink) -> float:
    """Height in pixels of the usual word: median over the width of what hangs together."""
    mask = (ink > 0.35).astype(np.uint8)
    height = 0.0
    for _ in range(2):  # letters first, then words, whose letters are less than one apart
        if height:
            kernel = np.ones((1, max(3, round(height / 2))), np.uint8)
            mask = cv2.dilate(mask, kernel).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
        stats = stats[stats[:, cv2.CC_STAT_AREA] >= MIN_INK_AREA_PX]
        stats = stats[np.argsort(stats[:, cv2.CC_STAT_HEIGHT])]
        half = stats[:, cv2.CC_STAT_WIDTH].cumsum()
        height = float(stats[np.searchsorted(half, half[-1] / 2), cv2.CC_STAT_HEIGHT])
    # A dash or a dot must not be blown up to the height of a word.
    return max(height, 0.06 * ink.shape[1], 6.0)


def cut_pieces(ink: Ink, ratio: float, piece_ratio: float) -> list[Ink]:
    """Cut the ink map of a long line into pieces in reading order.

    A line that is more than ``ratio`` times as wide as high is cut at the blank columns
    nearest to equal parts: the networks are trained on words and short lines.

    Args:
        ink: as ``ink_map`` returns it.
        ratio: width through height from which a line is cut.
        piece_ratio: width through height of the parts.

    Returns:
        at least one ink map, for ``fit_ink``.
    """
    pieces = _cut_at_gaps(ink, ratio, piece_ratio, MIN_GAP)
    return [part for p in pieces for part in _cut_at_gaps(p, ratio, piece_ratio, NARROW_GAP)]


def _cut_at_gaps(ink: Ink, ratio: float, piece_ratio: float, gap: float) -> list[Ink]:
    """Cut ink that is too wide at blanks of at least ``gap`` heights."""
    box = ink_box(ink)
    if box is None or box[2] <= ratio * box[3]:
        return [ink]
    x, _, w, h = box
    count = math.ceil(w / (piece_ratio * h))
    edges = [x, *_blank_cuts(ink[:, x : x + w], h, count, gap, offset=x), x + w]
    return [ink[:, a:b] for a, b in pairwise(edges) if b > a]


def ink_quality(gray: Gray, ink: Ink) -> tuple[float, float]:
    """Two figures of how well a crop was scanned.

    Args:
        gray: crop, (height, width) uint8; ink: its ink map.

    Returns:
        contrast between ink and paper, 0..1, and the ink's height as log2 of pixels.
    """
    box = ink_box(ink)
    if box is None:
        return 0.0, 0.0
    paper, darkest = np.percentile(gray, [60, 1])
    return float(abs(paper - darkest)) / 255.0, math.log2(max(1, box[3]))


def blank_columns(ink: Ink, height: int) -> NDArray[np.bool_]:
    """Columns between words: without ink but for specks and rules.

    Args:
        ink: ink map of a line.
        height: of its ink in pixels.

    Returns:
        (width,) bool; all True when nothing but rules is there.
    """
    binary = (ink > 0.25).astype(np.uint8)
    # A rule below the words would join them all: what runs on for two heights is no letter.
    rules = cv2.morphologyEx(binary, cv2.MORPH_OPEN, np.ones((1, 2 * height), np.uint8))
    rules = cv2.dilate(rules, np.ones((3, 1), np.uint8))
    letters = binary * (1 - rules)
    blank: NDArray[np.bool_] = letters.sum(axis=0) <= max(1, height // 20)
    return blank


def _blank_cuts(ink: Ink, height: int, count: int, gap: float, offset: int) -> list[int]:
    """Choose up to ``count - 1`` blank columns near equal parts; fewer when ink has no gaps."""
    blank = blank_columns(ink, height)
    if blank.all():
        return []
    change = np.flatnonzero(np.diff(np.concatenate([[False], blank, [False]]).astype(np.int8)))
    starts, stops = change[::2], change[1::2]
    wide = (stops - starts) >= max(3, height * gap)
    middles = (starts[wide] + stops[wide]) // 2
    cuts: set[int] = set()
    for part in range(1, count):
        wanted = ink.shape[1] * part / count
        if len(middles):
            nearest = int(middles[np.abs(middles - wanted).argmin()])
            if abs(nearest - wanted) < ink.shape[1] / count / 2:
                cuts.add(nearest + offset)
    return sorted(cuts)


def fit_ink(ink: Ink, height_px: int, max_width_px: int) -> Ink:
    """Cut an ink map to its ink and scale it; see ``prepare``."""
    box = fit_box(ink)
    if box is None:
        return np.zeros((height_px, WIDTH_STEP_PX), np.float32)
    ink = _padded_cut(ink, *box)
    width = fitted_width(box, height_px, max_width_px)
    shrink = ink.shape[0] > height_px
    ink = cv2.resize(
        ink, (width, height_px), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    ).astype(np.float32)
    return pad_width(ink, padded_width(width))


def fit_box(ink: Ink) -> tuple[int, int, int, int] | None:
    """Return (x, y, width, height) of what ``fit_ink`` cuts out, or None without ink."""
    box = ink_box(ink)
    if box is None:
        return None
    x, y, w, h = box
    # A dash or a dot must not be blown up to full height.
    h_wanted = max(h, round(w * 0.12), 8)
    y -= (h_wanted - h) // 2
    margin = max(1, round(h_wanted * MARGIN))
    return x - margin, y - margin, w + 2 * margin, h_wanted + 2 * margin


def fitted_width(box: tuple[int, int, int, int], height_px: int, max_width_px: int) -> int:
    """Return the width in pixels of a box scaled to ``height_px``, before padding."""
    return min(max(4, round(box[2] * height_px / box[3])), max_width_px)


def padded_width(width: int) -> int:
    """Return the width in pixels that an ink map of ``width`` pixels is padded to."""
    return max(WIDTH_STEP_PX, -(-width // WIDTH_STEP_PX) * WIDTH_STEP_PX)


def pad_width(ink: Ink, width: int) -> Ink:
    """Pad with paper on the right up to ``width`` pixels."""
    return np.pad(ink, ((0, 0), (0, width - ink.shape[1])))


def _padded_cut(ink: Ink, x: int, y: int, w: int, h: int) -> Ink:
    """Cut a box that may reach over the edges; what lies outside is paper."""
    out = np.zeros((h, w), np.float32)
    sx0, sy0 = max(0, x), max(0, y)
    sx1, sy1 = min(ink.shape[1], x + w), min(ink.shape[0], y + h)
    out[sy0 - y : sy1 - y, sx0 - x : sx1 - x] = ink[sy0:sy1, sx0:sx1]
    return out
