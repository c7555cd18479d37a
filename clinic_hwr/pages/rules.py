"""Form rules: the long straight lines, boxes and tables printed on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from .background import ink_mask
from .straight_runs import opened_along
from .types import Box, Gray

# A rule is longer than any stroke of writing: an 18th of the short page side (0.47 in on letter),
# on slips a 30th of the long one: the feet of a printed word would be a rule there.
_SHARE_OF_SIDE, _SHARE_OF_LONG_SIDE = 18, 30
# Skew left after deskewing bends a rule over this many pixels before it is cut into steps.
_STEP_PX = 3
_BRIDGE_PX = 9
_MAX_THICKNESS_PX = 9
# Writing that crosses a rule inks both its sides in a few columns; bold letters do in most.
_TEXT_SHARE = 0.3
# Generated rules stay within 1.5 px of straight after blur, noise and JPEG; pen strokes do not.
_MAX_BEND_PX = 1.8
# What is much longer than any stroke may sag with a sheet that is not quite flat.
_LONG, _SAG = 4, 0.005
_TOUCH_PX = 7.0  # of a horizontal rule: there a cell's side ends
# The side of a low cell: so much of the shortest rule, and so near to the rules it stands between.
_LOW_CELL, _SHORTEST_PX, _MEETS_PX = 0.4, 20, 3
_NO_THICKER = 1.5  # than the rules
_LEAN = 0.02  # of sides, on a photo that is not quite straight
_RIM_PX = 6  # around a rule, of what inpainting looks at


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


@dataclass(frozen=True)
class DarkParts:
    """What is dark on a page; finders of rules, combs and boxes look at the same.

    Attributes:
        ink: (height, width) uint8, 255 = ink; see ``background.ink_mask``.
        level_lines: likewise, faint thin horizontal lines; see ``thin_lines``.
        upright_lines: likewise, vertical ones.
    """

    ink: NDArray[np.uint8]
    level_lines: NDArray[np.uint8]
    upright_lines: NDArray[np.uint8]

    @classmethod
    def of(cls, gray: Gray, ink: NDArray[np.uint8] | None = None) -> DarkParts:
        """Look at a flattened, upright page; ``ink`` where its mask is known."""
        ink = ink_mask(gray) if ink is None else ink
        return cls(ink, thin_lines(gray), turned(thin_lines(turned(gray))))

    @cached_property
    def turned(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Ink and upright lines, transposed: what is upright is looked for as what is level."""
        return turned(self.ink), turned(self.upright_lines)

    @cached_property
    def dark(self) -> NDArray[np.uint8]:
        """Ink with the hairlines that hide in its noise, 255 = dark."""
        return np.asarray(cv2.max(cv2.max(self.ink, self.level_lines), self.upright_lines))


