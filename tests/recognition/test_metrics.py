"""Error rates, calibration and selective prediction against hand-made values and brute force."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.recognition.metrics import (
    THRESHOLDS,
    RiskCoverage,
    area_under_risk_coverage,
    brier_score,
    certified_coverage,
    character_error_rate,
    coverage_at_error,
    coverage_interval,
    excess_area_under_risk_coverage,
    expected_calibration_error,
    risk_coverage,
    wilson_interval,
    word_error_rate,
)

# Few distinct values, so that ties are common.
fields = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0]), st.booleans()), max_size=40)


def test_cer_counts_edits_over_true_characters():
    assert character_error_rate(["abcd", "ef"], ["abxd", "e"]) == pytest.approx(2 / 6)


def test_wer_counts_words():
    assert word_error_rate(["a b c"], ["a x c d"]) == pytest.approx(2 / 3)


def test_wilson_interval_of_five_in_ten():
    low, high = wilson_interval(5, 10)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)


def test_a_calibrated_set_has_no_calibration_error():
    p = [0.25] * 4 + [0.75] * 4
    correct = [True, False, False, False, True, True, True, False]
    assert expected_calibration_error(p, correct, bins=2) == pytest.approx(0.0)


def test_overconfidence_shows():
    assert expected_calibration_error(
        [0.9] * 10, [True] * 5 + [False] * 5, bins=1
    ) == pytest.approx(0.4)


def test_equal_probabilities_are_not_sorted_by_outcome():
    """All say 0.9 and 90% are right: nothing is wrong, however many bins cut through them."""
    assert expected_calibration_error([0.9] * 30, [True] * 27 + [False] * 3) == pytest.approx(0)


def test_ece_of_distinct_probabilities_against_the_definition():
    rng = random.Random(4)
    pairs = sorted((rng.random(), rng.random() < 0.6) for _ in range(45))
    expected = 0.0
    for b in range(15):
        part = pairs[3 * b : 3 * b + 3]
        confidence = sum(p for p, _ in part) / 3
        accuracy = sum(ok for _, ok in part) / 3
        expected += 3 / 45 * abs(confidence - accuracy)
    rng.shuffle(pairs)
    p, right = zip(*pairs, strict=True)
    assert expected_calibration_error(p, right) == pytest.approx(expected)


def test_brier_score():
    assert brier_score([1.0, 0.5], [True, False]) == pytest.approx(0.125)


def test_the_curve_has_one_point_a_distinct_probability():
    points = risk_coverage([0.5, 0.9, 0.5, 0.7], [True, True, False, False])
    assert points == (
        RiskCoverage(0.9, 0.25, 0.0),
        RiskCoverage(0.7, 0.5, 0.5),
        RiskCoverage(0.5, 1.0, 0.5),
    )


def test_aurc_by_hand():
    # risks of the first 1..4: 0, 0, 1/3, 2/4; the best order of two wrong in four is the same
    p, right = [0.9, 0.8, 0.7, 0.6], [True, True, False, False]
    assert area_under_risk_coverage(p, right) == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert excess_area_under_risk_coverage(p, right) == pytest.approx(0)
    # the worst order: 1, 1, 2/3, 2/4
    assert area_under_risk_coverage(p, right[::-1]) == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)
    assert excess_area_under_risk_coverage(p, right[::-1]) == pytest.approx((2 + 1 / 3) / 4)


def test_aurc_of_a_constant_is_the_error_rate():
    assert area_under_risk_coverage([0.3] * 8, [True] * 6 + [False] * 2) == pytest.approx(0.25)


@given(fields)
def test_aurc_of_ties_is_the_mean_over_their_orders(pairs: list[tuple[float, bool]]):
    """Against the definition, averaged over 4,000 random orders of the ties."""
    pairs = pairs[:6]
    p, right = [x for x, _ in pairs], [ok for _, ok in pairs]
    total, rng, rounds = 0.0, random.Random(1), 4000 if len(set(p)) < len(p) else 1
    for _ in range(rounds):
        order = sorted(pairs, key=lambda pair: (-pair[0], rng.random()))
        wrong = 0
        for k, (_, ok) in enumerate(order, start=1):
            wrong += not ok
            total += wrong / k / len(order)
    assert area_under_risk_coverage(p, right) == pytest.approx(total / rounds, abs=0.03)


def test_coverage_takes_the_longest_prefix_within_the_error():
    p = [0.9, 0.8, 0.7, 0.6, 0.5]
    correct = [True, True, False, True, True]
    assert coverage_at_error(p, correct, 0.0) == pytest.approx(0.4)
    assert coverage_at_error(p, correct, 0.2) == pytest.approx(1.0)


def test_fields_of_equal_probability_are_accepted_together():
    assert coverage_at_error([0.9, 0.9, 0.9, 0.9], [True, True, True, False], 0.0) == 0.0
    assert coverage_at_error([0.9, 0.9, 0.8], [True, True, False], 0.0) == pytest.approx(2 / 3)


@given(fields, st.sampled_from([0.0, 0.1, 0.25, 0.29, 0.5]))
def test_coverage_against_every_threshold(pairs: list[tuple[float, bool]], error: float):
    best = 0.0
    for threshold in {p for p, _ in pairs}:
        accepted = [ok for p, ok in pairs if p >= threshold]
        if accepted.count(False) / len(accepted) <= error:
            best = max(best, len(accepted) / len(pairs))
    p, right = [x for x, _ in pairs], [ok for _, ok in pairs]
    assert coverage_at_error(p, right, error) == pytest.approx(best)


@given(fields, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(pairs, shuffler):
    shuffled = list(pairs)
    shuffler.shuffle(shuffled)
    for measure in (
        expected_calibration_error,
        area_under_risk_coverage,
        lambda p, right: coverage_at_error(p, right, 0.2),
        lambda p, right: coverage_interval(p, right, 0.2, seed=1, resamples=50)[1],
    ):
        here = measure([p for p, _ in pairs], [ok for _, ok in pairs])
        there = measure([p for p, _ in shuffled], [ok for _, ok in shuffled])
        assert here == pytest.approx(there)


def test_the_interval_is_that_of_plain_resampling():
    rng = random.Random(2)
    p = [round(rng.random(), 2) for _ in range(200)]
    right = [rng.random() < 0.5 + x / 2 for x in p]
    plain = []
    for _ in range(1000):
        drawn = rng.choices(range(200), k=200)
        plain.append(coverage_at_error([p[i] for i in drawn], [right[i] for i in drawn], 0.1))
    plain.sort()

    low, high = coverage_interval(p, right, 0.1, seed=3)

    assert low == pytest.approx(plain[25], abs=0.04)
    assert high == pytest.approx(plain[975], abs=0.04)
    assert low < high
    assert coverage_interval(p, right, 0.1, seed=3) == (low, high)


def test_all_right_has_full_coverage_in_every_resample():
    assert coverage_interval([0.9, 0.8, 0.7], [True] * 3, 0.01, seed=0) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("error", "errors", "needed"),
    [(0.02, 0, 149), (0.01, 0, 299), (0.01, 3, 773), (0.005, 1, 947)],
)
def test_the_published_sample_sizes_certify_and_one_less_does_not(error, errors, needed):
    right = [False] * errors + [True] * (needed - errors)
    found = certified_coverage([1.0] * needed, right, [1.0], [True], error)
    assert found is not None
    assert (found.coverage, found.error, found.accepted) == (1.0, 0.0, 1)
    assert certified_coverage([1.0] * (needed - 1), right[:-1], [1.0], [True], error) is None


def test_the_threshold_comes_from_one_part_and_the_figures_from_the_other():
    # given 400 right at 0.95 and all wrong at 0.6
    p_fit, right_fit = [0.95] * 400 + [0.6] * 100, [True] * 400 + [False] * 100

    found = certified_coverage(p_fit, right_fit, [0.96, 0.7, 0.3, 0.2], [True, False] * 2, 0.01)

    # then the loosest threshold above 0.6 is taken, and the wrong one at 0.7 counts
    assert found is not None
    assert found.threshold == min(t for t in THRESHOLDS if t > 0.6)
    assert (found.coverage, found.error, found.accepted) == (0.5, 0.5, 2)


def test_the_search_stops_at_the_first_threshold_that_fails():
    # given many right ones below wrong ones: a later threshold would pass, but is never tested
    p = [0.999] * 30 + [0.9] * 300 + [0.8] * 100_000
    right = [True] * 30 + [False] * 20 + [True] * 280 + [True] * 100_000
    assert certified_coverage(p, right, p, right, 0.01) is None


def test_the_guarantee_holds_over_repeated_draws():
    """P(wrong | p) = 1 - p and p uniform: the true error over a threshold t is (1 - t) / 2."""
    rng = random.Random(3)
    broken = issued = 0
    for _ in range(300):
        p = [rng.random() for _ in range(600)]
        right = [rng.random() < x for x in p]
        found = certified_coverage(p, right, p, right, 0.1)
        if found is not None:
            issued += 1
            broken += (1 - found.threshold) / 2 > 0.1
    assert issued > 100
    assert broken <= 25  # 95% upper limit of a binomial with n = 300, p = 0.05


@pytest.mark.parametrize(("error", "confidence"), [(0.0, 0.95), (1.0, 0.95), (0.01, 1.0)])
def test_impossible_levels_are_refused(error, confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        certified_coverage([1.0], [True], [1.0], [True], error, confidence)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="2 probabilities for 1 outcomes"):
        area_under_risk_coverage([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="not a number"):
        coverage_at_error([math.nan], [True], 0.1)


def test_no_fields_have_no_error_and_no_coverage():
    assert risk_coverage([], []) == ()
    assert expected_calibration_error([], []) == area_under_risk_coverage([], []) == 0.0
    assert coverage_at_error([], [], 0.1) == 0.0
    assert coverage_interval([], [], 0.1, seed=0) == (0.0, 0.0)
