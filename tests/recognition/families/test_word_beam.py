"""Word beam search against brute force over every string of a tiny charset."""

import itertools
import math
import re
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.ctc import prefix_beam, string_log_probabilities
from clinic_hwr.recognition.decoding.word_beam import WordModel, word_beam

CHARSET = Charset("ab 1")
SMOOTHING = 0.3
seeds = st.integers(0, 10_000)
corpora = st.lists(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map(" ".join),
    min_size=1,
    max_size=4,
)


def _log_probs(seed: int, frames: int, classes: int = CHARSET.size) -> np.ndarray:
    x = np.random.default_rng(seed).normal(0, 2, (frames, classes))
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def _model(texts: list[str]) -> WordModel:
    return WordModel(texts, CHARSET, "ab", SMOOTHING)


def _all_strings(log_probs: np.ndarray) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        p = math.exp(sum(log_probs[t, c] for t, c in enumerate(path)))
        totals[CHARSET.decode([c for c, _ in itertools.groupby(path)])] += p
    return totals


def _bigram_log_p(texts: list[str], words: list[str]) -> float:
    """Straight from the definition: add-k unigram, then add-k bigrams within a text."""
    lines = [re.findall("[ab]+", text) for text in texts]
    flat = [word for line in lines for word in line]
    size = len(set(flat))
    pairs = [pair for line in lines for pair in itertools.pairwise(line)]
    total = 0.0
    for i, word in enumerate(words):
        if i == 0:
            seen, of = flat.count(word), len(flat)
        else:
            seen = pairs.count((words[i - 1], word))
            of = sum(before == words[i - 1] for before, _ in pairs)
        total += math.log((seen + SMOOTHING) / (of + SMOOTHING * size))
    return total


@given(seeds, st.integers(1, 4), corpora)
@settings(max_examples=25, deadline=None)
def test_a_beam_that_never_prunes_finds_exactly_what_the_dictionary_allows(seed, frames, texts):
    log_probs = _log_probs(seed, frames)
    dictionary = {word for text in texts for word in text.split()}
    truth = {
        text: p
        for text, p in _all_strings(log_probs).items()
        if set(re.findall("[ab]+", text)) <= dictionary
    }
    found = word_beam(log_probs, 10_000, _model(texts))
    ours = {CHARSET.decode(h.classes): math.exp(h.log_p) for h in found}
    assert ours.keys() == truth.keys()
    assert [ours[text] for text in truth] == pytest.approx(list(truth.values()), abs=1e-9)
    assert [h.log_p for h in found] == sorted((h.log_p for h in found), reverse=True)
    assert all(h.lm_log_p == 0.0 for h in found)


@given(
    seeds,
    st.integers(1, 4),
    corpora,
    st.sampled_from(["ngrams", "ngrams_forecast"]),
    st.sampled_from([0.4, 1.0, 2.0]),
)
@settings(max_examples=25, deadline=None)
def test_word_pairs_rank_as_brute_force_does(seed, frames, texts, mode, weight):
    log_probs = _log_probs(seed, frames)
    dictionary = {word for text in texts for word in text.split()}
    truth = {}
    for text, p in _all_strings(log_probs).items():
        words = re.findall("[ab]+", text)
        if set(words) <= dictionary:
            truth[text] = (math.log(p), _bigram_log_p(texts, words))
    found = word_beam(log_probs, 10_000, _model(texts), mode, lm_weight=weight)
    assert {CHARSET.decode(h.classes) for h in found} == truth.keys()
    for h in found:
        assert (h.log_p, h.lm_log_p) == pytest.approx(truth[CHARSET.decode(h.classes)])
    ranks = [h.log_p + weight * h.lm_log_p for h in found]
    assert ranks == pytest.approx(sorted(ranks, reverse=True))


