"""The characters a recognizer can write, and their numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

PRINTABLE_ASCII = "".join(chr(code) for code in range(32, 127))

# Characters that keep their meaning as ASCII on a prescription. Everything else is
# decomposed and loses its accents: accents are reported as base letters.
_FOLDED = {
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-",
    "−": "-", "…": "...", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "µ": "u", "μ": "u",
    "×": "x", "½": "1/2", "¼": "1/4", "¾": "3/4", "ß": "ss", "\u00a0": " ", "ʼ": "'",
}  # fmt: skip


def fold_text(text: str) -> str:
    """Fold to printable ASCII: accents dropped, typographic marks replaced, rest removed."""
    text = "".join(_FOLDED.get(char, char) for char in unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFD", text)
    return " ".join("".join(c for c in text if c == " " or c in PRINTABLE_ASCII).split())


@dataclass(frozen=True)
class Charset:
    """An ordered set of characters; class 0 is reserved (CTC blank, attention end).

    Attributes:
        characters: each exactly once; class of ``characters[i]`` is ``i + 1``.
    """

    characters: str = PRINTABLE_ASCII

    def __post_init__(self) -> None:
        if len(set(self.characters)) != len(self.characters):
            raise ValueError("A charset names each character once.")

    @cached_property
    def _classes(self) -> dict[str, int]:
        """Character -> class: encoding is done for millions of texts."""
        return {char: number for number, char in enumerate(self.characters, start=1)}

    @property
    def size(self) -> int:
        """Number of classes with the reserved class 0."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """Return class numbers; raises ``ValueError`` on a character outside of the set."""
        try:
            return [self._classes[char] for char in text]
        except KeyError as error:
            raise ValueError(f"The charset does not hold {error.args[0]!r}.") from None

    def decode(self, classes: Sequence[int]) -> str:
        """Return the text of class numbers; the reserved class 0 is skipped."""
        return "".join(self.characters[c - 1] for c in classes if c > 0)

    def covers(self, text: str) -> bool:
        """Whether every character of ``text`` is in the set."""
        return all(char in self.characters for char in text)
