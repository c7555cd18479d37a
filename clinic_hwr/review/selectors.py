"""Reading for lists: what the pages need to know of many scans at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field, Route

from .models import (
    CheckStage,
    Clarification,
    Decision,
    DecisionKind,
    FieldCheck,
    QuestionStatus,
)


def with_waiting_count(scans: QuerySet[Scan]) -> QuerySet[Scan]:
    """Annotate ``waiting``: how many fields of each scan a person must still decide."""
    newest = (
        Decision.objects.filter(field=OuterRef("pk"))
        .exclude(kind=DecisionKind.POSTPONED)
        .order_by("-number")
        .values("kind")[:1]
    )
    unsettled = FieldCheck.objects.filter(field=OuterRef("pk")).exclude(stage=CheckStage.SETTLED)
    asked = Clarification.objects.filter(field=OuterRef("pk"), status=QuestionStatus.OPEN)
    undecided = Q(newest_kind__isnull=True) | Q(newest_kind=DecisionKind.REOPENED)
    waiting = (
        Field.objects.filter(page__scan=OuterRef("pk"))
        .annotate(newest_kind=Subquery(newest))
        .filter(Q(route=Route.HUMAN) & undecided | Exists(unsettled) | Exists(asked))
        .order_by()
        .values("page__scan")
        .annotate(total=Count("pk"))
        .values("total")
    )
    return scans.annotate(
        waiting=Coalesce(Subquery(waiting, output_field=IntegerField()), 0),
    )


def blind_scans(scan_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return those scans of which a field is being entered twice or blind just now (one query).

    What their drafts say is told nowhere outside the workstation, which knows who may see what.
    """
    rows = FieldCheck.objects.filter(field__page__scan__in=list(scan_ids))
    rows = rows.exclude(stage=CheckStage.SETTLED)
    return frozenset(rows.values_list("field__page__scan_id", flat=True))


def asked_of_prescriber() -> Q:
    """Return the condition that a question to the prescriber is not answered yet."""
    asked = Clarification.objects.filter(
        field__page__scan=OuterRef("pk"), status=QuestionStatus.OPEN
    )
    return Q(Exists(asked))


def left_to_others(user: Any) -> Q:
    """Return the condition that what ``user`` could do on a scan waits for somebody else first.

    They entered a value that a second person must enter now, or the prescriber was asked. Two
    small tables are looked at, never the fields: the queue is claimed from with 100,000 scans open.
    """
    mine = FieldCheck.objects.filter(
        field__page__scan=OuterRef("pk"), stage=CheckStage.SECOND, first_by=user
    )
    return Q(Exists(mine)) | asked_of_prescriber()


def second_for(user: Any) -> Q:
    """Return the condition that a field waits for ``user`` as the second or third person."""
    checks = FieldCheck.objects.filter(field__page__scan=OuterRef("pk"))
    second = checks.filter(stage=CheckStage.SECOND).exclude(first_by=user)
    third = (
        checks.filter(
            stage=CheckStage.ADJUDICATION,
            field__page__scan__site__in=accessible_sites(user, "field.adjudicate"),
        )
        .exclude(first_by=user)
        .exclude(second_by=user)
    )
    return Q(Exists(second)) | Q(Exists(third))
