"""Hands for finders of lines: fonts written unsteadily, scraps of real scans, other print faces.

Whoever learns to tell handwriting from print by a few fonts learns those fonts by heart, and takes
the next font for print. Here a font never draws the same letter twice alike, real scanned writing
is cut up, and print comes in other faces. The text of a scrap is not the text that was asked for:
it teaches where lines are, not what they say.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from .hands import FontHand, Hand, InkTile, is_capitals_only
from .line_bands import band_of

FONT_FILES = (".ttf", ".otf", ".woff", ".woff2")
_ASCII = "".join(map(chr, range(33, 127)))
_DEVELOP_FONTS = 0.25
_ADVANCE = 1.15  # x-heights a letter of a usual hand is wide, with the blank behind it
_LEAST_SCRAPS = 8  # of a writer


def fonts_in(folder: Path) -> list[FontHand]:
    """Return the fonts that lie in a folder as they are, sorted by name."""
    files = sorted(path for path in folder.iterdir() if path.suffix in FONT_FILES)
    return [FontHand(path.stem, path, _missing(path), is_capitals_only(path)) for path in files]


def kept_to_develop(font: str) -> bool:
    """Whether a font of ``fonts_in`` is left out of training (fixed by the hash of its name)."""
    digest = hashlib.sha256(f"develop/{font}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _DEVELOP_FONTS


def _missing(path: Path) -> str:
    """The printable ASCII signs that a font draws as it draws what it does not have."""
    font = ImageFont.truetype(str(path), 40)
    unknown = bytes(font.getmask("\ue0ff"))
    return "".join(sign for sign in _ASCII if bytes(font.getmask(sign)) in (unknown, b""))


@dataclass(frozen=True)
class UnsteadyHand:
    """A font as a hand would write it: leaning, bent, thick or thin, no two letters alike."""

    own: FontHand

    @property
    def name(self) -> str:
        """Of the font."""
        return self.own.name

    def can_write(self, text: str) -> bool:
        """Whether the font can."""
        return self.own.can_write(text)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` when the font draws nothing."""
        tile = self.own.write(text, rng, x_height_px)
        pad = round(0.6 * x_height_px) + 2
        alpha = cv2.copyMakeBorder(tile.alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=[0])
        baseline = tile.baseline_px + pad
        lean, wide = float(rng.normal(0.0, 0.18)), float(rng.uniform(0.75, 1.3))
        height, width = alpha.shape
        room = round(abs(lean) * height) + 2
        size = round(width * wide) + 2 * room, height
        down, across = np.mgrid[0:height, 0 : size[0]].astype(np.float32)
        source_x = (across - room + lean * (down - baseline)) / wide
        # From letter to letter, and in slow waves along the line.
        for step, much in ((1.5, rng.uniform(0.0, 0.16)), (7.0, rng.uniform(0.0, 0.25))):
            reach = float(much) * x_height_px
            source_x += _waves(size, step * x_height_px, reach, rng)
            down = down + _waves(size, step * x_height_px, reach, rng)
        bent = cv2.remap(np.asarray(alpha), source_x, down, cv2.INTER_LINEAR)
        return InkTile(_with_another_pen(np.asarray(bent, np.uint8), x_height_px, rng), baseline)


def _waves(
    size: tuple[int, int], step_px: float, reach_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A smooth random field of ``size`` (width, height) with waves about ``step_px`` long."""
    grid = tuple(max(3, round(side / step_px) + 2) for side in reversed(size))
    coarse = rng.normal(0.0, reach_px, grid).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _with_another_pen(
    alpha: NDArray[np.uint8], x_height_px: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Make strokes thicker, or leave them: thin ones of an ornate font would vanish."""
    grow = rng.uniform(-0.6, 0.14) * x_height_px
    if grow < 0.5:
        return alpha
    size = round(grow) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(alpha, kernel), np.uint8)


@dataclass(frozen=True)
class ScrapHand:
    """A real writer: pieces of scanned lines, about as long as the text that is asked for.

    Attributes:
        name: who it is.
        scans: (height, width) uint8 each, 0 = paper .. 255 = ink, cut to the ink.
    """

    name: str
    scans: tuple[NDArray[np.uint8], ...]

    def can_write(self, text: str) -> bool:
        """Whether there is anything to write: what it says does not matter."""
        return bool(text.strip())

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Cut a piece out of one of the scans, at a blank where there is one."""
        scan = self.scans[int(rng.integers(len(self.scans)))]
        band = band_of(scan)
        thick = float(np.ptp(band[:, 1])) if len(band) else float(scan.shape[0])
        scale = float(np.clip(x_height_px / max(thick, 3.0), 0.15, 3.0))
        size = max(4, round(scan.shape[1] * scale)), max(4, round(scan.shape[0] * scale))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        alpha = np.asarray(cv2.resize(scan, size, interpolation=method), np.uint8)
        wanted = round(_ADVANCE * x_height_px * len(text))
        if wanted < alpha.shape[1]:
            left = int(rng.integers(alpha.shape[1] - wanted + 1))
            left, right = (_blank_near(alpha, x, x_height_px) for x in (left, left + wanted))
            if right - left > x_height_px:
                alpha = alpha[:, left:right]
        scaled = band_of(alpha)
        baseline = float(scaled[:, 1].max()) if len(scaled) else alpha.shape[0]
        return InkTile(np.ascontiguousarray(alpha), round(baseline))


def _blank_near(alpha: NDArray[np.uint8], x: int, x_height_px: float) -> int:
    """The column with least ink within two x-heights."""
    reach = round(2 * x_height_px)
    first = max(0, x - reach)
    ink = alpha[:, first : min(alpha.shape[1], x + reach) + 1].sum(axis=0, dtype=np.int64)
    least = np.flatnonzero(ink == ink.min()) if len(ink) else np.array([0])
    return first + int(least[np.abs(least + first - x).argmin()])


def scrap_hands(
    scans: Sequence[tuple[str, Path]], ink_of: Callable[[Path], NDArray[np.uint8]]
) -> list[Hand]:
    """Return a hand for each writer with enough scans.

    Args:
        scans: writer and file of each.
        ink_of: reads a file: 0 = paper .. 255 = ink, cut to the ink; empty where there is none.
    """
    by_writer: dict[str, list[NDArray[np.uint8]]] = defaultdict(list)
    for writer, path in scans:
        ink = ink_of(path)
        if ink.size:
            by_writer[writer].append(ink)
    return [
        ScrapHand(f"scan:{writer}", tuple(found))
        for writer, found in sorted(by_writer.items())
        if len(found) >= _LEAST_SCRAPS
    ]
