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
    forced_alignment,
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


def _next_log_p(seed: int, classes: int):
    """A language model that knows the last class: random, the same for the same prefix."""
    table = _log_probs(seed, classes, classes)
    return lambda prefix: table[prefix[-1] if prefix else 0]


def _lm_log_p(next_log_p, string: tuple[int, ...]) -> float:
    return sum(next_log_p(string[:i])[c] for i, c in enumerate((*string, 0)))


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


def test_a_string_below_the_range_of_doubles_keeps_its_probability():
    log_probs = np.log(np.array([[0.5, 0.5]])).repeat(3, axis=0)
    log_probs[1, 1] = -900.0
    # "1, 1" needs the frames 1, blank, 1; "1" may do without the bad frame.
    one, two, impossible = string_log_probabilities(log_probs, [(1,), (1, 1), (1, 1, 1)])
    assert one == pytest.approx(math.log(2 / 8))
    assert two == pytest.approx(math.log(1 / 8))
    assert impossible <= NEVER / 2
    log_probs[0, :] = -900.0
    assert string_log_probabilities(log_probs, [(1, 1)])[0] == pytest.approx(
        -900 + 2 * math.log(0.5)
    )


def test_no_strings_no_probabilities():
    assert string_log_probabilities(_log_probs(0, 2, 3), []).shape == (0,)


def test_a_beam_of_one_adds_up_what_best_path_does_not():
    # Frame 1 says a; frame 2 says b, yet blank and a together say it is still "a".
    log_probs = np.log(np.array([[0.35, 0.6, 0.05], [0.3, 0.3, 0.4]]))
    assert best_path(log_probs) == (1, 2)
    (found,) = prefix_beam(log_probs, 1)
    assert found.classes == (1,)
    assert math.exp(found.log_p) == pytest.approx(0.6 * 0.3 + 0.6 * 0.3)


def test_a_wider_beam_is_never_worse():
    log_probs = _log_probs(7, 12, 8)
    best = [prefix_beam(log_probs, width)[0].log_p for width in (1, 4, 16, 64)]
    assert best == sorted(best)


@given(st.integers(0, 10_000), st.integers(2, 30))
@settings(max_examples=15, deadline=None)
def test_a_beam_never_says_more_than_the_string_has(seed, width):
    log_probs = _log_probs(seed, 10, 6)
    found = prefix_beam(log_probs, width)
    exact = string_log_probabilities(log_probs, [h.classes for h in found])
    assert [h.log_p for h in found] == sorted((h.log_p for h in found), reverse=True)
    assert all(h.log_p <= e + 1e-9 for h, e in zip(found, exact, strict=True))
    assert len({h.classes for h in found}) == len(found) <= width


@given(
    st.integers(0, 10_000),
    st.integers(1, 4),
    st.integers(2, 4),
    st.sampled_from([0.0, 0.4, 1.0, 3.0]),
    st.sampled_from([-1.0, 0.0, 1.5]),
)
@settings(max_examples=40, deadline=None)
def test_a_language_model_ranks_as_brute_force_does(seed, frames, classes, weight, bonus):
    log_probs = _log_probs(seed, frames, classes)
    model = _next_log_p(seed + 1, classes)
    truth = {
        s: math.log(p) + weight * _lm_log_p(model, s) + bonus * len(s)
        for s, p in _all_strings(log_probs).items()
    }
    found = prefix_beam(log_probs, 10_000, next_log_p=model, lm_weight=weight, length_bonus=bonus)
    assert {h.classes for h in found} == truth.keys()
    ours = [h.log_p + weight * h.lm_log_p + bonus * len(h.classes) for h in found]
    assert ours == pytest.approx(sorted(truth.values(), reverse=True))
    assert ours == pytest.approx([truth[h.classes] for h in found])


def test_the_language_model_changes_the_order_and_not_the_ctc_probability():
    log_probs = np.log(np.array([[0.1, 0.5, 0.4]]))
    model = np.log(np.array([0.5, 0.01, 0.49]))
    first = prefix_beam(log_probs, 3, next_log_p=lambda prefix: model, lm_weight=1.0)[0]
    assert prefix_beam(log_probs, 3)[0].classes == (1,)
    assert first.classes == (2,)
    assert math.exp(first.log_p) == pytest.approx(0.4)
    assert math.exp(first.lm_log_p) == pytest.approx(0.49 * 0.5)


def test_a_narrow_beam_with_a_language_model_keeps_what_a_slow_one_keeps():
    log_probs = _log_probs(11, 12, 6)
    model = _next_log_p(12, 6)
    options = {"next_log_p": model, "lm_weight": 0.7, "length_bonus": 0.5}
    found = prefix_beam(log_probs, 5, **options)
    truth = {(): (0.0, -math.inf)}  # every frame in full, then cut to five
    for frame in log_probs:
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (blank, char) in truth.items():
            total = np.logaddexp(blank, char)
            for c in range(6):
                same = c != 0 and prefix[-1:] == (c,)
                moves = [(prefix, 0, total)] if c == 0 else [((*prefix, c), 1, total)]
                if same:
                    moves = [(prefix, 1, char), ((*prefix, c), 1, blank)]
                for to, slot, log_p in moves:
                    entry = grown.setdefault(to, [-math.inf, -math.inf])
                    entry[slot] = np.logaddexp(entry[slot], log_p + frame[c])

        def score(prefix, grown=grown):
            lm = sum(model(prefix[:i])[c] for i, c in enumerate(prefix))
            return np.logaddexp(*grown[prefix]) + 0.7 * lm + 0.5 * len(prefix)

        kept = sorted(grown, key=score, reverse=True)[:5]
        truth = {prefix: tuple(grown[prefix]) for prefix in kept}
    assert {h.classes for h in found} == truth.keys()
    for h in found:
        assert h.log_p == pytest.approx(np.logaddexp(*truth[h.classes]))


def _best_alignment(log_probs: np.ndarray, string: tuple[int, ...]) -> float:
    """Log probability of the best path that collapses to a string, by trying all."""
    frames, classes = log_probs.shape
    scores = [
        sum(log_probs[t, c] for t, c in enumerate(path))
        for path in itertools.product(range(classes), repeat=frames)
        if tuple(c for c, _ in itertools.groupby(path) if c != 0) == string
    ]
    return max(scores, default=-math.inf)


@given(
    st.integers(0, 10_000), st.integers(1, 5), st.lists(st.integers(1, 2), max_size=4).map(tuple)
)
@settings(max_examples=60, deadline=None)
def test_the_forced_alignment_is_the_best_of_all(seed, frames, string):
    log_probs = _log_probs(seed, frames, 3)
    truth = _best_alignment(log_probs, string)
    found = forced_alignment(log_probs, string)
    if truth == -math.inf:
        assert found is None
        return
    peaks, log_p = found
    assert log_p == pytest.approx(truth)
    assert len(peaks) == len(string)
    assert list(peaks) == sorted(set(peaks))


def test_an_alignment_names_the_frame_where_each_character_peaks():
    p = np.full((7, 3), 0.05)
    for frame, (wanted, share) in enumerate(
        [(0, 0.9), (1, 0.6), (1, 0.9), (0, 0.9), (2, 0.9), (2, 0.7), (0, 0.9)]
    ):
        p[frame, wanted] = share
    assert forced_alignment(np.log(p), (1, 2))[0] == (2, 4)
    assert forced_alignment(np.log(p), ()) == ((), pytest.approx(np.log(p[:, 0]).sum()))
