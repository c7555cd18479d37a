"""CTC decoding: best path, probability of a string, prefix beam search.

Graves et al. 2006 (string probability by the forward algorithm); Graves & Jaitly 2014 and
Hannun et al. 2014 (prefix beam, language model inside the beam). Everything works on log
probabilities of one crop, shape (T, C), natural logarithm, class 0 = blank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LogProbs = NDArray[np.float64]
Prefix = tuple[int, ...]
NEVER = -1e30
# A float64 ends at 1e-308. A string above this probability has no alignment that matters
# below that end, for T up to several hundred.
SAFE_P = 1e-250


@dataclass(frozen=True)
class Hypothesis:
    """A string found by a search.

    Attributes:
        classes: without blanks.
        log_p: CTC log probability summed over the alignments found, no language model in it.
        lm_log_p: of the language model, end symbol included; 0 without one.
    """

    classes: Prefix
    log_p: float
    lm_log_p: float = 0.0


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
    labels, skip = _states(strings)
    emit = np.exp(log_probs)
    alpha = np.zeros((len(labels), labels.shape[1] + 2))  # two columns of padding in front
    alpha[:, 2] = 1.0  # a blank before the first frame
    for frame in emit:
        grown = alpha[:, 2:] + alpha[:, 1:-1]
        grown += alpha[:, :-2] * skip
        alpha[:, 2:] = grown * frame[labels]
    rows = np.arange(len(labels))
    last = np.array([2 * len(s) + 2 for s in strings], np.int64)
    p = alpha[rows, last] + np.where(last > 2, alpha[rows, last - 1], 0.0)
    with np.errstate(divide="ignore"):
        result = np.log(p)
    tiny = np.flatnonzero(p < SAFE_P)
    if len(tiny):
        result[tiny] = _sum_in_logs(log_probs, labels[tiny], skip[tiny], last[tiny] - 2)
    return result


def _states(strings: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Blank, character, blank, ... of each string, (n, S), and where a blank may be skipped."""
    longest = max((len(s) for s in strings), default=0)
    labels = np.zeros((len(strings), 2 * longest + 1), np.int64)
    for row, string in enumerate(strings):
        labels[row, 1 : 2 * len(string) : 2] = string
    skip = np.zeros(labels.shape, bool)
    skip[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    return labels, skip


def _sum_in_logs(
    log_probs: LogProbs,
    labels: NDArray[np.int64],
    skip: NDArray[np.bool_],
    last: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The forward algorithm on logarithms: slower, for what underflows."""
    alpha = np.full(labels.shape, NEVER)
    alpha[:, :2] = log_probs[0][labels[:, :2]]
    for frame in log_probs[1:]:
        best = alpha.copy()
        best[:, 1:] = np.logaddexp(best[:, 1:], alpha[:, :-1])
        best[:, 2:] = np.logaddexp(best[:, 2:], np.where(skip[:, 2:], alpha[:, :-2], NEVER))
        alpha = np.maximum(best + frame[labels], NEVER)
    rows = np.arange(len(labels))
    before = np.where(last > 0, alpha[rows, last - 1], NEVER)
    return np.logaddexp(alpha[rows, last], before)


def forced_alignment(
    log_probs: LogProbs, string: Sequence[int]
) -> tuple[tuple[int, ...], float] | None:
    """Most probable alignment of a known string (Viterbi over the CTC states).

    Args:
        log_probs: (T, C).
        string: classes, without blanks.

    Returns:
        the frame at which each character peaks and the log probability of that one path,
        or None when the string does not fit into T frames.
    """
    if not string:
        return (), float(log_probs[:, 0].sum())
    labels = np.zeros(2 * len(string) + 1, np.int64)
    labels[1::2] = string
    skip = np.zeros(len(labels), bool)
    skip[3::2] = labels[3::2] != labels[1:-2:2]
    emit = log_probs[:, labels]  # (T, S)
    score = np.full(len(labels), NEVER)
    score[:2] = emit[0, :2]
    steps = np.zeros(emit.shape, np.int8)  # how many states back the best path came from
    for t in range(1, len(emit)):
        options = np.full((3, len(labels)), NEVER)
        options[0] = score
        options[1, 1:] = score[:-1]
        options[2, 2:] = np.where(skip[2:], score[:-2], NEVER)
        steps[t] = options.argmax(axis=0)
        score = np.maximum(options.max(axis=0) + emit[t], NEVER)
    state = len(labels) - 1 if score[-1] >= score[-2] else len(labels) - 2
    log_p = float(score[state])
    if log_p <= NEVER / 2:
        return None
    frames = [-1] * len(string)
    for t in range(len(emit) - 1, -1, -1):
        if state % 2:
            k = state // 2
            if frames[k] < 0 or emit[t, state] > emit[frames[k], state]:
                frames[k] = t
        state -= int(steps[t, state])
    return tuple(frames), log_p


def prefix_beam(
    log_probs: LogProbs,
    width: int,
    top_classes: int = 12,
    *,
    next_log_p: Callable[[Prefix], NDArray[np.float64]] | None = None,
    lm_weight: float = 0.0,
    length_bonus: float = 0.0,
) -> list[Hypothesis]:
    """Search for the best strings.

    A string is ranked by log p_ctc + lm_weight * log p_lm + length_bonus * length, during the
    search without the end symbol of the language model, at the end with it (shallow fusion).

    Args:
        log_probs: (T, C).
        width: prefixes kept after each frame.
        top_classes: classes with which a prefix may grow in a frame (most probable first).
        next_log_p: language model: for a prefix the log probabilities (C,) of the next class,
            class 0 = end.
        lm_weight: of the language model, not negative.
        length_bonus: for each character; a language model alone favours short strings.

    Returns:
        at most ``width`` hypotheses, best first.
    """
    fusion = _Fusion(next_log_p, lm_weight, length_bonus)
    top = min(top_classes, log_probs.shape[1])
    tried = np.argsort(-log_probs, axis=1)[:, :top].tolist()
    frames = zip(np.exp(log_probs).tolist(), log_probs.tolist(), tried, strict=True)
    beam: _Beam = {(): _Entry(1.0, 0.0, 0.0, 0.0, 0.0)}
    scale = 0.0  # natural logarithm of what the probabilities of the beam were divided by
    for frame, log_frame, classes in frames:
        grown = _stay(beam, frame)
        # New strings must beat the worst of a full beam that stays as it is.
        bar = min(e.score for e in grown.values()) if len(beam) >= width else NEVER
        _grow(beam, grown, frame, log_frame, classes, fusion, bar)
        ranked = sorted(grown.items(), key=_by_score, reverse=True)
        beam = dict(ranked[:width])
        if (most := max(e.blank + e.char for e in beam.values())) < FADED:
            beam = {prefix: entry.scaled(most) for prefix, entry in beam.items()}
            scale += math.log(most)
    ended = [
        (entry.score + lm_weight * last, Hypothesis(prefix, entry.log_p + scale, entry.lm + last))
        for prefix, entry in beam.items()
        for last in (fusion.following(prefix, 0),)
    ]
    return [hypothesis for _, hypothesis in sorted(ended, key=_first, reverse=True)]


FADED = 1e-100  # probabilities are scaled up again before they leave float64's range


class _Entry(NamedTuple):
    """A prefix in the beam: probabilities up to the beam's scale, logarithms beside them."""

    blank: float  # probability of ending in a blank
    char: float  # probability of ending in its last character
    lm: float  # log probability of the language model
    prior: float  # what language model and length add to the score
    score: float  # log(blank + char) + prior

    @property
    def log_p(self) -> float:
        return self.score - self.prior

    def scaled(self, by: float) -> _Entry:
        """Divide the probabilities."""
        return _Entry(
            self.blank / by, self.char / by, self.lm, self.prior, self.score - math.log(by)
        )


_Beam = dict[Prefix, _Entry]


def _by_score(item: tuple[Prefix, _Entry]) -> float:
    return item[1][4]


def _first(item: tuple[float, Hypothesis]) -> float:
    return item[0]


class _Fusion:
    """How a prefix is ranked beside its CTC probability: language model and length."""

    def __init__(
        self,
        next_log_p: Callable[[Prefix], NDArray[np.float64]] | None,
        lm_weight: float,
        length_bonus: float,
    ):
        self.next_log_p = next_log_p
        self.lm_weight = lm_weight
        self.length_bonus = length_bonus
        self._following: dict[Prefix, list[float]] = {}

    def following(self, prefix: Prefix, class_number: int) -> float:
        """Language model log probability of a class behind a prefix, asked for once."""
        if self.next_log_p is None:
            return 0.0
        if prefix not in self._following:
            self._following[prefix] = self.next_log_p(prefix).tolist()
        return self._following[prefix][class_number]


def _stay(beam: _Beam, frame: list[float]) -> _Beam:
    """The same strings after one more frame: a blank, the last character, or its start."""
    grown: _Beam = {}
    for prefix, (p_blank, p_char, lm, prior, _) in beam.items():
        blank = (p_blank + p_char) * frame[0]
        char = 0.0
        if prefix:
            last = prefix[-1]
            char = p_char
            if (parent := beam.get(prefix[:-1])) is not None:
                # A character equal to the one before it starts only after a blank.
                double = len(prefix) > 1 and prefix[-2] == last
                char += parent[0] if double else parent[0] + parent[1]
            char *= frame[last]
        total = blank + char
        if total > 0.0:
            grown[prefix] = _Entry(blank, char, lm, prior, math.log(total) + prior)
    return grown


def _grow(
    beam: _Beam,
    grown: _Beam,
    frame: list[float],
    log_frame: list[float],
    classes: list[int],
    fusion: _Fusion,
    bar: float,
) -> None:
    """Add to ``grown`` the strings that are one character longer and rank above ``bar``."""
    bonus, weight = fusion.length_bonus, fusion.lm_weight
    for prefix, (p_blank, p_char, lm, prior, score) in beam.items():
        last = prefix[-1] if prefix else 0
        limit = bar - score - bonus
        for c in classes:
            # No language model makes it better than this, nor does a less probable class.
            if log_frame[c] <= limit:
                break
            start = (p_blank if c == last else p_blank + p_char) * frame[c]
            if c == 0 or start <= 0.0 or (longer := (*prefix, c)) in grown:
                continue
            after = fusion.following(prefix, c)
            longer_prior = prior + bonus + weight * after
            longer_score = math.log(start) + longer_prior
            if longer_score > bar:
                grown[longer] = _Entry(0.0, start, lm + after, longer_prior, longer_score)
