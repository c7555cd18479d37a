"""New words from the strokes of one writer: real words are cut into letters and put together.

Unit selection, as in concatenative speech synthesis (Hunt & Black 1996): a text is covered by
the longest pieces that the writer is known to have written, so that letters keep the
ligatures of the hand. What a writer never wrote is borrowed, a letter at a time, from
isolated characters of any writer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import fold_text

from .hands import CHARACTER_EXTENT, TALL, CannotWrite, InkTile, has_the_shape
from .strokes import (
    Points,
    StrokeSet,
    bounds,
    draw_strokes,
    scale_strokes,
    warp_strokes,
    with_flourish,
)

DESCENDERS = frozenset("gjpqyfQ,;")
SMALL = frozenset("acemnorsuvwxz")
LONGEST_PIECE = 4
MAX_BORROWED = 0.35  # share of letters that may come from another hand
SPACED = 0.12  # share of words whose letters stand apart
FLOURISHED = 0.1  # share of words whose last stroke runs on


@dataclass(frozen=True)
class Letters:
    """One real word, cut.

    Attributes:
        text: folded label, one character a letter.
        runs: pieces of strokes in writing order, in x-heights, y down, baseline at 0.
        owner: for each run, the letter it belongs to.
        joined: for each run, whether the pen came from the run before without being lifted.
        cuts: (letters + 1,) x of the borders between letters.
        sound: for each letter, whether its ink has the size of a letter.
    """

    text: str
    runs: tuple[Points, ...]
    owner: tuple[int, ...]
    joined: tuple[bool, ...]
    cuts: NDArray[np.float32]
    sound: tuple[bool, ...]


Align = Callable[[Sequence[list[Points]], Sequence[str]], list[NDArray[np.float32] | None]]


def cut_words(strokes: StrokeSet, align: Align, batch: int = 64) -> dict[int, NDArray[np.float32]]:
    """Find the borders between the letters of every word that can be aligned.

    Args:
        strokes: labelled words.
        align: (strokes of some words, their texts) -> centre x of each letter, in the words'
            own coordinates, or None where the text could not be found in the ink.
        batch: words aligned at once.

    Returns:
        word index -> (letters + 1,) borders in the word's own coordinates.
    """
    order = [
        i for i, label in enumerate(strokes.label) if fold_text(label) and " " not in label.strip()
    ]
    found: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        inks = [strokes.strokes(i) for i in part]
        for i, ink, centres in zip(
            part, inks, align(inks, [fold_text(strokes.label[i]) for i in part]), strict=True
        ):
            if centres is None or (len(centres) > 1 and np.diff(centres).min() <= 0):
                continue
            x0, _, x1, _ = bounds(ink)
            inner = (centres[1:] + centres[:-1]) / 2
            cuts = np.concatenate([[x0], inner, [x1]]).astype(np.float32)
            if np.diff(cuts).min() > 0:
                found[i] = cuts
    return found


def save_cuts(path: Path, cuts: dict[int, NDArray[np.float32]]) -> None:
    """Write what ``cut_words`` found."""
    index = np.array(sorted(cuts), np.int64)
    offset = np.cumsum([0, *(len(cuts[i]) for i in index)])
    np.savez(path, index=index, offset=offset, cuts=np.concatenate([cuts[i] for i in index]))


def load_cuts(path: Path) -> dict[int, NDArray[np.float32]]:
    """Read what ``save_cuts`` wrote."""
    with np.load(path) as z:
        offset, values = z["offset"], z["cuts"]
        return {int(i): values[offset[k] : offset[k + 1]] for k, i in enumerate(z["index"])}


def cut_letters(strokes: Sequence[Points], text: str, cuts: NDArray[np.float32]) -> Letters | None:
    """Cut one word at its borders and bring it to x-heights; None when its shape is odd."""
    runs: list[Points] = []
    owner: list[int] = []
    joined: list[bool] = []
    letter_width = float(cuts[-1] - cuts[0]) / len(text)
    for stroke in strokes:
        width = float(np.ptp(stroke[:, 0]))
        if width < 0.8 * letter_width:  # a dot, a bar or a whole letter
            centre = float(stroke[:, 0].min() + width / 2)
            labels = np.full(len(stroke), _letter_at(cuts, centre))
        else:
            labels = np.clip(np.searchsorted(cuts, stroke[:, 0], "right") - 1, 0, len(text) - 1)
        edges = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(stroke)]
        for k, (a, b) in enumerate(pairwise(edges)):
            runs.append(stroke[a:b])
            owner.append(int(labels[a]))
            joined.append(k > 0)
    frame = _baseline(runs, owner, text)
    if frame is None:
        return None
    slope, level, x_height = frame
    scaled = []
    for run in runs:
        y = run[:, 1] - slope * run[:, 0] - level
        scaled.append((np.stack([run[:, 0], y], 1) / x_height).astype(np.float32))
    borders = cuts / x_height
    sound = tuple(
        _is_sound(
            char, [r for r, k in zip(scaled, owner, strict=True) if k == i], borders[i : i + 2]
        )
        for i, char in enumerate(text)
    )
    return Letters(text, tuple(scaled), tuple(owner), tuple(joined), borders, sound)


def _is_sound(char: str, runs: Sequence[Points], borders: NDArray[np.float32]) -> bool:
    """Whether the ink between two borders can be the whole letter; alignments may slip."""
    if not runs or not 0.15 < borders[1] - borders[0] < 4.0:
        return False
    points = np.concatenate(list(runs))
    width, height = np.ptp(points, axis=0)
    if not char.isalnum():
        return bool(height < 3.0)
    bottom, top = CHARACTER_EXTENT.get(char, TALL)
    tall_enough = height > 0.55 * min(1.8, top - max(bottom, -0.5))
    return bool(tall_enough and height < 4.0 and (width > 0.25 or char in "iIlj1tfJ!"))


def _letter_at(cuts: NDArray[np.float32], x: float) -> int:
    return int(np.clip(np.searchsorted(cuts, x, "right") - 1, 0, len(cuts) - 2))


def _baseline(
    runs: Sequence[Points], owner: Sequence[int], text: str
) -> tuple[float, float, float] | None:
    """Slope and level of the line that the word stands on, and its x-height."""
    standing: list[tuple[float, float]] = []
    heights: list[float] = []
    for letter, char in enumerate(text):
        parts = [run for run, k in zip(runs, owner, strict=True) if k == letter]
        if not parts or char in DESCENDERS or not char.isalnum():
            continue
        points = np.concatenate(parts)
        bottom = float(points[:, 1].max())
        standing.append((float(points[:, 0].mean()), bottom))
        height = bottom - float(points[:, 1].min())
        if char in SMALL:
            heights.append(height)
        elif not char.islower() or char in "bdhkl":
            heights.append(height / 1.8)
    if not standing or not heights:
        return None
    xs, ys = np.array(standing).T
    slope = 0.0
    if len(xs) >= 4:
        slope = float(np.clip(np.polyfit(xs, ys, 1)[0], -0.25, 0.25))
    x_height = float(np.median(heights))
    if x_height < 1:
        return None
    return slope, float(np.median(ys - slope * xs)), x_height


@dataclass(frozen=True)
class _Piece:
    """Where a piece of text was written: letters start..stop of a word."""

    word: int
    start: int
    stop: int


class LetterHand:
    """One real writer whose words were cut into letters; see ``hands.Hand``.

    Args:
        name: the writer.
        words: cut words of this writer.
        spare: character -> strokes of isolated characters, by anybody.
    """

    def __init__(self, name: str, words: Sequence[Letters], spare: dict[str, list[list[Points]]]):
        self.name = name
        self.words = tuple(words)
        self.spare = spare
        self.pieces: dict[str, list[_Piece]] = defaultdict(list)
        for w, word in enumerate(self.words):
            for length in range(1, LONGEST_PIECE + 1):
                for start in range(len(word.text) - length + 1):
                    if not all(word.sound[start : start + length]):
                        continue
                    piece = _Piece(w, start, start + length)
                    self.pieces[word.text[start : start + length]].append(piece)

    def can_write(self, text: str) -> bool:
        """Whether enough letters are this writer's own and the rest can be borrowed."""
        letters = [c for c in text if c != " "]
        if not letters or any(c not in self.pieces and c not in self.spare for c in letters):
            return False
        return sum(c not in self.pieces for c in letters) <= MAX_BORROWED * len(letters)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` when too much would be borrowed."""
        if not self.can_write(text):
            raise CannotWrite(f"{self.name} cannot write this text.")
        placed: list[Points] = []
        x = 0.0
        tight = rng.uniform(0.1, 0.6) if rng.random() < SPACED else rng.normal(0.0, 0.06)
        open_end = False  # the last run may be joined to the next piece
        position = 0
        while position < len(text):
            if text[position] == " ":
                x += rng.uniform(0.6, 1.4)
                open_end = False
                position += 1
                continue
            piece = self._choose(text, position, rng)
            if piece is None:
                runs, width = self._borrow(text[position], rng)
                placed += [run + np.array([x, 0], np.float32) for run in runs]
                open_end = False
                position += 1
            else:
                width, open_end = self._place(piece, x, open_end, placed)
                position += piece.stop - piece.start
            x += max(0.1, width + tight + rng.normal(0, 0.03))
        if rng.random() < FLOURISHED:
            placed = with_flourish(placed, 1.0, rng)
        strokes = warp_strokes([run * x_height_px for run in placed], rng)
        pen = max(1.0, x_height_px * rng.uniform(0.07, 0.22))
        alpha, corner = draw_strokes(strokes, pen, rng)
        return InkTile(alpha, round(-corner[1]))

    def _choose(self, text: str, position: int, rng: np.random.Generator) -> _Piece | None:
        """The longest known piece from here, sometimes a shorter one for variety."""
        known = [
            length
            for length in range(1, LONGEST_PIECE + 1)
            if position + length <= len(text) and text[position : position + length] in self.pieces
        ]
        if not known:
            return None
        length = known[-1]
        if length > 1 and rng.random() < 0.25:
            length = known[int(rng.integers(len(known)))]
        options = self.pieces[text[position : position + length]]
        return options[int(rng.integers(len(options)))]

    def _place(
        self, piece: _Piece, x: float, open_end: bool, placed: list[Points]
    ) -> tuple[float, bool]:
        """Put the runs of a piece at x; returns its width and whether its end is open."""
        word = self.words[piece.word]
        shift = np.array([x - float(word.cuts[piece.start]), 0.0], np.float32)
        inside = [k for k, o in enumerate(word.owner) if piece.start <= o < piece.stop]
        for k in inside:
            run = word.runs[k] + shift
            if word.joined[k] and k - 1 in inside:
                placed[-1] = np.concatenate([placed[-1], run])
            elif word.joined[k] and open_end and placed:
                placed[-1] = np.concatenate([placed[-1], run])
                open_end = False
            else:
                placed.append(run)
        last = inside[-1] if inside else -1
        # The pen went on into a letter that is not part of the piece.
        is_open = 0 <= last < len(word.runs) - 1 and word.joined[last + 1]
        width = float(word.cuts[piece.stop] - word.cuts[piece.start])
        return width, bool(is_open)

    def _borrow(self, char: str, rng: np.random.Generator) -> tuple[list[Points], float]:
        samples = self.spare[char]
        bottom, top = CHARACTER_EXTENT.get(char, TALL)
        strokes = scale_strokes(samples[int(rng.integers(len(samples)))], max(top - bottom, 0.15))
        x0, _, x1, y1 = bounds(strokes)
        move = np.array([0.12 - x0, -bottom - y1], np.float32)
        return [s + move for s in strokes], x1 - x0 + 0.24


def letter_hands(
    words: StrokeSet,
    cuts: dict[int, NDArray[np.float32]],
    characters: StrokeSet,
    minimum: int = 18,
    keep: Callable[[str], bool] = lambda writer: True,
) -> list[LetterHand]:
    """Return one hand for each writer whose cut words show ``minimum`` different letters.

    Args:
        words: labelled words; cuts: what ``cut_words`` found in them.
        characters: isolated characters to borrow from.
        minimum: different characters a writer must have left.
        keep: whether a writer may be used.
    """
    spare: dict[str, list[list[Points]]] = defaultdict(list)
    for i, label in enumerate(characters.label):
        strokes = characters.strokes(i)
        mine = keep(characters.writer[i])
        if label.strip() and strokes and mine and has_the_shape(label, strokes):
            spare[label].append(strokes)
    by_writer: dict[str, list[Letters]] = defaultdict(list)
    for i, borders in cuts.items():
        if not keep(words.writer[i]):
            continue
        letters = cut_letters(words.strokes(i), fold_text(words.label[i]), borders)
        if letters is not None:
            by_writer[words.writer[i]].append(letters)
    return [
        LetterHand(f"unipen:{writer}", items, dict(spare))
        for writer, items in sorted(by_writer.items())
        if len(set("".join(item.text for item in items))) >= minimum
    ]
