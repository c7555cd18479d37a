"""The border: what may be stored and sent. Checked once, before anything is written.

``structure`` knows R4's shapes and codes, ``profiles`` what US Core adds, ``fhir.resources`` is a
second opinion, and the rules for documents are here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from .document import Document
from .outcome import FhirInvalid, Issue
from .profiles import profile_issues
from .structure import structure_issues


def check_document(document: Document) -> None:
    """Let ``document`` pass, or say everything that is wrong with it.

    The Bundle holds most resources; what stands beside it is checked on its own.

    Raises:
        FhirInvalid: with one issue per fault.
    """
    issues = bundle_issues(document.bundle)
    inside = {entry["resource"]["id"] for entry in document.bundle["entry"]}
    for resource in document.resources:
        if resource["id"] not in inside:
            issues += resource_issues(resource)
    if issues:
        raise FhirInvalid(issues)


def resource_issues(resource: dict[str, Any], path: str = "") -> list[Issue]:
    """Return what is wrong with one resource by R4 and by the US Core profiles it claims.

    Args:
        resource: plain data, decimals as ``Decimal``.
        path: FHIRPath of ``resource``, by default its type.
    """
    path = path or str(resource.get("resourceType"))
    issues = structure_issues(resource, path)
    if issues:
        return issues  # the checks below may rely on the shape
    return [
        *_parse_issues(resource),
        *profile_issues(resource, path),
        *_hash_issues(resource, path),
    ]


def bundle_issues(bundle: dict[str, Any]) -> list[Issue]:
    """Return what is wrong with a document Bundle; an empty list means it may go out."""
    entries = bundle.get("entry") or []
    types = {
        str(entry.get("fullUrl")): str(entry.get("resource", {}).get("resourceType"))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    }
    outward: list[Issue] = []
    resolved = _resolved(bundle, "Bundle", types, outward)
    misshapen = structure_issues(resolved, "Bundle")
    if misshapen:
        return [*misshapen, *outward]
    issues = [*outward, *_parse_issues(bundle), *_document_issues(bundle)]
    for index, entry in enumerate(resolved["entry"]):
        path = f"Bundle.entry[{index}].resource"
        issues += [*profile_issues(entry["resource"], path), *_hash_issues(entry["resource"], path)]
        issues += _own_rules(entry["resource"], path)
    return issues


def _resolved(value: Any, path: str, types: Mapping[str, str], outward: list[Issue]) -> Any:
    """Return a copy in which a reference to an entry says the entry's type.

    Notes in ``outward`` each reference that leads out of the document.
    """
    if isinstance(value, list):
        return [
            _resolved(member, f"{path}[{index}]", types, outward)
            for index, member in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    copy = {
        key: _resolved(member, f"{path}.{key}", types, outward) for key, member in value.items()
    }
    target = value.get("reference")
    if isinstance(target, str) and not target.startswith("#"):
        if target in types:
            copy["reference"] = f"{types[target]}/{target.rpartition(':')[2]}"
        else:
            outward.append(
                Issue("not-found", "The reference leads out of the document.", f"{path}.reference")
            )
    return copy


def _parse_issues(resource: dict[str, Any]) -> list[Issue]:
    """Return what the R4B parser refuses; its own messages quote values, so only types go on."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
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
    entries = bundle["entry"]
    if entries[0].get("resource", {}).get("resourceType") != "Composition":
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


def _own_rules(resource: dict[str, Any], path: str) -> list[Issue]:
    if resource["resourceType"] == "Composition":
        return _composition_issues(resource, path)
    if resource["resourceType"] == "MedicationRequest":
        return _order_issues(resource, path)
    if resource["resourceType"] == "DocumentReference":
        return [
            Issue(
                "required",
                "The document must hold the scan itself.",
                f"{path}.content[{index}].attachment.data",
            )
            for index, content in enumerate(resource["content"])
            if "data" not in content["attachment"]
        ]
    return []


def _hash_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Check that what a DocumentReference holds is whole: nobody else looks at size and hash."""
    issues: list[Issue] = []
    if resource["resourceType"] != "DocumentReference":
        return issues
    for index, content in enumerate(resource["content"]):
        attachment = content["attachment"]
        if "data" in attachment:
            place = f"{path}.content[{index}].attachment"
            issues += attachment_issues(attachment, base64.b64decode(attachment["data"]), place)
    return issues


def attachment_issues(attachment: Mapping[str, Any], content: bytes, path: str) -> list[Issue]:
    """Return where size and SHA-1 of an Attachment are not those of ``content``."""
    issues = []
    if attachment.get("size", len(content)) != len(content):
        issues.append(Issue("value", "The size is not that of the data.", f"{path}.size"))
    digest = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode("ascii")
    if attachment.get("hash", digest) != digest:
        issues.append(Issue("value", "The hash is not the SHA-1 of the data.", f"{path}.hash"))
    return issues


def _composition_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Check that people can read it without the structure, and that a person stands for it."""
    issues = []
    if "text" not in resource:
        issues.append(Issue("required", "A narrative is missing.", f"{path}.text"))
    if not resource.get("attester"):
        issues.append(
            Issue("required", "A document needs the person who verified it.", f"{path}.attester")
        )
    if not resource.get("section"):
        issues.append(Issue("required", "A document needs a section.", f"{path}.section"))
    for index, section in enumerate(resource.get("section", [])):
        where = f"{path}.section[{index}]"
        if "text" not in section:
            issues.append(Issue("required", "A narrative is missing.", f"{where}.text"))
        if bool(section.get("entry")) == bool(section.get("emptyReason")):
            issues.append(
                Issue("invariant", "A section has entries or says why not (cmp-2).", where)
            )
    return issues


def _order_issues(resource: dict[str, Any], path: str) -> list[Issue]:
    """Check what makes an order one that somebody may fill."""
    issues = []
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
