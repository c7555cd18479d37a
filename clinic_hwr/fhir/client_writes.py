"""What integration accounts write over REST: create, update, and both with conditions.

Beside what was released here, an EHR keeps resources of its own in the store: people, documents,
lists, what it knows of medication. Rules that hold for all of it:

- ids are given by the server, so nobody can claim or probe for the id of another site;
- a released resource is signed: no client may change it (amend or retract it in the workstation);
- an order becomes active here by a signature only: clients send drafts, or say that they report;
- every version passes the same border as what the product makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record

from .access import Reader
from .connection import CONNECTION
from .encoding import from_bytes
from .indexing import patient_of, reference_target
from .models import Resource, ResourceVersion
from .outcome import Issue, Refused
from .primitives import instant
from .searching.pages import matching
from .searching.query import BadSearch, parse
from .served import SERVED
from .storing import Origin, versions_store
from .validation import resource_issues


@dataclass(frozen=True, slots=True)
class Written:
    """The version a write ended in.

    Attributes:
        created: a new resource, rather than a new version or one that was there already.
        changed: whether anything was written at all.
    """

    row: ResourceVersion
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Writer:
    """One integration account at one of its sites.

    Attributes:
        base_url: of the server, so that addresses of its own in search values are understood.
        connection: between which machines the request went, for the audit trail.
    """

    reader: Reader
    site: Site
    base_url: str
    connection: Mapping[str, str] = field(default_factory=dict)

    def lock(self) -> None:
        """Let no other conditional write of this site happen until the transaction ends.

        Without it two equal conditional creates at once make two resources, as on other servers
        (hapi-fhir #3141, microsoft fhir-server #1382).
        """
        Site.objects.select_for_update(no_key=True).get(pk=self.site.pk)

    def matches(self, resource_type: str, parameters: Sequence[tuple[str, str]]) -> list[Resource]:
        """Return up to two resources of this site that a condition finds.

        Raises:
            Refused: 400 for a condition that is not understood, or that has no filter at all.
        """
        try:
            query = parse(resource_type, parameters, strict=True)
            if not query.filters:
                raise BadSearch("A condition needs a search parameter.")
            rows = matching(self.reader, query, self.base_url).filter(site=self.site)
        except BadSearch as error:
            raise Refused(400, Issue("invalid", str(error))) from error
        return list(rows.select_related("current").order_by("pk")[:2])


def resource_create(
    writer: Writer,
    resource_type: str,
    resource: Any,
    *,
    condition: Sequence[tuple[str, str]] | None = None,
    fhir_id: str = "",
) -> Written:
    """Create a resource, unless ``condition`` (If-None-Exist) finds one already.

    Args:
        fhir_id: an id the server has drawn already (transactions), "" to draw one.

    Raises:
        Refused: 400 or 422 for what may not be stored, 412 when the condition finds several.
    """
    body = _checked(resource_type, resource)
    with transaction.atomic():
        if condition is not None:
            writer.lock()
            found = writer.matches(resource_type, condition)
            if len(found) > 1:
                raise _several()
            if found:
                return Written(found[0].current, created=False, changed=False)
        return _store(writer, body, fhir_id or str(uuid4()), 1, None)


def resource_update(
    writer: Writer,
    resource_type: str,
    fhir_id: str,
    resource: Any,
    *,
    if_match: str = "",
) -> Written:
    """Write the next version of a resource that a client made.

    Raises:
        Http404: there is none with this id at the account's sites; ids come from the server.
        Refused: 400, 422 for what may not be stored, 412 when ``if_match`` is not the newest.
    """
    body = _checked(resource_type, resource, fhir_id)
    with transaction.atomic():
        writer.lock()
        current = writer.reader.get(resource_type, fhir_id)
        if current.site_id != writer.site.pk or current.prescription_id is not None:
            raise _signed()
        if if_match and not _is_version(if_match, current.version):
            words = f"The newest version is {current.version}; read it and try again."
            raise Refused(412, Issue("conflict", words))
        return _store(writer, body, fhir_id, current.version + 1, current)


def resource_update_where(
    writer: Writer,
    resource_type: str,
    resource: Any,
    condition: Sequence[tuple[str, str]],
    *,
    if_match: str = "",
    fhir_id: str = "",
) -> Written:
    """Update the one resource ``condition`` finds, or create one when it finds none.

    Raises:
        Refused: as above; 412 when the condition finds several.
    """
    with transaction.atomic():
        writer.lock()
        found = writer.matches(resource_type, condition)
        if len(found) > 1:
            raise _several()
        if not found:
            if isinstance(resource, dict) and "id" in resource:
                raise Refused(400, Issue("value", "Ids are given by the server; leave it out."))
            return resource_create(writer, resource_type, resource, fhir_id=fhir_id)
        own = found[0].fhir_id
        if isinstance(resource, dict):
            resource = {"id": own, **resource}
        return resource_update(writer, resource_type, own, resource, if_match=if_match)


def _checked(resource_type: str, resource: Any, fhir_id: str = "") -> dict[str, Any]:
    """Return the resource if it may be stored.

    Raises:
        Refused: 400 when it is another resource than the address says, 422 when it is invalid.
    """
    if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
        raise Refused(
            400, Issue("structure", f"The body must be a {resource_type}.", "resourceType")
        )
    if not SERVED[resource_type].writable:
        writable = ", ".join(name for name, served in SERVED.items() if served.writable)
        raise Refused(405, Issue("not-supported", f"Clients write: {writable}."))
    if fhir_id and resource.get("id") != fhir_id:
        raise Refused(400, Issue("value", "The id in the body must be that of the address.", "id"))
    issues = resource_issues(resource) or _rules(resource)
    if issues:
        raise Refused(422, *issues)
    return resource


def _rules(resource: dict[str, Any]) -> list[Issue]:
    """Return what the standard allows and this server does not."""
    if resource["resourceType"] != "MedicationRequest":
        return []
    reported = resource.get("reportedBoolean") is True or "reportedReference" in resource
    if resource["status"] in ("draft", "entered-in-error", "cancelled") or reported:
        return []
    words = (
        "An order is made active here by a signature in the workstation only: send it as draft, "
        "or with reportedBoolean true."
    )
    return [Issue("business-rule", words, "MedicationRequest.status")]


def _store(
    writer: Writer,
    body: dict[str, Any],
    fhir_id: str,
    version: int,
    before: ResourceVersion | None,
) -> Written:
    now = timezone.now()
    meta = {
        **body.get("meta", {}),
        "versionId": str(version),
        "lastUpdated": instant(now),
    }
    labels = _labels(body, before)
    if labels:
        meta["security"] = labels
    name = body["resourceType"]
    stored = {"resourceType": name, "id": fhir_id, "meta": meta}
    stored |= {key: value for key, value in body.items() if key not in stored}
    if name == "DocumentReference" and version == 1:
        _supersede(writer, stored)
    (row,) = versions_store(Origin(writer.site, now), [(stored, patient_of(stored))])
    audit_record(
        action="fhir.created" if version == 1 else "fhir.updated",
        site=writer.site,
        object_type=name,
        object_id=fhir_id,
        actor=writer.reader.user,
        data={
            "version": version,
            "patient": row.patient_fhir_id,
            CONNECTION: dict(writer.connection),
        },
    )
    return Written(row, created=version == 1, changed=True)


def _supersede(writer: Writer, document: dict[str, Any]) -> None:
    """Mark what a new document replaces as superseded (ITI-65; US Core, Writing Clinical Notes)."""
    for relation in document.get("relatesTo", []):
        target = reference_target(relation["target"])
        if relation["code"] != "replaces" or not target or target[0] != "DocumentReference":
            continue
        old = (
            writer.reader.versions()
            .filter(resource_type=target[0], fhir_id=target[1], site=writer.site)
            .order_by("-version")
            .first()
        )
        if old is None:
            continue  # documents of other servers are their business
        if old.prescription_id is not None:
            raise _signed()
        body = {**from_bytes(bytes(old.body)), "status": "superseded"}
        _store(writer, body, old.fhir_id, old.version + 1, old)


def _labels(body: dict[str, Any], before: ResourceVersion | None) -> list[dict[str, Any]]:
    """Return the security labels of a version: an update may add labels, never take one off."""
    labels = list(body.get("meta", {}).get("security", []))
    if before is not None:
        old = from_bytes(bytes(before.body)).get("meta", {}).get("security", [])
        labels += [label for label in old if label not in labels]
    return labels


def _is_version(if_match: str, version: int) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    return "*" in tags or str(version) in tags


def _several() -> Refused:
    return Refused(412, Issue("multiple-matches", "The condition finds more than one resource."))


def _signed() -> Refused:
    words = "This was released by a signature: amend or retract it in the workstation."
    return Refused(422, Issue("business-rule", words))
