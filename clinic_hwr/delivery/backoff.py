"""How long to wait before the next try: doubling, bounded, and spread out."""

from __future__ import annotations

from datetime import timedelta

FIRST_S = 10.0
LONGEST_S = 3600.0
# A peer may ask for more than our longest wait, but not for so much that nobody notices.
LONGEST_ASKED_S = 24 * 3600.0
SPREAD = 0.2  # +-20 %, so that a peer that comes back is not met by every delivery at once


def retry_delay(attempts: int, *, retry_after: float | None, chance: float) -> timedelta:
    """Return the wait after the ``attempts``-th failed try.

    Args:
        attempts: tries so far, at least 1.
        retry_after: seconds the peer asked for, or None; never undercut.
        chance: a number in 0..1 that places the wait inside the spread.
    """
    doublings = min(attempts - 1, 16)  # 2**16 is far over the longest wait already
    seconds = min(LONGEST_S, FIRST_S * 2**doublings)
    seconds *= 1 - SPREAD + 2 * SPREAD * chance
    asked = min(retry_after or 0.0, LONGEST_ASKED_S)
    return timedelta(seconds=max(min(seconds, LONGEST_S), asked))
