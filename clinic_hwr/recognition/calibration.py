"""From raw scores to the probability that a reading is right.

A logistic regression over a few scores (Platt 1999, with several inputs), fitted on labelled
real handwriting that the reader was not trained on. Its numbers ship beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEATURES = ("ctc", "attention", "ctc_per_char", "attention_per_char", "margin", "agree", "weakest")
RIDGES = (0.1, 1.0, 10.0, 100.0, 1000.0)
FOLDS = 5
KNOT_QUANTILES = (0.25, 0.5, 0.75)
# No log probability of a string that was read comes near; a decoder's "impossible" is -1e30.
MAX_SCORE = 1e6


@dataclass(frozen=True)
class Calibrator:
    """p = 1 / (1 + exp(-(bias + sum of weight * (input - mean) / scale))).

    Inputs are the scores named in ``features`` and then, for each (feature, knot) in ``knots``,
    max(0, score - knot): together a piecewise linear function of that score.

    Never above ``most``: after n readings nobody knows more than Laplace's rule of succession
    allows when all of them were right, (n + 1) / (n + 2).
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float
    knots: tuple[tuple[str, float], ...] = ()
    most: float = 1.0

    def __post_init__(self) -> None:
        inputs = len(self.features) + len(self.knots)
        if not len(self.mean) == len(self.scale) == len(self.weight) == inputs:
            raise ValueError(f"A calibrator with {inputs} inputs needs as many weights.")

    def probability(self, scores: Mapping[str, float]) -> float:
        """Probability (0..1) that the reading with these scores is right.

        Raises:
            KeyError: a feature is missing; the message names it.
        """
        return float(self.probabilities(score_table([scores], self.features))[0])

    def probabilities(self, table: Floats) -> Floats:
        """Probabilities (n,) of readings whose scores are in ``table``, (n, features)."""
        if not self.features:
            return np.full(len(table), min(self.most, float(_sigmoid(np.array(self.bias)))))
        inputs = np.column_stack(
            [table]
            + [np.maximum(0, table[:, self.features.index(name)] - at) for name, at in self.knots]
        )
        scaled = (inputs - np.array(self.mean)) / np.array(self.scale)
        return np.minimum(self.most, _sigmoid(self.bias + scaled @ np.array(self.weight)))


def calibrator_from_json(data: Mapping[str, object]) -> Calibrator:
    """Restore a calibrator from ``dataclasses.asdict`` that went through JSON."""
    values = {
        name: tuple(tuple(v) if isinstance(v, list) else v for v in value)
        if isinstance(value, list)
        else value
        for name, value in data.items()
    }
    return Calibrator(**values)  # type: ignore[arg-type]


def score_table(scores: Sequence[Mapping[str, float]], features: Sequence[str]) -> Floats:
    """Return the named scores of readings, (n, features).

    Raises:
        KeyError: a feature is missing; the message names it.
    """
    for row in scores:
        for name in features:
            if name not in row:
                raise KeyError(f"No score {name!r}; there are: {', '.join(sorted(row))}.")
    table = np.array([[row[name] for name in features] for row in scores], float)
    return table.reshape(len(scores), len(features))


def fit_calibrator(
    scores: Sequence[Mapping[str, float]],
    correct: Sequence[bool],
    features: tuple[str, ...] = FEATURES,
    groups: Sequence[str] | None = None,
) -> Calibrator:
    """Fit with the ridge penalty and the inputs that cross-validation chooses.

    Five folds; the smallest mean log loss on the fold left out decides on the penalty. The most
    correlated score becomes piecewise linear only when that lowers the loss by more than one
    standard error of the difference.

    Args:
        scores: raw scores of readings.
        correct: whether each reading was right.
        features: which scores to use.
        groups: writer (or drug name) of each reading: a group is never on both sides of a
            fold, so that the penalty fits writers not seen. Readings of one crop, e.g. with
            several lists of names, belong together too. None: each reading by itself.

    Raises:
        KeyError: a reading lacks a feature; the message names it.
        ValueError: all readings are right, or all wrong, or there is one group only, or a score
            is no usable number.
    """
    y = np.array(correct, float)
    if len(y) == 0 or y.min() == y.max():
        raise ValueError("A calibrator needs right and wrong readings.")
    table = score_table(scores, features)
    for name, column in zip(features, table.T, strict=True):
        if not np.all(np.abs(column) < MAX_SCORE):
            raise ValueError(f"The score {name!r} holds a value that is no usable number.")
    group = _group_numbers(list(map(str, range(len(y)))) if groups is None else groups)
    folds = np.random.default_rng(0).permutation(group.max() + 1)[group] % FOLDS
    plain = {r: _left_out_losses(table, y, folds, features, r, False) for r in RIDGES}
    bent = {r: _left_out_losses(table, y, folds, features, r, True) for r in RIDGES}
    ridge = min(RIDGES, key=lambda r: float(plain[r].mean()))
    bent_ridge = min(RIDGES, key=lambda r: float(bent[r].mean()))
    # Readings of one group go wrong together: the groups are the independent ones.
    gain = np.bincount(group, plain[ridge] - bent[bent_ridge])
    if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)):
        return _fit(table, y, features, bent_ridge, piecewise=True)
    return _fit(table, y, features, ridge, piecewise=False)


