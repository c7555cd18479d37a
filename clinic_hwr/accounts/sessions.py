"""Sessions end after idling and once a shift, and nothing of them stays in a browser's cache."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

# Renewing on every request would be one database write for each image of a page.
RENEW_EVERY_S = 60


class SessionLimitsMiddleware:
    """Signs people out; needs the session and authentication middleware before it.

    ``SESSION_COOKIE_AGE`` is the idle limit: the session store forgets a session that was not
    saved for that long. ``SESSION_MAX_AGE_S`` is the limit however busy the session is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Sign out or renew, answer, and forbid caching of what a signed-in person saw."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        now_s = int(time.time())
        began_s = request.session.setdefault("began_s", now_s)
        if now_s - began_s > getattr(settings, "SESSION_MAX_AGE_S", 12 * 3600):
            logout(request)
        elif now_s - request.session.get("seen_s", 0) >= RENEW_EVERY_S:
            request.session["seen_s"] = now_s
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response
