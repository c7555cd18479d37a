"""What a client prefers: the ``Prefer`` header (RFC 7240) as FHIR uses it."""

from __future__ import annotations

from dataclasses import dataclass

RETURNS = ("representation", "minimal", "OperationOutcome")


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences this server heeds.

    Attributes:
        strict: refuse unknown search parameters instead of leaving them out.
        returned: what a write answers with, one of ``RETURNS``.
    """

    strict: bool = False
    returned: str = "representation"


def preferences_of(header: str) -> Preferences:
    """Return the preferences of a ``Prefer`` header; the first of each name counts."""
    named: dict[str, str] = {}
    for text in header.replace(";", ",").split(","):
        name, _, value = text.partition("=")
        named.setdefault(name.strip().lower(), value.strip().strip('"'))
    returned = named.get("return", "")
    return Preferences(
        strict=named.get("handling", "").lower() == "strict",
        returned=returned if returned in RETURNS else "representation",
    )
