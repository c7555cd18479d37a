"""Small presentation tags of the review and audit pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from clinic_hwr.accounts.access import accessible_sites

register = template.Library()

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


@register.simple_tag
def theme_attribute(request: HttpRequest | None) -> SafeString:
    """Return `` data-theme="..."`` for the theme kept in the cookie, else nothing."""
    chosen = request.COOKIES.get("theme", "") if request is not None else ""
    # mark_safe: both results are constants of this file, nothing of the request gets in
    if chosen == "dark":
        return mark_safe(' data-theme="dark"')
    if chosen == "light":
        return mark_safe(' data-theme="light"')
    return mark_safe("")


@register.simple_tag
def may_view_audit(user: Any) -> bool:
    """Whether ``user`` may open the audit browser at any site."""
    return accessible_sites(user, "audit.view").exists()


@register.simple_tag
def may_configure_forms(user: Any) -> bool:
    """Whether ``user`` may teach forms at any site."""
    return accessible_sites(user, "site.configure").exists()


@register.filter
def age(moment: datetime | None) -> str:
    """Return how long ago ``moment`` was, in its largest unit: ``40 s``, ``12 min``, ``3 h``."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    if seconds < 2 * DAY_S:
        return f"{seconds // HOUR_S} h"
    return f"{seconds // DAY_S} d"
