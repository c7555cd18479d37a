"""The crop of a field as the recognizer should see it: ink on white, no form rules."""

from __future__ import annotations

import numpy as np

from .background import flatten_background
from .rules import erase_mask, find_rules, shortest_rule
from .types import Box, Gray

# Rules are looked for in a wider window than the crop: a rule under a short word is longer than it.
_CONTEXT_PX = 160


def crop_cells(gray: Gray, box: Box, *, margin: float = 0.2) -> Gray:
    """Cut printed cells out of an upright page, print and all.

    The reader of cells finds their lines itself, and a person sees which character stands where.

    Args:
        gray: upright page, (height, width) uint8.
        box: the cells.
        margin: extra space on every side as a share of the box height; with cells about as wide
            as high it must stay under half of it, or a neighbour's line is in the crop.

    Returns:
        Grayscale crop, at least 1x1; white when the box lies off the page.
    """
    extra = round(margin * box.height)
    y0, x0 = max(0, box.y - extra), max(0, box.x - extra)
    crop = gray[y0 : box.y + box.height + extra, x0 : box.x + box.width + extra]
    return np.ascontiguousarray(crop) if crop.size else np.full((1, 1), 255, np.uint8)


def crop_field(gray: Gray, box: Box, *, margin: float = 0.0) -> Gray:
    """Cut a field out of an upright page, without the form rules that run through it.

    Underlines and box borders that cross the crop are inpainted, so that strokes which touch them
    stay whole.

    Args:
        gray: upright page, (height, width) uint8.
        box: the field in its pixels; parts outside of the page are cut off.
        margin: extra space on every side as a share of the box height, 0..1.

    Returns:
        Grayscale crop, at least 1x1; white when the box lies off the page.
    """
    height, width = gray.shape
    extra = round(margin * box.height)
    x0, y0 = max(0, box.x - extra), max(0, box.y - extra)
    x1 = min(width, box.x + box.width + extra)
    y1 = min(height, box.y + box.height + extra)
    if x1 <= x0 or y1 <= y0:
        return np.full((1, 1), 255, np.uint8)
    left, top = max(0, x0 - _CONTEXT_PX), max(0, y0 - _CONTEXT_PX // 2)
    window = gray[top : min(height, y1 + _CONTEXT_PX // 2), left : min(width, x1 + _CONTEXT_PX)]
    inner = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    rules = find_rules(flatten_background(np.ascontiguousarray(window)), length=shortest_rule(gray))
    mask = np.ascontiguousarray(rules.mask[inner])
    crop = np.ascontiguousarray(window[inner])
    if not mask.any():
        return crop
    return erase_mask(crop, mask)
