"""Who may read which stored resource: the only door of the FHIR server to the store."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from clinic_hwr.accounts.access import accessible_sites

from .models import ResourceVersion

PERMISSION = "fhir.read"


def versions_for(user: Any) -> QuerySet[ResourceVersion]:
    """Return every stored version at the sites where ``user`` may read FHIR."""
    return ResourceVersion.objects.filter(site__in=accessible_sites(user, PERMISSION))


def current_for(user: Any, resource_type: str) -> QuerySet[ResourceVersion]:
    """Return the newest version of each resource of a type that ``user`` may read."""
    newer = ResourceVersion.objects.filter(
        resource_type=resource_type, fhir_id=OuterRef("fhir_id"), version__gt=OuterRef("version")
    )
    return versions_for(user).filter(~Exists(newer), resource_type=resource_type)


def resource_get(
    user: Any, resource_type: str, fhir_id: str, version: int | None = None
) -> ResourceVersion:
    """Return one resource, the newest version unless one is named.

    Raises:
        Http404: it does not exist, or not at a site of this user; the two look alike.
    """
    rows = versions_for(user).filter(resource_type=resource_type, fhir_id=fhir_id)
    if version is not None:
        rows = rows.filter(version=version)
    row = rows.order_by("-version").first()
    if row is None:
        raise Http404("There is no such resource, or it is not at a site of yours.")
    return row


def document_get(user: Any, composition: ResourceVersion) -> ResourceVersion:
    """Return the document Bundle that ``composition`` was released in."""
    return resource_get(user, "Bundle", composition.document_fhir_id)
