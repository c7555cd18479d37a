"""Fitting what turns opinions into an answer and a probability, on half of the held-out data.

The weights of the opinions are those of a log-linear model (Och & Ney 2002), fitted by the
likelihood of the truth among the candidates; the calibrators are fitted on the answers that
follow from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.calibration import Calibrator, fit_calibrator
from clinic_hwr.recognition.fusion import Fusion, Opinions
from clinic_hwr.recognition.types import Reading

from .sources import Sample

SHARED_FEATURES = (
    "ctc_per_char", "joint", "joint_per_char", "margin", "agree", "length", "contrast", "height",
)  # fmt: skip
DECODER_FEATURES = ("attention", "attention_per_char", "weakest")
SECOND_FEATURES = ("second", "second_per_char")
LEXICON_FEATURES = ("lexicon_gap", "lexicon_size")


@dataclass(frozen=True)
class Ranked:
    """The candidates of one crop and which of them is right."""

    opinions: Sequence[Opinions]
    right: Sequence[bool]


def for_fitting(key: str) -> bool:
    """The fixed rule that halves writers and names: fit on these, measure on the others."""
    return hashlib.sha256(f"calibration:{key.lower()}".encode()).digest()[0] < 128


def fit_fusion(ranked: Sequence[Ranked], language: bool, steps: int = 400) -> Fusion:
    """Fit the weights of the judges by the likelihood of the right candidates.

    Crops whose truth is not among the candidates teach nothing here and are left out.

    Args:
        ranked: candidates of many crops, all with the same judges.
        language: whether the language model and the length take part.
        steps: of projected gradient ascent; weights stay at 0 or above, the bonus is free.

    Raises:
        ValueError: no crop has its truth among its candidates.
    """
    useful = [r for r in ranked if any(r.right) and len(r.opinions) > 1]
    if not useful:
        raise ValueError("No truth is among the candidates: there is nothing to fit.")
    features = [np.array([_features(o, language) for o in r.opinions]) for r in useful]
    wanted = [np.array(r.right, bool) for r in useful]
    width = features[0].shape[1]
    weights = np.full(width, 1.0 / width)
    weights[-1] = 0.0
    scale = np.concatenate(features).std(axis=0) + 1e-6
    squared = np.zeros(width)
    for _ in range(steps):  # Adagrad; the problem is convex
        gradient = _gradient(weights, features, wanted) - 1e-3 * weights
        squared += (gradient / scale) ** 2
        weights += 0.5 * gradient / scale / (np.sqrt(squared) + 1e-9) / scale
        weights[:-1] = np.maximum(weights[:-1], 0.0)
    networks = len(useful[0].opinions[0].ctc)
    bonus = float(weights[-1]) if language else 0.0
    return Fusion(
        tuple(float(w) for w in weights[:networks]),
        float(weights[networks]),
        float(weights[networks + 1]) if language else 0.0,
        bonus,
    )


def _features(opinions: Opinions, language: bool) -> list[float]:
    extra = [opinions.language, float(len(opinions.text))] if language else [0.0, 0.0]
    return [*opinions.ctc, sum(opinions.attention), *extra]


def _gradient(
    weights: NDArray[np.float64],
    features: Sequence[NDArray[np.float64]],
    wanted: Sequence[NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Gradient of the mean log likelihood of the right candidates."""
    total = np.zeros_like(weights)
    for x, right in zip(features, wanted, strict=True):
        score = x @ weights
        p = np.exp(score - score.max())
        p /= p.sum()
        among = p * right
        total += (among / max(among.sum(), 1e-12) - p) @ x
    return total / len(features)


def fit_reading_calibrator(
    readings: Sequence[Reading],
    right: Sequence[bool],
    with_lexicon: bool,
    groups: Sequence[str],
) -> Calibrator:
    """Fit the calibrator of one kind of field on readings that were checked.

    Args:
        readings: of one kind, from one reader.
        right: whether each was.
        with_lexicon: whether the readings came from lists of names.
        groups: who wrote each, or which drug it is; what must not be on both sides of a fold.
    """
    known = readings[0].scores
    wanted = (*SHARED_FEATURES, *DECODER_FEATURES, *SECOND_FEATURES)
    features = tuple(name for name in wanted if name in known)
    if with_lexicon:
        features += LEXICON_FEATURES
    return fit_calibrator([r.scores for r in readings], right, features, groups)


def is_correct(samples: Sequence[Sample], readings: Sequence[Reading]) -> list[bool]:
    """Whether each reading equals its truth, case folded."""
    return [s.text.lower() == r.text.lower() for s, r in zip(samples, readings, strict=True)]
