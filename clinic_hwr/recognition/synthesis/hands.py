"""Hands that can write any text: handwriting fonts, and real characters of one writer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .strokes import (
    Points,
    StrokeSet,
    bounds,
    draw_strokes,
    load_strokes,
    scale_strokes,
    warp_strokes,
)


class CannotWrite(ValueError):
    """The hand lacks a character of the text."""


@dataclass(frozen=True)
class InkTile:
    """Written text.

    Attributes:
        alpha: (height, width) uint8, 0 = no ink .. 255 = full ink.
        baseline_px: row of the baseline, counted from the top.
    """

    alpha: NDArray[np.uint8]
    baseline_px: int


class Hand(Protocol):
    """Somebody who writes."""

    @property
    def name(self) -> str:
        """Who it is: a font's name, or a writer's id."""
        ...

    def can_write(self, text: str) -> bool:
        """Whether every character of ``text`` is known to this hand."""
        ...

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; ``x_height_px`` is the height of a lower-case x."""
        ...


@lru_cache(maxsize=256)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@dataclass(frozen=True)
class FontHand:
    """A handwriting font."""

    name: str
    path: Path
    missing: str = ""  # characters the font lacks
    capitals_only: bool = False

    def can_write(self, text: str) -> bool:
        """Whether the font has every character, and upper and lower case look different."""
        if self.capitals_only and any(c.islower() for c in text):
            return False
        return text != "" and not set(text) & set(self.missing)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` when the font draws nothing."""
        probe = _font(str(self.path), 64)
        letter = "X" if self.capitals_only else "x"
        x_height = max(
            8, probe.getbbox(letter, anchor="ls")[3] - probe.getbbox(letter, anchor="ls")[1]
        )
        size = int(np.clip(round(64 * x_height_px / x_height), 8, 160))
        font = _font(str(self.path), size)
        x0, y0, x1, y1 = font.getbbox(text, anchor="ls")
        margin = max(2, size // 8)
        if x1 - x0 < 1 or y1 - y0 < 1:
            raise CannotWrite(f"{self.name} draws nothing for this text.")
        image = Image.new("L", (int(x1 - x0) + 2 * margin, int(y1 - y0) + 2 * margin), 0)
        ImageDraw.Draw(image).text(
            (margin - x0, margin - y0), text, fill=255, font=font, anchor="ls"
        )
        return InkTile(np.asarray(image, np.uint8), int(margin - y0))


# Vertical extent of a character over the baseline in x-heights: (bottom, top).
TALL = (0.0, 1.8)
CHARACTER_EXTENT: dict[str, tuple[float, float]] = {
    **dict.fromkeys("acemnorsuvwxz", (0.0, 1.0)),
    **dict.fromkeys("bdhkl", TALL),
    "f": (-0.3, 1.8), "t": (0.0, 1.55), "i": (0.0, 1.5), "j": (-0.75, 1.5),
    **dict.fromkeys("gpqy", (-0.8, 1.0)),
    "-": (0.45, 0.55), "+": (0.2, 1.1), "=": (0.3, 0.8), ".": (0.0, 0.12), ",": (-0.3, 0.15),
    "'": (1.2, 1.7), '"': (1.2, 1.7), ":": (0.1, 0.9), ";": (-0.25, 0.9), "*": (0.9, 1.6),
    "_": (-0.15, -0.1), "~": (0.4, 0.7), "^": (1.2, 1.7), "(": (-0.2, 1.8), ")": (-0.2, 1.8),
    "/": (-0.15, 1.8), "\\": (-0.15, 1.8), "@": (-0.1, 1.5), "#": (0.0, 1.6), "&": (0.0, 1.6),
    "<": (0.1, 1.1), ">": (0.1, 1.1),
}  # fmt: skip


# A sample of a letter or digit is at most so wide for its height. UNIPEN has some of which only one
# level stroke is left: brought to the height of a "1" it is a dash as long as the line. Of 40,321
# samples in training, 2026-11-28, 64 are wider; so are 9 of 3,770
# held-out ones, whose proportions were seen when this was set.
_WIDEST_TALL, _WIDEST_SMALL = 3.0, 6.0


def has_the_shape(char: str, strokes: Sequence[Points]) -> bool:
    """Whether strokes can be a character: a letter or digit is not much wider than high."""
    if not char.isalnum():
        return True
    x0, y0, x1, y1 = bounds(strokes)
    bottom, top = CHARACTER_EXTENT.get(char, TALL)
    widest = _WIDEST_TALL if top - bottom > 1.0 else _WIDEST_SMALL
    return x1 - x0 <= widest * (y1 - y0)


@dataclass
class StrokeHand:
    """One real writer: text is put together from characters this person wrote."""

    name: str
    characters: dict[str, list[list[Points]]] = field(default_factory=dict)

    def can_write(self, text: str) -> bool:
        """Whether the writer left a sample of every character."""
        return text != "" and all(c == " " or c in self.characters for c in text)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` when a character is missing."""
        if not self.can_write(text) or not text.strip():
            raise CannotWrite(f"{self.name} lacks a character of this text.")
        x = 0.0
        placed: list[Points] = []
        gap = rng.uniform(0.12, 0.45) * x_height_px
        for char in text:
            if char == " ":
                x += rng.uniform(0.7, 1.3) * x_height_px
                continue
            samples = self.characters[char]
            bottom, top = CHARACTER_EXTENT.get(char, TALL)
            height = (top - bottom) * x_height_px * rng.uniform(0.92, 1.08)
            strokes = scale_strokes(samples[rng.integers(len(samples))], max(height, 1.5))
            lift = -(bottom + rng.normal(0, 0.04)) * x_height_px
            x0, _, x1, y1 = bounds(strokes)
            placed += [s + np.array([x - x0, lift - y1], np.float32) for s in strokes]
            x += (x1 - x0) + gap * rng.uniform(0.5, 1.5)
        placed = warp_strokes(placed, rng)
        pen = max(1.0, x_height_px * rng.uniform(0.07, 0.22))
        alpha, corner = draw_strokes(placed, pen, rng)
        return InkTile(alpha, round(-corner[1]))


def stroke_hands(characters: StrokeSet, minimum: int = 40) -> list[StrokeHand]:
    """Return one hand for each writer who left at least ``minimum`` different characters."""
    by_writer: dict[str, dict[str, list[list[Points]]]] = defaultdict(lambda: defaultdict(list))
    for index, (label, writer) in enumerate(zip(characters.label, characters.writer, strict=True)):
        strokes = characters.strokes(index)
        if strokes and label.strip() and has_the_shape(label, strokes):
            by_writer[writer][label].append(strokes)
    return [
        StrokeHand(f"unipen:{writer}", dict(samples))
        for writer, samples in sorted(by_writer.items())
        if len(samples) >= minimum
    ]


def font_hands(folder: Path) -> list[FontHand]:
    """Return the fonts of a folder with a ``MANIFEST.tsv`` (columns file, missing_ascii ...)."""
    lines = (folder / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    hands = []
    for line in lines[1:]:
        row = dict(zip(header, line.split("\t"), strict=False))
        path = folder / row["file"]
        missing = row.get("missing_ascii", "") + row.get("blank_ascii", "")
        hands.append(FontHand(path.stem, path, missing.replace(" ", ""), is_capitals_only(path)))
    return hands


def is_capitals_only(path: Path) -> bool:
    """Whether lower-case letters are drawn like their capitals."""
    font = _font(str(path), 40)
    pairs = (("a", "A"), ("e", "E"), ("g", "G"), ("r", "R"), ("n", "N"))
    same = sum(bytes(font.getmask(low)) == bytes(font.getmask(up)) for low, up in pairs)
    return same >= 4


def load_hands(data_dir: Path) -> list[Hand]:
    """Return every hand the data folder holds: fonts, then real writers of characters.

    Args:
        data_dir: folder with ``fonts/`` and ``online/``; either may be absent.
    """
    hands: list[Hand] = []
    if (data_dir / "fonts" / "MANIFEST.tsv").exists():
        hands += font_hands(data_dir / "fonts")
    characters = data_dir / "online" / "unipen_chars_train.npz"
    if characters.exists():
        hands += stroke_hands(load_strokes(characters))
    return hands
