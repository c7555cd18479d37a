"""Form rules: the long straight lines, boxes and tables printed on a page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .types import Box, Gray

# A rule is longer than any stroke of writing: an 18th of the short page side (0.47 in on letter).
_SHARE_OF_SIDE = 18
# Skew left after deskewing bends a rule over this many pixels before it is cut into steps.
_STEP_PX = 3
_BRIDGE_PX = 9
_MAX_THICKNESS_PX = 9
# Writing that crosses a rule inks both its sides in a few columns; bold letters do in most.
_TEXT_SHARE = 0.3
# Generated rules stay within 1.5 px of straight after blur, noise and JPEG; pen strokes do not.
_MAX_BEND_PX = 1.8


@dataclass(frozen=True, slots=True)
class FormRules:
    """Straight rules of a page.

    Attributes:
        mask: (height, width) uint8, 255 on every rule pixel.
        horizontal: boxes of the horizontal rules.
        vertical: boxes of the vertical rules.
    """

    mask: NDArray[np.uint8]
    horizontal: tuple[Box, ...]
    vertical: tuple[Box, ...]


def shortest_rule(page: Gray) -> int:
    """Length in pixels from which a straight line of this page counts as a rule."""
    return int(max(24, min(page.shape) // _SHARE_OF_SIDE))


def find_rules(gray: Gray, *, length: int | None = None) -> FormRules:
    """Find horizontal and vertical rules of a flattened, deskewed page.

    Args:
        gray: the page, or a window of it.
        length: ``shortest_rule`` of the whole page, when ``gray`` is a window.
    """
    ink = ink_mask(gray)
    length = length or shortest_rule(gray)
    mask = np.zeros_like(ink)
    # Tall letters of two lines stand above each other like a rule: vertical ones must be longer.
    horizontal = _runs(gray, ink, length, mask)
    vertical_t = np.ascontiguousarray(mask.T)
    vertical_t[:] = 0
    turned = _runs(
        np.ascontiguousarray(gray.T), np.ascontiguousarray(ink.T), 2 * length, vertical_t
    )
    mask |= vertical_t.T
    vertical = tuple(Box(b.y, b.x, b.height, b.width) for b in turned)
    return FormRules(mask, horizontal, vertical)


def _runs(
    gray: Gray, ink: NDArray[np.uint8], length: int, mask: NDArray[np.uint8]
) -> tuple[Box, ...]:
    """Find horizontal rules at least ``length`` pixels long and paint them into ``mask``."""
    width = ink.shape[1]
    if width <= length:
        return ()
    # Residual skew makes a rule climb in steps: let it, then keep long runs and bridge pin holes.
    dark = cv2.max(ink, thin_lines(gray))
    thick = cv2.dilate(dark, np.ones((_STEP_PX, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length // 2), np.uint8))
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((1, _BRIDGE_PX), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    boxes = []
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        # Solid bars (black margins, filled boxes) are no rules, and neither is writing.
        if w < length or area / w > _MAX_THICKNESS_PX + _STEP_PX:
            continue
        part = labels[y : y + h, x : x + w] == index
        if _bend(part) > _MAX_BEND_PX:
            continue
        if _inked_on_both_sides(ink, part, x, y) > _TEXT_SHARE:
            continue
        mask[y : y + h, x : x + w] |= np.where(part, dark[y : y + h, x : x + w], 0).astype(np.uint8)
        boxes.append(Box(x, y, w, h))
    return tuple(sorted(boxes, key=lambda box: (box.y, box.x)))


def thin_lines(gray: Gray) -> NDArray[np.uint8]:
    """Faint thin horizontal lines, 255 where the page is darker than 4 px above and below.

    A hairline under the noise of the paper shows only in the mean along the row. The long mean
    finds it, the short one breaks at the gaps between letters, whose baseline is no rule.
    """
    return np.asarray(cv2.min(_ridges(gray, 21, 14), _ridges(gray, 7, 10)), np.uint8)


def _ridges(gray: Gray, span_px: int, depth: int) -> NDArray[np.uint8]:
    """255 where the mean over ``span_px`` columns is ``depth`` darker than 4 rows off."""
    along = cv2.blur(gray, (span_px, 1)).astype(np.int16)
    around = np.pad(along, ((4, 4), (0, 0)), constant_values=255)
    ridge = np.minimum(around[:-8], around[8:]) - along
    return np.where(ridge > depth, 255, 0).astype(np.uint8)


def _bend(part: NDArray[np.bool_]) -> float:
    """How far (px, 90th percentile) the middle of a run strays from a straight line."""
    columns = np.flatnonzero(part.any(axis=0))
    top = part.argmax(axis=0)[columns]
    bottom = part.shape[0] - 1 - part[::-1].argmax(axis=0)[columns]
    middle = (top + bottom) / 2
    line = np.polyval(np.polyfit(columns, middle, 1), columns)
    return float(np.percentile(np.abs(middle - line), 90))


def _inked_on_both_sides(ink: NDArray[np.uint8], part: NDArray[np.bool_], x: int, y: int) -> float:
    """Share of the columns of a run that have ink close above it and close below it.

    Low for a rule, even with writing on it; high for a run through the middle of bold letters.
    """
    height = ink.shape[0]
    columns = np.flatnonzero(part.any(axis=0))
    top = y + part.argmax(axis=0)[columns]
    bottom = y + part.shape[0] - 1 - part[::-1].argmax(axis=0)[columns]
    above = np.zeros(len(columns), bool)
    below = np.zeros(len(columns), bool)
    for distance in (2, 4):
        above |= ink[np.maximum(top - distance, 0), x + columns] > 0
        below |= ink[np.minimum(bottom + distance, height - 1), x + columns] > 0
    return float(np.mean(above & below))


def erase_rules(gray: Gray, rules: FormRules) -> Gray:
    """Paint the rules white, keeping the strokes that cross them."""
    if not rules.mask.any():
        return gray
    return erase_mask(gray, rules.mask)


def erase_mask(gray: Gray, mask: NDArray[np.uint8]) -> Gray:
    """Fill masked pixels from their surroundings, so that crossing strokes stay whole.

    Telea's inpainting (2004) over the mask and the blurred rim around it.
    """
    wide = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(gray, wide, 3, cv2.INPAINT_TELEA), np.uint8)
