"""The one place of this room where rows are locked: always the scan, before anything under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404

from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field, FieldReading

from .access import fields_for
from .models import Decision
from .states import FieldState, field_state


def scan_locked(scan_id: UUID) -> Scan:
    """Return the scan with its row locked until the transaction ends.

    Every decision, lease check and release of a scan passes here, so they happen one after the
    other. SQLite has no row locks; there the IMMEDIATE transaction does the same.
    """
    return Scan.objects.select_for_update(of=("self",)).select_related("site").get(pk=scan_id)


@dataclass(frozen=True, slots=True)
class LockedField:
    """One field whose scan is locked, with all that a decision on it depends on.

    Attributes:
        field: with its page, scan, site and lease.
        state: of the field alone; its questions are not loaded.
        decisions: all rows of the field, by number.
        repeated: the decision that already has the asked-for id, of this or another field.
        may_adjudicate: the person holds ``field.adjudicate`` at the site.
    """

    field: Field
    state: FieldState
    decisions: tuple[Decision, ...]
    repeated: Decision | None
    may_adjudicate: bool


def field_locked(user: Any, field_id: UUID | str, *, decision_id: UUID | None) -> LockedField:
    """Return one field that ``user`` may decide, its scan locked: two queries.

    Raises:
        Http404: no such field at any site whose scans ``user`` may view.
        PermissionDenied: visible to ``user``, but ``field.decide`` is missing there.
    """
    newest = FieldReading.objects.filter(
        field=OuterRef("pk"), box_version=OuterRef("box_version")
    ).order_by("-id")
    parts = JSONObject(id="id", text="text", p_correct="p_correct", model="model")
    field = (
        fields_for(user)
        .select_related("page__scan__lease", "double_entry")
        .select_for_update(of=("page__scan",))
        .annotate(newest_reading=Subquery(newest.values(parts=parts)[:1]))
        .filter(pk=field_id)
        .first()
    )
    if field is None:
        raise Http404("No field with this number.")
    if not field.may_decide:
        name = field.page.scan.site.name
        raise PermissionDenied(f"This needs the permission field.decide at {name}.")
    # A statement of its own, after the lock: what another save wrote meanwhile is seen.
    mine_or_repeated = (
        Q(field=field.pk) if decision_id is None else Q(field=field.pk) | Q(pk=decision_id)
    )
    rows = list(
        Decision.objects.filter(mine_or_repeated).select_related("reviewer").order_by("number")
    )
    decisions = tuple(row for row in rows if row.field_id == field.pk)
    parts_found = field.newest_reading
    reading = FieldReading(field=field, **parts_found) if parts_found else None
    return LockedField(
        field=field,
        state=field_state(field, reading, decisions),
        decisions=decisions,
        repeated=next((row for row in rows if row.pk == decision_id), None),
        may_adjudicate=field.may_adjudicate,
    )
