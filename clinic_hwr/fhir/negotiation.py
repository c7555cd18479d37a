"""Content negotiation by the FHIR rules (R4 http, 3.1.0.1.10): Accept, ``_format``, fhirVersion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

FHIR_JSON = "application/fhir+json"
# The second is common in clients; both mean the same bytes here.
FHIR_JSON_TYPES = (FHIR_JSON, "application/json")
_FORMATS = frozenset({"json", *FHIR_JSON_TYPES})


class AnyRenderer(BaseContentNegotiation):
    """Leaves the choice to the views: they answer with stored bytes, not through renderers."""

    def select_parser(self, request: Request, parsers: Sequence[Any]) -> Any:
        """Return the first parser; nothing is ever posted here."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Sequence[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the first renderer, which is never used."""
        return renderers[0], FHIR_JSON


def chosen_type(request: Request, offered: Sequence[str]) -> str:
    """Return the type of ``offered`` (best first) that the client likes best.

    Raises:
        NotAcceptable: the client takes none of them, or asks for another FHIR version.
    """
    wanted = request.query_params.get("_format", "").replace(" ", "+").partition(";")[0]
    if wanted:
        if wanted in _FORMATS and FHIR_JSON in offered:
            return FHIR_JSON
        if wanted in offered:
            return wanted
        raise NotAcceptable(f"_format must be one of: {', '.join(offered)}.")
    best, best_rank = None, (0.0, 0)
    for text in request.headers.get("Accept", "*/*").split(","):
        media, quality, version = _accept_entry(text)
        if version and version not in ("4.0", "4.0.1"):
            continue
        for offer in offered:
            names = FHIR_JSON_TYPES if offer == FHIR_JSON else (offer,)
            rank = (quality, _precision(media, names))
            if quality > 0 and rank[1] and rank > best_rank:
                best, best_rank = offer, rank
    if best is None:
        raise NotAcceptable(f"This address answers in: {', '.join(offered)} (FHIR 4.0).")
    return best


def _accept_entry(text: str) -> tuple[str, float, str]:
    """Return (media range, quality 0..1, fhirVersion or "") of one entry of Accept."""
    media, *parameters = (part.strip() for part in text.split(";"))
    named = dict(part.partition("=")[::2] for part in parameters)
    try:
        quality = float(named.get("q", "1"))
    except ValueError:
        quality = 0.0
    return media.lower(), quality, named.get("fhirVersion", "").strip('"')


def _precision(media: str, names: Sequence[str]) -> int:
    """Return how exactly ``media`` names one of ``names``: 3 itself, 2 its family, 1 anything."""
    if media in names:
        return 3
    if media.endswith("/*") and any(name.startswith(media[:-1]) for name in names):
        return 2
    return 1 if media in ("*/*", "*") else 0
