"""``_include`` and ``_revinclude``: what results refer to, and what refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from ..access import Reader
from ..models import Resource, ResourceVersion, SearchReference
from ..outcome import Issue, Refused
from ..served import SERVED
from .query import Include, Query
from .weight import that_fit, weighed

MAX_INCLUDED = 1000  # of one page; more would make one request a download of the store
_MAX_ROUNDS = 4  # of :iterate


def included(reader: Reader, page: Sequence[Resource], query: Query) -> list[ResourceVersion]:
    """Return what the includes of ``query`` add to ``page``, each resource once.

    Included resources come through the same door as the results, so an include reaches nothing
    that a read of the same account would not. Their bodies are not read yet.

    Raises:
        Refused: 400, it would be too much for one page.
    """
    seen = {row.pk for row in page}
    found: list[Resource] = []
    fresh: Sequence[Resource] = page
    for number in range(_MAX_ROUNDS if _iterates(query) else 1):
        conditions = [
            rule
            for each in query.includes
            if number == 0 or each.iterate
            for rule in _forward(fresh, each)
        ] + [
            rule
            for each in query.revincludes
            if number == 0 or each.iterate
            for rule in _backward(fresh, each)
        ]
        fresh = []
        for rule in conditions:
            rows = weighed(reader.current().filter(rule).exclude(pk__in=seen))
            new = list(rows.order_by("pk")[: MAX_INCLUDED + 1 - len(found)])
            seen |= {row.pk for row in new}
            fresh = [*fresh, *new]
            found += new
            _refuse_too_much(found)
        if not fresh:
            break
    return [row.current for row in found]


def _refuse_too_much(found: Sequence[Resource]) -> None:
    if len(found) > MAX_INCLUDED or that_fit(found) < len(found):
        words = "This page would include too much: ask for fewer results (_count) or less beside."
        raise Refused(400, Issue("too-costly", words))


def _iterates(query: Query) -> bool:
    return any(each.iterate for each in (*query.includes, *query.revincludes))


def _names(include: Include, sources: Iterable[str]) -> list[str]:
    """Return the qualified parameters that ``include`` follows."""
    return [
        f"{source}.{parameter.name}"
        for source in sources
        if include.source in ("*", source)
        for parameter in SERVED[source].all_parameters().values()
        if parameter.kind == "reference" and include.parameter in ("*", parameter.name)
    ]


def _forward(rows: Sequence[Resource], include: Include) -> list[Q]:
    names = _names(include, {row.resource_type for row in rows})
    if not names:
        return []
    links = SearchReference.objects.filter(
        resource__in=[row.pk for row in rows], parameter__in=names
    ).exclude(target_type="")
    by_type: dict[str, set[str]] = {}
    for kind, to in links.values_list("target_type", "target_id"):
        if include.target in ("", kind):
            by_type.setdefault(kind, set()).add(to)
    return [Q(resource_type=kind, fhir_id__in=ids) for kind, ids in sorted(by_type.items())]


def _backward(rows: Sequence[Resource], include: Include) -> list[Q]:
    sources = [name for name, served in SERVED.items() if served.searched]
    names = _names(include, sources)
    by_type: dict[str, list[str]] = {}
    for row in rows:
        if include.target in ("", row.resource_type):
            by_type.setdefault(row.resource_type, []).append(row.fhir_id)
    return [
        Q(
            pk__in=SearchReference.objects.filter(
                parameter__in=names, target_type=kind, target_id__in=ids
            ).values("resource_id")
        )
        for kind, ids in sorted(by_type.items())
    ]
