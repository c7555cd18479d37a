"""Word beam search: words come from a dictionary, everything between them is free.

Scheidl, Fiel & Sablatnig 2018 (ICFHR). Inside a word only characters that lead to a word of the
dictionary may follow; a whole word may be followed by any character that is not part of words
(space, digit, comma), so numbers are never "corrected". It is a prefix beam (``ctc.prefix_beam``)
whose language model gives probability 0 to what the dictionary forbids.

Deviations from the paper and its released code: language model and CTC are combined as
log p_ctc + weight * log p_lm, not by the n-th root over words; the last word of a line is scored
too; word pairs never reach from one text into the next (the released code counts such pairs);
forecasts are sums over intervals of the sorted dictionary, exact and O(log words), so the
sampled mode is not needed.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.charset import Charset, fold_text

from .ctc import NEVER, Hypothesis, LogProbs, Prefix, prefix_beam, string_log_probabilities
from .prefix_tree import PrefixTree

Mode = Literal["words", "ngrams", "ngrams_forecast"]
IMPOSSIBLE = -math.inf
# When no kept string ends on a whole word, each is completed with at most so many words.
COMPLETIONS = 20


class WordModel:
    """A dictionary and how often its words follow each other.

    Give it training texts, drug lists and the like, **never the texts of a validation or test
    set**: their words in the dictionary would be the answers (released ports do just that).

    Args:
        texts: words or lines, accents are folded away; a word is a run of word characters.
        charset: of the reader.
        word_characters: what words are made of; all other characters are free.
        smoothing: k of add-k smoothing of word and pair counts, above 0.

    Attributes:
        words: the dictionary as classes, sorted.

    Raises:
        ValueError: no words, no or unknown word characters, or a smoothing that is not above 0.
    """

    def __init__(
        self,
        texts: Iterable[str],
        charset: Charset,
        word_characters: str = string.ascii_letters,
        smoothing: float = 0.01,
    ):
        if not word_characters or not charset.covers(word_characters):
            raise ValueError("word_characters must be characters of the charset.")
        if smoothing <= 0:
            raise ValueError("smoothing must be above 0, or unseen pairs are impossible.")
        run = re.compile(f"[{re.escape(word_characters)}]+")
        lines = [[tuple(charset.encode(w)) for w in run.findall(fold_text(t))] for t in texts]
        self.words: list[Prefix] = sorted({word for line in lines for word in line})
        if not self.words:
            raise ValueError("The dictionary needs at least one word.")
        self.charset = charset
        self.word_classes = frozenset(charset.encode(word_characters))
        self.tree = PrefixTree(self.words)
        self.low, self.high = _word_intervals(self.tree)
        self._smoothing = smoothing
        number = {word: i for i, word in enumerate(self.words)}
        numbers = [[number[word] for word in line] for line in lines]
        self._alone = _Counts(Counter(i for line in numbers for i in line))
        pairs: dict[int, Counter[int]] = defaultdict(Counter)
        for line in numbers:
            for before, after in pairwise(line):
                pairs[before][after] += 1
        self._after = {before: _Counts(counts) for before, counts in pairs.items()}
        self._never = _Counts(Counter())

    def log_p(self, previous: int | None, low: int, high: int) -> float:
        """Log probability that the next word is one of an interval of the dictionary.

        Args:
            previous: number of the word before; None for the first word of a text, which is
                judged by how often words occur.
            low, high: numbers of the first word and of the one behind the last.
        """
        counts = self._alone if previous is None else self._after.get(previous, self._never)
        k = self._smoothing
        p = (counts.between(low, high) + k * (high - low)) / (counts.total + k * len(self.words))
        return math.log(p)


class _Counts:
    """How often each word was seen, for sums over intervals of their numbers."""

    def __init__(self, counts: Counter[int]):
        self._numbers = np.array(sorted(counts), np.int64)
        self._sums = np.cumsum([0, *(counts[i] for i in sorted(counts))])
        self.total = int(self._sums[-1])

    def between(self, low: int, high: int) -> int:
        first, last = np.searchsorted(self._numbers, (low, high))
        return int(self._sums[last] - self._sums[first])


def _word_intervals(tree: PrefixTree) -> tuple[list[int], list[int]]:
    """First word below each node and the one behind the last; words are sorted."""
    words = int(tree.string.max()) + 1
    low = np.where(tree.string >= 0, tree.string, words).tolist()
    high = (tree.string + 1).tolist()
    parents = tree.parent.tolist()
    for node in range(len(parents) - 1, 0, -1):  # children have larger numbers
        above = parents[node]
        low[above] = min(low[above], low[node])
        high[above] = max(high[above], high[node])
    return low, high


class _Place(NamedTuple):
    """Where a prefix stands: node of the unfinished word (0 = between words), word before it."""

    node: int
    previous: int | None


class _Reading:
    """The dictionary as a language model over characters, for one search."""

    def __init__(self, model: WordModel, mode: Mode):
        self.model = model
        self.mode = mode
        self._free = np.array(
            [c for c in range(1, model.charset.size) if c not in model.word_classes], np.int64
        )
        self._places: dict[Prefix, _Place] = {(): _Place(0, None)}

    def place(self, prefix: Prefix) -> _Place:
        """Where an allowed prefix stands."""
        if prefix not in self._places:
            node, previous = self.place(prefix[:-1])
            if prefix[-1] in self.model.word_classes:
                children = self._children(node)
                labels = self.model.tree.label[children]
                self._places[prefix] = _Place(
                    int(children[np.searchsorted(labels, prefix[-1])]), previous
                )
            else:
                word = int(self.model.tree.string[node]) if node else previous
                self._places[prefix] = _Place(0, word)
        return self._places[prefix]

    def next_log_p(self, prefix: Prefix) -> NDArray[np.float64]:
        """Log probability of every class behind a prefix, -inf where the dictionary forbids.

        Free characters cost nothing; a word costs its probability, in the mode ``ngrams`` when
        it is complete, in ``ngrams_forecast`` character by character.
        """
        node, previous = self.place(prefix)
        tree, model = self.model.tree, self.model
        scores = np.full(model.charset.size, IMPOSSIBLE)
        children = self._children(node)
        scores[tree.label[children]] = 0.0
        paid = 0.0
        if self.mode == "ngrams_forecast":
            if node:
                paid = model.log_p(previous, model.low[node], model.high[node])
            for child in children.tolist():
                below = model.log_p(previous, model.low[child], model.high[child])
                scores[tree.label[child]] = min(0.0, below - paid)
        word = int(tree.string[node])
        if node == 0:
            ended = 0.0
        elif word < 0:
            return scores
        else:
            ended = 0.0 if self.mode == "words" else model.log_p(previous, word, word + 1) - paid
        scores[self._free] = scores[0] = min(0.0, ended)
        return scores

    def log_p(self, classes: Prefix) -> float:
        """Log probability of a whole text, -inf for one that ends inside a word."""
        return float(sum(self.next_log_p(classes[:i])[c] for i, c in enumerate((*classes, 0))))

    def completions(self, prefix: Prefix) -> list[Prefix]:
        """The prefix with its unfinished word completed, at most ``COMPLETIONS`` texts."""
        node = self.place(prefix).node
        length = len(prefix)
        while length and prefix[length - 1] in self.model.word_classes:
            length -= 1
        low, high = self.model.low[node], self.model.high[node]
        words = self.model.words[low : min(high, low + COMPLETIONS)]
        return [prefix[:length] + word for word in words]

    def _children(self, node: int) -> NDArray[np.int64]:
        first = self.model.tree.first_child
        return np.arange(first[node], first[node + 1])


def word_beam(
    log_probs: LogProbs,
    width: int,
    model: WordModel,
    mode: Mode = "words",
    *,
    lm_weight: float = 1.0,
    length_bonus: float = 0.0,
) -> list[Hypothesis]:
    """Search for the best texts whose words are all in the dictionary.

    Args:
        log_probs: (T, C) CTC log probabilities, class 0 = blank.
        width: texts kept after each frame; 15 to 50 are usual.
        model: dictionary and counts, for the charset of the reader.
        mode: ``words`` uses the dictionary alone; ``ngrams`` also the probability of each word
            behind the one before it, once the word is complete; ``ngrams_forecast`` already
            that of all words which the characters so far may become.
        lm_weight: of the words' probabilities, above 0; no part in the mode ``words``.
        length_bonus: for each character, as in ``prefix_beam``.

    Returns:
        at most ``width`` hypotheses, best first. ``log_p`` is the CTC probability as far as the
        beam summed it, ``lm_log_p`` that of the words. If no kept text ended on a whole word,
        they are completed from the dictionary and summed exactly; nothing is returned when no
        completion fits into T frames.

    Raises:
        ValueError: an unknown mode, or a weight that is not above 0.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode must be one of {', '.join(get_args(Mode))}.")
    if lm_weight <= 0:
        raise ValueError("lm_weight must be above 0; use the mode 'words' without one.")
    reading = _Reading(model, mode)
    found = prefix_beam(
        log_probs,
        width,
        log_probs.shape[1],  # the dictionary narrows the choice, not the frame
        next_log_p=reading.next_log_p,
        lm_weight=lm_weight,
        length_bonus=length_bonus,
    )
    whole = [h for h in found if h.lm_log_p > IMPOSSIBLE]
    if whole or not found:
        return whole
    texts = list(dict.fromkeys(t for h in found for t in reading.completions(h.classes)))
    sums = string_log_probabilities(log_probs, texts).tolist()
    completed = [
        Hypothesis(text, log_p, reading.log_p(text))
        for text, log_p in zip(texts, sums, strict=True)
        if log_p > NEVER / 2
    ]
    completed.sort(
        key=lambda h: -(h.log_p + lm_weight * h.lm_log_p + length_bonus * len(h.classes))
    )
    return completed[:width]