def _group_numbers(groups: Sequence[str]) -> NDArray[np.int64]:
    """Number of each reading's group, (n,), counted from 0."""
    names, numbers = np.unique(np.array(groups), return_inverse=True)
    if len(names) < 2:
        raise ValueError("A calibrator needs readings of at least two groups.")
    return numbers


def _left_out_losses(
    table: Floats,
    y: Floats,
    folds: NDArray[np.int64],
    features: tuple[str, ...],
    ridge: float,
    piecewise: bool,
) -> Floats:
    """Log loss of each reading, (n,), by the calibrator fitted on the other folds."""
    p = np.zeros(len(y))
    for fold in np.unique(folds):
        out = folds == fold
        fitted = _fit(table[~out], y[~out], features, ridge, piecewise)
        p[out] = fitted.probabilities(table[out])
    return np.asarray(-np.log(np.where(y > 0, p, 1 - p)))


def _fit(
    table: Floats, y: Floats, features: tuple[str, ...], ridge: float, piecewise: bool
) -> Calibrator:
    """Minimise log loss + ridge / 2 * squared weights by Newton's method."""
    knots: tuple[tuple[str, float], ...] = ()
    inputs = table
    if piecewise:
        strongest = _most_correlated(table, y)
        column = table[:, strongest]
        at = np.unique(np.quantile(column, KNOT_QUANTILES))
        knots = tuple((features[strongest], float(knot)) for knot in at)
        inputs = np.column_stack([table, np.maximum(0, column[:, None] - at)])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    # A score that never varied says nothing; it must not explode when it varies later.
    varies = scale > 1e-9 * (1 + np.abs(mean))
    scale = np.where(varies, scale, 1.0)
    design = np.column_stack([np.ones(len(y)), np.where(varies, (inputs - mean) / scale, 0.0)])
    penalty = np.array([0.0] + [ridge] * inputs.shape[1])
    w = np.zeros(design.shape[1])
    loss = _penalised_loss(design, y, w, penalty)
    for _ in range(50):
        p = _sigmoid(design @ w)
        gradient = design.T @ (p - y) + penalty * w
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(w)), gradient)
        # A full step can overshoot where right and wrong are almost separable.
        while (new := _penalised_loss(design, y, w - step, penalty)) > loss + 1e-9:
            step = step / 2
        w, loss = w - step, new
        if np.abs(step).max() < 1e-8:
            break
    return Calibrator(
        features,
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        tuple(w[1:].tolist()),
        float(w[0]),
        knots,
        (len(y) + 1) / (len(y) + 2),
    )


def _most_correlated(table: Floats, y: Floats) -> int:
    """Index of the score with the strongest correlation with being right."""
    centred = table - table.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    shared = np.abs(centred.T @ (y - y.mean()))
    return int(np.argmax(np.where(spread > 0, shared / np.maximum(spread, 1e-300), 0.0)))


def _penalised_loss(design: Floats, y: Floats, w: Floats, penalty: Floats) -> float:
    z = design @ w
    return float(np.sum(np.logaddexp(0, z) - y * z) + 0.5 * np.sum(penalty * w * w))


def _sigmoid(z: Floats) -> Floats:
    """Logistic function; never exactly 0 or 1, so that its logarithm exists."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -30.0, 30.0))))
