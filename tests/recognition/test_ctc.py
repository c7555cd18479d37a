"""CTC decoding against brute force over every alignment."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.recognition.decoding.ctc import (
    NEVER,
    best_path,
    prefix_beam,
    string_log_probabilities,
)


def _log_probs(seed: int, frames: int, classes: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(0, 2, (frames, classes))
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def _all_strings(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of every string by summing over all paths."""
    totals: dict[tuple[int, ...], float] = defaultdict(float)
    frames, classes = log_probs.shape
    for path in itertools.product(range(classes), repeat=frames):
        p = math.exp(sum(log_probs[t, c] for t, c in enumerate(path)))
        totals[tuple(c for c, _ in itertools.groupby(path) if c != 0)] += p
    return totals


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 4))
@settings(max_examples=15, deadline=None)
def test_string_probability_equals_the_sum_over_alignments(seed, frames, classes):
    log_probs = _log_probs(seed, frames, classes)
    truth = _all_strings(log_probs)
    strings = list(truth)
    ours = np.exp(string_log_probabilities(log_probs, strings))
    assert ours == pytest.approx([truth[s] for s in strings], abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 4))
@settings(max_examples=15, deadline=None)
def test_a_beam_that_never_prunes_is_the_exhaustive_sum(seed, frames, classes):
    log_probs = _log_probs(seed, frames, classes)
    truth = _all_strings(log_probs)
    found = {h.classes: math.exp(h.log_p) for h in prefix_beam(log_probs, 10_000)}
    assert found.keys() == truth.keys()
    assert [found[s] for s in truth] == pytest.approx(list(truth.values()), abs=1e-9)


def test_the_best_path_is_not_always_the_best_string():
    # Graves' example: blank wins every frame, yet the string "a" collects more paths.
    log_probs = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))
    assert best_path(log_probs) == ()
    assert prefix_beam(log_probs, 4)[0].classes == (1,)


def test_a_string_longer_than_the_frames_is_impossible():
    assert string_log_probabilities(_log_probs(0, 2, 3), [(1, 2, 1)])[0] <= NEVER / 2


def test_equal_neighbours_need_a_blank_between():
    assert string_log_probabilities(_log_probs(0, 2, 3), [(1, 1)])[0] <= NEVER / 2


def test_a_wider_beam_is_never_worse():
    log_probs = _log_probs(7, 12, 8)
    best = [prefix_beam(log_probs, width)[0].log_p for width in (1, 4, 16, 64)]
    assert best == sorted(best)
