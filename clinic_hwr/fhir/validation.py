"""The border: what may be stored and sent. Checked once, before anything is written.

``fhir.resources`` is a typed parser and lets much through (any status, dangling references, empty
lists, wrong units); the rules it does not know are here and in ``element_rules``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from xml.parsers import expat  # reads only text that this room escaped itself

from fhir.resources.R4B.binary import Binary
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from .document import Document
from .element_rules import element_issues
from .outcome import FhirInvalid, Issue
from .resources.narrative import XHTML

_PARSERS = {"Bundle": Bundle, "Binary": Binary}


def check_document(document: Document) -> None:
    """Let ``document`` pass, or say everything that is wrong with it.

    The Bundle holds every resource but the Binary, so the two together are the whole release.

    Raises:
        FhirInvalid: with one issue per fault.
    """
    issues = bundle_issues(document.bundle)
    for resource in document.resources:
        if resource["resourceType"] == "Binary":
            issues += [*_parse_issues(resource), *element_issues(resource, "Binary", None)]
            if _decoded(resource["data"]) is None:
                issues.append(Issue("value", "This is no base64.", "Binary.data"))
    if issues:
        raise FhirInvalid(issues)


def bundle_issues(bundle: dict[str, Any]) -> list[Issue]:
    """Return what is wrong with a document Bundle; an empty list means it may go out."""
    structure = _parse_issues(bundle)
    if structure:
        return structure  # the rules below may rely on the shape
    resources = {entry.get("fullUrl"): entry.get("resource", {}) for entry in _entries(bundle)}
    types = {str(url): str(each.get("resourceType")) for url, each in resources.items()}
    issues = [*_document_issues(bundle), *element_issues(bundle, "Bundle", types)]
    for index, entry in enumerate(_entries(bundle)):
        path = f"Bundle.entry[{index}].resource"
        issues += _resource_issues(entry.get("resource", {}), path)
    return issues


def _entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = bundle.get("entry", [])
    return entries


def _parse_issues(resource: dict[str, Any]) -> list[Issue]:
    """Return what the R4B parser refuses; its own messages quote values, so only types go on."""
    try:
        _PARSERS[resource["resourceType"]].model_validate(resource)
    except ValidationError as error:
        return [
            Issue(
                code="structure",
                diagnostics=f"The R4 parser refuses this element ({fault['type']}).",
                expression=_fhirpath(resource["resourceType"], fault["loc"]),
            )
            for fault in error.errors(include_input=False, include_url=False)
        ]
    return []


def _fhirpath(root: str, location: tuple[int | str, ...]) -> str:
    return root + "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in location)


def _document_issues(bundle: dict[str, Any]) -> list[Issue]:
    """Check the rules for documents (R4 Bundle, bdl-7 and bdl-9 to bdl-11)."""
    issues = []
    identifier = bundle.get("identifier", {})
    if bundle.get("type") != "document":
        issues.append(Issue("value", "Only documents are published.", "Bundle.type"))
    if not identifier.get("system") or not identifier.get("value"):
        issues.append(
            Issue("required", "A document needs an identifier with a system.", "Bundle.identifier")
        )
    if "timestamp" not in bundle:
        issues.append(Issue("required", "A document needs a timestamp.", "Bundle.timestamp"))
    entries = _entries(bundle)
    first = entries[0].get("resource", {}) if entries else {}
    if first.get("resourceType") != "Composition":
        issues.append(
            Issue("structure", "The first entry must be the Composition.", "Bundle.entry[0]")
        )
    urls = [entry.get("fullUrl") for entry in entries]
    for index, (entry, url) in enumerate(zip(entries, urls, strict=True)):
        path = f"Bundle.entry[{index}].fullUrl"
        if url is None or urls.count(url) > 1:
            issues.append(Issue("duplicate", "Every entry needs a fullUrl of its own.", path))
        elif url != f"urn:uuid:{entry.get('resource', {}).get('id')}":
            issues.append(Issue("value", "fullUrl must name the resource's own id.", path))
    return issues


def _resource_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    if resource.get("resourceType") == "Composition":
        return _composition_issues(resource, path)
    if resource.get("resourceType") == "MedicationRequest":
        return _order_issues(resource, path)
    if resource.get("resourceType") == "DocumentReference":
        return [
            issue
            for index, content in enumerate(resource.get("content", []))
            for issue in _attachment_issues(
                content.get("attachment", {}), f"{path}.content[{index}].attachment"
            )
        ]
    return []


def _attachment_issues(attachment: dict[str, Any], path: str) -> list[Issue]:
    """Check that the scan is inside and whole: the parser looks at neither data nor hash."""
    if "data" not in attachment:
        return [Issue("required", "The document must hold the scan itself.", f"{path}.data")]
    content = _decoded(attachment["data"])
    if content is None:
        return [Issue("value", "This is no base64.", f"{path}.data")]
    issues = []
    if attachment.get("size") != len(content):
        issues.append(Issue("value", "The size is not that of the data.", f"{path}.size"))
    digest = hashlib.sha1(content, usedforsecurity=False).digest()
    if attachment.get("hash") != base64.b64encode(digest).decode("ascii"):
        issues.append(Issue("value", "The hash is not the SHA-1 of the data.", f"{path}.hash"))
    return issues


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return None


def _composition_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Check that people can read it without the structure, and that a person stands for it."""
    issues = _narrative_issues(resource.get("text"), f"{path}.text")
    if not resource.get("attester"):
        issues.append(
            Issue("required", "A document needs the person who verified it.", f"{path}.attester")
        )
    if not resource.get("section"):
        issues.append(Issue("required", "A document needs a section.", f"{path}.section"))
    for index, section in enumerate(resource.get("section", [])):
        where = f"{path}.section[{index}]"
        issues += _narrative_issues(section.get("text"), f"{where}.text")
        if bool(section.get("entry")) == bool(section.get("emptyReason")):
            issues.append(
                Issue("invariant", "A section has entries or says why not (cmp-2).", where)
            )
    return issues


def _narrative_issues(text: dict[str, Any] | None, path: str) -> list[Issue]:
    if text is None:
        return [Issue("required", "A narrative is missing.", path)]
    division = str(text.get("div", ""))
    parser = expat.ParserCreate(namespace_separator=" ")
    roots: list[str] = []
    parser.StartElementHandler = lambda name, attributes: roots.append(name)
    try:
        parser.Parse(division, True)
    except expat.ExpatError:
        return [Issue("structure", "The narrative is not well-formed XHTML.", f"{path}.div")]
    if roots[0] != f"{XHTML} div" or "script" in {root.rpartition(" ")[2] for root in roots}:
        return [Issue("structure", "The narrative must be one XHTML div.", f"{path}.div")]
    return []


def _order_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Check what makes an order one that somebody may fill."""
    issues = []
    if resource.get("intent") == "order" and "requester" not in resource:
        issues.append(
            Issue("invariant", "An order needs a requester (us-core-21).", f"{path}.requester")
        )
    drug = resource.get("medicationCodeableConcept", {})
    if not drug.get("text"):
        issues.append(
            Issue(
                "required",
                "An order needs the drug's name as written; correct the field and release again.",
                f"{path}.medicationCodeableConcept",
            )
        )
    for index, dosage in enumerate(resource.get("dosageInstruction", [])):
        if not dosage.get("text"):
            issues.append(
                Issue(
                    "required",
                    "Directions need the words as written.",
                    f"{path}.dosageInstruction[{index}].text",
                )
            )
    return issues
