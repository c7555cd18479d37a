"""Lines of the free writing area told apart: drug, directions, quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .pen_strokes import Stroke
from .text_lines import letter_height
from .types import Box

# What the lines of one medication can be, first to last. Geometry cannot read "#" or "Sig:", so
# order, spacing, indentation and length decide among these.
_TEMPLATES: tuple[tuple[str, ...], ...] = (
    ("drug",),
    ("drug", "sig"),
    ("drug", "sig", "quantity"),
    ("drug", "sig", "sig"),
    ("drug", "sig", "sig", "quantity"),
)
_TEMPLATE_SCORE = (-1.2, 0.0, 0.1, -0.7, -0.5)
_SHORT = 0.45  # of the widest line: "#21" is, "1 tab po qhs" hardly ever

_ON_ROW = 0.5  # of the lower piece's height, shared with the one before it

_INDENTED, _NEAR_LINES, _AT_MARGIN, _SET_IN = 0.8, 4.0, 0.3, 0.8


@dataclass(frozen=True, slots=True)
class NamedLine:
    """What one line is: a field name and its medication number (1, 2, ...)."""

    name: str
    group: int


def name_lines(boxes: Sequence[Box], letter_px: float) -> list[NamedLine]:
    """Name every line of the free writing area.

    The first piece of each row is named by ``_name_rows``; what stands short behind it is a
    quantity ("Amoxicillin 500 mg   #21"), what is long are directions.

    Args:
        boxes: the lines, top to bottom, pieces of a row from left to right.
        letter_px: typical height of a pen letter.
    """
    leads: list[int] = []
    lead_of: list[int] = []
    for number, box in enumerate(boxes):
        if not leads or not _stands_behind(boxes[number - 1], box):
            leads.append(number)
        lead_of.append(len(leads) - 1)
    named = _name_rows([boxes[number] for number in leads], letter_px)
    widest = max((box.width for box in boxes), default=1)
    lines = []
    for number, box in enumerate(boxes):
        lead = named[lead_of[number]]
        if leads[lead_of[number]] != number:
            lead = NamedLine("quantity" if box.width < _SHORT * widest else "sig", lead.group)
        lines.append(lead)
    return lines


def _stands_behind(before: Box, box: Box) -> bool:
    """Whether a piece stands right of another on its row: rows slope, letters hang out of them."""
    shared = min(before.y + before.height, box.y + box.height) - max(before.y, box.y)
    return (
        box.x >= before.x + before.width and shared > _ON_ROW * min(box.height, before.height)
    )  # fmt: skip


def _name_rows(boxes: Sequence[Box], letter_px: float) -> list[NamedLine]:
    """Name the first line of every row.

    The best split into medications by dynamic programming over ``_TEMPLATES``: wider spacing
    between medications than inside them, directions indented under the drug, quantities short.

    Args:
        boxes: the lines, top to bottom.
        letter_px: typical height of a pen letter.
    """
    n = len(boxes)
    middles = np.array([box.y + box.height / 2 for box in boxes])
    gaps = np.diff(middles)
    between = gaps[gaps > 0.5 * letter_px]  # pieces of one row stand at one height
    pitch = float(np.median(between)) if len(between) else max(1.0, letter_px)
    widest = max((box.width for box in boxes), default=1)
    best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-np.inf, 0, 0)] * n
    for end in range(1, n + 1):
        for number, template in enumerate(_TEMPLATES):
            start = end - len(template)
            if start < 0:
                continue
            score = best[start][0] + _TEMPLATE_SCORE[number]
            score += _fit(boxes[start:end], template, widest, letter_px)
            score -= _INDENTED * _indent(boxes[start], boxes, letter_px)
            score += _spacing(gaps, start, end, pitch)
            if score > best[end][0]:
                best[end] = (score, start, number)
    spans = []
    end = n
    while end > 0:
        _, start, number = best[end]
        spans.append(_TEMPLATES[number])
        end = start
    named = []
    for group, template in enumerate(reversed(spans), start=1):
        named += [NamedLine(name, group) for name in template]
    return named


def _fit(boxes: Sequence[Box], template: Sequence[str], widest: int, letter_px: float) -> float:
    score = 0.0
    for box, name in zip(boxes, template, strict=True):
        short = box.width < _SHORT * widest
        if name == "quantity":
            score += 1.2 if short else -2.0
        elif short:
            score -= 0.8 if name == "sig" else 0.6
        if name != "drug":
            indent = (box.x - boxes[0].x) / max(letter_px, 1.0)
            score += float(np.clip(indent, -1.0, 1.0)) * 0.4
    indents = [(box.x - boxes[0].x) / max(letter_px, 1.0) for box in boxes[1:]]
    # Who sets directions in under the drug does so with all of them.
    if indents and min(indents) < _AT_MARGIN and max(indents) > _SET_IN:
        score -= _INDENTED
    return score


def _indent(box: Box, boxes: Sequence[Box], letter_px: float) -> float:
    """How far a line stands inside of those near to it, 0..1: a drug that begins so is none.

    The margin of a page that nobody ruled wanders: only lines up to four line heights off count.
    """
    near = [one.x for one in boxes if abs(one.y - box.y) < _NEAR_LINES * max(box.height, letter_px)]
    return float(np.clip((box.x - min(near)) / max(letter_px, 1.0) - 0.5, 0.0, 1.0))


def _spacing(gaps: np.ndarray, start: int, end: int, pitch: float) -> float:
    """Reward a wide gap before a medication and even gaps inside of it."""
    score = 0.0
    if start > 0:
        score += 2.5 * float(np.clip(gaps[start - 1] / pitch - 1.12, -0.5, 0.8))
    for gap in gaps[start : end - 1]:
        score -= 2.5 * float(np.clip(gap / pitch - 1.12, 0.0, 0.8))
    return score


def without_emblem(strokes: list[Stroke], unit_px: float) -> list[Stroke]:
    """Leave out a big printed Rx that OCR did not read: tall, and left of all writing."""
    letter = letter_height(strokes, unit_px)
    rest = [s for s in strokes if s.box_px.height < 2.2 * letter]
    letters = [s.box_px.x for s in rest if s.box_px.height > 0.5 * letter]
    if not letters:
        return strokes
    left = min(letters)
    return [s for s in strokes if s in rest or s.box_px.x + s.box_px.width / 2 > left]
