"""Who decides a field: the policy accepts it, or a human does.

Pure: no Django here. A threshold is in force only when ``certified_threshold`` found it on labelled
outcomes of the site (Learn-then-Test with fixed sequence testing and the exact binomial bound of
Clopper and Pearson). Where there are too few outcomes, a human decides everything.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CRITICAL_KINDS = frozenset({"drug", "strength", "sig"})
"""Kinds whose error harms directly."""


@dataclass(frozen=True, slots=True)
class KindPolicy:
    """When a field of one kind may be accepted without a human.

    Attributes:
        threshold: least ``p_correct`` (0..1); None: never, auto-accept is disabled.
        certified: the threshold was found on labelled outcomes with a stated guarantee.
    """

    threshold: float | None
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """The route of one field: ``accept`` or ``human``, with reasons in words."""

    route: str
    reasons: tuple[str, ...]


DEFAULT_POLICY: Mapping[str, KindPolicy] = {
    kind: KindPolicy(None)
    for kind in (
        "drug", "strength", "sig", "quantity", "refills", "date", "name", "digits", "text",
        "paragraph", "checkbox", "signature",
    )
}  # fmt: skip
"""Without certified thresholds everything goes to a human."""

SAMPLED_SHARE = 0.05
"""Share of the fields that a human decides whatever the threshold says: the only outcomes over a
threshold in force, and so the only ones that can certify it again."""


def is_sampled(field_id: str) -> bool:
    """Whether a field belongs to the sample; fixed by its id, so the same at every look."""
    digest = hashlib.sha256(f"sample:{field_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < SAMPLED_SHARE


class UnknownKindError(KeyError):
    """No policy for this kind; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def route(
    *,
    kind: str,
    p_correct: float,
    blocker_codes: Sequence[str],
    is_print: bool = False,
    sampled: bool = False,
    redrawn: bool = False,
    policy: Mapping[str, KindPolicy] = DEFAULT_POLICY,
) -> Routing:
    """Decide who decides one field.

    Args:
        kind: a ``FieldKind`` value.
        p_correct: calibrated probability (0..1) that the text is right; for print, the
            confidence of the OCR engine.
        blocker_codes: blockers on this field; any of them sends it to a human.
        is_print: the value was printed, not handwritten. Critical kinds get no relief from it.
        sampled: the field is one of the sample that a human decides in any case.
        redrawn: a person drew its box; thresholds are certified on boxes that were found.
        policy: thresholds by kind.

    Raises:
        UnknownKindError: ``kind`` has no policy.
    """
    if kind not in policy:
        raise UnknownKindError(f"unknown kind {kind!r}; valid kinds: {', '.join(sorted(policy))}")
    rule = policy[kind]
    reasons = [f"blocker: {code}" for code in blocker_codes]
    if redrawn:
        reasons.append("its box was drawn by a person, and what is read there is theirs to check")
    if kind in CRITICAL_KINDS:
        reasons.append(f"{kind} is always decided by a person in this version")
    elif rule.threshold is None or not rule.certified:
        reasons.append(
            f"auto-accept is disabled for {kind}: too few labelled outcomes at this site to "
            "prove a threshold"
        )
    # Written so that NaN fails the comparison and goes to a human.
    elif not p_correct >= rule.threshold:
        reasons.append(f"confidence is under the threshold of {rule.threshold:g} for {kind}")
    elif sampled and not reasons:
        reasons.append("one of the sample that a person decides, to measure the error rate")
    if reasons:
        return Routing("human", tuple(reasons))
    source = "printed" if is_print else "handwritten"
    return Routing("accept", (f"{source} {kind} at or over the certified threshold",))


