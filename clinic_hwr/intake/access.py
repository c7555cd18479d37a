"""The only way to a scan: by a person's permission at the scan's site."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites

from .models import Page, Scan


def scans_for(user: Any, permission: str = "scan.view") -> QuerySet[Scan]:
    """Return the scans of every site at which ``user`` holds ``permission``."""
    return Scan.objects.filter(site__in=accessible_sites(user, permission))


def scan_get(user: Any, scan_id: UUID | str, permission: str = "scan.view") -> Scan:
    """Return one scan.

    Raises:
        Http404: there is none, or it belongs to a site where ``user`` lacks ``permission``;
            the two look the same from outside.
    """
    scan = scans_for(user, permission).select_related("site").filter(pk=scan_id).first()
    if scan is None:
        raise Http404("No scan with this number.")
    return scan


def page_get(user: Any, scan_id: UUID | str, number: int, permission: str = "scan.view") -> Page:
    """Return page ``number`` (from 1) of a scan; ``Http404`` as in ``scan_get``."""
    scan = scan_get(user, scan_id, permission)
    page = Page.objects.select_related("scan__site").filter(scan=scan, number=number).first()
    if page is None:
        raise Http404("This scan has no such page.")
    return page
