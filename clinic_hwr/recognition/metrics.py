"""Error rates, calibration figures and selective prediction for recognizers.

Selective prediction: fields are accepted from the most probable down. *Coverage* is the share
accepted, *risk* the share of wrong ones among them. Fields of equal p are accepted together or
not at all, as a threshold cannot tell them apart; no figure depends on the order of the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

Floats = NDArray[np.float64]

# Tested by ``certified_coverage``, strict to loose, and fixed before any outcome is seen: the
# guarantee needs that. Closer together near 1, where accepted fields lie.
THRESHOLDS: tuple[float, ...] = tuple(float(1 - q) for q in np.geomspace(0.0005, 0.5, 61))


def character_error_rate(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Edit distance over all pairs divided by the number of true characters (0 = perfect)."""
    edits = sum(Levenshtein.distance(t, r) for t, r in zip(truths, readings, strict=True))
    return edits / max(1, sum(len(t) for t in truths))


def word_error_rate(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Word edit distance over all pairs divided by the number of true words."""
    pairs = [(t.split(), r.split()) for t, r in zip(truths, readings, strict=True)]
    edits = sum(Levenshtein.distance(t, r) for t, r in pairs)
    return edits / max(1, sum(len(t) for t, _ in pairs))


def wilson_interval(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927); z = 1.96 gives 95%."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def expected_calibration_error(
    probabilities: Sequence[float], correct: Sequence[bool], bins: int = 15
) -> float:
    """ECE over equal-mass bins (Guo et al. 2017, with equal-mass instead of equal-width).

    Where a bin's border falls among equal probabilities, both sides get their mean outcome.
    """
    p, outcome, last = _ranked(probabilities, correct)
    right = _mean_over_ties(outcome, last)
    n = len(p)
    edges = [b * n // bins for b in range(bins + 1)]
    gaps = [abs(float(p[a:b].sum() - right[a:b].sum())) for a, b in pairwise(edges)]
    return sum(gaps) / max(1, n)


def brier_score(probabilities: Sequence[float], correct: Sequence[bool]) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    pairs = list(zip(probabilities, correct, strict=True))
    return sum((p - c) ** 2 for p, c in pairs) / max(1, len(pairs))


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """What is accepted at one threshold.

    Attributes:
        threshold: least p that is accepted.
        coverage: share of all fields accepted (0..1].
        risk: share of wrong ones among them (0..1).
    """

    threshold: float
    coverage: float
    risk: float


def risk_coverage(p: Sequence[float], right: Sequence[bool]) -> tuple[RiskCoverage, ...]:
    """The risk-coverage curve (El-Yaniv & Wiener 2010), one point a distinct p, strict to loose."""
    ranked, outcome, last = _ranked(p, right)
    wrong = np.cumsum(1 - outcome)
    n = len(ranked)
    return tuple(
        RiskCoverage(float(ranked[i]), (i + 1) / n, float(wrong[i]) / (i + 1))
        for i in last.tolist()
    )


def area_under_risk_coverage(p: Sequence[float], right: Sequence[bool]) -> float:
    """AURC: mean risk over the n coverages 1/n, 2/n ... 1 (Geifman et al. 2019); 0 = perfect.

    Within equal p the risk is the one expected when they come in random order. 0 for no fields.
    """
    _, outcome, last = _ranked(p, right)
    return _mean_risk(_mean_over_ties(outcome, last))


def excess_area_under_risk_coverage(p: Sequence[float], right: Sequence[bool]) -> float:
    """E-AURC: AURC minus that of the best ranking of the same outcomes (Geifman et al. 2019).

    The best AURC is computed exactly; the paper approximates it by r + (1 - r) log(1 - r).
    """
    best = np.sort(np.asarray(right, float))[::-1]
    return area_under_risk_coverage(p, right) - _mean_risk(best)


def coverage_at_error(
    probabilities: Sequence[float], correct: Sequence[bool], error: float
) -> float:
    """Largest share that one threshold can accept at ``error`` or less wrong.

    The threshold is chosen on the same outcomes, with hindsight: see ``certified_coverage`` for
    one that is not.
    """
    _, outcome, last = _ranked(probabilities, correct)
    ones = np.ones((1, len(outcome)))
    return float(_coverages(ones, outcome, last, error)[0])


def coverage_interval(
    p: Sequence[float], right: Sequence[bool], error: float, seed: int, resamples: int = 1000
) -> tuple[float, float]:
    """95% percentile bootstrap interval (Efron 1979) of ``coverage_at_error``.

    Fields are drawn one by one: where several come from one writer, the truth is less certain
    than this says.
    """
    _, outcome, last = _ranked(p, right)
    n = len(outcome)
    if n == 0:
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    draws = [
        _coverages(rng.multinomial(n, np.full(n, 1 / n), size=size), outcome, last, error)
        for size in _portions(resamples)
    ]
    low, high = np.percentile(np.concatenate(draws), (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class CertifiedCoverage:
    """A threshold found on some outcomes and what it does on others.

    Attributes:
        threshold: least p that is accepted.
        coverage: share of the other fields that it accepts.
        error: share of wrong ones among those; 0 when none is accepted.
        accepted: how many those are.
    """

    threshold: float
    coverage: float
    error: float
    accepted: int


def certified_coverage(
    p_fit: Sequence[float],
    right_fit: Sequence[bool],
    p_test: Sequence[float],
    right_test: Sequence[bool],
    error: float,
    confidence: float = 0.95,
) -> CertifiedCoverage | None:
    """Choose a threshold with a guarantee on fitting data, then measure it on test data.

    Learn-then-Test with fixed sequence testing (Angelopoulos et al. 2021): ``THRESHOLDS`` are
    tested from strict to loose, each at the full level, until the first one whose exact binomial
    upper bound (Clopper & Pearson 1934) is over ``error``. A threshold that accepts too few to
    prove anything, error-free though they are, is no test and is passed over. The guarantee
    asks for fitting fields that are exchangeable with the test fields and on which p itself was
    not fitted.

    Args:
        p_fit, right_fit: fields that choose the threshold.
        p_test, right_test: the fields it is measured on.
        error: accepted error rate, between 0 and 1.
        confidence: probability that the chosen threshold keeps to ``error``.

    Returns:
        None when no threshold can be certified.

    Raises:
        ValueError: ``error`` or ``confidence`` is not between 0 and 1.
    """
    if not 0 < error < 1 or not 0 < confidence < 1:
        raise ValueError("error and confidence must lie between 0 and 1.")
    p, wrong = np.asarray(p_fit, float), ~np.asarray(right_fit, bool)
    level = math.log1p(-confidence)
    found: float | None = None
    for threshold in THRESHOLDS:
        accepted = p >= threshold
        n = int(accepted.sum())
        if _log_binomial_cdf(0, n, error) > level:
            continue
        # The upper bound is at most ``error`` exactly when so few errors are this unlikely.
        if _log_binomial_cdf(int(wrong[accepted].sum()), n, error) > level:
            break
        found = threshold
    if found is None:
        return None
    passed = np.asarray(p_test, float) >= found
    n = int(passed.sum())
    missed = int((~np.asarray(right_test, bool))[passed].sum())
    return CertifiedCoverage(found, n / max(1, len(passed)), missed / max(1, n), n)


def _log_binomial_cdf(k: int, n: int, q: float) -> float:
    """Log of P(X <= k) for X ~ Binomial(n, q), 0 < q < 1."""
    if k >= n:
        return 0.0
    terms = [
        math.lgamma(n + 1)
        - math.lgamma(i + 1)
        - math.lgamma(n - i + 1)
        + i * math.log(q)
        + (n - i) * math.log1p(-q)
        for i in range(k + 1)
    ]
    return min(0.0, float(np.logaddexp.reduce(terms)))


def _ranked(p: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Sort from the most probable down.

    Returns:
        p (n,); outcome (n,), 1 = right; the last index of each distinct p.

    Raises:
        ValueError: lengths differ, or a p is not a number.
    """
    values, outcome = np.asarray(p, float), np.asarray(right, float)
    if values.shape != outcome.shape:
        raise ValueError(f"{len(values)} probabilities for {len(outcome)} outcomes.")
    if np.isnan(values).any():
        raise ValueError("A probability is not a number.")
    order = np.lexsort((outcome, -values))
    values, outcome = values[order], outcome[order]
    ends = np.r_[values[1:] != values[:-1], True] if len(values) else np.zeros(0, bool)
    return values, outcome, np.flatnonzero(ends)


def _mean_over_ties(outcome: Floats, last: NDArray[np.int64]) -> Floats:
    """Give each of several fields with equal p the mean outcome of them all, (n,)."""
    if len(outcome) == 0:
        return outcome
    first = np.r_[0, last[:-1] + 1]
    sizes = last - first + 1
    return np.repeat(np.add.reduceat(outcome, first) / sizes, sizes)


def _mean_risk(outcome: Floats) -> float:
    """Mean over k of the share of wrong ones among the first k."""
    if len(outcome) == 0:
        return 0.0
    return float(np.mean(np.cumsum(1 - outcome) / np.arange(1, len(outcome) + 1)))


def _coverages(
    counts: Floats | NDArray[np.int64], outcome: Floats, last: NDArray[np.int64], error: float
) -> Floats:
    """``coverage_at_error`` of samples in which ranked field i occurs counts[:, i] times."""
    accepted = np.cumsum(counts, axis=1)[:, last]  # (samples, distinct p)
    wrong = np.cumsum(counts * (1 - outcome), axis=1)[:, last]
    within = wrong / np.maximum(accepted, 1) <= error
    most = np.where(within, accepted, 0).max(axis=1, initial=0)
    return np.asarray(most / max(1, len(outcome)), float)


def _portions(total: int, size: int = 100) -> list[int]:
    """Cut a number of resamples into portions that keep the memory small."""
    return [min(size, total - start) for start in range(0, total, size)]
