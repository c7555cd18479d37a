"""Writers whose ink was scanned: pages of it show how lines are found that nobody drew by points.

A page's text is not what such a writer wrote: each word is replaced by one of theirs of about as
many letters. Lines, their boxes and their order on the page are true, what they say is not.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.synthesis.hands import CannotWrite, InkTile

_FEWEST_WORDS = 15
_NEAREST = 4  # words of about as many letters, of which one is taken
_DARK, _PAPER = 2.0, 75.0  # percentiles of a crop
_CORE = 0.5  # share of the most inked row: rows of small letters
_RULE = 0.7  # share of a crop's width that one row of ink covers where its paper is ruled
_RULED = 0.15  # share of such words of a writer
_SPACE = 0.9  # x-heights
_INKED, _GRAIN = 60, 6  # of 255; pixels


@dataclass(frozen=True, slots=True)
class _Word:
    """Ink of a word, 0..255; its letters, and the rows where its small letters begin and end."""

    alpha: NDArray[np.uint8]
    letters: int
    top: int
    baseline: int


@dataclass(frozen=True)
class ScannedHand:
    """A writer of whom there are scanned words."""

    name: str
    words: tuple[_Word, ...]
    x_height: float

    def can_write(self, text: str) -> bool:
        """Any text is replaced by words of the writer."""
        return bool(text.strip())

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write as many words as ``text`` has, each of about as many letters.

        Raises:
            CannotWrite: no word in it.
        """
        chosen = [self._like(part, rng) for part in text.split()]
        if not chosen:
            raise CannotWrite("nothing to write")
        scale = x_height_px / self.x_height
        tiles = [(_scaled(one.alpha, scale), round(one.baseline * scale)) for one in chosen]
        up = max(baseline for _, baseline in tiles)
        down = max(len(alpha) - baseline for alpha, baseline in tiles)
        gap = max(2, round(_SPACE * x_height_px * float(rng.uniform(0.8, 1.3))))
        width = sum(alpha.shape[1] for alpha, _ in tiles) + gap * (len(tiles) - 1)
        line, left = np.zeros((up + down, width), np.uint8), 0
        for alpha, baseline in tiles:
            rows = slice(up - baseline, up - baseline + len(alpha))
            line[rows, left : left + alpha.shape[1]] = alpha
            left += alpha.shape[1] + gap
        return InkTile(line, up)

    def _like(self, text: str, rng: np.random.Generator) -> _Word:
        near = sorted(self.words, key=lambda one: abs(one.letters - len(text)))[:_NEAREST]
        return near[int(rng.integers(len(near)))]


def _scaled(alpha: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    size = max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale))
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=1)
def _words_by_writer(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    found: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    with (folder / "labels.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] == "word":
                found[row["writer"]].append((folder / row["path"], row["text"]))
    return found


def scanned_hands(data: Path, *, odd: bool) -> list[ScannedHand]:
    """Writers of ``handwriting/`` with words enough, on paper without rules.

    Args:
        data: folder with ``handwriting/labels.tsv``.
        odd: the writers at odd places of their sorted names, else those at even ones: rules may
            be written with the one half in view, and are measured on the other.
    """
    by_writer = _words_by_writer(data / "handwriting")
    hands = []
    for writer in sorted(by_writer)[1 if odd else 0 :: 2]:
        words = [one for path, text in by_writer[writer] if (one := _word(path, text)) is not None]
        clear = [one for one in words if not _is_ruled(one)]
        if len(clear) < _FEWEST_WORDS or len(clear) < (1 - _RULED) * len(words):
            continue
        height = float(np.median([one.baseline - one.top for one in clear]))
        hands.append(ScannedHand(f"scanned:{writer}", tuple(clear), height))
    return hands


def _word(path: Path, text: str) -> _Word | None:
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if gray is None or not text:
        return None
    dark, paper = np.percentile(gray, (_DARK, _PAPER))
    if paper - dark < 40:
        return None
    # the paper's grain is no ink
    alpha = np.clip((paper - 18.0 - gray) / max(1.0, paper - 18.0 - dark), 0.0, 1.0)
    inked = (alpha > 0.35).sum(axis=1).astype(np.float32)
    smooth = cv2.blur(inked[:, None], (1, 5))[:, 0]
    rows = np.flatnonzero(smooth >= _CORE * smooth.max())
    if not len(rows) or rows[-1] - rows[0] < 6:
        return None
    ink = _own_ink((alpha * 255).astype(np.uint8), rows[0], rows[-1])
    columns = np.flatnonzero((ink > _INKED).any(axis=0))
    if not len(columns):
        return None
    ink = np.ascontiguousarray(ink[:, columns[0] : columns[-1] + 1])
    return _Word(ink, len(text), int(rows[0]), int(rows[-1]) + 1)


def _own_ink(alpha: NDArray[np.uint8], top: int, bottom: int) -> NDArray[np.uint8]:
    """Take off grain, and what hangs into a crop from the lines above and below."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > _INKED).astype(np.uint8))
    kept = np.zeros(alpha.shape, np.uint8)
    for index in range(1, count):
        y, height = stats[index, cv2.CC_STAT_TOP], stats[index, cv2.CC_STAT_HEIGHT]
        at_edge = y == 0 or y + height == len(alpha)
        outside = y + height <= top or y >= bottom
        if stats[index, cv2.CC_STAT_AREA] >= _GRAIN and not (at_edge and outside):
            kept[labels == index] = 1
    near = cv2.dilate(kept, np.ones((5, 5), np.uint8))
    return np.where(near > 0, alpha, 0).astype(np.uint8)


def _is_ruled(word: _Word) -> bool:
    inked = word.alpha > 80
    kernel = np.ones((1, max(3, round(_RULE * inked.shape[1]))), np.uint8)
    near = cv2.dilate(inked.astype(np.uint8), np.ones((3, 1), np.uint8))
    return bool(cv2.erode(near, kernel, borderValue=0).any())
