"""The character language model against counts by hand, and the packaged one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.language_model import (
    PACKAGED,
    CharLanguageModel,
    packaged_language_model,
)

CHARSET = Charset("abc")
TEXTS = st.lists(st.text("abc", max_size=6), min_size=1, max_size=20)


@given(TEXTS, st.integers(1, 5), st.lists(st.integers(1, 3), max_size=7).map(tuple))
@settings(max_examples=60, deadline=None)
def test_the_classes_behind_any_prefix_sum_to_one(texts, order, prefix):
    log_p = CharLanguageModel.train(texts, CHARSET, order).next_log_p(prefix)
    assert log_p.shape == (CHARSET.size,)
    assert np.isfinite(log_p).all()
    assert np.exp(log_p).sum() == pytest.approx(1.0)


def test_a_model_without_context_follows_kneser_and_ney_by_hand():
    # "aab" and "b" give 1 1 2 0 2 0: end twice, a twice, b twice. None once, three twice.
    model = CharLanguageModel.train(["aab", "b"], CHARSET, order=1)
    discount = 0.5 / (2 * 3 + 1)
    rest = 3 * discount / 6  # what three discounts leave, spread over four classes
    seen = (2 - discount) / 6 + rest / 4
    assert np.exp(model.next_log_p(())) == pytest.approx([seen, seen, seen, rest / 4])


def test_a_shorter_context_counts_what_came_before_it():
    # Pairs of "ab" twice and "cb": 0a x2, ab x2, b0 x3, 0c, cb.
    model = CharLanguageModel.train(["ab", "ab", "cb"], CHARSET, order=2)
    discount = 2.5 / (2 + 2 * 2 + 1)  # of pairs two are there once (0c, cb), two twice (0a, ab)
    # Alone: the end behind b only, a and c at the start, b behind a and c. Two once, two twice.
    shorter = (np.array([1, 2, 2, 1]) - discount) / 6 + discount * 4 / 6 / 4
    behind_a = discount * 1 / 2 * shorter
    behind_a[2] += (2 - discount) / 2
    assert np.exp(model.next_log_p((1,))) == pytest.approx(behind_a)


def test_a_text_has_the_probability_of_its_characters_and_its_end():
    model = CharLanguageModel.train(["abc", "ab", "cab"], CHARSET)
    steps = [model.next_log_p(())[1], model.next_log_p((1,))[2], model.next_log_p((1, 2))[0]]
    assert model.log_p((1, 2)) == pytest.approx(sum(steps))


def test_all_texts_together_have_the_probability_one():
    model = CharLanguageModel.train(["a"] * 5 + ["", "b", "ab"], CHARSET, order=3)
    alive = {(): 1.0}
    ended = 0.0
    for _ in range(7):
        grown = {}
        for prefix, p in alive.items():
            following = np.exp(model.next_log_p(prefix))
            ended += p * following[0]
            grown |= {(*prefix, c): p * following[c] for c in (1, 2, 3)}
        alive = grown
    assert ended + sum(alive.values()) == pytest.approx(1.0)
    assert ended > 0.95


def test_only_the_last_classes_count():
    model = CharLanguageModel.train(["abcabc", "bca"], CHARSET, order=3)
    assert model.next_log_p((3, 3, 1, 2)).tolist() == model.next_log_p((1, 2)).tolist()
    assert model.next_log_p((3, 3, 1, 2)).tolist() != model.next_log_p((3, 2)).tolist()


def test_what_was_seen_is_more_probable_than_what_was_not():
    model = CharLanguageModel.train(["abab", "ab", "abc"], CHARSET)
    assert model.log_p((1, 2)) > model.log_p((2, 1))
    assert model.log_p((1, 2, 3)) > model.log_p((1, 2, 1))


def test_a_saved_model_predicts_the_same(tmp_path):
    model = CharLanguageModel.train(["abc", "ab", "cab"], CHARSET, order=4)
    model.save(tmp_path / "model.npz")
    model.save(tmp_path / "again.npz")
    loaded = CharLanguageModel.load(tmp_path / "model.npz")
    assert loaded.charset == CHARSET
    for prefix in ((), (1,), (1, 2), (3, 3, 3, 3)):
        assert loaded.next_log_p(prefix).tolist() == model.next_log_p(prefix).tolist()
    assert (tmp_path / "model.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_training_needs_texts_of_the_charset():
    with pytest.raises(ValueError, match="at least one text"):
        CharLanguageModel.train([], CHARSET)
    with pytest.raises(ValueError):
        CharLanguageModel.train(["abx"], CHARSET)


def test_the_packaged_model_knows_prescriptions():
    model = packaged_language_model()
    charset = model.charset
    assert charset == Charset()
    assert PACKAGED.stat().st_size < 1_500_000
    for likely, unlikely in (
        ("1 tab po bid", "1 tab qo bjd"),
        ("ibuprofen", "ibuqrofcn"),
        ("500 mg", "500 mq"),
        ("Metformin", "mETFORMIN"),
    ):
        assert model.log_p(charset.encode(likely)) > model.log_p(charset.encode(unlikely)) + 3.0
