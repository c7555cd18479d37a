"""Filters of a search as conditions on the rows of current resources."""

from __future__ import annotations

import re
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q
from django.utils import timezone

from ..access import Reader
from ..indexing import EARLIEST, LATEST, MAX_VALUE, fold, moment_span
from ..models import SearchDate, SearchReference, SearchString, SearchToken
from ..served import SERVED
from .query import BadSearch, Filter, chain_targets, parse

_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([,|$\\])")
_COMPARED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)")
_INDEXES: dict[str, type[Model]] = {
    "token": SearchToken,
    "reference": SearchReference,
    "date": SearchDate,
    "string": SearchString,
}


def condition(reader: Reader, resource_type: str, wanted: Filter, base_url: str) -> Q:
    """Return the condition on ``Resource`` rows that ``wanted`` means.

    Raises:
        BadSearch: the value is not understood.
    """
    if wanted.chain:
        return _chain(reader, resource_type, wanted, base_url)
    qualified = f"{resource_type}.{wanted.parameter.name}"
    if wanted.modifier == "missing":
        return _missing(wanted, qualified)
    options = [option for option in _UNESCAPED_COMMA.split(wanted.value) if option]
    if not options:
        raise BadSearch(f"The parameter {wanted.parameter.name!r} has no value.")
    if wanted.parameter.name == "_id":
        found = Q(fhir_id__in=[option[:MAX_VALUE] for option in options])
        return ~found if wanted.modifier == "not" else found
    if wanted.parameter.name == "_lastUpdated":
        return _any(compared(option, "last_updated", "last_updated") for option in options)
    if wanted.parameter.kind == "reference" and wanted.parameter.name == "patient":
        named = [_reference(option, wanted, base_url) for option in options]
        if all(kind == "Patient" for kind, _ in named):
            # the compartment is a column: no need to go through the index of references
            return Q(patient_fhir_id__in=[to for _, to in named])
    match wanted.parameter.kind:
        case "token":
            found = _in_index(SearchToken, qualified, _any(map(_token, options)))
            return ~found if wanted.modifier == "not" else found
        case "reference":
            named = [_reference(option, wanted, base_url) for option in options]
            return _in_index(SearchReference, qualified, _targets(named))
        case "date":
            spans = _any(compared(option, "low", "high") for option in options)
            return _in_index(SearchDate, qualified, spans)
        case _:
            words = _any(_string(option, wanted.modifier) for option in options)
            return _in_index(SearchString, qualified, words)


def _any(conditions: Any) -> Q:
    return reduce(or_, conditions)


def _in_index(index: type[Any], qualified: str, found: Q) -> Q:
    rows = index.objects.filter(found, parameter=qualified)
    return Q(pk__in=rows.values("resource_id"))


def _missing(wanted: Filter, qualified: str) -> Q:
    if wanted.value not in ("true", "false"):
        raise BadSearch(":missing is true or false.")
    if wanted.parameter.name in ("_id", "_lastUpdated"):
        return Q(pk__isnull=wanted.value == "true")
    there = _in_index(_INDEXES[wanted.parameter.kind], qualified, Q())
    return ~there if wanted.value == "true" else there


def _chain(reader: Reader, resource_type: str, wanted: Filter, base_url: str) -> Q:
    """Return the condition of ``patient.identifier=...``; targets are the reader's, too."""
    conditions = []
    for target in chain_targets(wanted.parameter, wanted.modifier):
        if wanted.chain.partition(":")[0] not in SERVED[target].all_parameters():
            continue
        (inner,) = parse(target, [(wanted.chain, wanted.value)], strict=True).filters
        rows = reader.current(target).filter(condition(reader, target, inner, base_url))
        conditions.append(Q(target_type=target, target_id__in=rows.values("fhir_id")))
    qualified = f"{resource_type}.{wanted.parameter.name}"
    return _in_index(SearchReference, qualified, _any(conditions))


def _token(text: str) -> Q:
    """Return the condition of ``value``, ``system|value``, ``|value`` or ``system|``."""
    system, *rest = (_ESCAPED.sub(r"\1", part) for part in _UNESCAPED_BAR.split(text, maxsplit=1))
    if not rest:
        return Q(value=system[:MAX_VALUE])
    value = rest[0][:MAX_VALUE]
    if not value:
        return Q(system=system[:MAX_VALUE])
    named = Q(system=system[:MAX_VALUE], value=value)
    if system.startswith("http://hl7.org/fhir/"):
        # codes such as status have no system in the resource; the value set they come from does
        named |= Q(system="", value=value)
    return named


def _reference(text: str, wanted: Filter, base_url: str) -> tuple[str, str]:
    """Return (type or "", id or address) of ``id``, ``Type/id`` or an address."""
    plain = _ESCAPED.sub(r"\1", text)
    local = plain.removeprefix(f"{base_url}/")
    if "://" in local or local.startswith("urn:"):
        return "", local[:MAX_VALUE]
    head, _, fhir_id = local.rpartition("/")
    kind = wanted.modifier or wanted.parameter.target
    if head and kind and head != kind:
        raise BadSearch(f"The parameter {wanted.parameter.name!r} takes a {kind}.")
    return head or kind, fhir_id[:MAX_VALUE]


def _targets(named: list[tuple[str, str]]) -> Q:
    return _any(
        Q(target_id=to, target_type=kind) if kind or "/" in to else Q(target_id=to)
        for kind, to in named
    )


def _string(text: str, modifier: str) -> Q:
    plain = _ESCAPED.sub(r"\1", text)
    if modifier == "exact":
        return Q(exact=plain[:MAX_VALUE])
    if modifier == "contains":
        return Q(folded__contains=fold(plain))
    return Q(folded__startswith=fold(plain))


def compared(text: str, low: str, high: str) -> Q:
    """Return the condition of a date with its prefix (R4 search, 3.1.1.4.6 and 3.1.1.4.7).

    ``low`` and ``high`` are the columns: first moment and first moment after; the same column
    twice for an instant.
    """
    found = _COMPARED.fullmatch(text.strip().replace(" ", "+"))
    span = moment_span(found[2]) if found else None
    if found is None or span is None:
        raise BadSearch("A date is YYYY[-MM[-DD[Thh:mm[:ss][zone]]]] after eq, ne, gt, lt, ge, le, "
                        "sa, eb or ap.")  # fmt: skip
    start, end = span
    # a column that is an instant ends where it starts, so "before the end" excludes the end itself
    within = "lt" if low == high else "lte"
    inside = Q(**{f"{low}__gte": start, f"{high}__{within}": end})
    after = Q(**{f"{high}__{'gte' if low == high else 'gt'}": end})
    before = Q(**{f"{low}__lt": start})
    match found[1] or "eq":
        case "eq":
            return inside
        case "ne":
            return ~inside
        case "gt":
            return after
        case "lt":
            return before
        case "ge":
            return after | inside
        case "le":
            return before | inside
        case "sa":
            return Q(**{f"{low}__gte": end})
        case "eb":
            return Q(**{f"{high}__{'lt' if low == high else 'lte'}": start})
        case _:
            return _around(start, end, low, high)


def _around(start: datetime, end: datetime, low: str, high: str) -> Q:
    """Return the condition of ``ap``: within a tenth of the distance from now."""
    slack = abs(timezone.now() - start) / 10
    earliest = start - slack if start - EARLIEST > slack else start
    latest = end + slack if LATEST - end > slack else end
    return Q(**{f"{low}__lt": latest, f"{high}__gt": earliest})
