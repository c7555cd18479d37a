"""What to ask of a FHIR server so that a later version replaces an earlier one: pure functions.

Conditional create is no way to do this: the server finds the old resource by its identifier and
leaves it as it is, so an order that was withdrawn would stay active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .documents import Entry, Resource, with_references
from .errors import Unamendable
from .fhir_http import carries, remote_id, version_of
from .model import Capabilities, ResourceSupport, SubmissionKey
from .payloads import business_identifier, create_request, if_none_exist
from .readback import matches

# What keeps its identifier from version to version and so must be changed where it lies.
AMENDED_TYPES = frozenset({"MedicationRequest", "DocumentReference", "Composition"})
ERROR = "entered-in-error"
# An order that nobody fills any more. What the EHR's own people ended is never made active again.
_ENDED = {"MedicationRequest": frozenset({ERROR, "cancelled", "stopped"})}
_ENDED_BY_PEOPLE = frozenset({"cancelled", "stopped", "completed", "on-hold"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the earlier version of a resource was looked for.

    Attributes:
        searched: the server could be asked; False means that nobody knows.
        found: what it holds, None for nothing.
    """

    searched: bool
    found: Resource | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One write: a Bundle ``request`` and the resource that goes with it."""

    resource: Resource
    request: Resource
    place: Place


def settled(wanted: Resource, place: Place) -> bool:
    """Whether the server already holds ``wanted``, so that nothing need be written."""
    if place.found is None:
        return False
    if wanted.get("status") == ERROR:
        ended = _ENDED.get(str(wanted["resourceType"]), frozenset({ERROR}))
        if place.found.get("status") in ended:
            return True
    if _ended_by_people(wanted, place.found):  # the same order, which they have dealt with
        wanted = {**wanted, "status": place.found["status"]}
    return matches(wanted, place.found)


def amending_step(
    wanted: Resource, place: Place, capabilities: Capabilities, *, by_condition: bool
) -> Step | None:
    """Return the write that makes the server hold ``wanted``, None when it offers no way.

    Args:
        wanted: the new version, under our own id.
        place: what a search for the earlier version gave.
        capabilities: what the server can do.
        by_condition: use conditional update where the server says it has it.
    """
    resource = dict(wanted)
    kind = str(resource["resourceType"])
    support = capabilities.of(kind)
    found = place.found
    if found is not None and _ended_by_people(resource, found):
        return None
    if by_condition and _conditional(support, resource, found):
        resource.pop("id", None)
        return Step(resource, _conditional_put(kind, resource), place)
    if found is not None:
        if not support.update:
            return None
        resource["id"] = found["id"]
        request: Resource = {"method": "PUT", "url": remote_id(found)}
        if version_of(found):
            request["ifMatch"] = f'W/"{version_of(found)}"'
        return Step(resource, request, place)
    if place.searched or (support.update_create and resource.get("id")):
        return Step(resource, create_request(resource, capabilities), place)
    return None


def _conditional(support: ResourceSupport, resource: Resource, found: Resource | None) -> bool:
    """Whether a conditional update can reach the earlier version."""
    identifier = business_identifier(resource)
    if identifier is None or not support.conditional_update or support.update_create:
        return False
    return found is None or carries(found, identifier)


def _conditional_put(kind: str, resource: Resource) -> Resource:
    return {"method": "PUT", "url": f"{kind}?{if_none_exist(resource)}"}


def _ended_by_people(wanted: Resource, found: Resource) -> bool:
    return (
        wanted["resourceType"] == "MedicationRequest"
        and wanted.get("status") == "active"
        and found.get("status") in _ENDED_BY_PEOPLE
    )


def withheld(step: Step, kept: Resource) -> bool:
    """Whether ``kept``, read after the write, shows that the server did not do as it was told.

    Some answer 200 to an update and change nothing (openemr #2618).
    """
    if kept.get("status") != step.resource.get("status"):
        return True
    before = step.place.found
    if before is None:
        # it may be the old one that came back: only what says all that was sent is believed
        clinical = step.resource["resourceType"] == "MedicationRequest"
        return clinical and not step.place.searched and not matches(step.resource, kept)
    if version_of(before) and version_of(kept) != version_of(before):
        return False
    unchanged = _without_meta(before) == _without_meta(kept)
    return unchanged and not matches(step.resource, before)


def _without_meta(resource: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in resource.items() if key != "meta"}


def replacing_document(wanted: Resource, key: SubmissionKey, old: Resource | None) -> Resource:
    """Return the new version as a document of its own that says which one it replaces.

    The way of US Core's Writing Clinical Notes where a server takes new documents and no changes.
    It does without the identifiers of earlier versions, which belong to the documents before.
    """
    earlier = [(each.system, each.value) for each in key.identifiers[:-1]]
    identifiers = [
        each
        for each in wanted["identifier"]
        if (each.get("system"), each.get("value")) not in earlier
    ]
    system, value = earlier[-1]
    target: Resource = {"identifier": {"system": system, "value": value}}
    if old is not None:
        target = {"reference": remote_id(old), **target}
    replaces = [{"code": "replaces", "target": target}]
    return {**wanted, "identifier": identifiers, "relatesTo": replaces}


def order_alone(wanted: Resource, found: Resource) -> Resource:
    """Return an order that travels without its document: it keeps the EHR's own references."""
    resource: Resource = with_references(wanted, lambda _: None)
    for name in _REFERRING:
        resource.pop(name, None)
        if name in found:
            resource[name] = found[name]
    if wanted.get("status") == ERROR:  # what the EHR holds, withdrawn
        said: Resource = {n: wanted[n] for n in ("status", "statusReason") if n in wanted}
        resource = {**found, **said}
        resource.pop("meta", None)
    return resource


_REFERRING = ("subject", "requester", "recorder", "encounter", "supportingInformation")


def withdrawn_first(entry: Entry) -> bool:
    """Return a sort key that puts withdrawn orders before everything else."""
    return entry.type != "MedicationRequest" or entry.resource.get("status") != ERROR


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A resource of the EHR that does not say what the new version says.

    Attributes:
        address: where it is.
        ended: the status that the EHR's own people gave it, "" while it is in force.
    """

    address: str
    ended: str = ""


def unchanged(wanted: Resource, place: Place) -> Unchanged:
    """Return how to tell people which resource of the EHR is meant, and whether it is in force."""
    if place.found is None:
        kind = wanted["resourceType"]
        return Unchanged(f"{kind} of the earlier version (this EHR cannot be searched for it)")
    ended = _ended_by_people(wanted, place.found)
    return Unchanged(remote_id(place.found), str(place.found["status"]) if ended else "")


def location_of(step: Step) -> str:
    """Return where a PUT went, for servers that answer an update without a Location."""
    if step.place.found is not None:
        return remote_id(step.place.found)
    return "" if "?" in step.request["url"] else str(step.request["url"])


def unamendable(standing: Sequence[Unchanged], *, because: str = "") -> Unamendable:
    """Return the error for what stands unchanged, with what to do.

    What the EHR's own people ended is told apart: nobody follows it any more, and only they know
    whether the corrected order is still wanted.
    """
    in_force = [each.address for each in standing if not each.ended]
    ended = [f"{each.address} ({each.ended})" for each in standing if each.ended]
    parts = []
    if in_force:
        parts.append(
            f"STILL IN FORCE IN THE EHR: {', '.join(in_force)}. {because + ' ' if because else ''}"
            "The EHR did not let the earlier version be changed: open it there, mark what was "
            "withdrawn as entered in error and correct the rest by hand; then send this delivery "
            "again to have it checked."
        )
    if ended:
        parts.append(
            f"ENDED BY THE EHR'S OWN STAFF: {', '.join(ended)}. It was left as they ended it, and "
            "does not say what this version says: ask them whether the corrected order is still "
            "wanted, and have them write it there."
        )
    return Unamendable(" ".join(parts))
