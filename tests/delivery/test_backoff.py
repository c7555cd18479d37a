"""Waits between tries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_hwr.delivery.backoff import LONGEST_ASKED_S, LONGEST_S, retry_delay


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 10), (2, 20), (5, 160), (9, 2560), (10, 3600), (60, 3600)]
)
def test_waits_double_up_to_an_hour(attempts: int, seconds: float) -> None:
    wait = retry_delay(attempts, retry_after=None, chance=0.5)

    assert wait.total_seconds() == seconds


def test_chance_spreads_the_wait_by_a_fifth() -> None:
    waits = [retry_delay(2, retry_after=None, chance=chance).total_seconds() for chance in (0, 1)]

    assert waits == [16, 24]


def test_the_peer_may_ask_for_more_but_not_for_ever() -> None:
    assert retry_delay(1, retry_after=300.0, chance=0.5).total_seconds() == 300
    assert retry_delay(9, retry_after=1.0, chance=0.5).total_seconds() == 2560
    assert retry_delay(1, retry_after=1e9, chance=0.5).total_seconds() == LONGEST_ASKED_S


@given(
    attempts=st.integers(1, 10**6),
    retry_after=st.none() | st.floats(0, 1e12),
    chance=st.floats(0, 1),
)
def test_no_wait_is_ever_zero_or_endless(
    attempts: int, retry_after: float | None, chance: float
) -> None:
    seconds = retry_delay(attempts, retry_after=retry_after, chance=chance).total_seconds()

    assert 8.0 <= seconds <= max(LONGEST_S, LONGEST_ASKED_S)
