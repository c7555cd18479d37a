"""Error rates and calibration figures against values worked out by hand."""

import pytest

from clinic_hwr.recognition.metrics import (
    brier_score,
    character_error_rate,
    coverage_at_error,
    expected_calibration_error,
    wilson_interval,
    word_error_rate,
)


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


def test_brier_score():
    assert brier_score([1.0, 0.5], [True, False]) == pytest.approx(0.125)


def test_coverage_takes_the_longest_prefix_within_the_error():
    p = [0.9, 0.8, 0.7, 0.6, 0.5]
    correct = [True, True, False, True, True]
    assert coverage_at_error(p, correct, 0.0) == pytest.approx(0.4)
    assert coverage_at_error(p, correct, 0.2) == pytest.approx(1.0)
