"""The calibrator recovers known probabilities and chooses its own complexity."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from clinic_hwr.recognition.calibration import (
    RIDGES,
    Calibrator,
    calibrator_from_json,
    fit_calibrator,
)
from clinic_hwr.recognition.metrics import expected_calibration_error


def _drawn(n: int, seed: int):
    """Outcomes drawn with a known logistic law."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 2, (n, 2))
    p = 1 / (1 + np.exp(-(0.5 + 1.5 * x[:, 0] - 0.7 * x[:, 1])))
    scores = [{"a": float(a), "b": float(b)} for a, b in x]
    return scores, (rng.random(n) < p).tolist(), p


def _saturating(n: int, seed: int):
    """Outcomes whose log odds rise with the score below 0 and stay level above it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, n)
    p = 1 / (1 + np.exp(-(1.5 + 1.2 * np.minimum(x, 0))))
    return [{"a": float(a)} for a in x], (rng.random(n) < p).tolist(), p


def test_fitted_probabilities_match_the_law_on_new_data():
    scores, correct, _ = _drawn(4000, 1)
    calibrator = fit_calibrator(scores, correct, ("a", "b"))
    new_scores, new_correct, p = _drawn(4000, 2)
    ours = [calibrator.probability(s) for s in new_scores]
    assert np.abs(np.array(ours) - p).mean() < 0.02
    assert expected_calibration_error(ours, new_correct) < 0.03


def test_a_law_that_is_logistic_stays_linear():
    scores, correct, _ = _drawn(1500, 3)
    assert fit_calibrator(scores, correct, ("a", "b")).knots == ()


def test_a_law_that_bends_becomes_piecewise_linear():
    scores, correct, _ = _saturating(4000, 4)
    calibrator = fit_calibrator(scores, correct, ("a",))
    new_scores, _, p = _saturating(4000, 5)
    ours = np.array([calibrator.probability(s) for s in new_scores])
    assert {name for name, _ in calibrator.knots} == {"a"}
    assert np.abs(ours - p).mean() < 0.02


def test_the_penalty_grows_when_scores_say_nothing():
    """Right or wrong by coin: a model that trusts 30 scores is refused by cross-validation."""
    rng = np.random.default_rng(6)
    features = tuple(f"s{i}" for i in range(30))
    scores = [dict(zip(features, row, strict=True)) for row in rng.normal(size=(120, 30)).tolist()]
    calibrator = fit_calibrator(scores, (rng.random(120) < 0.5).tolist(), features)
    assert max(map(abs, calibrator.weight)) < 0.1


def test_weights_minimise_the_penalised_loss():
    """At the minimum the gradient is 0 for one of the penalties of the grid."""
    scores, correct, _ = _drawn(300, 7)
    c = replace(fit_calibrator(scores, correct, ("a", "b")), most=1.0)
    y = np.array(correct, float)
    z = (np.array([[s["a"], s["b"]] for s in scores]) - c.mean) / c.scale
    residual = np.array([c.probability(s) for s in scores]) - y
    assert residual.sum() == pytest.approx(0, abs=1e-6)
    slopes = z.T @ residual
    assert min(np.abs(slopes + r * np.array(c.weight)).max() for r in RIDGES) < 1e-6


def test_groups_stay_on_one_side_of_a_fold():
    """A score that only tells writers apart is trusted without groups and not with them."""
    rng = np.random.default_rng(8)
    writers = [f"w{i}" for i in range(10) for _ in range(40)]
    features = tuple(f"is_{i}" for i in range(10))
    scores = [{f: float(f == f"is_{w[1:]}") for f in features} for w in writers]
    good = {f"w{i}": rng.random() < 0.5 for i in range(10)}
    correct = [bool(rng.random() < (0.9 if good[w] else 0.1)) for w in writers]
    by_reading = fit_calibrator(scores, correct, features)
    by_writer = fit_calibrator(scores, correct, features, groups=writers)
    assert max(map(abs, by_reading.weight)) > 3 * max(map(abs, by_writer.weight))


def test_a_score_that_never_varied_has_no_say():
    scores, correct, _ = _drawn(300, 9)
    with_constant = [s | {"c": 0.1} for s in scores]
    calibrator = fit_calibrator(with_constant, correct, ("a", "b", "c"))
    assert calibrator.weight[2] == 0.0
    assert calibrator.probability(scores[0] | {"c": 7.0}) == pytest.approx(
        calibrator.probability(scores[0] | {"c": 0.1})
    )


def test_separable_readings_give_a_finite_calibrator():
    scores = [{"a": float(x)} for x in range(-20, 20)]
    calibrator = fit_calibrator(scores, [s["a"] >= 0 for s in scores], ("a",))
    assert np.isfinite(calibrator.weight).all()
    assert calibrator.probability({"a": -20.0}) < 0.1 < 0.9 < calibrator.probability({"a": 20.0})


def test_it_survives_json():
    scores, correct, _ = _saturating(4000, 4)
    calibrator = fit_calibrator(scores, correct, ("a",))
    restored = calibrator_from_json(json.loads(json.dumps(asdict(calibrator))))
    assert restored == calibrator
    assert restored.knots != ()


def test_weights_and_inputs_must_match():
    """A loader that forgets the knots must not get a calibrator that is quietly wrong."""
    with pytest.raises(ValueError, match="as many weights"):
        Calibrator(("a",), (0.0, 0.0), (1.0, 1.0), (1.0, -1.0), 0.0)


def test_a_calibrator_by_hand():
    # z = 0.5 + 2 * (3 - 1) / 4 - 1 * (max(0, 3 - 2) - 0) / 1 = 0.5
    calibrator = Calibrator(("a",), (1.0, 0.0), (4.0, 1.0), (2.0, -1.0), 0.5, (("a", 2.0),))
    assert calibrator.probability({"a": 3.0}) == pytest.approx(0.6224593)


def test_without_features_it_says_one_number():
    assert Calibrator((), (), (), (), -30.0).probability({"a": 1.0}) == pytest.approx(0, abs=1e-12)


def test_a_missing_score_is_named():
    with pytest.raises(KeyError, match="'second'"):
        Calibrator(("second",), (0.0,), (1.0,), (1.0,), 0.0).probability({"ctc": 1.0})
    with pytest.raises(KeyError, match="'b'"):
        fit_calibrator([{"a": 1.0}, {"a": 2.0}], [True, False], ("a", "b"))


def test_one_outcome_only_cannot_be_calibrated():
    with pytest.raises(ValueError, match="right and wrong"):
        fit_calibrator([{"a": 1.0}, {"a": 2.0}], [True, True], ("a",))


def test_one_writer_only_cannot_be_cross_validated():
    with pytest.raises(ValueError, match="two groups"):
        fit_calibrator([{"a": 1.0}, {"a": 2.0}], [True, False], ("a",), groups=["w", "w"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e30])
def test_an_impossible_score_is_named(value):
    with pytest.raises(ValueError, match="'a'"):
        fit_calibrator([{"a": 1.0}, {"a": value}], [True, False], ("a",))


def test_writers_of_one_outcome_each_can_be_cross_validated():
    scores = [{"a": float(x)} for x in range(-10, 10)]
    right = [s["a"] >= 0 for s in scores]
    calibrator = fit_calibrator(scores, right, ("a",), groups=[str(ok) for ok in right])
    assert np.isfinite([*calibrator.weight, calibrator.bias]).all()


def test_no_more_is_claimed_than_the_readings_it_was_fitted_on_can_show():
    scores, correct, _ = _drawn(98, 7)
    calibrator = fit_calibrator(scores, correct, ("a", "b"))
    assert calibrator.probability({"a": 1e5, "b": 0.0}) == pytest.approx(99 / 100)
