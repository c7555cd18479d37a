"""One page of a search: sorted, cut where the page before ended, with what it includes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    CharField,
    DateTimeField,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from ..access import Reader
from ..indexing import EARLIEST
from ..models import Resource, ResourceVersion, SearchDate, SearchToken
from ..served import SERVED
from .conditions import condition
from .includes import included
from .query import BadSearch, Query
from .weight import bodies_load, that_fit, weighed

# Counting all of a large store takes longer than finding a page; more than this is not counted
# unless asked for (_total=accurate).
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results.

    Attributes:
        rows: the newest versions that match, in order.
        included: what the includes add, without repeats.
        total: of all pages, None when that was not counted.
        cursor: where the next page begins, "" on the last.
    """

    rows: tuple[ResourceVersion, ...]
    included: tuple[ResourceVersion, ...]
    total: int | None
    cursor: str


def matching(reader: Reader, query: Query, base_url: str) -> QuerySet[Resource]:
    """Return all resources that match the filters of ``query``.

    Raises:
        BadSearch: a value is not understood.
    """
    rows = reader.current(query.resource_type)
    for wanted in query.filters:
        rows = rows.filter(condition(reader, query.resource_type, wanted, base_url))
    return rows


def page_of(reader: Reader, query: Query, rows: QuerySet[Resource]) -> Page:
    """Return the page of ``rows`` that ``query`` asks for."""
    total = _total(rows, query)
    if query.part.summary == "count" or query.count == 0:
        return Page((), (), total, "")
    keys = [f"key_{position}" for position in range(len(query.sort))]
    rows = rows.annotate(
        **{
            key: _sort_value(query.resource_type, name)
            for key, (name, _) in zip(keys, query.sort, strict=True)
        }
    )
    order = [(key, down) for key, (_, down) in zip(keys, query.sort, strict=True)]
    order.append(("pk", False))
    if query.cursor:
        rows = rows.filter(_after(order, _read_cursor(query.cursor, len(order))))
    in_order = rows.order_by(*(f"-{key}" if down else key for key, down in order))
    found = list(weighed(in_order)[: query.count + 1])
    page = found[: min(query.count, that_fit(found))]
    versions = [_with_site(reader, row.current) for row in page]
    others = [_with_site(reader, row) for row in included(reader, page, query)]
    bodies_load([*versions, *others])
    more = len(found) > len(page)
    return Page(
        rows=tuple(versions),
        included=tuple(others),
        total=total,
        cursor=_cursor([getattr(page[-1], key) for key, _ in order]) if more else "",
    )


def _with_site(reader: Reader, row: ResourceVersion) -> ResourceVersion:
    row.site = reader.sites[row.site_id]
    return row


def _total(rows: QuerySet[Resource], query: Query) -> int | None:
    if query.total == "accurate" or query.part.summary == "count":
        return rows.count()
    if query.total == "none":
        return None
    return counted(rows)


def counted(rows: QuerySet[Any]) -> int | None:
    """Return how many ``rows`` there are, None when there are more than ``COUNTED``."""
    found = rows[: COUNTED + 1].count()
    return found if found <= COUNTED else None


def _sort_value(resource_type: str, name: str) -> Any:
    if name == "_id":
        return F("fhir_id")
    if name == "_lastUpdated":
        return F("last_updated")
    qualified = f"{resource_type}.{name}"
    own = {"resource": OuterRef("pk"), "parameter": qualified}
    if SERVED[resource_type].all_parameters()[name].kind == "date":
        dates = SearchDate.objects.filter(**own).values("parameter").annotate(key=Min("low"))
        return Coalesce(
            Subquery(dates.values("key")), Value(EARLIEST), output_field=DateTimeField()
        )
    tokens = SearchToken.objects.filter(**own).values("parameter").annotate(key=Min("value"))
    return Coalesce(Subquery(tokens.values("key")), Value(""), output_field=CharField())


def _after(order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> Q:
    """Return the condition of lying behind ``values`` in the order."""
    found = Q()
    for position, (key, down) in enumerate(order):
        same = Q(**{k: v for (k, _), v in zip(order[:position], values[:position], strict=True)})
        found |= same & Q(**{f"{key}__{'lt' if down else 'gt'}": values[position]})
    return found


def _cursor(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    packed = json.dumps(plain, separators=(",", ":")).encode("ascii")
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def _read_cursor(text: str, length: int) -> list[Any]:
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        values = json.loads(packed)
        if not isinstance(values, list) or len(values) != length:
            raise ValueError
        *keys, pk = values
        if not isinstance(pk, int) or isinstance(pk, bool) or not 0 <= pk < 2**63:
            raise ValueError
        return [*(_key(each) for each in keys), pk]
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise BadSearch("Pages are reached by their links; this is none.") from error


def _key(value: Any) -> Any:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment if moment.tzinfo is not None else value
