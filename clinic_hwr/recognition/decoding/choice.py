"""Which search reads a CTC layer: best path, prefix beam, or word beam with a dictionary.

Fields whose value is a number are always read by the free prefix beam: a dictionary must never
correct a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from clinic_hwr.recognition.charset import Charset

from .ctc import LogProbs, Prefix, best_path, prefix_beam
from .word_beam import Mode, WordModel, word_beam

BEST_PATH, PREFIX_BEAM, WORD_BEAM = "best_path", "prefix_beam", "word_beam"
DECODERS = (PREFIX_BEAM, BEST_PATH, WORD_BEAM)
MODES: tuple[Mode, ...] = get_args(Mode)
NUMBER_KINDS = frozenset({"digits", "date", "strength", "quantity", "refills"})
BEAM_WIDTH = 10
WORD_BEAM_WIDTH = 25  # Scheidl et al. 2018 use 15 to 50


class BadDecoding(ValueError):
    """A search that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Decoding:
    """A search and what it needs.

    Attributes:
        name: one of ``DECODERS``.
        dictionary: file with words or lines of text, for ``word_beam`` only. **Never the texts
            of a set that is measured**: they would be the answers.
        mode: of ``word_beam``; n-grams are counted on the lines of the dictionary.
    """

    name: str = PREFIX_BEAM
    dictionary: Path | None = None
    mode: Mode = "words"


def choose_decoding(
    name: str | None = None, dictionary: Path | str | None = None, mode: str | None = None
) -> Decoding:
    """Return a search as named on a command line or in the settings.

    Raises:
        BadDecoding: an unknown name or mode, or a dictionary that is missing or not wanted.
    """
    name = name or PREFIX_BEAM
    if name not in DECODERS:
        raise BadDecoding(f"There is no decoder {name!r}. Choose from: {', '.join(DECODERS)}.")
    if name != WORD_BEAM:
        if dictionary or mode:
            raise BadDecoding(f"{name} uses no dictionary. Choose the decoder {WORD_BEAM}.")
        return Decoding(name)
    known = {str(one): one for one in MODES}
    if (mode or "words") not in known:
        raise BadDecoding(f"There is no mode {mode!r} of words. Choose from: {', '.join(known)}.")
    if not dictionary:
        raise BadDecoding(
            f"{WORD_BEAM} needs a dictionary: a text file with one word or line each."
        )
    path = Path(dictionary)
    if not path.is_file():
        raise BadDecoding(f"There is no dictionary {path.name}.")
    return Decoding(name, path, known[mode or "words"])


class CtcSearch:
    """Finds the strings that a CTC layer proposes for one crop.

    Args:
        decoding: which search.
        charset: of the reader.

    Raises:
        BadDecoding: the dictionary cannot be read, or holds no word.
    """

    def __init__(self, decoding: Decoding, charset: Charset):
        self.decoding = decoding
        self.words = _word_model(decoding.dictionary, charset) if decoding.dictionary else None
        self._known = frozenset(self.words.words) if self.words else frozenset()
        self._charset = charset

    def closed(self, kind: str) -> bool:
        """Whether fields of this kind are read with the dictionary."""
        return self.words is not None and kind not in NUMBER_KINDS

    def strings(self, log_probs: LogProbs, kind: str) -> list[Prefix]:
        """Strings for CTC log probabilities (T, C), best first; at least one.

        The dictionary may change letters only: texts whose digits are not those that the free
        prefix beam reads are left out (an unknown word would else become whatever digits or
        signs fit). Where no text is left, the free prefix beam reads.
        """
        if kind not in NUMBER_KINDS and self.decoding.name == BEST_PATH:
            return [best_path(log_probs)]
        free = [h.classes for h in prefix_beam(log_probs, BEAM_WIDTH)]
        if self.words is None or kind in NUMBER_KINDS or not free:
            return free
        found = word_beam(log_probs, WORD_BEAM_WIDTH, self.words, self.decoding.mode)
        wanted = self._outline(free[0])
        kept = [h.classes for h in found if self._outline(h.classes) == wanted]
        return kept[:BEAM_WIDTH] or free

    def _outline(self, classes: Prefix) -> tuple[str, bool]:
        """The digits of a text, and whether there is any letter: no dictionary changes these."""
        text = self._charset.decode(classes)
        return "".join(c for c in text if c.isdigit()), any(c.isalpha() for c in text)

    def spells(self, text: str) -> bool:
        """Whether every word of a text is in the dictionary; True without one."""
        if self.words is None or not self._charset.covers(text):
            return self.words is None
        run: list[int] = []
        for c in [*self._charset.encode(text), 0]:
            if c in self.words.word_classes:
                run.append(c)
            elif run:
                if tuple(run) not in self._known:
                    return False
                run = []
        return True


def _word_model(path: Path, charset: Charset) -> WordModel:
    """Words as given, in small letters, Capitalised and in CAPITALS: people write all of them."""
    try:
        lines = [x.strip() for x in path.read_text(encoding="utf-8").splitlines() if x.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadDecoding(f"The dictionary {path.name} cannot be read: {error}") from error
    try:
        return WordModel([form for line in lines for form in _cases(line)], charset)
    except ValueError as error:
        raise BadDecoding(f"The dictionary {path.name}: {error}") from error


def _cases(line: str) -> Sequence[str]:
    low = line.lower()
    return list(dict.fromkeys((line, low, low[:1].upper() + low[1:], low.title(), line.upper())))
