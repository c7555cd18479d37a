"""What is true of a drawn page: its fields, its lines of writing and print, and its marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Quad = tuple[tuple[float, float], ...]
"""Corners (x, y) in pixels, clockwise from the top left of the paper."""


def hull_px(points: Quad) -> tuple[int, int, int, int]:
    """Axis-aligned hull of points: x, y, width, height in whole pixels."""
    xs, ys = zip(*points, strict=True)
    x0, y0 = int(np.floor(min(xs))), int(np.floor(min(ys)))
    return x0, y0, int(np.ceil(max(xs))) - x0, int(np.ceil(max(ys))) - y0


@dataclass(frozen=True, slots=True)
class FieldTruth:
    """What one field of a drawn page really says.

    Attributes:
        name: a key of ``pages.types.FIELD_NAMES``.
        kind: its kind, as text.
        group: medication number, 0 for fields of the whole page.
        text: the text as written ("" for marks).
        printed: drawn in print rather than by hand.
        quad_px: the four corners of the ink (x, y), clockwise from the top left of the paper.
        struck: crossed out by the prescriber: it stands on the page and must not be ordered.
    """

    name: str
    kind: str
    group: int
    text: str
    printed: bool
    quad_px: Quad
    struck: bool = False

    @property
    def box_px(self) -> tuple[int, int, int, int]:
        """Axis-aligned hull of the corners: x, y, width, height in pixels."""
        return hull_px(self.quad_px)


@dataclass(frozen=True, slots=True)
class LineTruth:
    """One line of writing or print: what was put down in one go on one baseline.

    Attributes:
        text: what it says.
        printed: print rather than pen.
        quad_px: corners of its ink.
        struck: crossed out.
        band_px: outline of where its small letters stand, clockwise; see ``line_bands``.
        struck_part: from and to which share of its length, where it is.
    """

    text: str
    printed: bool
    quad_px: Quad
    struck: bool = False
    band_px: Quad = ()
    struck_part: tuple[float, float] = (0.0, 1.0)

    @property
    def box_px(self) -> tuple[int, int, int, int]:
        """Axis-aligned hull of the corners: x, y, width, height in pixels."""
        return hull_px(self.quad_px)


@dataclass(frozen=True, slots=True)
class MarkTruth:
    """A check box, a printed choice or a line of a rubber stamp.

    Attributes:
        kind: ``checkbox``, ``choice`` or ``stamp``.
        label: what it stands for, as printed beside it; what a stamp says.
        marked: ticked, or circled.
        quad_px: corners of the box, of the printed choice or of the stamp's line.
    """

    kind: str
    label: str
    marked: bool
    quad_px: Quad

    @property
    def box_px(self) -> tuple[int, int, int, int]:
        """Axis-aligned hull of the corners: x, y, width, height in pixels."""
        return hull_px(self.quad_px)
