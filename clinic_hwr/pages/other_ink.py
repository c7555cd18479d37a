"""Ink that is no line of writing or print: what stands close together is shown as one thing.

A rubber stamp, the grain of a shaded fax, a streak of the scanner: a segmenter marks no line in
them, and the classical grouping makes many small regions of each. A person has one look at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .labels import union
from .survey import PageSurvey
from .types import Box, FieldRegion, LineMaps, NamedBy

_LINE = 0.5  # from this probability on, anywhere in a region, a line is there
_NEAR = 1.5  # letters from one piece to the next
_COVERED = 0.2  # share of another field that must not be covered


def with_other_ink_together(
    survey: PageSurvey, fields: Sequence[FieldRegion], letter_px: float
) -> list[FieldRegion]:
    """Join unnamed regions without a line in them to one where they stand close together.

    Args:
        survey: of the page; without a segmenter everything stays as it is.
        fields: found on it.
        letter_px: typical height of a pen letter.
    """
    maps = survey.maps
    if maps is None:
        return list(fields)
    groups: list[list[FieldRegion]] = []
    for piece in fields:
        if not is_loose(piece) or most(maps.hand, maps, piece.box_px) >= _LINE:
            continue
        near = [
            some for some in groups
            if any(_gap(piece.box_px, one.box_px) <= _NEAR * letter_px for one in some)
        ]  # fmt: skip
        groups = [some for some in groups if some not in near]
        groups.append([piece, *(one for some in near for one in some)])
    left = list(fields)
    for group in groups:
        # Lines of print that OCR left stay lines; beside other ink they are the text of a stamp.
        if all(most(maps.print, maps, one.box_px) >= _LINE for one in group):
            continue
        box = union([one.box_px for one in group])
        others = [one for one in left if one not in group]
        if all(_share(one.box_px, box) <= _COVERED for one in others):
            left = [*others, replace(group[0], box_px=box)]
    return left


def is_loose(field: FieldRegion) -> bool:
    """Whether a region is ink that nothing is known of."""
    plain = field.named_by is NamedBy.NOBODY and field.present is None and not field.lines_px
    return plain and field.printed_text is None and not field.comb and not field.options


def most(values: NDArray[np.float32], maps: LineMaps, box: Box) -> float:
    """The highest value of a map in a box."""
    rows = slice(int(box.y * maps.scale), int((box.y + box.height) * maps.scale) + 1)
    columns = slice(int(box.x * maps.scale), int((box.x + box.width) * maps.scale) + 1)
    part = values[rows, columns]
    return float(part.max()) if part.size else 0.0


def _gap(one: Box, other: Box) -> int:
    """Pixels from one box to another, across or down; 0 where they touch."""
    across = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    down = max(one.y, other.y) - min(one.y + one.height, other.y + other.height)
    return max(0, across, down)


def _share(one: Box, other: Box) -> float:
    """Share of ``one`` that lies in ``other``."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0, across) * max(0, down) / max(1, one.width * one.height)
