"""Reading for lists: what the pages need to know of many scans at once."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field, Route

from .models import Decision, DecisionKind


def with_waiting_count(scans: QuerySet[Scan]) -> QuerySet[Scan]:
    """Annotate ``waiting``: how many fields of each scan a person must still decide."""
    newest = Decision.objects.filter(field=OuterRef("pk")).order_by("-number").values("kind")[:1]
    waiting = (
        Field.objects.filter(page__scan=OuterRef("pk"), route=Route.HUMAN)
        .annotate(newest_kind=Subquery(newest))
        .filter(Q(newest_kind__isnull=True) | Q(newest_kind=DecisionKind.REOPENED))
        .order_by()
        .values("page__scan")
        .annotate(total=Count("pk"))
        .values("total")
    )
    return scans.annotate(
        waiting=Coalesce(Subquery(waiting, output_field=IntegerField()), 0),
    )
