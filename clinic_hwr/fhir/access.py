"""Who may read and write which stored resource: the only door of the FHIR server to the store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.accounts.models import Site

from .models import Resource, ResourceVersion

PERMISSION = "fhir.read"
WRITE_PERMISSION = "fhir.write"


@dataclass(frozen=True, slots=True)
class Reader:
    """One account and the sites whose resources it may read; made once for each request.

    Everything that leaves the store leaves through here: reads, histories, searches, includes.
    """

    user: Any
    sites: dict[UUID, Site]

    def versions(self) -> QuerySet[ResourceVersion]:
        """Return every stored version at the sites of the account."""
        return ResourceVersion.objects.filter(site_id__in=self._site_ids())

    def current(self, resource_type: str | None = None) -> QuerySet[Resource]:
        """Return the resources (of a type) at the sites of the account."""
        rows = Resource.objects.filter(site_id__in=self._site_ids())
        return rows if resource_type is None else rows.filter(resource_type=resource_type)

    def get(self, resource_type: str, fhir_id: str, version: int | None = None) -> ResourceVersion:
        """Return one resource, the newest version unless one is named.

        Raises:
            Http404: it does not exist, or not at a site of this account; the two look alike.
        """
        rows = self.versions().filter(resource_type=resource_type, fhir_id=fhir_id)
        if version is not None:
            rows = rows.filter(version=version)
        row = rows.order_by("-version").first()
        if row is None:
            raise Http404("There is no such resource, or it is not at a site of yours.")
        row.site = self.sites[row.site_id]
        return row

    def _site_ids(self) -> Collection[UUID]:
        return list(self.sites)


def reader_for(user: Any) -> Reader:
    """Return the door through which ``user`` reads; it leads nowhere without a site."""
    return Reader(user, {site.pk: site for site in accessible_sites(user, PERMISSION)})


def writable_sites(user: Any) -> dict[str, Site]:
    """Return the sites, by slug, at which ``user`` may write over FHIR."""
    return {site.slug: site for site in accessible_sites(user, WRITE_PERMISSION)}
