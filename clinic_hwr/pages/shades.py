"""Shades of the paper that a threshold left: soft and pale, where a pen's edge is sharp.

The corner of a curled sheet, a fold beside a lamp and the rest of a shadow come out as ink. A
person should not have to look at them one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .line_cores import on_page
from .other_ink import is_loose, most
from .survey import PageSurvey
from .types import Box, FieldRegion, Gray

# Of a segmenter's maps: from here on there may be a line, from there on there is one.
_MAYBE, _LINE = 0.15, 0.5
# Sharpness and darkness of a shade for those of the page's pen. On 320 developing pages,
# 2026-11-28, 41 of 199 regions without a line were softer and paler, and none of 49 on ink that was
# drawn; the softest of these has 0.56 and 0.56.
_SOFT, _PALE = 0.45, 0.8
_RIM_PX = 2
_FEWEST_PX = 200  # of pen that say how sharp it is


def without_shades(survey: PageSurvey, fields: Sequence[FieldRegion]) -> list[FieldRegion]:
    """Leave out unnamed regions that are shades of the paper.

    Args:
        survey: of the page; without a segmenter nothing is left out.
        fields: found on it.
    """
    maps, ink = survey.maps, survey.all_ink
    if maps is None or ink is None:
        return list(fields)
    doubtful = [
        one for one in fields
        if is_loose(one)
        and max(most(plane, maps, one.box_px) for plane in (maps.hand, maps.print)) < _MAYBE
    ]  # fmt: skip
    if not doubtful:
        return list(fields)
    lines = on_page((maps.hand >= _LINE).astype(np.uint8), maps.scale, ink.shape)
    pen = np.asarray(cv2.bitwise_and(ink, ink, mask=lines), np.uint8)
    if np.count_nonzero(pen) < _FEWEST_PX:
        return list(fields)
    sharp, dark = _look(survey.gray, pen)
    shades = []
    for one in doubtful:
        part = _slices(one.box_px)
        if ink[part].any():
            softer, paler = _look(survey.gray[part], ink[part])
            if softer < _SOFT * sharp and paler < _PALE * dark:
                shades.append(one)
    return [one for one in fields if one not in shades]


def _slices(box: Box) -> tuple[slice, slice]:
    """A box with a rim: its ink may end where it does."""
    top, left = max(0, box.y - _RIM_PX), max(0, box.x - _RIM_PX)
    return (
        slice(top, box.y + box.height + _RIM_PX), slice(left, box.x + box.width + _RIM_PX)
    )  # fmt: skip


def _look(gray: Gray, ink: NDArray[np.uint8]) -> tuple[float, float]:
    """How steep the edges of ink are and how dark it is, in grays: quartiles from above."""
    steep = np.maximum(
        np.abs(cv2.Sobel(gray, cv2.CV_16S, 1, 0)), np.abs(cv2.Sobel(gray, cv2.CV_16S, 0, 1))
    )
    edge = cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    steepest = float(np.percentile(steep[edge], 75)) if edge.any() else math.inf
    return steepest, 255.0 - float(np.percentile(gray[ink > 0], 25))