def upper_error_bound(errors: int, n: int, confidence: float) -> float:
    """Return the exact one-sided upper confidence bound on an error rate (Clopper-Pearson).

    The largest rate p at which ``errors`` or fewer of ``n`` still has probability
    ``1 - confidence``.

    Raises:
        ValueError: counts or confidence are out of range.
    """
    if not 0 <= errors <= n or not 0 < confidence < 1:
        raise ValueError("need 0 <= errors <= n and 0 < confidence < 1")
    if errors == n:
        return 1.0
    target = math.log1p(-confidence)
    low, high = errors / n, 1.0
    # The log probability falls in p; 60 halvings reach the precision of a double.
    for _ in range(60):
        middle = (low + high) / 2
        if _log_cdf(errors, n, middle) > target:
            low = middle
        else:
            high = middle
    return high


def _log_cdf(errors: int, n: int, p: float) -> float:
    """Log of P(X <= errors) for X ~ Binomial(n, p), 0 < p < 1."""
    if p <= 0:
        return 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    terms = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * log_p
        + (n - k) * log_q
        for k in range(errors + 1)
    ]
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))


def samples_needed(errors: int, alpha: float, confidence: float = 0.95) -> int:
    """Return how many accepted outcomes prove an error rate of at most ``alpha``.

    Raises:
        ValueError: ``alpha`` or ``confidence`` is not between 0 and 1.
    """
    if not 0 < alpha < 1 or not 0 < confidence < 1:
        raise ValueError("need 0 < alpha < 1 and 0 < confidence < 1")
    low = high = errors + 1
    while upper_error_bound(errors, high, confidence) > alpha:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if upper_error_bound(errors, middle, confidence) > alpha:
            low = middle + 1
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True)
class Certificate:
    """A threshold with its guarantee: error among the accepted is at most ``alpha``.

    Attributes:
        threshold: least ``p_correct`` that is accepted.
        alpha: the error rate that is not exceeded.
        confidence: probability (0..1) that the statement holds.
        accepted: labelled outcomes at or over the threshold.
        errors: wrong ones among them.
        bound: exact upper bound on the error rate.
        coverage: share of all outcomes that is accepted.
    """

    threshold: float
    alpha: float
    confidence: float
    accepted: int
    errors: int
    bound: float
    coverage: float


GRID: tuple[float, ...] = tuple(round(1 - step / 200, 3) for step in range(1, 101))
"""Thresholds that are tested, strict to loose. Fixed before any outcome is seen: the guarantee of
fixed sequence testing needs that."""


def certified_threshold(
    outcomes: Sequence[tuple[float, bool]],
    alpha: float,
    confidence: float = 0.95,
    *,
    grid: Sequence[float] = GRID,
) -> Certificate | None:
    """Find the lowest threshold whose error rate is at most ``alpha``, with a guarantee.

    Thresholds are tested from strict to loose, each at the full level, until the first one fails
    (fixed sequence testing controls the error over all of them). A threshold that accepts too few
    outcomes to prove anything, error-free though they are, is no test and is passed over.

    Args:
        outcomes: (``p_correct``, was right) of labelled fields that were not used to train or to
            calibrate; exchangeable with the fields to come (same site, kind and model).
        alpha: accepted error rate, 0..1.
        confidence: probability of the statement, 0..1.
        grid: candidate thresholds, fixed before looking at the outcomes.

    Returns:
        The certificate, or None: auto-accept stays disabled.

    Raises:
        ValueError: ``alpha`` or ``confidence`` is not between 0 and 1.
    """
    least = samples_needed(0, alpha, confidence)
    best: Certificate | None = None
    for threshold in sorted(set(grid), reverse=True):
        accepted = [right for p, right in outcomes if p >= threshold]
        errors = sum(not right for right in accepted)
        if len(accepted) < least:
            continue
        bound = upper_error_bound(errors, len(accepted), confidence)
        if bound > alpha:
            break
        best = Certificate(
            threshold=threshold,
            alpha=alpha,
            confidence=confidence,
            accepted=len(accepted),
            errors=errors,
            bound=bound,
            coverage=len(accepted) / len(outcomes),
        )
    return best
