"""The calibrator recovers known probabilities."""

import numpy as np
import pytest

from clinic_hwr.recognition.calibration import fit_calibrator
from clinic_hwr.recognition.metrics import expected_calibration_error


def _drawn(n: int, seed: int):
    """Outcomes drawn with a known logistic law."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 2, (n, 2))
    p = 1 / (1 + np.exp(-(0.5 + 1.5 * x[:, 0] - 0.7 * x[:, 1])))
    scores = [{"a": float(a), "b": float(b)} for a, b in x]
    return scores, (rng.random(n) < p).tolist(), p


def test_fitted_probabilities_match_the_law_on_new_data():
    scores, correct, _ = _drawn(4000, 1)
    calibrator = fit_calibrator(scores, correct, ("a", "b"))
    new_scores, new_correct, p = _drawn(4000, 2)
    ours = [calibrator.probability(s) for s in new_scores]
    assert np.abs(np.array(ours) - p).mean() < 0.02
    assert expected_calibration_error(ours, new_correct) < 0.03


def test_one_outcome_only_cannot_be_calibrated():
    with pytest.raises(ValueError, match="right and wrong"):
        fit_calibrator([{"a": 1.0}, {"a": 2.0}], [True, True], ("a",))
