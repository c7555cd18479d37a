"""CTC decoding: best path, probability of a string, prefix beam search.

Graves et al. 2006 (string probability by the forward algorithm); Graves & Jaitly 2014 and
Hannun et al. 2014 (prefix beam). Everything works on log probabilities of one crop, shape
(T, C), natural logarithm, class 0 = blank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LogProbs = NDArray[np.float64]
NEVER = -1e30


@dataclass(frozen=True)
class Hypothesis:
    """A string, as classes, and its log probability summed over all alignments found."""

    classes: tuple[int, ...]
    log_p: float


def best_path(log_probs: LogProbs) -> tuple[int, ...]:
    """Collapse the most probable class of every frame. Not the most probable string."""
    path = log_probs.argmax(axis=1)
    return tuple(int(c) for i, c in enumerate(path) if c != 0 and (i == 0 or c != path[i - 1]))


def string_log_probabilities(
    log_probs: LogProbs, strings: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Log probability of each string, summed over all alignments.

    Args:
        log_probs: (T, C).
        strings: class sequences, without blanks.

    Returns:
        (len(strings),) float64; about ``NEVER`` for a string too long for T frames.
    """
    count = len(strings)
    longest = max((len(s) for s in strings), default=0)
    states = 2 * longest + 1
    labels = np.zeros((count, states), np.int64)
    skip = np.zeros((count, states), bool)  # may come from two states before
    for row, string in enumerate(strings):
        labels[row, 1 : 2 * len(string) : 2] = string
        for i in range(1, len(string)):
            skip[row, 2 * i + 1] = string[i] != string[i - 1]
    alpha = np.full((count, states), NEVER)
    alpha[:, 0] = log_probs[0, 0]
    if states > 1:
        has_text = np.array([len(s) > 0 for s in strings])
        alpha[has_text, 1] = log_probs[0, labels[has_text, 1]]
    for t in range(1, len(log_probs)):
        best = alpha.copy()
        if states > 1:
            best[:, 1:] = np.logaddexp(best[:, 1:], alpha[:, :-1])
            shifted = np.where(skip[:, 2:], alpha[:, :-2], NEVER)
            best[:, 2:] = np.logaddexp(best[:, 2:], shifted)
        alpha = np.maximum(best + log_probs[t][labels], NEVER)
    rows = np.arange(count)
    last = np.array([2 * len(s) for s in strings])
    result = alpha[rows, last]
    with_text = last > 0
    result[with_text] = np.logaddexp(result[with_text], alpha[rows[with_text], last[with_text] - 1])
    return result


def prefix_beam(log_probs: LogProbs, width: int, top_classes: int = 12) -> list[Hypothesis]:
    """Search for the most probable strings.

    Args:
        log_probs: (T, C).
        width: prefixes kept after each frame.
        top_classes: classes tried in each frame (most probable first).

    Returns:
        at most ``width`` hypotheses, best first.
    """
    # prefix -> (log p ending in blank, log p ending in its last character)
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NEVER)}
    for frame in log_probs:
        grown: dict[tuple[int, ...], list[float]] = {}
        tried = np.argpartition(-frame, min(top_classes, len(frame)) - 1)[:top_classes]
        classes = [(int(c), float(frame[c])) for c in tried if c != 0]
        blank = float(frame[0])
        for prefix, (p_blank, p_char) in beam.items():
            total = _log_add(p_blank, p_char)
            entry = grown.setdefault(prefix, [NEVER, NEVER])
            entry[0] = _log_add(entry[0], total + blank)
            last = prefix[-1] if prefix else -1
            for c, log_p in classes:
                if c == last:
                    # The same character again: it only grows the string after a blank.
                    entry[1] = _log_add(entry[1], p_char + log_p)
                    start = p_blank + log_p
                else:
                    start = total + log_p
                if start <= NEVER / 2:  # e.g. a double letter without a blank between
                    continue
                longer = grown.setdefault((*prefix, c), [NEVER, NEVER])
                longer[1] = _log_add(longer[1], start)
        ranked = sorted(grown.items(), key=lambda item: -_log_add(*item[1]))[:width]
        beam = {prefix: (pair[0], pair[1]) for prefix, pair in ranked}
    return [Hypothesis(prefix, _log_add(*pair)) for prefix, pair in beam.items()]


def _log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), safe for ``NEVER``."""
    if a < b:
        a, b = b, a
    if b <= NEVER / 2:
        return a
    return a + math.log1p(math.exp(b - a))
