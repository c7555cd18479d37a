"""Lines that a segmenter marks and no field holds: they are shown, whatever became of their ink.

A pen stroke through faint writing may be taken for a form rule, and what stays of the letters for
specks: an order that was crossed out would be gone from the page without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .components import connected_pieces
from .survey import PageSurvey
from .types import FIELD_NAMES, Box, FieldRegion, NamedBy

_LONG, _LEAST_PX = 2.0, 4  # of its height; in pixels of the maps: less is a dot or a tail
_SURE = 0.8  # of the map of handwriting, on the whole of the line
_COVERED = 0.2  # share of it that something else holds: then it is that, or a part of it
_RIM = 0.5  # of a band's height: letters rise above it and hang below
_INK = 0.05  # of it is ink, rules counted
_HIGH = 0.6  # of the usual band of the page
_EDGE = 0.04  # of the page: there the edge of a photographed sheet may look like a line


def marked_lines(survey: PageSurvey, fields: Sequence[FieldRegion]) -> list[FieldRegion]:
    """Return unnamed regions for lines of handwriting that nothing on the page accounts for.

    Args:
        survey: of the page; without a segmenter there are none.
        fields: all that was found.
    """
    cores, ink, maps = survey.cores, survey.all_ink, survey.maps
    if cores is None or ink is None or maps is None:
        return []
    held = np.zeros(cores.numbers.shape, bool)
    for box in [*(one.box_px for one in fields), *(one.box_px for one in survey.words)]:
        held[_on_maps(box, cores.scale)] = True
    # Cores that touch are of one line.
    _, labels, stats, _ = connected_pieces(np.where(cores.numbers > 0, 255, 0).astype(np.uint8))
    found = []
    for number, (x, y, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        low = height < _HIGH * cores.x_height_px * cores.scale
        if low or width < max(_LEAST_PX, _LONG * height):
            continue
        across, down = (x + width / 2) / labels.shape[1], (y + height / 2) / labels.shape[0]
        if not (_EDGE < across < 1 - _EDGE and _EDGE < down < 1 - _EDGE):
            continue
        near = slice(y, y + height), slice(x, x + width)
        core = labels[near] == number
        if held[near][core].mean() > _COVERED or maps.hand[near][core].mean() < _SURE:
            continue
        box = _on_page(x, y, width, height, cores.scale, ink.shape)
        part = ink[box.y : box.y + box.height, box.x : box.x + box.width]
        if np.count_nonzero(part) >= _INK * part.size:
            kind = FIELD_NAMES["unnamed"]
            found.append(FieldRegion("unnamed", kind, box, named_by=NamedBy.NOBODY))
    return found


def _on_maps(box: Box, scale: float) -> tuple[slice, slice]:
    x0, x1 = box.x * scale, (box.x + box.width) * scale
    y0, y1 = box.y * scale, (box.y + box.height) * scale
    return slice(max(0, int(y0)), int(y1) + 1), slice(max(0, int(x0)), int(x1) + 1)


def _on_page(x: int, y: int, width: int, height: int, scale: float, shape: tuple[int, ...]) -> Box:
    """The whole letters of a band of the maps, in pixels of the page."""
    rim = _RIM * height / scale
    top, bottom = max(0, round(y / scale - rim)), min(shape[0], round((y + height) / scale + rim))
    left, right = max(0, round(x / scale)), min(shape[1], round((x + width) / scale))
    return Box(left, top, max(1, right - left), max(1, bottom - top))
