"""Reading with a list of names: the CTC probability of a whole name, in any case.

The prefix tree draws a short list, whose probabilities are then summed over all alignments.
What was read freely plays no part, so a name can be compared with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import Charset, fold_text

from .ctc import NEVER, LogProbs, string_log_probabilities
from .prefix_tree import PrefixTree


class Lexicon:
    """Names to choose from.

    Args:
        names: as they shall be reported. Those that fold to the same letters are one string
            with several spellings; those that the charset cannot write are left out.
        charset: of the model.

    Attributes:
        names: those that can be found, in the order given.
    """

    def __init__(self, names: Sequence[str], charset: Charset):
        spellings: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name in dict.fromkeys(names):
            string = _encode(name, charset)
            if string:
                spellings[string].append(name)
        self._charset = charset
        self._strings = sorted(spellings)
        self._spellings = [spellings[string] for string in self._strings]
        self.names = tuple(name for same in spellings.values() for name in same)
        self._tree = PrefixTree(self._strings)

    def rank(self, log_probs: LogProbs, limit: int) -> list[tuple[str, float]]:
        """Rank the names for one crop.

        Args:
            log_probs: (T, C) CTC log probabilities.
            limit: number of names returned; fewer when the search found fewer.

        Returns:
            (name, log probability of the name in any case), best first.
        """
        folded = fold_case(log_probs, self._charset)
        found, p = self._tree.search(np.exp(folded))
        if len(found) > limit:
            found = found[np.argpartition(-p, limit)[:limit]]
        scores = string_log_probabilities(folded, [self._strings[i] for i in found])
        order = np.argsort(-scores, kind="stable")
        ranked = [(name, float(scores[k])) for k in order for name in self._spellings[found[k]]]
        return ranked[:limit]


def name_log_probabilities(
    log_probs: LogProbs, names: Sequence[str], charset: Charset
) -> NDArray[np.float64]:
    """Log probability of given names, each in any case.

    Args:
        log_probs: (T, C) CTC log probabilities.
        names: any texts; folded to ASCII.
        charset: of the model.

    Returns:
        (len(names),) summed over all alignments; ``NEVER`` for a name that the charset cannot
        write.
    """
    strings = [_encode(name, charset) for name in names]
    scores = np.full(len(names), NEVER)
    known = [i for i, string in enumerate(strings) if string is not None]
    scores[known] = string_log_probabilities(
        fold_case(log_probs, charset), [string for string in strings if string is not None]
    )
    return scores


def fold_case(log_probs: LogProbs, charset: Charset) -> LogProbs:
    """Give every lower-case letter the probability of both its cases."""
    low, big = _cases(charset)
    folded = log_probs.copy()
    folded[:, low] = np.logaddexp(log_probs[:, low], log_probs[:, big])
    return folded


@lru_cache(maxsize=8)
def _cases(charset: Charset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Classes of the letters in lower case and in upper case, where there are both."""
    letters = [c for c in charset.characters if c != c.lower() and c.lower() in charset.characters]
    low = charset.encode("".join(letters).lower())
    return np.array(low, np.int64), np.array(charset.encode("".join(letters)), np.int64)


@lru_cache(maxsize=8)
def _classes(charset: Charset) -> dict[str, int]:
    return {char: i for i, char in enumerate(charset.characters, 1)}


def _encode(name: str, charset: Charset) -> tuple[int, ...] | None:
    """Classes of a name folded to lower-case ASCII, None if the charset lacks one of them."""
    classes = _classes(charset)
    try:
        return tuple(classes[char] for char in fold_text(name).lower())
    except KeyError:
        return None
