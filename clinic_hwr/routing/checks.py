"""System check of the formularies: what is wrong with a file is said before a scan meets it."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning

from .lexicons import unreadable_formularies


def check_formularies(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for every formulary that cannot be read."""
    return [
        Warning(
            problem,
            hint="Until it is mended, the names of this formulary are unknown drugs.",
            id="clinic_hwr.W020",
        )
        for problem in unreadable_formularies()
    ]
