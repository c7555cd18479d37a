"""The Bundle that answers a search; whole resources go in byte by byte as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from ..encoding import from_bytes, to_bytes
from ..models import ResourceVersion
from ..outcome import Issue, operation_outcome
from ..primitives import compact
from ..summaries import Part
from .pages import Page
from .query import CURSOR, Query


def searchset(
    page: Page, query: Query, address: str, base_url: str, *, following: str = ""
) -> bytes:
    """Return the searchset Bundle of one page.

    Args:
        address: of the search without its parameters.
        following: the address of further pages without the cursor; by default made of the
            parameters that were used.
    """
    links = [{"relation": "self", "url": _url(address, query.used)}]
    if page.cursor:
        onward = following or _url(address, query.used)
        mark = "&" if "?" in onward else "?"
        links.append(
            {"relation": "next", "url": f"{onward}{mark}{urlencode({CURSOR: page.cursor})}"}
        )
    head = to_bytes(
        compact({"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links})
    )
    entries = [_entry(row, base_url, query.part, "match") for row in page.rows]
    entries += [_entry(row, base_url, query.part, "include") for row in page.included]
    if query.ignored:
        entries.append(_warning(query.ignored))
    return with_entries(head, entries)


def with_entries(head: bytes, entries: Sequence[bytes]) -> bytes:
    """Return the Bundle ``head`` with ``entries``, which are JSON already."""
    return head[:-1] + b',"entry":[' + b",".join(entries) + b"]}" if entries else head


def body_of(row: ResourceVersion, part: Part) -> bytes:
    """Return the wanted part of a stored resource; the stored bytes when that is all of it."""
    body = bytes(row.body)
    return body if part.is_whole() else to_bytes(part.of(from_bytes(body)))


def _entry(row: ResourceVersion, base_url: str, part: Part, mode: str) -> bytes:
    full_url = f"{base_url}/{row.resource_type}/{row.fhir_id}".encode("ascii")
    return b'{"fullUrl":"%s","resource":%s,"search":{"mode":"%s"}}' % (
        full_url,
        body_of(row, part),
        mode.encode("ascii"),
    )


def _warning(names: Sequence[str]) -> bytes:
    plain = sorted(
        {"".join(c for c in name if c.isascii() and c.isprintable())[:40] for name in names}
    )
    words = f"Not served here, so not applied: {', '.join(plain)}."
    outcome = operation_outcome([Issue("not-supported", words, severity="warning")])
    return b'{"resource":%s,"search":{"mode":"outcome"}}' % to_bytes(outcome)


def _url(address: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
