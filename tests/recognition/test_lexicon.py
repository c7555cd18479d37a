"""Ranking names by the probability of the whole name, in any case."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding import prefix_tree
from clinic_hwr.recognition.decoding.ctc import NEVER, string_log_probabilities
from clinic_hwr.recognition.decoding.lexicon import Lexicon, fold_case, name_log_probabilities
from clinic_hwr.recognition.decoding.prefix_tree import PrefixTree

CHARSET = Charset("abcdeABCDE")


def _log_probs(text: str, p: float = 0.9) -> np.ndarray:
    """Frames that spell a text with blanks between."""
    rows = []
    for char in text:
        for wanted in (CHARSET.encode(char)[0], 0):
            row = np.full(CHARSET.size, (1 - p) / (CHARSET.size - 1))
            row[wanted] = p
            rows.append(row)
    return np.log(np.array(rows))


def _random(seed: int, frames: int, classes: int = CHARSET.size) -> np.ndarray:
    x = np.random.default_rng(seed).normal(0, 2, (frames, classes))
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def _all_names(longest: int) -> list[str]:
    lengths = range(1, longest + 1)
    return ["".join(s) for n in lengths for s in itertools.product("abcde", repeat=n)]


def test_the_name_that_was_written_comes_first():
    ranked = Lexicon(("Abba", "Cab", "Bead"), CHARSET).rank(_log_probs("cab"), 3)
    assert ranked[0][0] == "Cab"
    assert ranked[0][1] > ranked[1][1]


def test_upper_and_lower_case_count_as_one():
    lexicon = Lexicon(("cab",), CHARSET)
    low = lexicon.rank(_log_probs("cab"), 1)[0][1]
    up = lexicon.rank(_log_probs("CAB"), 1)[0][1]
    assert abs(low - up) < 1e-9


def test_a_name_sums_over_all_alignments_in_any_case():
    log_probs = _random(1, 4)
    lower = [0, *CHARSET.encode(CHARSET.characters.lower())]
    truth = 0.0
    for path in itertools.product(range(CHARSET.size), repeat=4):
        spelled = [c for c, _ in itertools.groupby(lower[c] for c in path) if c != 0]
        if spelled == CHARSET.encode("ab"):
            truth += np.exp(sum(log_probs[t, c] for t, c in enumerate(path)))
    assert np.exp(name_log_probabilities(log_probs, ["aB"], CHARSET))[0] == pytest.approx(truth)


def test_folding_adds_both_cases():
    folded = fold_case(_log_probs("A"), CHARSET)
    a, big_a = CHARSET.encode("aA")
    assert np.isclose(np.exp(folded[0, a]), np.exp(_log_probs("A")[0, [a, big_a]]).sum())


def test_spellings_that_fold_alike_are_all_kept():
    ranked = Lexicon(("Cáb", "bad", "CAB", "CAB"), CHARSET).rank(_log_probs("cab"), 5)
    assert [name for name, _ in ranked] == ["Cáb", "CAB", "bad"]
    assert ranked[0][1] == ranked[1][1]
    assert Lexicon(("Cáb", "CAB"), CHARSET).rank(_log_probs("cab"), 1) == ranked[:1]


def test_names_that_the_charset_cannot_write_are_left_out():
    lexicon = Lexicon(("cab", "xyz", "©", ""), CHARSET)
    assert lexicon.names == ("cab",)
    assert [name for name, _ in lexicon.rank(_log_probs("cab"), 5)] == ["cab"]
    scores = name_log_probabilities(_log_probs("cab"), ["xyz", "cab"], CHARSET)
    assert scores[0] == NEVER
    assert scores[1] == lexicon.rank(_log_probs("cab"), 1)[0][1]


def test_an_empty_list_ranks_nothing():
    assert Lexicon((), CHARSET).rank(_log_probs("cab"), 5) == []
    assert name_log_probabilities(_log_probs("cab"), [], CHARSET).shape == (0,)


@given(
    st.lists(st.text("abcde", min_size=1, max_size=6), min_size=1, max_size=30, unique=True),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_every_name_of_a_small_list_is_scored_exactly(names, seed):
    log_probs = _random(seed, 12)
    truth = dict(zip(names, name_log_probabilities(log_probs, names, CHARSET), strict=True))
    ranked = Lexicon(names, CHARSET).rank(log_probs, len(names))
    assert dict(ranked) == pytest.approx(truth)
    assert [p for _, p in ranked] == sorted(truth.values(), reverse=True)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_whole_tree_gives_the_probability_of_each_string(seed):
    log_probs = _random(seed, 7)
    strings = sorted(tuple(CHARSET.encode(name)) for name in _all_names(3))
    found, p = PrefixTree(strings).search(np.exp(log_probs))
    truth = np.exp(string_log_probabilities(log_probs, strings))
    assert sorted(found) == list(range(len(strings)))
    assert p / p.sum() == pytest.approx(truth[found] / truth.sum())


def test_the_tree_holds_each_prefix_once_and_siblings_together():
    strings = [(1,), (1, 2), (1, 2, 3), (1, 3), (2, 2)]
    tree = PrefixTree(strings)
    assert tree.parent.tolist() == [0, 0, 0, 1, 1, 2, 3]
    assert tree.label.tolist() == [0, 1, 2, 2, 3, 2, 3]
    assert tree.first_child.tolist() == [1, 3, 5, 6, 7, 7, 7, 7]
    assert tree.string.tolist() == [-1, 0, -1, 1, 3, 4, 2]


def test_a_beam_that_never_prunes_is_the_whole_tree(monkeypatch):
    monkeypatch.setattr(prefix_tree, "BEAM_NODES", 10_000)
    monkeypatch.setattr(prefix_tree, "BEAM_RATIO", 0.0)
    tree = PrefixTree(sorted(tuple(CHARSET.encode(name)) for name in _all_names(4)))
    frames = np.exp(_random(3, 9))
    nodes, p = tree._search_beam(frames)
    _, whole = tree._search_whole(frames)
    assert len(nodes) == len(tree.parent)
    assert p / p.sum() == pytest.approx(whole[nodes] / whole.sum())


@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_beam_finds_the_best_names_of_many(monkeypatch, seed):
    monkeypatch.setattr(prefix_tree, "WHOLE_TREE_NODES", 0)
    monkeypatch.setattr(prefix_tree, "BEAM_NODES", 60)
    names = _all_names(5)
    log_probs = 1.5 * _log_probs("badec", 0.6) + 0.5 * _random(seed, 10)
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    scores = name_log_probabilities(log_probs, names, CHARSET)
    best = [names[i] for i in np.argsort(-scores)[:5]]
    ranked = Lexicon(names, CHARSET).rank(log_probs, 5)
    assert [name for name, _ in ranked][:3] == best[:3]
    assert ranked[0][1] == pytest.approx(scores.max())
