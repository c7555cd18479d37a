"""Writing versions to the store: the version, which one is newest, and what it is found by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clinic_hwr.accounts.models import Site

from .encoding import to_bytes
from .indexing import index_rows
from .models import (
    Resource,
    ResourceVersion,
    SearchDate,
    SearchReference,
    SearchString,
    SearchToken,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where versions come from; the ids are None or "" for what an integration account wrote."""

    site: Site
    at: datetime
    prescription_id: UUID | None = None
    scan_id: UUID | None = None
    document_fhir_id: str = ""


def versions_store(
    origin: Origin, resources: Sequence[tuple[dict[str, Any], str]]
) -> list[ResourceVersion]:
    """Insert one version of each resource and make it the newest; belongs in a transaction.

    Args:
        resources: (validated resource with id and ``meta.versionId``, id of its patient or "").
    """
    rows = ResourceVersion.objects.bulk_create(
        ResourceVersion(
            site=origin.site,
            resource_type=resource["resourceType"],
            fhir_id=resource["id"],
            version=int(resource["meta"]["versionId"]),
            body=to_bytes(resource),
            last_updated=origin.at,
            prescription_id=origin.prescription_id,
            scan_id=origin.scan_id,
            patient_fhir_id=patient_fhir_id,
            document_fhir_id=origin.document_fhir_id,
        )
        for resource, patient_fhir_id in resources
    )
    index_replace((row, resource) for row, (resource, _) in zip(rows, resources, strict=True))
    return rows


def index_replace(pairs: Iterable[tuple[ResourceVersion, dict[str, Any]]]) -> None:
    """Make each version the current one of its resource and index it instead of the one before."""
    tokens: list[SearchToken] = []
    references: list[SearchReference] = []
    dates: list[SearchDate] = []
    strings: list[SearchString] = []
    for row, body in pairs:
        resource = _current(row)
        found = index_rows(body)
        tokens += [
            SearchToken(resource=resource, parameter=parameter, system=system, value=value)
            for parameter, system, value in sorted(found.tokens)
        ]
        references += [
            SearchReference(resource=resource, parameter=parameter, target_type=kind, target_id=to)
            for parameter, kind, to in sorted(found.references)
        ]
        dates += [
            SearchDate(resource=resource, parameter=parameter, low=low, high=high)
            for parameter, low, high in sorted(found.dates)
        ]
        strings += [
            SearchString(resource=resource, parameter=parameter, folded=folded, exact=exact)
            for parameter, folded, exact in sorted(found.strings)
            if folded
        ]
    SearchToken.objects.bulk_create(tokens)
    SearchReference.objects.bulk_create(references)
    SearchDate.objects.bulk_create(dates)
    SearchString.objects.bulk_create(strings)


def _current(row: ResourceVersion) -> Resource:
    """Return the row of the resource, pointing at ``row`` and without index rows."""
    values = {
        "site_id": row.site_id,
        "current": row,
        "patient_fhir_id": row.patient_fhir_id,
        "last_updated": row.last_updated,
    }
    resource, created = Resource.objects.update_or_create(
        resource_type=row.resource_type, fhir_id=row.fhir_id, defaults=values
    )
    if not created:
        for related in (resource.tokens, resource.references, resource.dates, resource.strings):
            related.all().delete()
    return resource
