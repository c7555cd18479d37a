"""The only ways from a person to a field, a page image or a prescription."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites, require
from clinic_hwr.intake.models import Scan
from clinic_hwr.routing.models import Field

from .models import Clarification, PrescriptionRecord


def fields_for(user: Any) -> QuerySet[Any]:
    """Return the fields that ``user`` may view, each with page, scan and site (one query).

    Annotated: ``may_decide`` and ``may_adjudicate`` at its site.
    """

    def may(permission: str) -> Exists:
        sites = accessible_sites(user, permission)
        return Exists(sites.filter(pk=OuterRef("page__scan__site_id")))

    return (
        Field.objects.select_related("page__scan__site")
        .filter(page__scan__site__in=accessible_sites(user, "scan.view"))
        .annotate(may_decide=may("field.decide"), may_adjudicate=may("field.adjudicate"))
    )


def field_get(user: Any, field_id: UUID | str, permission: str = "scan.view") -> Field:
    """Return one field with its page, scan and site.

    Raises:
        Http404: no such field at any site whose scans ``user`` may view.
        PermissionDenied: visible to ``user``, but ``permission`` is missing there.
    """
    field = (
        Field.objects.select_related("page__scan__site")
        .filter(pk=field_id, page__scan__site__in=accessible_sites(user, "scan.view"))
        .first()
    )
    if field is None:
        raise Http404("No field with this number.")
    if permission != "scan.view":
        require(user, field.page.scan.site, permission)
    return field


def clarifications_for(user: Any) -> QuerySet[Clarification]:
    """Return the questions to prescribers at every site whose fields ``user`` may decide."""
    return Clarification.objects.select_related("field__page__scan__site", "asked_by").filter(
        field__page__scan__site__in=accessible_sites(user, "field.decide")
    )


def clarification_get(user: Any, clarification_id: UUID | str) -> Clarification:
    """Return one question to a prescriber.

    Raises:
        Http404: no such question at any site whose fields ``user`` may decide.
    """
    asked = clarifications_for(user).filter(pk=clarification_id).first()
    if asked is None:
        raise Http404("No question with this number.")
    return asked


def scan_get_for(user: Any, scan_id: UUID | str, permission: str) -> Scan:
    """Return one scan that ``user`` may view, for an action that needs ``permission`` too.

    Raises:
        Http404: no such scan at any site whose scans ``user`` may view.
        PermissionDenied: visible to ``user``, but ``permission`` is missing there.
    """
    scan = (
        Scan.objects.select_related("site")
        .filter(pk=scan_id, site__in=accessible_sites(user, "scan.view"))
        .first()
    )
    if scan is None:
        raise Http404("No scan with this number.")
    require(user, scan.site, permission)
    return scan


def prescription_get(user: Any, scan_id: UUID | str) -> PrescriptionRecord:
    """Return the prescription of a scan that ``user`` may view, else raise ``Http404``."""
    record = (
        PrescriptionRecord.objects.select_related("scan__site", "released_by")
        .filter(scan_id=scan_id, scan__site__in=accessible_sites(user, "scan.view"))
        .first()
    )
    if record is None:
        raise Http404("This scan has no prescription yet.")
    return record
