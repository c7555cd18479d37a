"""Rows of choices read once more without what a pen and the form put around the letters."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .print_words import PrintUnread, recognize_words
from .types import Box, Gray, PrintedWord

_RIM = 0.7  # of a loop's half axes: its stroke is outside of this, what it holds inside
_LETTER_PX = 32.0  # height of a capital that Tesseract reads best
_LARGEST = 2.5  # scale
_PAD_PX = 24


def reread_rows(
    gray: Gray,
    rows: Sequence[tuple[Box, Sequence[Box], Sequence[Box]]],
    capitals_px: Sequence[float],
    *,
    letter_px: float = _LETTER_PX,
    least_scale: float = 1.0,
) -> list[tuple[PrintedWord, ...]]:
    """Read rows of a page again, all in one call of Tesseract, and all of one size.

    Args:
        gray: the page.
        rows: of each: its box, the loops around choices, and the printed squares.
        capitals_px: height of a printed capital in each.
        letter_px: height that they are brought to, within reason.
        least_scale: by which large ones are made smaller for that.

    Returns:
        The words of each row, in pixels of the page; none where Tesseract gives no answer.
    """
    if not rows:
        return []
    scales = [
        float(np.clip(letter_px / max(1.0, one), least_scale, _LARGEST)) for one in capitals_px
    ]
    strips: list[Gray] = []
    tops: list[int] = []
    places: list[Box] = []
    top = _PAD_PX
    for (box, loops, squares), scale in zip(rows, scales, strict=True):
        place = _clipped(box, gray.shape)
        strip = gray[place.y : place.y + place.height, place.x : place.x + place.width].copy()
        for square in squares:
            _wipe(strip, square, place, 0.0, grow=3)
        for loop in loops:
            _wipe(strip, loop, place, _RIM, grow=2)
        size = max(1, round(strip.shape[1] * scale)), max(1, round(strip.shape[0] * scale))
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        strips.append(np.asarray(cv2.resize(strip, size, interpolation=way), np.uint8))
        places.append(place)
        tops.append(top)
        top += size[1] + _PAD_PX
    wide = max(strip.shape[1] for strip in strips) + 2 * _PAD_PX
    sheet = np.full((top, wide), 255, np.uint8)
    for strip, y in zip(strips, tops, strict=True):
        sheet[y : y + strip.shape[0], _PAD_PX : _PAD_PX + strip.shape[1]] = strip
    try:
        words = recognize_words(sheet, languages="eng", page_mode=6)
    except PrintUnread:
        return [() for _ in rows]
    found = []
    for strip, y, place, scale in zip(strips, tops, places, scales, strict=True):
        mine = []
        for word in words:
            middle = word.box_px.y + word.box_px.height / 2
            if y <= middle < y + strip.shape[0]:
                mine.append(_moved(word, place, y, scale))
        found.append(tuple(mine))
    return found


def _moved(word: PrintedWord, place: Box, top: int, scale: float) -> PrintedWord:
    box = word.box_px
    at = Box(
        place.x + round((box.x - _PAD_PX) / scale), place.y + round((box.y - top) / scale),
        max(1, round(box.width / scale)), max(1, round(box.height / scale)),
    )  # fmt: skip
    return PrintedWord(word.text, at, word.confidence)


def _clipped(box: Box, shape: tuple[int, ...]) -> Box:
    x0, y0 = max(0, box.x), max(0, box.y)
    x1, y1 = min(shape[1], box.x + box.width), min(shape[0], box.y + box.height)
    return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))


def _wipe(strip: Gray, box: Box, place: Box, rim: float, *, grow: int) -> None:
    """Whiten a box, but for the ellipse inside of it that is ``rim`` of its size."""
    x, y = box.x - place.x, box.y - place.y
    ys = np.arange(max(0, y - grow), min(strip.shape[0], y + box.height + grow))
    xs = np.arange(max(0, x - grow), min(strip.shape[1], x + box.width + grow))
    if not (len(ys) and len(xs)):
        return
    down = (ys - y - (box.height - 1) / 2) / (box.height / 2)
    across = (xs - x - (box.width - 1) / 2) / (box.width / 2)
    outside = np.hypot(across[None], down[:, None]) >= rim
    part = strip[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    part[outside] = 255
