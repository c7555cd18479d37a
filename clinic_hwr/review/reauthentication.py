"""The password under a signature: checked anew each time, and not to be guessed at leisure."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache import cache

from .errors import ReviewError

logger = logging.getLogger(__name__)

# A person who types their own password needs no more; 5 in 5 minutes leave a guesser 60 an hour.
MAX_TRIES = 5
WINDOW_S = 300


class WrongPassword(ReviewError):
    """The password is not the signer's."""

    code = "wrong_password"


class TooManyTries(ReviewError):
    """Too many wrong passwords; the right one is not heard either until the window ends."""

    code = "too_many_tries"


def password_confirm(user: Any, password: str) -> None:
    """Return when ``password`` is the one of ``user``.

    A try is counted before it is checked, so that many at once cannot slip through; the right
    password clears the count. The count lives in the default cache: with several web processes
    and a cache of their own each (Django's default), every process counts for itself.

    Raises:
        WrongPassword: it is not, and trying again is possible.
        TooManyTries: ``MAX_TRIES`` wrong ones within ``WINDOW_S`` seconds.
    """
    key = f"review-signature-tries:{user.pk}"
    cache.add(key, 0, timeout=WINDOW_S)
    if _count(key) > MAX_TRIES:
        logger.warning("signature.too_many_tries user=%s", user.pk)
        raise TooManyTries(
            f"Too many wrong passwords. Wait {WINDOW_S // 60} minutes, then try again."
        )
    if not user.check_password(password):
        logger.warning("signature.wrong_password user=%s", user.pk)
        raise WrongPassword("The password is not right.")
    cache.delete(key)


def _count(key: str) -> int:
    """Add one to the count under ``key`` and return it; a window that just ended starts anew."""
    try:
        return int(cache.incr(key))
    except ValueError:  # it expired since it was looked at
        cache.set(key, 1, timeout=WINDOW_S)
        return 1
