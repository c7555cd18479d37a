"""Search over the current versions: tokens, patients, and stable pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from .encoding import to_bytes
from .models import ResourceIdentifier, ResourceVersion
from .served import SERVED

DEFAULT_COUNT = 50
MAX_COUNT = 200
_PAGE = "_after"  # our own: the row after which a page begins
_CONTROL = frozenset({"_count", "_format", "_pretty", _PAGE})
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([,|$\\])")


class BadSearch(ValueError):
    """A search that cannot be answered as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results.

    Attributes:
        rows: in the order of their release.
        total: of all pages.
        used: the parameters that were applied, for the self link.
        after: where the next page begins, None on the last.
    """

    rows: tuple[ResourceVersion, ...]
    total: int
    used: tuple[tuple[str, str], ...]
    after: int | None


def search(
    rows: QuerySet[ResourceVersion],
    resource_type: str,
    parameters: Sequence[tuple[str, str]],
    *,
    lenient: bool,
) -> Page:
    """Return one page of the ``rows`` (current versions of one type) that match.

    Several values after one name, parted by commas, mean any of them; a name given twice means
    both. An unknown parameter is an error, as dropping a filter would show more than was asked
    for; ``lenient`` (Prefer: handling=lenient) drops it and leaves it out of ``used``.

    Raises:
        BadSearch: unknown parameter, or a value out of range.
    """
    known = dict(SERVED[resource_type].search)
    used: list[tuple[str, str]] = []
    count, after = DEFAULT_COUNT, 0
    for name, value in parameters:
        if name in known:
            rows = rows.filter(_condition(name, value))
        elif name == "_count":
            count = min(_whole_number(name, value), MAX_COUNT)
        elif name == _PAGE:
            after = _whole_number(name, value)
            continue
        elif name not in _CONTROL:
            if lenient:
                continue
            raise BadSearch(
                f"The parameter {name!r} is not served on {resource_type}. Served: "
                f"{', '.join([*known, '_count'])}."
            )
        used.append((name, value))
    total = rows.count()
    found = list(rows.filter(pk__gt=after).order_by("pk")[: count + 1]) if count else []
    page = found[:count]
    return Page(
        rows=tuple(page),
        total=total,
        used=tuple(used),
        after=page[-1].pk if len(found) > count else None,
    )


def searchset(page: Page, resource_type: str, base_url: str) -> bytes:
    """Return the searchset Bundle; the resources go in byte by byte as they are stored."""
    address = f"{base_url}/{resource_type}"
    links = [{"relation": "self", "url": _url(address, page.used)}]
    if page.after is not None:
        following = (*page.used, (_PAGE, str(page.after)))
        links.append({"relation": "next", "url": _url(address, following)})
    head = to_bytes(
        {"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links}
    )
    if not page.rows:
        return head
    entries = b",".join(
        b'{"fullUrl":"%s/%s","resource":%s,"search":{"mode":"match"}}'
        % (address.encode("ascii"), row.fhir_id.encode("ascii"), bytes(row.body))
        for row in page.rows
    )
    return head[:-1] + b',"entry":[' + entries + b"]}"


def _url(address: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address


def _condition(name: str, value: str) -> Q:
    options = [option for option in _UNESCAPED_COMMA.split(value) if option]
    if not options:
        raise BadSearch(f"The parameter {name!r} has no value.")
    if name == "_id":
        return Q(fhir_id__in=options)
    if name == "patient":
        return Q(patient_fhir_id__in=[_patient_id(option) for option in options])
    condition = Q()
    for option in options:
        condition |= _token(option)
    return Q(pk__in=ResourceIdentifier.objects.filter(condition).values("resource_id"))


def _patient_id(reference: str) -> str:
    """Return the id of ``Patient/id``, of an address that ends so, or of a bare id."""
    head, _, fhir_id = reference.rpartition("/")
    if head and head.rpartition("/")[2] != "Patient":
        raise BadSearch("The parameter 'patient' takes a Patient.")
    return fhir_id


def _token(text: str) -> Q:
    """Return the condition of ``value``, ``system|value``, ``|value`` or ``system|``."""
    system, *rest = (_ESCAPED.sub(r"\1", part) for part in _UNESCAPED_BAR.split(text, maxsplit=1))
    if not rest:
        return Q(value=system)
    if not rest[0]:
        return Q(system=system)
    return Q(system=system, value=rest[0])


def _whole_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadSearch(f"The parameter {name!r} takes a whole number.")
    return int(text)