@given(seeds, st.integers(1, 12), st.sampled_from(["words", "ngrams", "ngrams_forecast"]))
@settings(max_examples=25, deadline=None)
def test_a_narrow_beam_keeps_to_the_dictionary_and_never_says_too_much(seed, width, mode):
    texts = ["ab ba", "abb a", "bba"]
    log_probs = _log_probs(seed, 9)
    found = word_beam(log_probs, width, _model(texts), mode)
    assert len(found) <= width
    assert len({h.classes for h in found}) == len(found)
    exact = string_log_probabilities(log_probs, [h.classes for h in found])
    for h, most in zip(found, exact, strict=True):
        assert set(re.findall("[ab]+", CHARSET.decode(h.classes))) <= set(" ".join(texts).split())
        assert h.log_p <= most + 1e-9


def _spelling(text: str, p: float = 0.9) -> np.ndarray:
    """Frames that say a text, a blank between its characters."""
    frames = np.full((2 * len(text), CHARSET.size), (1 - p) / (CHARSET.size - 1))
    for i, c in enumerate(CHARSET.encode(text)):
        frames[2 * i, c] = frames[2 * i + 1, 0] = p
    return np.log(frames)


def test_numbers_are_free_and_words_are_not():
    found = word_beam(_spelling("ab 11"), 25, _model(["bb"]))[0]
    assert CHARSET.decode(found.classes) == "bb 11"
    assert CHARSET.decode(prefix_beam(_spelling("ab 11"), 25)[0].classes) == "ab 11"


def test_a_word_that_goes_on_may_end_or_go_on():
    model = _model(["a", "ab"])
    assert CHARSET.decode(word_beam(_spelling("a a"), 25, model)[0].classes) == "a a"
    assert CHARSET.decode(word_beam(_spelling("ab a"), 25, model)[0].classes) == "ab a"


def test_the_word_before_decides_between_equal_readings():
    model = _model(["aa ba", "bb ab"])
    frames = _spelling("aa bb")
    for row, c in ((6, "b"), (8, "a"), (6, "a"), (8, "b")):
        frames[row, CHARSET.encode(c)[0]] = math.log(0.4)
    for mode in ("ngrams", "ngrams_forecast"):
        assert CHARSET.decode(word_beam(frames, 25, model, mode)[0].classes) == "aa ba"


def test_a_pair_of_words_never_reaches_into_the_next_text():
    # The released code counts the last word of a line and the first of the next as a pair.
    model = _model(["a ab", "b a"])
    words = {CHARSET.decode(word): i for i, word in enumerate(model.words)}
    after_ab = [math.exp(model.log_p(words["ab"], i, i + 1)) for i in range(3)]
    assert after_ab == pytest.approx([1 / 3] * 3)


@given(corpora)
@settings(max_examples=25, deadline=None)
def test_what_may_follow_a_word_sums_to_one(texts):
    # The released code does not: unseen pairs are divided by another sum than seen ones.
    model = _model(texts)
    for previous in [None, *range(len(model.words))]:
        each = [math.exp(model.log_p(previous, i, i + 1)) for i in range(len(model.words))]
        assert sum(each) == pytest.approx(1.0)
        assert math.exp(model.log_p(previous, 0, len(model.words))) == pytest.approx(1.0)


def test_a_beam_without_a_whole_word_is_completed_exactly():
    log_probs = _spelling("abab")[:-2]  # the last letter is missing
    (found,) = word_beam(log_probs, 1, _model(["abab"]))
    assert CHARSET.decode(found.classes) == "abab"
    assert found.log_p == string_log_probabilities(log_probs, [found.classes])[0]
    assert word_beam(_spelling("ab")[:2], 1, _model(["abab"])) == []


def test_accents_fold_and_broken_settings_are_refused():
    assert [CHARSET.decode(w) for w in _model(["\u00e0b"]).words] == ["ab"]
    with pytest.raises(ValueError, match="at least one word"):
        _model(["1 1"])
    with pytest.raises(ValueError, match="word_characters"):
        WordModel(["ab"], CHARSET, "abc")
    with pytest.raises(ValueError, match="smoothing"):
        WordModel(["ab"], CHARSET, "ab", 0.0)
    with pytest.raises(ValueError, match="ngrams_forecast"):
        word_beam(_log_probs(0, 2), 5, _model(["ab"]), "sampled")
    with pytest.raises(ValueError, match="lm_weight"):
        word_beam(_log_probs(0, 2), 5, _model(["ab"]), "ngrams", lm_weight=0.0)
