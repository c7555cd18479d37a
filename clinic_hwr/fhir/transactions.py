"""Batch and transaction Bundles: what is asked for, and references among the entries."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .outcome import Issue, Refused
from .served import SERVED
from .validation import attachment_issues

MAX_ENTRIES = 500
# R4 http, 3.1.0.11.2: the order in which the entries of a transaction are carried out.
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
# Elements whose value may be the fullUrl of another entry.
_ADDRESSES = frozenset({"reference", "url", "uri", "valueUri", "valueUrl", "valueUuid"})
_MHD = "https://profiles.ihe.net/ITI/MHD"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of the Bundle.

    Attributes:
        index: its place in the Bundle.
        type: the resource type its address begins with, "" for none.
        path: the address without parameters, relative to the server.
        query: the parameters of the address, as written.
        resource: what is sent, None for nothing.
        if_none_exist, if_match, if_none_match, if_modified_since: "" when not given.
    """

    index: int
    full_url: str
    method: str
    path: str
    query: str
    resource: Any
    if_none_exist: str
    if_match: str
    if_none_match: str
    if_modified_since: str

    @property
    def type(self) -> str:
        """The resource type the address begins with, "" for none served."""
        name = self.path.partition("/")[0]
        return name if name in SERVED else ""

    @property
    def place(self) -> str:
        """FHIRPath of the entry."""
        return f"Bundle.entry[{self.index}]"


