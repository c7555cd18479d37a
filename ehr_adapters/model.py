"""The values that cross the EHR port."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Identifier:
    """A FHIR business identifier."""

    system: str
    value: str

    @property
    def token(self) -> str:
        """Return the search token ``system|value``."""
        return f"{self.system}|{self.value}"


@dataclass(frozen=True, slots=True)
class SubmissionKey:
    """What makes two pushes the same push: one version of one prescription."""

    prescription_id: uuid.UUID
    version: int

    @property
    def identifier(self) -> Identifier:
        """Return the identifier that every adapter looks up and writes.

        A UUIDv5 of prescription and version as a URN (RFC 3986 is the FHIR system of URNs), so
        that every worker, at any time, derives the same one.
        """
        return Identifier("urn:ietf:rfc:3986", f"urn:uuid:{self.derived_uuid('document')}")

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Return the identifiers of every version up to this one, the first version's first.

        A document that was amended in place carries them all, so that each version is found in it.
        """
        versions = range(1, self.version + 1)
        return tuple(SubmissionKey(self.prescription_id, n).identifier for n in versions)

    @property
    def next_version(self) -> SubmissionKey:
        """Return the key of the version that amends this one."""
        return SubmissionKey(self.prescription_id, self.version + 1)

    @property
    def file_stem(self) -> str:
        """Return the name that file based adapters use, without an ending."""
        return f"prescription-{self.prescription_id}-v{self.version}"

    def derived_uuid(self, name: str) -> uuid.UUID:
        """Return the UUIDv5 of ``name`` under this prescription version."""
        return uuid.uuid5(self.prescription_id, f"v{self.version}/{name}")


@dataclass(frozen=True, slots=True)
class Submission:
    """One released prescription version on its way out.

    Attributes:
        key: identity of the push; the same for every try.
        bundle: the released FHIR R4 document Bundle, UTF-8 JSON exactly as served.
        maybe_sent: an earlier try may have reached the peer, so that only a look-up or an
            idempotent write is allowed now.
    """

    key: SubmissionKey
    bundle: bytes
    maybe_sent: bool = False


class Outcome(StrEnum):
    """How a push ended well."""

    CREATED = "created"
    AMENDED = "amended"  # what an earlier version left there was changed
    ALREADY_THERE = "already_there"  # a look-up found it; nothing was written
    ACCEPTED = "accepted"  # 202: the peer's staff file it; it cannot be read back yet


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the peer holds after a push.

    Attributes:
        outcome: how it came to be there.
        remote_id: ``DocumentReference/123``, or the file name; "" when not told (202).
        version: the peer's version of it (ETag without quotes), "" when not told.
        left_out: resource types that the peer does not take and that were not sent.
        differences: element paths where the peer kept something else than was sent.
    """

    outcome: Outcome
    remote_id: str
    version: str = ""
    left_out: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """Where a push lives at the peer."""

    remote_id: str
    version: str = ""


class RemoteStatus(StrEnum):
    """What has become of a push at the peer."""

    PRESENT = "present"
    WITHDRAWN = "withdrawn"  # the peer marked it entered-in-error
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ResourceSupport:
    """What a FHIR peer does with one resource type, from its CapabilityStatement."""

    create: bool = False
    conditional_create: bool = False
    update_create: bool = False  # PUT with an id of our choice
    search_identifier: bool = False
    update: bool = False
    conditional_update: bool = False  # PUT with a search instead of an id


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a peer can take.

    Attributes:
        peer: name and version as the peer gives them, for people.
        transaction: several resources in one all-or-nothing request.
        looks_up: a push can be found again by its identifier.
        resources: support by FHIR resource type; empty for peers that are not FHIR servers.
    """

    peer: str
    transaction: bool
    looks_up: bool
    resources: Mapping[str, ResourceSupport] = field(default_factory=dict)

    def of(self, resource_type: str) -> ResourceSupport:
        """Return the support of ``resource_type``; nothing is supported when it is not listed."""
        return self.resources.get(resource_type, ResourceSupport())
