"""Who writes generated pages: real joined writing where the data has it, else fonts, else print.

Hands are split like layouts: nobody who writes a training page writes a held-out one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .hands import CannotWrite, Hand, InkTile, StrokeHand, font_hands, stroke_hands
from .letters import LetterHand, letter_hands, load_cuts
from .pages_layouts import LayoutRole
from .strokes import load_strokes

CUTS_FILE = {"train": "letter_cuts.npz", "val": "letter_cuts_val.npz"}
"""Borders between the letters of the words in ``online/``, as ``training.alignment`` finds them."""
_HELD_OUT_FONTS = 0.25

_FACES = {
    "script": cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    "script-complex": cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    "plain": cv2.FONT_HERSHEY_SIMPLEX,
}


@dataclass(frozen=True)
class HersheyHand:
    """A single-line face that comes with OpenCV, slanted: stands in where there is no data."""

    name: str

    def can_write(self, text: str) -> bool:
        """Whether the face has every character: printable ASCII."""
        return bool(text.strip()) and all(32 <= ord(char) < 127 for char in text)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` for other than ASCII."""
        if not self.can_write(text):
            raise CannotWrite(f"{self.name} lacks a character of this text.")
        face = _FACES[self.name.removeprefix("hershey-")]
        scale = x_height_px / 14.0  # a small letter is 14 units high
        pen = max(1, round(0.16 * x_height_px))
        (width, above), below = cv2.getTextSize(text, face, scale, pen)
        pad = 4 + 2 * pen
        slant = float(rng.normal(0.15, 0.12))
        height = above + below + 2 * pad
        lean = abs(slant) * height
        alpha = np.zeros((height, round(width + 2 * pad + lean)), np.uint8)
        baseline = pad + above
        cv2.putText(alpha, text, (pad, baseline), face, scale, 255, pen, cv2.LINE_AA)
        shear = np.array([[1.0, -slant, slant * baseline + lean / 2], [0.0, 1.0, 0.0]])
        alpha = np.asarray(cv2.warpAffine(alpha, shear, alpha.shape[::-1]), np.uint8)
        return InkTile(alpha, baseline)


@dataclass(frozen=True)
class HelpedHand:
    """A writer of joined letters; what this one never wrote (often digits) another writes."""

    own: LetterHand
    helper: StrokeHand

    @property
    def name(self) -> str:
        """Who it is."""
        return f"{self.own.name}+{self.helper.name.removeprefix('unipen:')}"

    def can_write(self, text: str) -> bool:
        """Whether one of the two can write it."""
        return self.own.can_write(text) or self.helper.can_write(text)

    def write(self, text: str, rng: np.random.Generator, x_height_px: float) -> InkTile:
        """Write one line; raises ``CannotWrite`` when neither can."""
        hand: Hand = self.own if self.own.can_write(text) else self.helper
        return hand.write(text, rng, x_height_px)


def page_hands(
    data_dir: Path | None, role: LayoutRole | str, *, cuts_dir: Path | None = None
) -> list[Hand]:
    """Return who may write pages of a role.

    Args:
        data_dir: folder with ``fonts/`` and ``online/``; either may be absent, and the folder too.
        role: training pages and pages to develop by are written by the ``train`` files and three
            quarters of the fonts, held-out ones by the ``val`` files and the other fonts.
        cuts_dir: where ``CUTS_FILE`` is; without it nobody writes joined letters.
    """
    held_out = LayoutRole(role) is LayoutRole.HELD_OUT
    part = "val" if held_out else "train"
    hands: list[Hand] = []
    if data_dir is not None and (data_dir / "fonts" / "MANIFEST.tsv").exists():
        hands += [one for one in font_hands(data_dir / "fonts") if _kept(one.name) == held_out]
    online = (data_dir or Path()) / "online"
    characters_file = online / f"unipen_chars_{part}.npz"
    if data_dir is not None and characters_file.exists():
        characters = load_strokes(characters_file)
        printers = stroke_hands(characters)
        hands += printers
        words_file = online / f"unipen_words_{part}.npz"
        cuts_file = (cuts_dir or Path()) / CUTS_FILE[part]
        if cuts_dir is not None and cuts_file.exists() and words_file.exists():
            joined = letter_hands(load_strokes(words_file), load_cuts(cuts_file), characters)
            digits = [one for one in printers if one.can_write("0123456789/ 1)#")]
            hands += [HelpedHand(one, digits[n % len(digits)]) for n, one in enumerate(joined)]
    return hands or [HersheyHand(f"hershey-{face}") for face in _FACES]


def _kept(font: str) -> bool:
    """Whether a font is kept from training pages (fixed by the hash of its name)."""
    digest = hashlib.sha256(font.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _HELD_OUT_FONTS