def entries_of(bundle: Any, base_url: str) -> list[Entry]:
    """Return the requests of a batch or transaction.

    Raises:
        Refused: 400, it is none; 413, it has too many.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Refused(400, Issue("structure", "Send a Bundle.", "resourceType"))
    if bundle.get("type") not in ("batch", "transaction"):
        words = "Only Bundles of type batch or transaction are carried out here."
        raise Refused(400, Issue("value", words, "Bundle.type"))
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Refused(400, Issue("structure", "This must be a list.", "Bundle.entry"))
    if len(entries) > MAX_ENTRIES:
        raise Refused(413, Issue("too-costly", f"At most {MAX_ENTRIES} entries.", "Bundle.entry"))
    return [_entry(index, entry, base_url) for index, entry in enumerate(entries)]


def _entry(index: int, entry: Any, base_url: str) -> Entry:
    place = f"Bundle.entry[{index}]"
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict):
        raise Refused(400, Issue("required", "An entry needs a request.", f"{place}.request"))
    texts = {
        name: request.get(name, "")
        for name in ("method", "url", "ifNoneExist", "ifMatch", "ifNoneMatch", "ifModifiedSince")
    }
    full_url = entry.get("fullUrl", "")
    if not all(isinstance(text, str) for text in (*texts.values(), full_url)):
        raise Refused(400, Issue("structure", "Text belongs here.", f"{place}.request"))
    if texts["method"] not in _ORDER:
        raise Refused(400, Issue("code-invalid", "No method of HTTP.", f"{place}.request.method"))
    path, _, query = texts["url"].removeprefix(f"{base_url}/").partition("?")
    return Entry(
        index=index,
        full_url=full_url,
        method=texts["method"],
        path=path,
        query=query,
        resource=entry.get("resource"),
        if_none_exist=texts["ifNoneExist"],
        if_match=texts["ifMatch"],
        if_none_match=texts["ifNoneMatch"],
        if_modified_since=texts["ifModifiedSince"],
    )


def in_order(entries: list[Entry]) -> list[Entry]:
    """Return the entries in the order in which a transaction carries them out."""
    return sorted(entries, key=lambda entry: (_ORDER[entry.method], entry.index))


def check_unique(entries: list[Entry]) -> None:
    """Refuse a transaction in which two entries would write the same resource.

    Raises:
        Refused: 400.
    """
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        keys = [("fullUrl", entry.full_url)] if entry.full_url else []
        if entry.method == "PUT":
            keys.append((entry.path, entry.query))
        if entry.if_none_exist:
            keys.append((entry.type, entry.if_none_exist))
        for key in keys:
            if key in seen:
                words = "Two entries are about the same resource."
                raise Refused(400, Issue("duplicate", words, entry.place))
            seen.add(key)


def rewritten(value: Any, places: Mapping[str, str]) -> Any:
    """Return a copy in which the fullUrl of an entry is the place where it is stored."""
    if isinstance(value, list):
        return [rewritten(member, places) for member in value]
    if not isinstance(value, dict):
        return value
    copy = {}
    for key, member in value.items():
        if key in _ADDRESSES and isinstance(member, str):
            copy[key] = places.get(member, member)
        elif key == "div" and isinstance(member, str):
            for full_url, place in places.items():
                member = member.replace(f'"{full_url}"', f'"{place}"')
            copy[key] = member
        else:
            copy[key] = rewritten(member, places)
    return copy


def conditional_references(value: Any) -> Iterator[str]:
    """Yield the references that are searches: ``Patient?identifier=...``."""
    if isinstance(value, list):
        for member in value:
            yield from conditional_references(member)
    elif isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str) and "?" in target and target.partition("?")[0] in SERVED:
            yield target
        for member in value.values():
            yield from conditional_references(member)


# ---- IHE MHD, Provide Document Bundle (ITI-65) -------------------------------------------------


def check_provided_documents(bundle: Mapping[str, Any], entries: list[Entry]) -> None:
    """Check what ITI-65 demands of a Bundle that claims to follow it.

    Raises:
        Refused: 422 with one issue for each fault.
    """
    meta = bundle.get("meta")
    claimed = meta.get("profile", []) if isinstance(meta, dict) else []
    if not any(str(each).startswith(_MHD) and "ProvideBundle" in str(each) for each in claimed):
        return
    by_url = {e.full_url: e.resource for e in entries if isinstance(e.resource, dict)}
    issues = []
    if bundle.get("type") != "transaction":
        issues.append(Issue("value", "ITI-65 sends a transaction.", "Bundle.type"))
    sets = [e for e in entries if isinstance(e.resource, dict) and _is_submission_set(e.resource)]
    if len(sets) != 1:
        issues.append(Issue("required", "ITI-65 needs one SubmissionSet List.", "Bundle.entry"))
    documents = [e for e in entries if e.type == "DocumentReference"]
    if not documents:
        issues.append(Issue("required", "ITI-65 provides a document.", "Bundle.entry"))
    for entry in documents:
        issues += _document_issues(entry, by_url)
    if issues:
        raise Refused(422, *issues)


def _is_submission_set(resource: Mapping[str, Any]) -> bool:
    code = resource.get("code")
    codings = code.get("coding", []) if isinstance(code, dict) else []
    return resource.get("resourceType") == "List" and any(
        isinstance(each, dict) and each.get("code") == "submissionset" for each in codings
    )


def _document_issues(entry: Entry, by_url: Mapping[str, Any]) -> Iterator[Issue]:
    contents = entry.resource.get("content", []) if isinstance(entry.resource, dict) else []
    for number, content in enumerate(contents if isinstance(contents, list) else []):
        place = f"{entry.place}.resource.content[{number}].attachment"
        attachment = content.get("attachment") if isinstance(content, dict) else None
        if not isinstance(attachment, dict):
            continue  # the border says what is wrong with that
        if "contentType" not in attachment:
            yield Issue("required", "ITI-65 needs the content type.", f"{place}.contentType")
        binary = by_url.get(str(attachment.get("url", "")))
        if "data" in attachment:
            continue
        if not isinstance(binary, dict) or binary.get("resourceType") != "Binary":
            yield Issue("not-found", "The document itself is not in the Bundle.", f"{place}.url")
            continue
        yield from _binary_issues(attachment, binary, place)


def _binary_issues(
    attachment: Mapping[str, Any], binary: Mapping[str, Any], place: str
) -> Iterator[Issue]:
    if binary.get("contentType") != attachment.get("contentType"):
        yield Issue("value", "The content type is not that of the Binary.", f"{place}.contentType")
    try:
        content = b64decode("".join(str(binary.get("data", "")).split()), validate=True)
    except ValueError:
        return  # the border refuses the Binary itself
    yield from attachment_issues(attachment, content, place)
