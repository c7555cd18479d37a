"""Zigzags over writing: strokes down and up by turns, at even steps, as high as the line.

Who crosses out a row of a chart draws one from side to side. Letters have stems that rise to the
right, but few strokes that fall, and those not at even steps.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import pieces_within
from .types import Box

Mask = NDArray[np.uint8]

_SLOPES_DEG = (48, 56, 64, 72)
_LENGTH, _TALL, _WIDE = 0.7, 0.9, 1.5  # letter heights: of a stroke; share of it upwards; its width
_ASIDE, _STEP = 3.0, 2.0  # letter heights: looked at on both sides; from one fall to the next
# Even ones: strokes, letter heights from first to last, deviation of the steps over their mean.
# Or more that are all as high. Of 2,700 lines of pages of writers in training, 2026-11-27, one had
# either that was not crossed out.
_SHORTEST_PX = 12  # of a stroke: what is shorter has no slope
_LONG = 2.2  # middle steps
_FEW, _FAR, _EVEN, _AS_HIGH = 7, 2.2, 0.36, 0.75
_UP_AS_HIGH = 0.68  # of those that rise: a letter's stem often cuts one short
_SHARP, _SHARP_EVEN, _SHARP_ALIKE, _TALLEST = 6, 0.25, 0.16, 0.9
_MANY, _FARTHER, _ROUGHLY, _LOWEST, _ALIKE = 11, 2.8, 0.6, 0.65, 0.12


def zigzagged(ink: Mask, box: Box, height: float) -> NDArray[np.bool_]:
    """Say which columns of a line a zigzag goes over.

    Args:
        ink: (height, width) of the page, 255 = ink. Form rules are level, no stroke of a zigzag is;
            without them those that cross one would be cut.
        box: of the line.
        height: of its letters in pixels.
    """
    covered = np.zeros(box.width, bool)
    aside, above = round(_ASIDE * height), round(0.2 * height)
    left, top = max(0, box.x - aside), max(0, box.y - above)
    part = np.ascontiguousarray(
        ink[top : box.y + box.height + above, left : box.x + box.width + aside]
    )
    if not part.size:
        return covered
    part = np.asarray(cv2.dilate(part, np.ones((1, 2), np.uint8)), np.uint8)
    falling = sorted(
        (part.shape[1] - 1 - x, tall)
        for x, tall in _strokes(np.ascontiguousarray(part[:, ::-1]), height)
    )
    if len(falling) < _FEW // 2:
        return covered
    # Where letters are crossed, pieces of them fall too; the strokes of a zigzag are all as high.
    usual = float(np.percentile([tall for _, tall in falling], 75))
    falling = [one for one in falling if one[1] >= _AS_HIGH * usual]
    rising = sorted(one for one in _strokes(part, height) if one[1] >= _UP_AS_HIGH * usual)
    run: list[tuple[float, float]] = []
    for fall in [*falling, (math.inf, 0.0)]:
        last = run[-1][0] if run else math.inf
        between = [one for one in rising if last < one[0] < fall[0]]
        if run and not (between and fall[0] - last <= _STEP * height):
            steady = _steady(run)
            if _is_zigzag(steady, height) or _is_sharp(steady := _ended(steady, rising), height):
                ends = (round(steady[end][0] + left - box.x) for end in (0, -1))
                covered[slice(*(max(0, end) for end in ends))] = True
            run = []
        elif run:  # a letter's stem may stand beside the stroke that rises
            run.append(min(between, key=lambda one: abs(one[0] - (last + fall[0]) / 2)))
        run.append(fall)
    return covered


def _steady(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The longest part without a long step: a letter before or behind it may fall, too."""
    steps = np.diff([one[0] for one in run])
    if not len(steps):
        return run
    cuts = [0, *(np.flatnonzero(steps > _LONG * np.median(steps)) + 1).tolist(), len(run)]
    start, end = max(itertools.pairwise(cuts), key=lambda two: two[1] - two[0])
    return run[start:end]


def _ended(
    run: list[tuple[float, float]], rising: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """The run with the strokes that rise before its first fall and behind its last."""
    if len(run) < 3:
        return run
    step = float(np.median(np.diff([one[0] for one in run])))
    before = [one for one in rising if 0 < run[0][0] - one[0] <= _LONG * step]
    behind = [one for one in rising if 0 < one[0] - run[-1][0] <= _LONG * step]
    # A stem of a letter may stand nearer, or farther off.
    first, last = (
        sorted(some, key=lambda one: abs(abs(one[0] - end[0]) - step))[:1]
        for some, end in ((before, run[0]), (behind, run[-1]))
    )
    return [*first, *run, *last]


def _is_sharp(run: list[tuple[float, float]], height: float) -> bool:
    """Whether a few strokes are so tall and so even that no letters are."""
    at, tall = np.array([one[0] for one in run]), np.array([one[1] for one in run])
    if len(run) < _SHARP or at[-1] - at[0] < _FAR * height or tall.min() < _TALLEST * height:
        return False
    steps = np.diff(at)
    alike = float(tall.std() / tall.mean())
    return alike <= _SHARP_ALIKE and float(steps.std() / steps.mean()) <= _SHARP_EVEN


def _is_zigzag(run: list[tuple[float, float]], height: float) -> bool:
    at, tall = np.array([one[0] for one in run]), np.array([one[1] for one in run])
    if len(run) < _FEW or at[-1] - at[0] < _FAR * height:
        return False
    steps = np.diff(at)
    even = float(steps.std() / steps.mean())
    if even <= _EVEN:
        return True
    alike = tall.min() >= _LOWEST * height and tall.std() <= _ALIKE * tall.mean()
    many = len(run) >= _MANY and at[-1] - at[0] >= _FARTHER * height
    return bool(many and alike and even <= _ROUGHLY)


def _strokes(part: Mask, height: float) -> list[tuple[float, float]]:
    """Straight strokes that rise to the right: the column of their middle, and their height."""
    length = max(_SHORTEST_PX, round(_LENGTH * height))
    rising = np.zeros_like(part)
    for slope in _SLOPES_DEG:
        kernel = _line(length, slope)
        if kernel.shape[0] <= part.shape[0] and kernel.shape[1] <= part.shape[1]:
            rising |= np.asarray(cv2.morphologyEx(part, cv2.MORPH_OPEN, kernel), np.uint8)
    _, stats, centres, _ = pieces_within(rising)
    least = _TALL * length * math.sin(math.radians(_SLOPES_DEG[0]))
    return [
        (float(x), float(one[cv2.CC_STAT_HEIGHT]))
        for one, (x, _) in zip(stats[1:], centres[1:], strict=True)
        if one[cv2.CC_STAT_HEIGHT] >= least and one[cv2.CC_STAT_WIDTH] <= _WIDE * height
    ]


@lru_cache(maxsize=512)
def _line(length: int, slope_deg: float) -> Mask:
    """A kernel that is a line of one pixel, rising to the right."""
    width = round(length * math.cos(math.radians(slope_deg))) | 1
    tall = round(length * math.sin(math.radians(slope_deg))) | 1
    kernel = np.zeros((tall, width), np.uint8)
    cv2.line(kernel, (0, tall - 1), (width - 1, 0), 1, 1)
    return kernel
