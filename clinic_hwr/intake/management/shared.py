"""What the commands of the intake room have in common: their site, and how they are stopped."""

from __future__ import annotations

import signal
import threading

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError

from clinic_hwr.accounts.models import Site


def site_named(slug: str) -> Site:
    """Return the site of that slug, or the only one; a fresh installation gets its first.

    Raises:
        CommandError: there is none of that name, or a choice to make.
    """
    try:
        sites = list(Site.objects.order_by("slug"))
    except (OperationalError, ProgrammingError) as error:
        raise CommandError("The database is not ready. Run 'manage.py migrate' first.") from error
    if slug:
        for site in sites:
            if site.slug == slug:
                return site
        known = ", ".join(site.slug for site in sites) or "none yet"
        raise CommandError(f"There is no site {slug!r}. Sites: {known}.")
    if not sites:
        return Site.objects.create(name="Clinic", slug="clinic")
    if len(sites) > 1:
        names = ", ".join(site.slug for site in sites)
        raise CommandError(f"There are several sites; choose one with --site: {names}.")
    return sites[0]


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` at the first SIGINT or SIGTERM, so that the stage at hand is finished."""

    def ask(number: int, frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
