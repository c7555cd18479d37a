"""What US Core demands beyond R4, of resources that claim to follow it.

Covers US Core 6.1.0 and 7.0.0 for the types served here: elements that must be there, invariants,
and the codes of required bindings that are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .outcome import Issue
from .primitives import US_CORE

Check = Callable[[dict[str, Any], str], Iterator[Issue]]


def profile_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Return what breaks the US Core profiles that ``resource`` claims."""
    claimed = resource.get("meta", {}).get("profile", [])
    issues: list[Issue] = []
    for canonical in claimed:
        base, _, name = str(canonical).partition("|")[0].rpartition("/")
        check = _CHECKS.get(name) if base == US_CORE else None
        if check is not None and check[0] != resource.get("resourceType"):
            issues.append(
                Issue("value", f"{name} is a profile of {check[0]}.", f"{path}.meta.profile")
            )
        elif check is not None:
            issues += check[1](resource, path)
    return issues


def _needs(resource: dict[str, Any], path: str, *names: str) -> Iterator[Issue]:
    for name in names:
        if name not in resource and f"_{name}" not in resource:
            yield Issue("required", "US Core demands this element.", f"{path}.{name}")


def _identifiers(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    yield from _needs(resource, path, "identifier")
    for index, each in enumerate(resource.get("identifier", [])):
        yield from _needs(each, f"{path}.identifier[{index}]", "system", "value")


def _patient(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    yield from _identifiers(resource, path)
    yield from _needs(resource, path, "name", "gender")
    for index, name in enumerate(resource.get("name", [])):
        absent = any("data-absent-reason" in str(e.get("url")) for e in name.get("extension", []))
        if absent == bool({"family", "given"} & name.keys()):
            yield Issue(
                "invariant",
                "A name has a family or given name, or says why not (us-core-6).",
                f"{path}.name[{index}]",
            )


def _practitioner(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    yield from _identifiers(resource, path)
    yield from _needs(resource, path, "name")
    for index, name in enumerate(resource.get("name", [])):
        yield from _needs(name, f"{path}.name[{index}]", "family")


def _organization(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    yield from _needs(resource, path, "active", "name")


def _medication_request(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    if resource.get("intent") == "order" and "requester" not in resource:
        yield Issue("invariant", "An order needs a requester (us-core-21).", f"{path}.requester")


def _document_reference(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    yield from _needs(resource, path, "type", "category", "subject")
    for index, content in enumerate(resource.get("content", [])):
        attachment = content.get("attachment", {})
        if not {"url", "data", "_url", "_data"} & attachment.keys():
            yield Issue(
                "invariant",
                "An attachment has an address or data (us-core-6).",
                f"{path}.content[{index}].attachment",
            )


def _provenance(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    for index, target in enumerate(resource.get("target", [])):
        yield from _needs(target, f"{path}.target[{index}]", "reference")
    for index, agent in enumerate(resource.get("agent", [])):
        who = str(agent.get("who", {}).get("reference", ""))
        if who.startswith(("Practitioner/", "Device/")) and "onBehalfOf" not in agent:
            yield Issue(
                "invariant",
                "Who acts says on whose behalf (provenance-1).",
                f"{path}.agent[{index}].onBehalfOf",
            )


_CHECKS: dict[str, tuple[str, Check]] = {
    "us-core-documentreference": ("DocumentReference", _document_reference),
    "us-core-medicationrequest": ("MedicationRequest", _medication_request),
    "us-core-organization": ("Organization", _organization),
    "us-core-patient": ("Patient", _patient),
    "us-core-practitioner": ("Practitioner", _practitioner),
    "us-core-provenance": ("Provenance", _provenance),
}
