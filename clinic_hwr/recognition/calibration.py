"""From raw scores to the probability that a reading is right.

A logistic regression over a few scores (Platt 1999, with several inputs), fitted on labelled
real handwriting that the reader was not trained on. Its numbers ship beside the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FEATURES = ("ctc", "attention", "ctc_per_char", "attention_per_char", "margin", "agree", "weakest")


@dataclass(frozen=True)
class Calibrator:
    """p = 1 / (1 + exp(-(bias + sum of weight * (score - mean) / scale)))."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float

    def probability(self, scores: Mapping[str, float]) -> float:
        """Probability (0..1) that the reading with these scores is right."""
        z = self.bias
        for name, mean, scale, weight in zip(
            self.features, self.mean, self.scale, self.weight, strict=True
        ):
            z += weight * (scores[name] - mean) / scale
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def fit_calibrator(
    scores: Sequence[Mapping[str, float]],
    correct: Sequence[bool],
    features: tuple[str, ...] = FEATURES,
    ridge: float = 1.0,
) -> Calibrator:
    """Fit by Newton's method with a ridge penalty.

    Args:
        scores: raw scores of readings.
        correct: whether each reading was right.
        features: which scores to use.
        ridge: penalty on squared weights; keeps collinear scores from exploding.

    Raises:
        ValueError: all readings are right, or all wrong: there is nothing to learn.
    """
    y = np.array(correct, float)
    if y.min() == y.max():
        raise ValueError("A calibrator needs right and wrong readings.")
    x = np.array([[s[name] for name in features] for s in scores], float)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    design = np.concatenate([np.ones((len(x), 1)), (x - mean) / scale], axis=1)
    penalty = np.diag([0.0] + [ridge] * len(features))
    w = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ w, -30, 30)))
        gradient = design.T @ (p - y) + penalty @ w
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(w)), gradient)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    return Calibrator(
        features,
        tuple(map(float, mean)),
        tuple(map(float, scale)),
        tuple(map(float, w[1:])),
        float(w[0]),
    )
