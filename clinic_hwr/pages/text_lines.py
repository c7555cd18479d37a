"""Pen strokes of an area grouped to lines of writing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .labels import union
from .survey import PageSurvey, Stroke
from .types import Box


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of handwriting: its box and its strokes."""

    box_px: Box
    strokes: tuple[Stroke, ...]


def text_lines(survey: PageSurvey, strokes: Sequence[Stroke]) -> list[TextLine]:
    """Group strokes to lines, top to bottom.

    Rows are told apart at the valleys of the smoothed ink profile; a stroke belongs to the row
    that holds most of its ink, so a descender that reaches into the next row stays with its word.
    """
    if not strokes:
        return []
    letter = letter_height(strokes, survey.unit_px)
    area = union([stroke.box_px for stroke in strokes])
    # Tall strokes (brackets, margin lines, touching rows) would fill the valleys.
    profile = np.zeros(area.height + 1)
    for stroke in strokes:
        box = stroke.box_px
        if box.height <= 2.6 * letter:
            rows = survey.ink[box.y : box.y + box.height, box.x : box.x + box.width] > 0
            profile[box.y - area.y : box.y - area.y + box.height] += rows.sum(axis=1)
    borders = [area.y + cut for cut in _valleys(profile, letter)]
    rows_of: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        rows_of.setdefault(_row_of(survey, stroke, borders), []).append(stroke)
    lines = [
        TextLine(union([s.box_px for s in members]), tuple(members))
        for _, members in sorted(rows_of.items())
    ]
    return _without_crumbs(lines, letter)


def letter_height(strokes: Sequence[Stroke], unit_px: float) -> float:
    """Typical height of a pen letter in pixels."""
    heights = [s.box_px.height for s in strokes if s.box_px.height > 0.45 * unit_px]
    return float(np.median(heights)) if heights else unit_px


def _valleys(profile: NDArray[np.float64], letter: float) -> list[int]:
    """Row positions between the lines of a profile."""
    # The root keeps a short "#21" from drowning beside long lines.
    smooth = _smoothed(np.sqrt(profile), max(1.0, 0.22 * letter))
    peaks = [
        i for i in range(len(smooth))
        if smooth[i] > 0 and smooth[i] >= smooth[max(0, i - 1)]
        and smooth[i] > smooth[min(len(smooth) - 1, i + 1)]
    ]  # fmt: skip
    # Weak bumps (dots, descenders) between lines are no lines of their own.
    strong = [p for p in peaks if smooth[p] > 0.2 * smooth.max()]
    merged: list[int] = []
    for peak in strong:
        if merged:
            valley = smooth[merged[-1] : peak + 1].min()
            low = min(smooth[merged[-1]], smooth[peak])
            if peak - merged[-1] < 0.75 * letter or valley > 0.85 * low:
                if smooth[peak] > smooth[merged[-1]]:
                    merged[-1] = peak
                continue
        merged.append(peak)
    return [
        left + int(np.argmin(smooth[left : right + 1]))
        for left, right in itertools.pairwise(merged)
    ]


def _smoothed(profile: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(profile, reach), kernel / kernel.sum(), mode="valid")


def _row_of(survey: PageSurvey, stroke: Stroke, borders: Sequence[int]) -> int:
    """Index of the row that holds most of a stroke's ink."""
    box = stroke.box_px
    mass = (survey.ink[box.y : box.y + box.height, box.x : box.x + box.width] > 0).sum(axis=1)
    rows = np.searchsorted(borders, np.arange(box.y, box.y + box.height))
    return int(np.bincount(rows, weights=mass).argmax())


def _without_crumbs(lines: list[TextLine], letter: float) -> list[TextLine]:
    """Give lines too small to be writing (dots, dashes) to the line nearest to them."""
    real = [line for line in lines if max(s.box_px.height for s in line.strokes) > 0.45 * letter]
    if not real or len(real) == len(lines):
        return lines
    members = {id(line): list(line.strokes) for line in real}
    for line in lines:
        if id(line) in members:
            continue
        nearest = min(real, key=lambda other: _vertical_gap(line.box_px, other.box_px))
        if _vertical_gap(line.box_px, nearest.box_px) < letter:
            members[id(nearest)] += line.strokes
    return [
        TextLine(union([s.box_px for s in members[id(line)]]), tuple(members[id(line)]))
        for line in real
    ]


def _vertical_gap(one: Box, other: Box) -> int:
    return max(one.y, other.y) - min(one.y + one.height, other.y + other.height)
