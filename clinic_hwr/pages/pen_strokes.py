"""Pen ink as strokes: what is left of a page's ink without its print, frames and folds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .components import connected_pieces, inked_places, of_pieces
from .ink_kinds import (
    InkKinds,
    is_print,
    kinds_by_runs,
    kinds_of_ink,
    of_broken_folds,
    of_broken_rules,
    of_the_paper,
)
from .joined_lines import split_joined
from .line_cores import LineCores, with_print
from .types import Box, LineMaps

_READ = 0.6  # share of a piece in the boxes of print that OCR has read


@dataclass(frozen=True, slots=True)
class Stroke:
    """One connected piece of pen ink: its box and how many pixels it has.

    ``printed``: the segmenter takes it for print, which OCR has not read.
    """

    box_px: Box
    area_px: int
    printed: bool = False

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of the box, x and y in pixels."""
        box = self.box_px
        return box.x + box.width / 2, box.y + box.height / 2


def pen_strokes(
    ink: NDArray[np.uint8],
    printed: Sequence[Box],
    unit: float,
    choice_rows: Sequence[Box],
    maps: LineMaps | None = None,
    cores: LineCores | None = None,
) -> tuple[NDArray[np.uint8], tuple[Stroke, ...]]:
    """Drop what lies in printed boxes, specks, and frames; part what joins lines.

    Args:
        ink: (height, width) uint8, 255 = ink.
        printed: boxes of printed words.
        unit: height of a printed capital in pixels.
        choice_rows: labels of rows of printed choices, one of which may be circled.
        maps: what a segmenter says of the page's lines; without it nothing is parted.
        cores: of the lines of handwriting in those maps.

    Returns:
        The ink that is left, and its strokes.
    """
    covered = np.zeros(ink.shape, np.uint8)
    for box in printed:
        grow = max(2, round(0.12 * box.height))
        covered[
            max(0, box.y - grow) : box.y + box.height + grow,
            max(0, box.x - grow) : box.x + box.width + grow,
        ] = 255
    count, labels, stats, _ = connected_pieces(ink)
    under_print = inked_places(np.asarray(cv2.bitwise_and(ink, covered), np.uint8))
    inside = np.bincount(labels.ravel()[under_print], minlength=count)
    kinds = kinds_of_ink(labels, count, maps) if maps is not None else None
    speck = max(6.0, (0.15 * unit) ** 2)
    frames: set[int] = set()
    strokes: dict[int, Stroke] = {}
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= speck)
    for index in large[large > 0].tolist():
        x, y, w, h, area = stats[index].tolist()
        # OCR stretches the box of a circled choice over its circle: the circle is pen all the same.
        circle = any(
            abs(y + h / 2 - row.y - row.height / 2) < unit and min(w, h) > 1.4 * unit
            for row in choice_rows
        )
        if inside[index] > _READ * area and not circle:
            continue
        if kinds is not None and kinds.is_frame(index, w, h, unit) and not circle:
            frames.add(index)
        strokes[index] = Stroke(Box(x, y, w, h), area)
    if kinds is None or cores is None or maps is None:
        return _kept(strokes, count, labels, ink), tuple(strokes.values())
    for index in _of_the_paper(strokes, kinds, ink.shape, unit):
        del strokes[index]
    boxes = {number: stroke.box_px for number, stroke in strokes.items()}
    every, of_print = with_print(maps, cores)
    parted, parts = split_joined(labels, boxes, every, frames, of_print)
    hidden = set[int]()
    for index, own in parts.items():
        whole = strokes.pop(index).box_px
        window = parted[whole.y : whole.y + whole.height, whole.x : whole.x + whole.width]
        for number in own:
            mask = (window == number).astype(np.uint8)
            x, y, w, h = cv2.boundingRect(mask)
            area = int(mask.sum())
            read = covered[whole.y : whole.y + whole.height, whole.x : whole.x + whole.width]
            if area >= speck:
                strokes[number] = Stroke(Box(whole.x + x, whole.y + y, w, h), area)
                if np.count_nonzero(mask & (read > 0)) > _READ * area:
                    hidden.add(number)
    for framed in frames:
        strokes.pop(framed, None)
    total = 1 + max([count - 1, *(number for own in parts.values() for number in own)])
    means = kinds_of_ink(parted, total, maps) if parts else kinds
    for number in hidden:
        if means.print[number] > means.hand[number]:  # writing on a label is no label
            strokes.pop(number, None)
    return _kept(strokes, total, parted, ink), _with_kinds(strokes, means, unit)


def _kept(
    strokes: Collection[int],
    count: int,
    labels: NDArray[np.uint16 | np.int32],
    ink: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """The ink of some of the pieces."""
    kept = np.zeros(count, np.uint8)
    kept[list(strokes)] = 255
    return of_pieces(kept, labels, ink)


def _with_kinds(strokes: dict[int, Stroke], kinds: InkKinds, unit: float) -> tuple[Stroke, ...]:
    """Say of every stroke whether it is print, by the run of letters it stands in."""
    numbers = list(strokes)
    hand, printed = kinds_by_runs(
        [strokes[number].box_px for number in numbers],
        kinds.hand[numbers],
        kinds.print[numbers],
        np.array([strokes[number].area_px for number in numbers], float),
        unit,
    )
    return tuple(
        replace(strokes[number], printed=is_print(float(hand[place]), float(printed[place])))
        for place, number in enumerate(numbers)
    )


def _of_the_paper(
    strokes: dict[int, Stroke], kinds: InkKinds, shape: tuple[int, ...], unit: float
) -> list[int]:
    """Numbers of the strokes that are folds, specks and ends of rules."""
    boxes = [stroke.box_px for stroke in strokes.values()]
    unmarked = [kinds.is_unmarked(number) for number in strokes]
    said = zip(
        of_the_paper(boxes, unmarked, shape, unit),
        of_broken_rules(boxes, unit),
        of_broken_folds(boxes, unmarked, shape, unit),
        strict=True,
    )
    return [number for number, one in zip(strokes, said, strict=True) if any(one)]
