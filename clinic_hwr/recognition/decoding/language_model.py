"""Which character comes next: an n-gram language model over prescription text.

Interpolated Kneser-Ney smoothing with one discount an order (Kneser & Ney 1995; Chen & Goodman
1998). On 2,000 new texts of the sampler below it needs 2.13 bits a character.

``prescription_text.npz`` holds counts of character 6-grams, no texts. They come from 200,000
seeded texts of ``synthesis.text.TextSampler`` (``scripts/build_language_model.py``): drug names
of RxNorm and RxTerms (U.S. National Library of Medicine; this product is not endorsed by NLM),
abbreviations, numbers, dates and invented names; and from ordinary words that training writers
of UNIPEN (CC BY 4.0) and of the scanned handwriting (Copiste d'un jour, CC BY 4.0; Stanford
letters; Peraire) wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import Charset

PACKAGED = Path(__file__).parent / "prescription_text.npz"
CACHED_CONTEXTS = 8192  # 6 MB with 96 classes


@dataclass(frozen=True)
class _Level:
    """N-grams of one length: sorted numbers in base ``charset.size``, counts, discount."""

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    discount: float


class CharLanguageModel:
    """Predicts the next class from the classes before it.

    Class 0 stands before the start of every text and ends it.

    Args:
        charset: what the classes mean.
        grams: (n, order) uint8, the distinct n-grams in lexicographic order: a context, 0
            before the start, and the class that followed it.
        counts: (n,) how often each occurred, at least 1.

    Raises:
        ValueError: more than 256 classes, or n-grams too long for a 64-bit number.
    """

    def __init__(self, charset: Charset, grams: NDArray[np.uint8], counts: NDArray[np.int64]):
        if charset.size > 256 or charset.size ** grams.shape[1] >= 2**63:
            raise ValueError("A language model has at most 256 classes and n-grams of 63 bits.")
        self.charset = charset
        self.order = grams.shape[1]
        self._grams = grams
        self._counts = counts
        self._levels = self._count_levels()
        self._mixed = lru_cache(maxsize=CACHED_CONTEXTS)(self._mix)

    @classmethod
    def train(cls, texts: Iterable[str], charset: Charset, order: int = 5) -> CharLanguageModel:
        """Count the n-grams of texts.

        Args:
            texts: each a whole word or line.
            charset: has every character of the texts.
            order: length of an n-gram; ``order - 1`` classes predict the next.

        Raises:
            ValueError: no texts, or a character outside of the charset.
        """
        padded: list[int] = []
        ends: list[int] = []
        for text in texts:
            padded += [0] * (order - 1)
            padded += charset.encode(text)
            padded.append(0)
            ends.append(len(padded))
        if not ends:
            raise ValueError("A language model needs at least one text.")
        windows = np.lib.stride_tricks.sliding_window_view(np.array(padded, np.uint8), order)
        inside = np.ones(len(windows), bool)
        for before in range(1, order):  # windows that reach into the next text
            inside[np.array(ends[:-1], np.int64) - before] = False
        grams, counts = np.unique(windows[inside], axis=0, return_counts=True)
        return cls(charset, grams, counts.astype(np.int64))

    def next_log_p(self, prefix: tuple[int, ...]) -> NDArray[np.float64]:
        """Log probability of every class behind a prefix.

        Args:
            prefix: classes of a text so far.

        Returns:
            (classes,) natural logarithms; class 0 = the text ends here.
        """
        return np.log(self._mixed(((0,) * (self.order - 1) + prefix)[len(prefix) :]))

    def log_p(self, classes: Sequence[int]) -> float:
        """Log probability of a whole text, its end included."""
        text = tuple(classes)
        return float(sum(self.next_log_p(text[:i])[c] for i, c in enumerate((*text, 0))))

    def save(self, path: Path) -> None:
        """Write the counts (npz); the same model always gives the same bytes."""
        np.savez_compressed(
            path,
            # One row a position: sorted n-grams repeat most in their first classes.
            grams=np.ascontiguousarray(self._grams.T),
            counts=self._counts.astype(np.uint32),
            characters=np.array(self.charset.characters),
        )

    @classmethod
    def load(cls, path: Path) -> CharLanguageModel:
        """Read a file of ``save``."""
        with np.load(path, allow_pickle=False) as data:
            grams = np.ascontiguousarray(data["grams"].T)
            return cls(Charset(str(data["characters"])), grams, data["counts"].astype(np.int64))

    def _count_levels(self) -> list[_Level]:
        """Count for each length of context, shortest first.

        A shorter n-gram counts how many different classes were seen before it. At the start of
        a text nothing else can be before it: there its occurrences count.
        """
        size = self.charset.size
        keys = np.zeros(len(self._grams), np.int64)
        for column in self._grams.T:
            keys = keys * size + column
        counts = self._counts
        levels = []
        for length in range(self.order - 1, -1, -1):
            once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
            # Half a count keeps the discount between 0 and 1 where nothing occurs once.
            discount = (once + 0.5) / (once + 2 * twice + 1.0)
            levels.append(_Level(keys, counts, discount))
            at_start = keys < size**length
            weights = np.where(at_start, counts, 1)
            keys, where = np.unique(keys % size**length, return_inverse=True)
            counts = np.bincount(where, weights).astype(np.int64)
        return levels[::-1]

    def _mix(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        """Probabilities (classes,) behind a context, mixed with those of the shorter one."""
        size = self.charset.size
        p = self._mixed(context[1:]) if context else np.full(size, 1.0 / size)
        level = self._levels[len(context)]
        key = 0
        for c in context:
            key = key * size + c
        first, last = np.searchsorted(level.keys, (key * size, (key + 1) * size))
        if first == last:
            return p
        seen = level.counts[first:last]
        total = seen.sum()
        mixed = p * (level.discount * (last - first) / total)
        mixed[level.keys[first:last] - key * size] += (seen - level.discount) / total
        return mixed


@lru_cache(maxsize=1)
def packaged_language_model() -> CharLanguageModel:
    """The model of prescription text that ships; loaded once per process."""
    return CharLanguageModel.load(PACKAGED)
