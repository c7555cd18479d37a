"""The sign-in page, which stops answering an address that keeps guessing a password."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

FAILURES_ALLOWED = 10
WINDOW_S = 900


def _failures_key(request: HttpRequest) -> str:
    """Return the cache key of this name from this address (hashed: names stay out of caches).

    Both together, so that guessing someone's password from elsewhere does not lock them out.
    """
    name = request.POST.get("username", "").strip().lower()
    who = f"{name}\n{request.META.get('REMOTE_ADDR', '')}"
    return "clinic_hwr.sign_in." + hashlib.sha256(who.encode()).hexdigest()


class SignInView(LoginView):
    """Django's sign-in with a limit on failures per name and address."""

    redirect_authenticated_user = True

    @method_decorator(never_cache)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse with 429 before looking at the password when the limit is reached."""
        allowed = getattr(settings, "LOGIN_FAILURES_ALLOWED", FAILURES_ALLOWED)
        if cache.get(_failures_key(request), 0) >= allowed:
            form = self.get_form_class()(request)
            context = self.get_context_data(form=form, too_many_failures=True)
            return self.render_to_response(context, status=429)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Count the failure; the count is forgotten ``LOGIN_FAILURES_WINDOW_S`` after the first."""
        key = _failures_key(self.request)
        cache.add(key, 0, timeout=getattr(settings, "LOGIN_FAILURES_WINDOW_S", WINDOW_S))
        # the window may end between the two calls: then the next failure starts a new one
        with contextlib.suppress(ValueError):
            cache.incr(key)
        return super().form_invalid(form)

    def form_valid(self, form: Any) -> HttpResponse:
        """Forget earlier failures of this name from this address."""
        cache.delete(_failures_key(self.request))
        return super().form_valid(form)
