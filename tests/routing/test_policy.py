"""The routing policy and the guarantee behind a certified threshold."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.pages.types import FieldKind
from clinic_hwr.routing.policy import (
    CRITICAL_KINDS,
    DEFAULT_POLICY,
    KindPolicy,
    UnknownKindError,
    certified_threshold,
    is_sampled,
    route,
    samples_needed,
    upper_error_bound,
)


def test_every_kind_has_a_policy() -> None:
    assert set(DEFAULT_POLICY) == {kind.value for kind in FieldKind}


@pytest.mark.parametrize("kind", sorted(CRITICAL_KINDS))
@pytest.mark.parametrize("is_print", [False, True])
def test_drug_strength_and_sig_are_never_accepted(kind: str, is_print: bool) -> None:
    decision = route(kind=kind, p_correct=1.0, blocker_codes=(), is_print=is_print)

    assert decision.route == "human"
    assert decision.reasons == (f"{kind} is always decided by a person in this version",)


CERTIFIED = {"date": KindPolicy(0.98, certified=True)}


def test_no_kind_is_accepted_before_it_is_certified() -> None:
    for kind in DEFAULT_POLICY:
        assert route(kind=kind, p_correct=1.0, blocker_codes=()).route == "human"
    uncertified = {"date": KindPolicy(0.9)}
    assert route(kind="date", p_correct=1.0, blocker_codes=(), policy=uncertified).route == "human"


def test_a_certificate_opens_nothing_for_a_critical_kind() -> None:
    policy = {"drug": KindPolicy(0.9, certified=True)}

    assert route(kind="drug", p_correct=1.0, blocker_codes=(), policy=policy).route == "human"


@pytest.mark.parametrize(
    ("p_correct", "expected"),
    [(0.98, "accept"), (1.0, "accept"), (0.9799, "human"), (0.0, "human"), (math.nan, "human")],
)
def test_the_certified_threshold_decides(p_correct: float, expected: str) -> None:
    decision = route(kind="date", p_correct=p_correct, blocker_codes=(), policy=CERTIFIED)

    assert decision.route == expected


def test_a_blocker_always_sends_to_a_human() -> None:
    decision = route(kind="date", p_correct=1.0, blocker_codes=("date_future",), policy=CERTIFIED)

    assert decision.route == "human"
    assert decision.reasons == ("blocker: date_future",)


def test_a_sampled_field_goes_to_a_human_over_the_threshold() -> None:
    decision = route(kind="date", p_correct=1.0, blocker_codes=(), sampled=True, policy=CERTIFIED)

    assert decision.route == "human"
    assert decision.reasons == (
        "one of the sample that a person decides, to measure the error rate",
    )


def test_the_sample_is_a_twentieth_and_stays_the_same() -> None:
    sampled = {str(number) for number in range(20_000) if is_sampled(str(number))}

    assert 900 < len(sampled) < 1100
    assert sampled == {str(number) for number in range(20_000) if is_sampled(str(number))}


def test_a_disabled_kind_says_so() -> None:
    decision = route(
        kind="date", p_correct=1.0, blocker_codes=(), policy={"date": KindPolicy(None)}
    )

    assert decision.route == "human"
    assert "auto-accept is disabled" in decision.reasons[0]


def test_unknown_kind_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownKindError, match="valid kinds: checkbox, date, digits, drug"):
        route(kind="nonsense", p_correct=1.0, blocker_codes=())


@pytest.mark.parametrize(
    ("alpha", "needed"),
    [
        (0.02, [149, 236, 313, 386, 523]),
        (0.01, [299, 473, 628, 773, 1049]),
        (0.005, [598, 947, 1258, 1549, 2100]),
        (0.001, [2995, 4742, 6294, 7752, 10511]),
    ],
)
def test_sample_sizes_of_the_exact_binomial_bound(alpha: float, needed: list[int]) -> None:
    """Published sample sizes at 95% for 0, 1, 2, 3 and 5 errors."""
    assert [samples_needed(errors, alpha) for errors in (0, 1, 2, 3, 5)] == needed


def test_the_bound_solves_its_equation() -> None:
    for errors, n in ((0, 10), (1, 50), (7, 100), (40, 90)):
        p = upper_error_bound(errors, n, 0.95)
        at_most = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(errors + 1))
        assert at_most == pytest.approx(0.05, rel=1e-9)
    assert upper_error_bound(5, 5, 0.95) == 1.0
    assert upper_error_bound(0, 0, 0.95) == 1.0


@pytest.mark.parametrize(("errors", "n", "confidence"), [(-1, 5, 0.9), (6, 5, 0.9), (1, 5, 1.0)])
def test_impossible_counts(errors: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="errors"):
        upper_error_bound(errors, n, confidence)


def test_too_few_outcomes_certify_nothing() -> None:
    assert certified_threshold([(1.0, True)] * 298, alpha=0.01) is None
    assert certified_threshold([], alpha=0.01) is None


def test_just_enough_outcomes_certify() -> None:
    certificate = certified_threshold([(1.0, True)] * 299, alpha=0.01)

    assert certificate is not None
    assert (certificate.accepted, certificate.errors, certificate.coverage) == (299, 0, 1.0)
    assert certificate.bound <= 0.01
    assert certificate.threshold == 0.5  # loosest of the grid: all of it accepts the same


def test_the_search_stops_at_the_first_threshold_that_fails() -> None:
    # given 400 right ones at 0.95, then wrong ones at 0.9, then many right ones below
    outcomes = [(0.95, True)] * 400 + [(0.9, False)] * 20 + [(0.6, True)] * 100_000

    certificate = certified_threshold(outcomes, alpha=0.01)

    assert certificate is not None
    assert certificate.threshold == 0.905


def test_wrong_at_the_top_disables_auto_accept() -> None:
    outcomes = [(1.0, False)] * 30 + [(1.0, True)] * 500 + [(0.8, True)] * 50_000

    assert certified_threshold(outcomes, alpha=0.01) is None


def test_the_guarantee_holds_over_repeated_sites() -> None:
    """Of 300 simulated sites, at most about 5% may get a threshold that is truly too loose."""
    rng = random.Random(3)
    alpha = 0.05

    def true_error(threshold: float) -> float:
        # p is uniform on [0, 1] and P(wrong | p) = (1 - p) / 2: mean over p >= threshold
        return (1 - threshold) / 4

    broken = issued = 0
    for _ in range(300):
        outcomes = []
        for _ in range(800):
            p = rng.random()
            outcomes.append((p, rng.random() >= (1 - p) / 2))
        certificate = certified_threshold(outcomes, alpha)
        if certificate is not None:
            issued += 1
            broken += true_error(certificate.threshold) > alpha
    assert issued > 50  # the bound is strict: most sites with 800 outcomes get none
    assert broken <= 25  # 95% upper limit of a binomial with n = 300, p = 0.05


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300),
    st.floats(0.01, 0.5),
)
def test_a_certificate_is_always_backed_by_its_bound(
    outcomes: list[tuple[float, bool]], alpha: float
) -> None:
    certificate = certified_threshold(outcomes, alpha)

    if certificate is not None:
        accepted = [right for p, right in outcomes if p >= certificate.threshold]
        assert certificate.accepted == len(accepted)
        assert upper_error_bound(accepted.count(False), len(accepted), 0.95) <= alpha
