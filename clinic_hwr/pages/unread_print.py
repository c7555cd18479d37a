"""Print that a segmenter sees and OCR passed over, read once more by itself.

On a page with much handwriting Tesseract skips labels that stand close to it, though it reads the
same words when it is shown them alone. A label that is not read names no field.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .choice_reread import reread_rows
from .components import connected_pieces
from .label_vocabulary import LabelVocabulary, label_vocabulary, normalised
from .labels import find_labels, union
from .types import Box, Gray, LineMaps, PrintedWord

_PRINT = 0.5
_LONG = 1.6  # of its height: a shorter band is a speck or a mark
_MOST = 40  # strips of a page: more is a picture, or a page in a script that OCR does not know
_SURE = 0.3  # confidence below which a word was not read
_SURE_WHOLE = 0.15  # of a strip that says a label letter by letter, and nothing else
_SURE_ALONE, _LETTERS_ALONE = 0.9, 5  # of a word that is no label
_SHARED = 0.33
_ABOVE, _BELOW, _BESIDE = 0.9, 0.7, 0.8  # of a band's height, around it
_CAPITAL = 1.4  # of a band's height
# Labels of one page, a large Rx among them, are read best together when all are as small as this:
# of 274 strips of training pages 69 as against 61 when only their median had 32 pixels.
_LETTER_PX, _LEAST_SCALE = 24.0, 0.4
_UNDER = 0.15  # of a band's height: what a letter may reach below its line
_PEN = 0.3  # of the map of handwriting, where it is above that of print
_NEAR = 2.0  # of its height: words so near on one row make one strip


def unread_strips(
    maps: LineMaps, words: Sequence[PrintedWord], shape: tuple[int, ...]
) -> list[Box]:
    """Return the places of lines of print, or of parts of them, that no word covers.

    Args:
        maps: what a segmenter says of the page.
        words: what OCR read.
        shape: (height, width) of the page in pixels.
    """
    printed = np.where((maps.print > _PRINT) & (maps.print > maps.hand), 255, 0).astype(np.uint8)
    unread = printed.copy()
    for word in words:
        if word.confidence >= _SURE and any(char.isalnum() for char in word.text):
            box = word.box_px
            rim = 0.3 * box.height
            x0, x1 = (box.x - rim) * maps.scale, (box.x + box.width + rim) * maps.scale
            y0, y1 = box.y * maps.scale, (box.y + box.height) * maps.scale
            unread[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1] = 0
    _, _, stats, _ = connected_pieces(unread)
    boxes = [Box(*row[:4].tolist()) for row in stats[1:]]
    boxes = [box for box in boxes if box.width >= _LONG * box.height and box.height >= 2]
    if len(boxes) > _MOST:
        return []
    return [_around(box, maps.scale, shape) for box in _in_rows(boxes)]


def read_rest(
    gray: Gray,
    maps: LineMaps,
    words: Sequence[PrintedWord],
    vocabulary: LabelVocabulary | None = None,
) -> tuple[tuple[PrintedWord, ...], tuple[PrintedWord, ...]]:
    """Read what ``unread_strips`` finds, all in one call of Tesseract.

    Args:
        gray: the page without form rules.
        maps: what a segmenter says of it.
        words: what OCR read of the whole page.
        vocabulary: the label words of the languages enabled; None: of all that are known.

    Returns:
        All words, those found now among them; a worse reading of the same ink gives way. And
        words that are surely print but not surely read.
    """
    strips = unread_strips(maps, words, gray.shape)
    if not strips:
        return tuple(words), ()
    capitals = [_CAPITAL * box.height / (1 + _ABOVE + _BELOW) for box in strips]
    rows = [(box, (), ()) for box in strips]
    found = reread_rows(
        _without_pen(gray, strips, maps), rows, capitals,
        letter_px=_LETTER_PX, least_scale=_LEAST_SCALE,
    )  # fmt: skip
    labels = [one.box_px for one in find_labels(words, vocabulary)]
    more: list[PrintedWord] = []
    doubtful: list[PrintedWord] = []
    for some in found:
        believed = _believed(some, vocabulary)
        alike = [] if believed else _long_label(some, labels, vocabulary)
        more += believed or alike
        if not alike:
            doubtful += [word for word in some if word not in believed and _says_something(word)]
    kept = [
        word for word in words
        if not any(_same_ink(word.box_px, one.box_px) for one in more)
    ]  # fmt: skip
    return (*kept, *more), tuple(doubtful)


def _without_pen(gray: Gray, strips: Sequence[Box], maps: LineMaps) -> Gray:
    """Whiten in each strip what is under its line of print, and what the segmenter calls pen.

    Writing in a cell runs into the label above it; cut off, it is no letter of the label.
    """
    clean = gray.copy()
    for box in strips:
        line = box.height / (1 + _ABOVE + _BELOW)
        base = round(box.y + (_ABOVE + 1 + _UNDER) * line)
        right, bottom = box.x + box.width, box.y + box.height
        clean[base:bottom, box.x : right] = 255
        rows = slice(int(box.y * maps.scale), int(bottom * maps.scale) + 1)
        columns = slice(int(box.x * maps.scale), int(right * maps.scale) + 1)
        pen = maps.hand[rows, columns] > np.maximum(maps.print[rows, columns], _PEN)
        if pen.any():
            mask = cv2.resize(pen.astype(np.uint8), (box.width, box.height),
                              interpolation=cv2.INTER_NEAREST)  # fmt: skip
            clean[box.y : bottom, box.x : right][mask > 0] = 255
    return clean


def _says_something(word: PrintedWord) -> bool:
    return any(char.isalnum() for char in word.text)


def _same_ink(one: Box, other: Box) -> bool:
    """Whether two boxes share a third of the smaller one."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return width > 0 and height > 0 and width * height > _SHARED * smaller