def shortest_rule(page: Gray) -> int:
    """Length in pixels from which a straight line of this page counts as a rule."""
    short, long = sorted(page.shape)
    return int(max(24, short // _SHARE_OF_SIDE, long // _SHARE_OF_LONG_SIDE))


def find_rules(gray: Gray, *, length: int | None = None) -> FormRules:
    """Find horizontal and vertical rules of a flattened, deskewed page.

    Args:
        gray: the page, or a window of it.
        length: ``shortest_rule`` of the whole page, when ``gray`` is a window.
    """
    return rules_of(DarkParts.of(gray), length or shortest_rule(gray))


def rules_of(parts: DarkParts, length: int) -> FormRules:
    """Find the rules of a page whose dark parts are known; see ``find_rules``."""
    mask, horizontal = rule_runs(parts.ink, parts.level_lines, length)

    def is_border(box: Box) -> bool:
        # Tall letters of two lines stand above each other like a rule: vertical ones must be
        # longer, or the side of a cell, from one horizontal rule to another.
        if box.width >= 2 * length:
            return True
        ends = (box.x, box.x + box.width)
        return all(
            any(
                abs(end - (rule.y + rule.height / 2)) < _TOUCH_PX
                and rule.x - _TOUCH_PX <= box.y <= rule.x + rule.width + _TOUCH_PX
                for rule in horizontal
            )
            for end in ends
        )

    upright = parts.turned
    mask_t, sides = rule_runs(*upright, length, is_border)
    if len(horizontal) > 1:
        sides += _short_sides(*upright, mask_t, horizontal, sides, length)
    mask |= turned(mask_t)
    sides = tuple(sorted(sides, key=lambda box: (box.y, box.x)))
    vertical = tuple(Box(b.y, b.x, b.height, b.width) for b in sides)
    return FormRules(mask, horizontal, vertical)


def _short_sides(
    ink: NDArray[np.uint8],
    hairlines: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    horizontal: Sequence[Box],
    sides: Sequence[Box],
    length: int,
) -> tuple[Box, ...]:
    """Sides of low cells, which are no longer than a tall letter.

    Such a side goes right from one rule to another, is as thin as they are, and another side stands
    over or under it: a 1 that fills its cell has no fellow.

    Args:
        ink, hairlines: of the page, transposed as everything here.
        mask: takes the pixels of what is found.
        horizontal: rules of the page, not transposed.
        sides: that are long enough to be found by themselves.
        length: of the shortest of those.
    """

    thick = _NO_THICKER * float(np.median([rule.height for rule in horizontal]))

    def touches(box: Box) -> bool:
        return (
            box.width < length
            and box.height <= thick
            and all(
                any(
                    abs(end - (rule.y + rule.height / 2)) <= rule.height / 2 + _MEETS_PX
                    and rule.x - _MEETS_PX <= box.y <= rule.x + rule.width + _MEETS_PX
                    for rule in horizontal
                )
                for end in (box.x, box.x + box.width)
            )
        )

    shorter = max(_SHORTEST_PX, round(_LOW_CELL * length))
    # What goes on behind a rule is another side, or a letter.
    between = np.full_like(ink, 255)
    for rule in horizontal:
        between[rule.x : rule.x + rule.width, rule.y : rule.y + rule.height] = 0
    found_mask, found = rule_runs(ink, hairlines, shorter, touches, between)

    def fellow(box: Box, other: Box) -> bool:
        apart = (
            other.x >= box.x + box.width - _MEETS_PX or box.x >= other.x + other.width - _MEETS_PX
        )
        off = abs((box.y + box.height / 2) - (other.y + other.height / 2))
        away = abs((box.x + box.width / 2) - (other.x + other.width / 2))
        return apart and off <= _MEETS_PX + _LEAN * away

    kept = tuple(
        one for one in found
        if any(fellow(one, other) for other in (*found, *sides) if other is not one)
    )  # fmt: skip
    for one in kept:
        part = slice(one.y, one.y + one.height), slice(one.x, one.x + one.width)
        mask[part] |= found_mask[part]
    return kept


def turned(raster: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The transposed raster; ten times as fast as a copy of ``raster.T``."""
    return np.asarray(cv2.transpose(raster), np.uint8)


def rule_runs(
    ink: NDArray[np.uint8],
    hairlines: NDArray[np.uint8],
    length: int,
    is_rule: Callable[[Box], bool] = lambda box: True,
    within: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.uint8], tuple[Box, ...]]:
    """Mask and boxes of the horizontal rules at least ``length`` pixels long.

    ``within``: 255 where rules may be; none goes from one such part into another.
    """
    height, width = ink.shape
    mask = np.zeros_like(ink)
    if width <= length or height == 0:
        return mask, ()
    # Residual skew makes a rule climb in steps: let it, then keep long runs and bridge pin holes.
    dark = cv2.max(ink, hairlines)
    if within is not None:
        ink, dark = (np.asarray(cv2.bitwise_and(one, within), np.uint8) for one in (ink, dark))
    thick = cv2.dilate(dark, np.ones((_STEP_PX, 1), np.uint8))
    runs = opened_along(np.asarray(thick, np.uint8), length // 2)
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((1, _BRIDGE_PX), np.uint8))
    if within is not None:  # the bridges would lead across
        joined = cv2.bitwise_and(joined, within)
    boxes = []
    for x, y, w, h, part in _long_pieces(np.asarray(joined, np.uint8), length):
        if not is_rule(Box(x, y, w, h)):
            continue
        area = int(np.count_nonzero(part))
        # Solid bars (black margins, filled boxes) are no rules, and neither is writing.
        if area / w > _MAX_THICKNESS_PX + _STEP_PX:
            continue
        if _inked_on_both_sides(ink, part, x, y) > _TEXT_SHARE:
            continue
        if _bend(part) > _MAX_BEND_PX + _SAG * max(0, w - _LONG * length):
            continue
        mask[y : y + h, x : x + w] |= np.where(part, dark[y : y + h, x : x + w], 0).astype(np.uint8)
        boxes.append(Box(x, y, w, h))
    return mask, tuple(sorted(boxes, key=lambda box: (box.y, box.x)))


def _long_pieces(
    runs: NDArray[np.uint8], length: int
) -> Iterator[tuple[int, int, int, int, NDArray[np.bool_]]]:
    """Connected pieces at least ``length`` wide: x, y, width, height, and which pixels are theirs.

    Outlines find them in a tenth of the time of labels for the whole page; most of it is empty.
    """
    outlines, tree = cv2.findContours(runs, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for number, outline in enumerate(outlines):
        x, y, w, h = cv2.boundingRect(outline)
        if w < length or tree[0][number][3] >= 0:  # a hole's
            continue
        _, labels = cv2.connectedComponents(runs[y : y + h, x : x + w], connectivity=8)
        column, row = outline[0][0]
        yield x, y, w, h, np.asarray(labels == labels[row - y, column - x], np.bool_)


def thin_lines(gray: Gray) -> NDArray[np.uint8]:
    """Faint thin horizontal lines, 255 where the page is darker than 4 px above and below.

    A hairline under the noise of the paper shows only in the mean along the row. The long mean
    finds it, the short one breaks at the gaps between letters, whose baseline is no rule.
    """
    return np.asarray(cv2.min(_ridges(gray, 21, 14), _ridges(gray, 7, 10)), np.uint8)


def _ridges(gray: Gray, span_px: int, depth: int) -> NDArray[np.uint8]:
    """255 where the mean over ``span_px`` columns is ``depth`` darker than 4 rows off."""
    along = cv2.blur(gray, (span_px, 1))
    around = cv2.copyMakeBorder(along, 4, 4, 0, 0, cv2.BORDER_CONSTANT, value=[255])
    ridge = cv2.subtract(cv2.min(around[:-8], around[8:]), along)  # never below 0
    return np.asarray(cv2.threshold(ridge, depth, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _bend(part: NDArray[np.bool_]) -> float:
    """How far (px, 90th percentile) the middle of a run strays from a straight line."""
    columns = np.flatnonzero(part.any(axis=0))
    top = part.argmax(axis=0)[columns]
    bottom = part.shape[0] - 1 - part[::-1].argmax(axis=0)[columns]
    middle = (top + bottom) / 2
    x, y = columns - columns.mean(), middle - middle.mean()
    slope = float(x @ y) / max(1.0, float(x @ x))
    return float(np.percentile(np.abs(y - slope * x), 90))


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


def lift_rules(gray: Gray, rules: FormRules) -> Gray:
    """Return a copy without the rules, for OCR: strokes that cross a rule go on through it.

    A rule is taken out as what is thinner than it across its run (gray closing): less true to the
    strokes than ``erase_mask``, and a tenth of its time.
    """
    clean = gray.copy()
    height, width = gray.shape
    for boxes, upright in ((rules.horizontal, False), (rules.vertical, True)):
        for box in boxes:
            rim = _RIM_PX
            rows = slice(max(0, box.y - rim), min(height, box.y + box.height + rim))
            columns = slice(max(0, box.x - rim), min(width, box.x + box.width + rim))
            part, mask = clean[rows, columns], rules.mask[rows, columns]
            across = _MAX_THICKNESS_PX + _STEP_PX
            size = (1, across) if upright else (across, 1)
            filled = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones(size, np.uint8))
            wide = cv2.dilate(mask, np.ones((3, 3), np.uint8))
            np.copyto(part, np.asarray(filled, np.uint8), where=wide > 0)
    return clean


def erase_mask(gray: Gray, mask: NDArray[np.uint8]) -> Gray:
    """Fill masked pixels from their surroundings, so that crossing strokes stay whole.

    Telea's inpainting (2004) over the mask and the blurred rim around it.
    """
    wide = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(gray, wide, 3, cv2.INPAINT_TELEA), np.uint8)
