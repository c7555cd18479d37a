"""Error rates and intervals for recognizers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


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
    """ECE over equal-mass bins (Guo et al. 2017, with equal-mass instead of equal-width)."""
    pairs = sorted(zip(probabilities, correct, strict=True))
    n = len(pairs)
    total = 0.0
    for b in range(bins):
        part = pairs[b * n // bins : (b + 1) * n // bins]
        if part:
            gap = abs(sum(p for p, _ in part) - sum(c for _, c in part))
            total += gap
    return total / max(1, n)


def brier_score(probabilities: Sequence[float], correct: Sequence[bool]) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    pairs = list(zip(probabilities, correct, strict=True))
    return sum((p - c) ** 2 for p, c in pairs) / max(1, len(pairs))


def coverage_at_error(
    probabilities: Sequence[float], correct: Sequence[bool], error: float
) -> float:
    """Largest share that can be accepted, most probable first, at ``error`` or less wrong."""
    ranked = sorted(zip(probabilities, correct, strict=True), key=lambda pair: -pair[0])
    best = wrong = 0
    for i, (_, ok) in enumerate(ranked, start=1):
        wrong += not ok
        if wrong / i <= error:
            best = i
    return best / max(1, len(ranked))
