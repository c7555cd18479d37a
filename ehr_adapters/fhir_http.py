"""FHIR over HTTP: search by identifier, write, read back; each status becomes a typed error."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from . import exact_json
from .documents import Resource
from .errors import Ambiguous, AuthFailed, Rejected, Retryable
from .exact_json import Json
from .model import Identifier, Outcome, Receipt
from .transport import SAFE_METHODS, Answer, Transport

FHIR_JSON = "application/fhir+json"
MAX_OUTCOME_CHARS = 4000
# HAPI answers a repeated search from a cache of up to a minute unless told not to, and servers
# ignore search parameters they do not know unless told to be strict.
READ_HEADERS = {"Cache-Control": "no-cache", "Prefer": "handling=strict"}


class FhirHttp:
    """The requests that adapters make of one FHIR server."""

    def __init__(
        self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._monotonic = monotonic

    def late(self, deadline: float) -> bool:
        """Whether no further request may start."""
        return self._monotonic() > deadline

    def get(self, path: str) -> Answer:
        """Read past any cache."""
        return self._transport.request("GET", path, headers=READ_HEADERS)

    def search(self, resource_type: str, identifier: Identifier) -> Resource | None:
        """Return the one resource that carries ``identifier``, or None.

        Raises:
            Rejected: there are several, or the server does not filter by identifier.
        """
        answer = self._transport.request(
            "GET", resource_type, query={"identifier": identifier.token}, headers=READ_HEADERS
        )
        entries = json_of_read(answer).get("entry", [])
        resources = [entry.get("resource", {}) for entry in entries]
        of_type = [r for r in resources if r.get("resourceType") == resource_type]
        ours = [r for r in of_type if carries(r, identifier)]
        if len(ours) > 1:
            raise Rejected(
                f"The EHR holds {len(ours)} copies of this prescription ({resource_type}): "
                "a person must look.",
                status=answer.status,
            )
        if of_type and not ours:
            raise Rejected(
                "The EHR answers a search by identifier with other resources, so nobody can tell "
                "whether this one arrived.",
                status=answer.status,
            )
        return ours[0] if ours else None

    def write(self, method: str, path: str, body: Resource, headers: Mapping[str, str]) -> Answer:
        """Send one write; a refusal is raised."""
        answer = self._transport.request(
            method,
            path,
            headers={"Content-Type": FHIR_JSON, "Prefer": "return=minimal", **headers},
            body=exact_json.dumps(body),
        )
        raise_for_status(answer, method)
        return answer

    def read_back(self, location: str, deadline: float) -> Resource:
        """Read what a write says it stored; a write that cannot be read back is ambiguous."""
        parts = location.rstrip("/").split("/_history/")[0].split("/")
        if len(parts) < 2 or not all(parts[-2:]):
            raise Ambiguous("The EHR stored it but did not say where.")
        if self.late(deadline):
            raise Ambiguous("Written, but the EHR is too slow to read it back now.")
        try:
            kept = json_of_read(self.get("/".join(parts[-2:])))
        except (Retryable, Rejected) as error:
            raise Ambiguous(f"Written, but reading it back failed: {error}") from error
        return dict(kept)


def carries(resource: Resource, wanted: Identifier) -> bool:
    """Whether ``resource`` has the identifier; Composition has one, the others a list."""
    found = resource.get("identifier", [])
    every = [*(found if isinstance(found, list) else [found])]
    every.append(resource.get("masterIdentifier") or {})
    return any((i.get("system"), i.get("value")) == (wanted.system, wanted.value) for i in every)


def remote_id(resource: Resource) -> str:
    """Return ``Type/id``."""
    return f"{resource.get('resourceType')}/{resource.get('id', '')}"


def version_of(resource: Resource) -> str:
    """Return the server's version of a resource, "" when it keeps none."""
    return str((resource.get("meta") or {}).get("versionId", ""))


def receipt_of(
    outcome: Outcome, kept: Resource, left_out: tuple[str, ...], changed: tuple[str, ...]
) -> Receipt:
    """Return the receipt for the DocumentReference ``kept``."""
    return Receipt(outcome, remote_id(kept), version_of(kept), left_out, changed)


def json_of_read(answer: Answer) -> Resource:
    """Return the resource of a read; what is none may be read again."""
    raise_for_status(answer, "GET")
    try:
        body: Json = exact_json.loads(answer.body)
    except ValueError as error:
        raise Retryable("The EHR's answer is not JSON.") from error
    if not isinstance(body, dict):
        raise Retryable("The EHR's answer is not a FHIR resource.")
    return body


def json_of_write(answer: Answer) -> Resource:
    """Return the resource that answers a write; what is none leaves the outcome open."""
    try:
        return json_of_read(answer)
    except Retryable as error:
        raise Ambiguous(f"It was sent, but: {error}") from error


def raise_for_status(answer: Answer, method: str) -> None:
    """Turn an HTTP status into the error that says what may be done next."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status in {401, 403}:
        raise AuthFailed(f"The EHR refused our credentials (HTTP {status}).")
    if status == 429 or status == 409:
        # refused before it was processed: over the rate limit, or another write was first
        raise Retryable(f"The EHR is busy (HTTP {status}).", retry_after=answer.retry_after)
    # 501 says that the interaction does not exist here, so nothing was stored
    if (status >= 500 and status != 501) or status == 408:
        message = f"The EHR failed (HTTP {status})."
        if method in SAFE_METHODS:
            raise Retryable(message, retry_after=answer.retry_after)
        raise Ambiguous(message, retry_after=answer.retry_after)
    raise Rejected(
        f"The EHR refused the content (HTTP {status}).",
        status=status,
        outcome=answer.body[:MAX_OUTCOME_CHARS].decode(errors="replace"),
    )
