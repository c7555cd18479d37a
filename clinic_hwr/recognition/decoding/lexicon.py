"""Ranking a list of names against what was read, without hiding what was read.

Candidates are drawn by edit distance to the free readings (rapidfuzz), then ranked by the
CTC probability of the whole name, upper and lower case counted as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz, process

from clinic_hwr.recognition.charset import Charset, fold_text

from .ctc import LogProbs, string_log_probabilities

DRAWN_PER_READING = 120  # names looked at for each free reading


class Lexicon:
    """Names to choose from.

    Args:
        names: as they shall be reported; folded to the charset for matching.
    """

    def __init__(self, names: Sequence[str]):
        self.names = tuple(dict.fromkeys(name for name in names if fold_text(name)))
        self.folded = [fold_text(name).lower() for name in self.names]

    def rank(
        self, log_probs: LogProbs, readings: Sequence[str], charset: Charset, limit: int
    ) -> list[tuple[str, float]]:
        """Rank names for one crop.

        Args:
            log_probs: (T, C) CTC log probabilities.
            readings: free readings, best first.
            charset: of the model.
            limit: number of names returned.

        Returns:
            (name, log probability of the name in any case), best first.
        """
        drawn: dict[int, None] = {}
        for reading in readings:
            hits = process.extract(
                reading.lower(), self.folded, scorer=fuzz.ratio, limit=DRAWN_PER_READING
            )
            drawn.update(dict.fromkeys(index for _, _, index in hits))
        if not drawn:
            return []
        indices = list(drawn)
        folded = fold_case(log_probs, charset)
        strings = [charset.encode(self.folded[i]) for i in indices]
        scores = string_log_probabilities(folded, strings)
        order = np.argsort(-scores, kind="stable")[:limit]
        return [(self.names[indices[i]], float(scores[i])) for i in order]


def fold_case(log_probs: LogProbs, charset: Charset) -> LogProbs:
    """Give every lower-case letter the probability of both its cases."""
    folded = log_probs.copy()
    for char in charset.characters:
        low = char.lower()
        if char != low and low in charset.characters:
            a, b = charset.characters.index(low) + 1, charset.characters.index(char) + 1
            folded[:, a] = np.logaddexp(log_probs[:, a], log_probs[:, b])
    return folded
