"""How much one answer may weigh: documents hold whole scans, and a page may hold 200 of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length

from ..models import Resource, ResourceVersion

# A page ends early rather than weigh more; one resource alone is always served.
MAX_PAGE_BYTES = 32 * 1024 * 1024


def weighed(rows: QuerySet[Resource]) -> QuerySet[Resource]:
    """Return ``rows`` with their newest version, its ``weight`` in bytes, and not its body."""
    light = rows.select_related("current").defer("current__body")
    return light.annotate(weight=Length("current__body"))


def weighed_versions(rows: QuerySet[ResourceVersion]) -> QuerySet[ResourceVersion]:
    """Return ``rows`` with their ``weight`` in bytes and without their bodies."""
    return rows.defer("body").annotate(weight=Length("body"))


def that_fit(rows: Sequence[Any]) -> int:
    """Return how many of the first ``rows`` make one page; one at least."""
    sums = accumulate(row.weight for row in rows)
    return max(1, sum(each <= MAX_PAGE_BYTES for each in sums)) if rows else 0


def bodies_load(versions: Iterable[ResourceVersion]) -> None:
    """Read the bodies of ``versions`` in one query."""
    by_pk = {row.pk: row for row in versions}
    found = ResourceVersion.objects.filter(pk__in=by_pk).order_by()
    for pk, body in found.values_list("pk", "body"):
        by_pk[pk].body = body
