"""Checkboxes: small printed squares, and whether something is drawn in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .labels import Label
from .types import FIELD_NAMES, Box, FieldRegion

# Sides in heights of a printed capital.
_SIDES = (0.8, 2.6)
_SQUARE = (0.75, 1.35)  # width to height
# Share of a side that is inked along its whole length.
_SIDE_INKED = 0.85
# Area of a contour in its bounding box: a circle has 0.79, D, R and 8 have less than a square too.
_FULL = 0.86
# Ink in the inner two thirds of the square: a tick or a cross has more.
_MARKED = 0.06
_REACH = 2.5  # sides between a box and its label


@dataclass(frozen=True, slots=True)
class Checkbox:
    """One printed square.

    Attributes:
        box_px: its outside.
        marked: whether something is drawn in it.
    """

    box_px: Box
    marked: bool


def find_checkboxes(dark: NDArray[np.uint8], unit_px: float) -> tuple[Checkbox, ...]:
    """Find the squares of a page.

    Args:
        dark: (height, width) uint8, 255 where there is ink or a thin line.
        unit_px: height of a printed capital.
    """
    # Contours of the white inside of squares: a tick that leaves the square joins others to it.
    contours, tree = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return ()
    low, high = _SIDES[0] * unit_px, _SIDES[1] * unit_px
    found: list[Checkbox] = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        if not (low <= width <= high and low <= height <= high):
            continue
        if not _SQUARE[0] <= width / height <= _SQUARE[1]:
            continue
        if cv2.contourArea(contour) < _FULL * (width - 1) * (height - 1):
            continue
        box = _frame(dark, Box(x, y, width, height))
        if box is None or any(_same(box, other.box_px) for other in found):
            continue
        found.append(Checkbox(box, _share_inside(dark, box) > _MARKED))
    return tuple(found)


def _frame(dark: NDArray[np.uint8], box: Box) -> Box | None:
    """The box when all its four sides are straight inked lines, else None."""
    part = dark[box.y : box.y + box.height, box.x : box.x + box.width] > 0
    # The contour may be that of the square's inside: its sides are then a line further out.
    for grow in (0, 2):
        y0, x0 = max(0, box.y - grow), max(0, box.x - grow)
        part = dark[y0 : box.y + box.height + grow, x0 : box.x + box.width + grow] > 0
        rim = max(2, round(0.14 * min(part.shape)))
        sides = (part[:rim].any(axis=0), part[-rim:].any(axis=0),
                 part[:, :rim].any(axis=1), part[:, -rim:].any(axis=1))  # fmt: skip
        straight = all(side.mean() >= _SIDE_INKED for side in sides) and all(
            line.max() >= _SIDE_INKED
            for line in (part[:rim].mean(axis=1), part[-rim:].mean(axis=1),
                         part[:, :rim].mean(axis=0), part[:, -rim:].mean(axis=0))
        )  # fmt: skip
        if straight:
            return Box(x0, y0, part.shape[1], part.shape[0])
    return None


def _same(one: Box, other: Box) -> bool:
    return abs(one.x - other.x) < one.width / 2 and abs(one.y - other.y) < one.height / 2


def _share_inside(dark: NDArray[np.uint8], box: Box) -> float:
    cut_x, cut_y = max(2, round(0.22 * box.width)), max(2, round(0.22 * box.height))
    inside = dark[
        box.y + cut_y : box.y + box.height - cut_y, box.x + cut_x : box.x + box.width - cut_x
    ]
    return float((inside > 0).mean()) if inside.size else 0.0


def checkbox_fields(
    checkboxes: Sequence[Checkbox], labels: Sequence[Label]
) -> tuple[list[FieldRegion], set[Box]]:
    """Return the substitution field of a page's checkboxes, and the labels that it answers.

    A box "Substitution permitted" says yes where it is marked; a box "Dispense as written" says
    no where it is marked, and nothing where it is not.
    """
    answers: list[tuple[Label, Checkbox]] = []
    for label in labels:
        if label.field not in ("substitution", "signature"):
            continue
        near = [(gap, one.box_px.x, one) for one in checkboxes
                if (gap := _gap(one.box_px, label.box_px)) is not None]  # fmt: skip
        if near:
            answers.append((label, min(near, key=lambda item: item[:2])[2]))
    fields = []
    for label, one in answers:
        if label.field == "substitution" or one.marked:
            present = one.marked if label.field == "substitution" else False
            kind = FIELD_NAMES["substitution"]
            fields.append(
                FieldRegion("substitution", kind, one.box_px, label=label.text, present=present)
            )
    return fields[:1], {label.box_px for label, _ in answers}


def _gap(box: Box, label: Box) -> int | None:
    """Pixels between a box and a label beside or under it; None when it is not that near."""
    beside = min(box.y + box.height, label.y + label.height) - max(box.y, label.y) > 0
    if beside:
        gap = max(label.x - (box.x + box.width), box.x - (label.x + label.width))
        return gap if gap < _REACH * box.width else None
    over = min(box.x + box.width, label.x + label.width) - max(box.x, label.x) > 0
    gap = label.y - (box.y + box.height)
    return gap if over and 0 <= gap < box.height else None