def _believed(
    words: Sequence[PrintedWord], vocabulary: LabelVocabulary | None
) -> list[PrintedWord]:
    """The words of a strip that are labels, or long and read surely.

    What Tesseract makes of handwriting that the segmenter took for print is neither. "Name" behind
    a word that was not read is no label: it may be that of the drug.
    """
    read = [one for one in words if _says_something(one)]
    known = vocabulary or label_vocabulary()
    if known.fields.get(normalised(" ".join(one.text for one in read))):
        return [one for one in read if one.confidence >= _SURE_WHOLE]
    labels = {
        i for label in find_labels(read, vocabulary) for i in label.word_indexes
        if all(read[other].confidence >= _SURE for other in label.word_indexes)
    }  # fmt: skip
    return [
        one for number, one in enumerate(read)
        if number in labels
        or (one.confidence >= _SURE_ALONE and sum(c.isalnum() for c in one.text) >= _LETTERS_ALONE)
    ]  # fmt: skip


def _long_label(
    words: Sequence[PrintedWord], labels: Sequence[Box], vocabulary: LabelVocabulary | None
) -> list[PrintedWord]:
    """The long label that a strip as a whole is like, however unsure its letters are.

    Args:
        words: of the strip.
        labels: those that OCR read of the whole page: none of them is read anew.
        vocabulary: see ``read_rest``.
    """
    whole = [one for one in words if sum(char.isalnum() for char in one.text) > 1]
    known = vocabulary or label_vocabulary()
    phrase = known.nearest_long(normalised(" ".join(one.text for one in whole)))
    if phrase is None:
        return []
    box, sure = union([one.box_px for one in whole]), min(one.confidence for one in whole)
    if any(_same_ink(box, label) for label in labels):
        return []
    return [PrintedWord(phrase, box, sure)]


def _in_rows(boxes: Sequence[Box]) -> list[Box]:
    """Join boxes that follow each other on one row."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda one: one.x):
        for number, other in enumerate(joined):
            shared = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
            gap = box.x - (other.x + other.width)
            if shared > 0.5 * min(box.height, other.height) and gap < _NEAR * other.height:
                x1 = max(other.x + other.width, box.x + box.width)
                y0, y1 = min(box.y, other.y), max(box.y + box.height, other.y + other.height)
                joined[number] = Box(other.x, y0, x1 - other.x, y1 - y0)
                break
        else:
            joined.append(box)
    return joined


def _around(box: Box, scale: float, shape: tuple[int, ...]) -> Box:
    """The whole letters of a band of the map, in pixels of the page."""
    height = box.height / scale
    x0 = max(0, round(box.x / scale - _BESIDE * height))
    y0 = max(0, round(box.y / scale - _ABOVE * height))
    x1 = min(shape[1], round((box.x + box.width) / scale + _BESIDE * height))
    y1 = min(shape[0], round((box.y + box.height) / scale + _BELOW * height))
    return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))
