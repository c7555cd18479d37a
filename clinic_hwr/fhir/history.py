"""Histories: versions of one resource, of a type or of everything, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import QuerySet

from .encoding import to_bytes
from .indexing import moment_span
from .models import ResourceVersion
from .primitives import compact
from .searching.bundle import with_entries
from .searching.pages import counted
from .searching.query import CURSOR, DEFAULT_COUNT, MAX_COUNT, BadSearch, whole_number
from .searching.weight import bodies_load, that_fit, weighed_versions


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which part of a history is wanted: since when, how many, and before which row."""

    since: datetime | None
    count: int
    before: int | None
    used: tuple[tuple[str, str], ...]


def wishes_of(parameters: Sequence[tuple[str, str]]) -> Wishes:
    """Read ``_since``, ``_count`` and the cursor; everything else is left out.

    Raises:
        BadSearch: a value is not understood.
    """
    since, count, before, used = None, DEFAULT_COUNT, None, []
    for name, value in parameters:
        if name == "_since":
            span = moment_span(value.replace(" ", "+"))
            if span is None:
                raise BadSearch("_since is an instant.")
            since = span[0]
        elif name == "_count":
            count = min(whole_number(name, value), MAX_COUNT)
        elif name == CURSOR:
            before = whole_number(name, value)
            continue
        else:
            continue
        used.append((name, value))
    return Wishes(since, count, before, tuple(used))


def history_bundle(
    rows: QuerySet[ResourceVersion], wishes: Wishes, address: str, base_url: str
) -> tuple[bytes, list[ResourceVersion]]:
    """Return the history Bundle of ``rows``, and the versions in it."""
    if wishes.since is not None:
        rows = rows.filter(last_updated__gte=wishes.since)
    total = counted(rows)
    if wishes.before is not None:
        rows = rows.filter(pk__lt=wishes.before)
    # rows are only ever added, so their numbers are in the order of time
    newest = weighed_versions(rows.order_by("-pk"))
    found = list(newest[: wishes.count + 1]) if wishes.count else []
    page = found[: min(wishes.count, that_fit(found))]
    bodies_load(page)
    links = [{"relation": "self", "url": _url(address, wishes.used)}]
    if len(found) > len(page):
        onward = (*wishes.used, (CURSOR, str(page[-1].pk)))
        links.append({"relation": "next", "url": _url(address, onward)})
    head = to_bytes(
        compact({"resourceType": "Bundle", "type": "history", "total": total, "link": links})
    )
    return with_entries(head, [_entry(row, base_url) for row in page]), page


def _entry(row: ResourceVersion, base_url: str) -> bytes:
    created = row.version == 1
    name = f"{row.resource_type}/{row.fhir_id}"
    rest = to_bytes(
        {
            "request": {
                "method": "POST" if created else "PUT",
                "url": row.resource_type if created else name,
            },
            "response": {
                "status": "201" if created else "200",
                "etag": f'W/"{row.version}"',
                "lastModified": row.last_updated.isoformat(timespec="milliseconds"),
            },
        }
    )
    return b'{"fullUrl":"%s/%s","resource":%s,%s' % (
        base_url.encode("ascii"),
        name.encode("ascii"),
        bytes(row.body),
        rest[1:],
    )


def _url(address: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
