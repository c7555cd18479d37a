"""What sort of ink a connected piece is, by the maps of a trained segmenter.

Print that OCR did not read, frames and the edges of a photographed sheet are left among the pen
strokes otherwise, and are taken for lines of writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .crease_pieces import MOST_SLOPE, Piece, chains_of, slope_of
from .line_cores import places_on_maps
from .types import Box, LineMaps

# Print has this mean of the map of print over its ink, and so many times that of handwriting.
_PRINT, _TIMES = 0.3, 2.0
# Less than this of both maps: nothing of a line.
_UNMARKED = 0.05
# A letter is at least so high and so wide, in heights of a printed capital.
_LETTER_HIGH, _LETTER_WIDE = 0.6, 0.25
# A piece so many times as long as thick, and so thick at most, is a fold or the end of a rule.
_LONG, _THICK = 3.5, 0.6
# A dot or a bar is this near to the line it belongs to.
_NEAR = 1.0
# A frame has less than this of both; it is higher or wider than so many printed capitals.
_NO_LINE = 0.12
_HIGH, _WIDE = 5.0, 14.0
# A rule is flat and long; the map of a line that stands on it reaches into it.
_RULE_HIGH, _RULE_WIDE, _ON_A_RULE = 0.4, 6.0, 0.3
# Dashes of a broken rule: how high and wide, how far off the one before, how many, over how much.
_DASH_HIGH, _DASH_WIDE, _DASH_OFF = 0.3, 0.4, 0.2
_DASHES, _RULE_SPAN = 5, 20.0
# Pieces of a fold: how wide, how many, over how much of the page, and how much of that they are.
_FOLD_WIDE, _FOLD_PIECES, _FOLD_EXTENT, _FOLD_SEEN = 1.2, 4, 0.4, 0.2
# Pieces so near to each other on a row are of one kind, in heights of a printed capital.
_TOGETHER = 0.5
_SAME_ROW = 0.6  # of the lower one's height is beside the other


@dataclass(frozen=True, slots=True)
class InkKinds:
    """Means of the maps over the ink of each piece, by its number.

    Attributes:
        hand, print: (n,) float64, 0..1.
    """

    hand: NDArray[np.float64]
    print: NDArray[np.float64]

    def is_frame(self, number: int, width: int, height: int, unit_px: float) -> bool:
        """Whether a piece is a frame, a margin line or an edge of the sheet: large, on no line."""
        marked = self.hand[number] + self.print[number]
        large = height > _HIGH * unit_px or width > _WIDE * unit_px
        rule = height < _RULE_HIGH * unit_px and width > _RULE_WIDE * unit_px
        return bool((large and marked < _NO_LINE) or (rule and marked < _ON_A_RULE))

    def is_unmarked(self, number: int) -> bool:
        """Whether the segmenter sees nothing of a line in a piece."""
        return bool(self.hand[number] + self.print[number] < _UNMARKED)


def is_print(hand: float, printed: float) -> bool:
    """Whether means of the maps are those of print."""
    return printed > _PRINT and printed > _TIMES * hand


def of_the_paper(
    boxes: Sequence[Box], unmarked: Sequence[bool], shape: tuple[int, ...], unit_px: float
) -> list[bool]:
    """Say which pieces are the paper's: folds, specks and ends of rules, far from any line.

    A piece as large as a letter is none, whether the segmenter marks it or not: what may be
    writing is shown to a person.

    Args:
        boxes: of the pieces.
        unmarked: for each, see ``InkKinds.is_unmarked``.
        shape: of the page, height and width in pixels.
        unit_px: height of a printed capital.
    """
    near = np.zeros(shape[:2], bool)
    reach = round(_NEAR * unit_px)
    for box, alone in zip(boxes, unmarked, strict=True):
        if not alone:
            rows = slice(max(0, box.y - reach), box.y + box.height + reach)
            near[rows, max(0, box.x - reach) : box.x + box.width + reach] = True
    return [
        alone
        and not _may_be_a_letter(box, unit_px)
        and not near[box.y : box.y + box.height, box.x : box.x + box.width].any()
        for box, alone in zip(boxes, unmarked, strict=True)
    ]


def of_broken_rules(boxes: Sequence[Box], unit_px: float) -> list[bool]:
    """Say which pieces are what a fax left of a faint rule: level dashes in one line.

    Args:
        boxes: of the pieces.
        unit_px: height of a printed capital.
    """
    flat = [
        number for number, box in enumerate(boxes)
        if box.height < _DASH_HIGH * unit_px
        and box.width > max(_DASH_WIDE * unit_px, 2.5 * box.height)
    ]  # fmt: skip
    lines: list[list[int]] = []
    for number in sorted(flat, key=lambda n: boxes[n].x):
        box = boxes[number]
        level = box.y + box.height / 2
        for line in lines:
            last = boxes[line[-1]]
            if abs(last.y + last.height / 2 - level) < _DASH_OFF * unit_px:
                line.append(number)
                break
        else:
            lines.append([number])
    broken = [False] * len(boxes)
    for line in lines:
        span = boxes[line[-1]].x + boxes[line[-1]].width - boxes[line[0]].x
        if len(line) >= _DASHES and span > _RULE_SPAN * unit_px:
            for number in line:
                broken[number] = True
    return broken


def of_broken_folds(
    boxes: Sequence[Box], unmarked: Sequence[bool], shape: tuple[int, ...], unit_px: float
) -> list[bool]:
    """Say which pieces are what is left of a fold on a fax: in one straight line, on no line.

    Args:
        boxes: of the pieces.
        unmarked: for each, see ``InkKinds.is_unmarked``.
        shape: of the page, height and width in pixels.
        unit_px: height of a printed capital.
    """
    alone = [number for number, one in enumerate(unmarked) if one]
    folded = [False] * len(boxes)
    for upright, along in ((True, shape[0]), (False, shape[1])):
        of_piece: dict[Piece, int] = {}
        for number in alone:
            box = boxes[number] if upright else boxes[number].turned()
            if box.width <= _FOLD_WIDE * unit_px:
                middle = box.x + box.width / 2
                of_piece[Piece(box.y, box.y + box.height, middle, 0.0, box.width)] = number
        for chain in chains_of(list(of_piece), unit_px):
            length = sum(one.bottom - one.top for one in chain)
            extent = chain[-1].bottom - chain[0].top
            if (
                len(chain) >= _FOLD_PIECES
                and extent > _FOLD_EXTENT * along
                and length > _FOLD_SEEN * extent
                and abs(slope_of(chain)) <= MOST_SLOPE
            ):
                for piece in chain:
                    folded[of_piece[piece]] = True
    return folded


def _may_be_a_letter(box: Box, unit_px: float) -> bool:
    thin, long = sorted((box.width, box.height))
    return (
        box.height > _LETTER_HIGH * unit_px
        and box.width > _LETTER_WIDE * unit_px
        and not (long > _LONG * thin and thin < _THICK * unit_px)
    )


def kinds_of_ink(labels: NDArray[np.uint16 | np.int32], count: int, maps: LineMaps) -> InkKinds:
    """Look up what the maps say where each piece has ink.

    Args:
        labels: (height, width) numbers of the connected pieces of ink, 0 where there is none.
        count: numbers there are, 0 included.
        maps: of the page.
    """
    inked = np.flatnonzero(labels > 0)
    piece = labels.ravel()[inked]
    ink = 255.0 * np.maximum(np.bincount(piece, minlength=count), 1)
    rows, columns = places_on_maps(maps.hand.shape, maps.scale, labels.shape)
    row = inked // labels.shape[1]
    place = rows[row] * maps.hand.shape[1] + columns[inked - row * labels.shape[1]]
    hand, printed = (
        np.bincount(piece, weights=(one * 255).astype(np.uint8).ravel()[place], minlength=count)
        / ink
        for one in (maps.hand, maps.print)
    )
    return InkKinds(hand, printed)


def kinds_by_runs(
    boxes: Sequence[Box],
    hand: NDArray[np.float64],
    printed: NDArray[np.float64],
    areas: NDArray[np.float64],
    unit_px: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the maps over letters that stand close together: a word is all print or all pen.

    Args:
        boxes: of the pieces.
        hand, printed: (n,) means of the maps of each.
        areas: (n,) ink of each in pixels.
        unit_px: height of a printed capital.

    Returns:
        The same means, those of a run for every piece of it.
    """
    run = _runs_of(boxes, _TOGETHER * unit_px)
    weights = np.bincount(run, weights=areas, minlength=len(boxes))
    weights = np.maximum(weights, 1.0)
    means = [
        (np.bincount(run, weights=values * areas, minlength=len(boxes)) / weights)[run]
        for values in (hand, printed)
    ]
    return means[0], means[1]


def _runs_of(boxes: Sequence[Box], reach_px: float) -> NDArray[np.intp]:
    """Number the pieces so that those close beside each other on a row, in steps, have one number.

    Args:
        boxes: of the pieces.
        reach_px: how far apart two neighbours of a run may be.
    """
    sides = np.array([box.as_list() for box in boxes], np.int64).reshape(-1, 4)
    order = np.argsort(sides[:, 0], kind="stable")
    left, top, width, height = sides[order].T
    ends = np.searchsorted(left, left + width + reach_px)  # behind the last that may be near
    run = list(range(len(boxes)))

    def first_of(number: int) -> int:
        while run[number] != number:
            run[number] = run[run[number]]
            number = run[number]
        return number

    bottom = top + height
    for one, end in enumerate(ends.tolist()):
        others = slice(one + 1, end)
        shared = np.minimum(bottom[one], bottom[others]) - np.maximum(top[one], top[others])
        near = shared > _SAME_ROW * np.minimum(height[one], height[others])
        for other in (np.flatnonzero(near) + one + 1).tolist():
            run[first_of(other)] = first_of(one)
    numbers = np.empty(len(boxes), np.intp)
    numbers[order] = [first_of(number) for number in run]
    return numbers
