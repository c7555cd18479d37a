"""A released document Bundle, taken apart: entries, references, the scan."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import exact_json
from .errors import Rejected
from .exact_json import Json

Resource = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the document. ``full_url`` is "" when the document gives none."""

    full_url: str
    resource: Resource

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.resource["resourceType"])

    @property
    def local_reference(self) -> str:
        """Return ``Type/id``, "" without an id."""
        return f"{self.type}/{self.resource['id']}" if self.resource.get("id") else ""


@dataclass(frozen=True, slots=True)
class ReleasedDocument:
    """The entries of a document Bundle in their order."""

    entries: tuple[Entry, ...]

    def resolve(self, reference: str) -> Entry | None:
        """Return the entry that ``reference`` means inside this document, or None."""
        for entry in self.entries:
            if reference and reference in {entry.full_url, entry.local_reference}:
                return entry
        return None

    def of_type(self, resource_type: str) -> tuple[Entry, ...]:
        """Return the entries of one resource type."""
        return tuple(entry for entry in self.entries if entry.type == resource_type)

    @property
    def document_reference(self) -> Entry:
        """Return the DocumentReference of the scan."""
        return self.of_type("DocumentReference")[0]

    def attachment_bytes(self) -> bytes:
        """Return the scan (a PDF): inline data, or the Binary that its url points to.

        Raises:
            Rejected: the document carries no scan.
        """
        attachment = self.document_reference.resource["content"][0]["attachment"]
        data = attachment.get("data")
        if data is None:
            binary = self.resolve(str(attachment.get("url", "")))
            data = binary.resource.get("data") if binary else None
        if not data:
            raise Rejected("The released document carries no scan.")
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise Rejected("The scan in the released document is not base64.") from error


def parse_document(bundle: bytes) -> ReleasedDocument:
    """Take a document Bundle apart.

    Raises:
        Rejected: it is no document Bundle with one DocumentReference that has an attachment.
    """
    try:
        body = exact_json.loads(bundle)
        entries = tuple(
            Entry(str(entry.get("fullUrl", "")), entry["resource"]) for entry in body["entry"]
        )
        kinds = [entry.type for entry in entries]
        document = ReleasedDocument(entries)
        attachments = document.document_reference.resource["content"][0]["attachment"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise Rejected("This is not a released document with a scan.") from error
    if body.get("resourceType") != "Bundle" or body.get("type") != "document":
        raise Rejected("Only document Bundles are sent.")
    if kinds.count("DocumentReference") != 1 or not isinstance(attachments, dict):
        raise Rejected("A released document has exactly one DocumentReference.")
    return document


def references(value: Json) -> Iterator[str]:
    """Yield every ``reference`` text inside ``value``."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def with_references(value: Json, change: Callable[[str], str | None]) -> Json:
    """Return a deep copy with each reference changed; None takes it out (a display may stay).

    A list or object that removal leaves empty goes too: FHIR knows no empty elements.
    """
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str):
            value = {**value, "reference": change(reference)}
        copied = {key: with_references(item, change) for key, item in value.items()}
        return {key: item for key, item in copied.items() if item is not None} or None
    if isinstance(value, list):
        items = [with_references(item, change) for item in value]
        return [item for item in items if item is not None] or None
    return value
