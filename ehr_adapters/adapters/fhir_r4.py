"""Any FHIR R4 server: reads what it can do, looks before it writes, reads back what it wrote.

Conditional create alone does not give exactly-once on real servers (hapi-fhir #3141, Microsoft
fhir-server #1382, medplum #4878 race or duplicate), and a write whose answer was lost may have
been stored (medplum #9009). So every push starts with a look-up by identifier, writes go by PUT to
deterministic ids where the server allows it, and a lost answer is never followed by a blind
re-send.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ehr_adapters import exact_json
from ehr_adapters.capability_statement import read_capability_statement
from ehr_adapters.documents import Resource, parse_document
from ehr_adapters.errors import Ambiguous, AuthFailed, Rejected, Retryable, Unsupported
from ehr_adapters.exact_json import Json
from ehr_adapters.model import (
    Capabilities,
    Outcome,
    Receipt,
    RemoteRef,
    RemoteStatus,
    Submission,
    SubmissionKey,
)
from ehr_adapters.payloads import (
    Route,
    choose_route,
    document_alone,
    if_none_exist,
    transaction_bundle,
)
from ehr_adapters.readback import differences
from ehr_adapters.registry import config_text, register
from ehr_adapters.transport import SAFE_METHODS, Answer, Limits, Transport, check_base_url

FHIR_JSON = "application/fhir+json"
CAPABILITIES_TTL_S = 15 * 60  # servers change with a deployment, not with a prescription
MAX_OUTCOME_CHARS = 4000
# A push starts no further request after this long, so that it ends before its sender's claim does.
PUSH_BUDGET_S = 180.0
# HAPI answers a repeated search from a cache of up to a minute unless told not to, and servers
# ignore search parameters they do not know unless told to be strict.
_READ_HEADERS = {"Cache-Control": "no-cache", "Prefer": "handling=strict"}


class FhirR4Adapter:
    """One FHIR R4 endpoint. Safe to share between threads."""

    def __init__(
        self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._monotonic = monotonic
        self._capabilities: tuple[float, Capabilities] | None = None

    def capabilities(self) -> Capabilities:
        """Read ``/metadata``; kept for ``CAPABILITIES_TTL_S``."""
        now = self._monotonic()
        if self._capabilities is None or now - self._capabilities[0] > CAPABILITIES_TTL_S:
            answer = self._transport.request("GET", "metadata")
            if answer.status in {404, 410}:
                raise Unsupported("There is no FHIR server at this address (no /metadata).")
            self._capabilities = now, read_capability_statement(_json_of_read(answer))
        return self._capabilities[1]

    def push(self, submission: Submission) -> Receipt:
        """Make the server hold the document exactly once; see ``EhrAdapter.push``."""
        document = parse_document(submission.bundle)
        deadline = self._monotonic() + PUSH_BUDGET_S
        capabilities = self.capabilities()
        chosen = choose_route(document, capabilities)
        if chosen is None:
            raise Unsupported(f"{capabilities.peer} lets nobody create a DocumentReference.")
        route, entries = chosen
        left_out = tuple(sorted({e.type for e in document.entries} - {e.type for e in entries}))

        if capabilities.looks_up:
            found = self._look_up(submission.key)
            if found is not None:
                changed = differences(document_alone(document, submission.key), found)
                return _receipt(Outcome.ALREADY_THERE, found, left_out, changed)

        if self._monotonic() > deadline:
            raise Retryable("The EHR is too slow to start writing now.")
        if route is Route.TRANSACTION:
            sent = transaction_bundle(document, entries, capabilities, submission.key)
            self._check_resend(submission, capabilities, _is_idempotent(sent))
            return self._push_transaction(sent, left_out, deadline)
        alone = document_alone(document, submission.key)
        conditional = capabilities.of("DocumentReference").conditional_create
        self._check_resend(submission, capabilities, conditional)
        return self._push_document(alone, conditional, left_out, deadline)

    def find(self, key: SubmissionKey) -> RemoteRef | None:
        """Look the push up by its identifier."""
        if not self.capabilities().looks_up:
            raise Unsupported("The server does not search DocumentReference by identifier.")
        found = self._look_up(key)
        return None if found is None else RemoteRef(_remote_id(found), _version(found))

    def status(self, remote: RemoteRef) -> RemoteStatus:
        """Read the DocumentReference and tell what has become of it."""
        answer = self._transport.request("GET", remote.remote_id, headers=_READ_HEADERS)
        if answer.status in {404, 410}:
            return RemoteStatus.ABSENT
        withdrawn = _json_of_read(answer).get("status") == "entered-in-error"
        return RemoteStatus.WITHDRAWN if withdrawn else RemoteStatus.PRESENT

    def _look_up(self, key: SubmissionKey) -> Resource | None:
        """Return the one DocumentReference with our identifier, or None.

        Raises:
            Rejected: there are several, or the server does not filter by identifier.
        """
        answer = self._transport.request(
            "GET",
            "DocumentReference",
            query={"identifier": key.identifier.token},
            headers=_READ_HEADERS,
        )
        entries = _json_of_read(answer).get("entry", [])
        resources = [entry.get("resource", {}) for entry in entries]
        documents = [r for r in resources if r.get("resourceType") == "DocumentReference"]
        ours = [r for r in documents if _carries(r, key)]
        if len(ours) > 1:
            raise Rejected(
                f"The EHR holds {len(ours)} copies of this prescription: a person must look.",
                status=answer.status,
            )
        if documents and not ours:
            raise Rejected(
                "The EHR answers a search by identifier with other documents, so nobody can tell "
                "whether this one arrived.",
                status=answer.status,
            )
        return ours[0] if ours else None

    def _check_resend(
        self, submission: Submission, capabilities: Capabilities, idempotent: bool
    ) -> None:
        """Refuse a re-send that could make a second copy."""
        if submission.maybe_sent and not (capabilities.looks_up or idempotent):
            raise Rejected(
                "An earlier try may have arrived, and this EHR offers no way to look it up: "
                "a person must check there before it is sent again."
            )

    def _push_transaction(
        self, sent: Resource, left_out: tuple[str, ...], deadline: float
    ) -> Receipt:
        answer = self._write("", sent, {"Prefer": "return=minimal"})
        if answer.status == 202:
            return Receipt(Outcome.ACCEPTED, "", left_out=left_out)
        rows = _json_of_write(answer).get("entry", [])
        if len(rows) != len(sent["entry"]):
            raise Ambiguous("The EHR's transaction answer does not match what was sent.")
        receipt: Receipt | None = None
        changed: list[str] = []
        for row, entry in zip(rows, sent["entry"], strict=True):
            resource = entry["resource"]
            if resource["resourceType"] not in {"DocumentReference", "MedicationRequest"}:
                continue
            kept = self._read_back(str((row.get("response") or {}).get("location", "")), deadline)
            changed += differences(resource, kept)
            if resource["resourceType"] == "DocumentReference":
                receipt = _receipt(Outcome.CREATED, kept, left_out, ())
        if receipt is None:
            raise Ambiguous("The EHR did not say where it put the document.")
        return Receipt(
            receipt.outcome, receipt.remote_id, receipt.version, left_out, tuple(changed)
        )

    def _push_document(
        self,
        alone: Resource,
        conditional: bool,
        left_out: tuple[str, ...],
        deadline: float,
    ) -> Receipt:
        headers = {"Prefer": "return=minimal"}
        if conditional:
            headers["If-None-Exist"] = if_none_exist(alone)
        answer = self._write("DocumentReference", alone, headers)
        if answer.status == 202:
            return Receipt(Outcome.ACCEPTED, "", left_out=left_out)
        kept = self._read_back(answer.headers.get("location", ""), deadline)
        return _receipt(Outcome.CREATED, kept, left_out, differences(alone, kept))

    def _write(self, path: str, body: Resource, headers: Mapping[str, str]) -> Answer:
        answer = self._transport.request(
            "POST",
            path,
            headers={"Content-Type": FHIR_JSON, **headers},
            body=exact_json.dumps(body),
        )
        _raise_for_status(answer, "POST")
        return answer

    def _read_back(self, location: str, deadline: float) -> Resource:
        """Read what a write says it stored; a write that cannot be read back is ambiguous."""
        parts = location.rstrip("/").split("/_history/")[0].split("/")
        if len(parts) < 2 or not all(parts[-2:]):
            raise Ambiguous("The EHR stored it but did not say where.")
        if self._monotonic() > deadline:
            raise Ambiguous("Written, but the EHR is too slow to read it back now.")
        try:
            answer = self._transport.request("GET", "/".join(parts[-2:]), headers=_READ_HEADERS)
            kept = _json_of_read(answer)
        except (Retryable, Rejected) as error:
            raise Ambiguous(f"Written, but reading it back failed: {error}") from error
        return dict(kept)


def _is_idempotent(transaction: Resource) -> bool:
    """Whether a second run of the transaction writes the prescription no second time."""
    return all(
        entry["request"]["method"] == "PUT" or "ifNoneExist" in entry["request"]
        for entry in transaction["entry"]
        if entry["resource"]["resourceType"] in {"DocumentReference", "MedicationRequest"}
    )


def _carries(resource: Resource, key: SubmissionKey) -> bool:
    wanted = key.identifier
    every = [*resource.get("identifier", []), resource.get("masterIdentifier") or {}]
    return any((i.get("system"), i.get("value")) == (wanted.system, wanted.value) for i in every)


def _remote_id(resource: Resource) -> str:
    return f"DocumentReference/{resource.get('id', '')}"


def _version(resource: Resource) -> str:
    return str((resource.get("meta") or {}).get("versionId", ""))


def _receipt(
    outcome: Outcome, kept: Resource, left_out: tuple[str, ...], changed: tuple[str, ...]
) -> Receipt:
    return Receipt(outcome, _remote_id(kept), _version(kept), left_out, changed)


def _json_of_read(answer: Answer) -> Resource:
    _raise_for_status(answer, "GET")
    try:
        body: Json = exact_json.loads(answer.body)
    except ValueError as error:
        raise Retryable("The EHR's answer is not JSON.") from error
    if not isinstance(body, dict):
        raise Retryable("The EHR's answer is not a FHIR resource.")
    return body


def _json_of_write(answer: Answer) -> Resource:
    try:
        return _json_of_read(answer)
    except Retryable as error:
        raise Ambiguous(f"It was sent, but: {error}") from error


def _raise_for_status(answer: Answer, method: str) -> None:
    """Turn an HTTP status into the error that says what may be done next."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status in {401, 403}:
        raise AuthFailed(f"The EHR refused our credentials (HTTP {status}).")
    if status == 429 or status == 409:
        # refused before it was processed: over the rate limit, or another write was first
        raise Retryable(f"The EHR is busy (HTTP {status}).", retry_after=answer.retry_after)
    if status >= 500 or status == 408:
        message = f"The EHR failed (HTTP {status})."
        if method in SAFE_METHODS:
            raise Retryable(message, retry_after=answer.retry_after)
        raise Ambiguous(message, retry_after=answer.retry_after)
    raise Rejected(
        f"The EHR refused the content (HTTP {status}).",
        status=status,
        outcome=answer.body[:MAX_OUTCOME_CHARS].decode(errors="replace"),
    )


@register("fhir_r4")
def build(config: Mapping[str, Any], environ: Mapping[str, str]) -> FhirR4Adapter:
    """Build from ``config``.

    Keys: ``base_url``; ``auth`` (``none`` | ``bearer`` with ``token_env`` | ``basic`` with
    ``username_env`` and ``password_env``); ``ca_file``; ``proxy``; ``allow_http``; ``timeout_s``.
    The environment variable EHR_ALLOWED_HOSTS (comma separated), when set, is the operator's list
    of hosts that targets may name.
    """
    hosts = frozenset(
        h.strip() for h in environ.get("EHR_ALLOWED_HOSTS", "").split(",") if h.strip()
    )
    base_url = check_base_url(
        config_text(config, "base_url"),
        allowed_hosts=hosts,
        allow_http=config.get("allow_http") is True,
    )
    timeout_s = config.get("timeout_s", Limits().read)
    if not isinstance(timeout_s, int | float) or not 0 < timeout_s <= 60:
        raise Unsupported("timeout_s must be a number of seconds over 0 and up to 60.")
    transport = Transport(
        base_url,
        auth=_auth(config, environ),
        limits=Limits(connect=min(10.0, timeout_s), read=timeout_s),
        ca_file=config_text(config, "ca_file", "") or None,
        proxy=config_text(config, "proxy", "") or None,
    )
    return FhirR4Adapter(transport)


def _auth(config: Mapping[str, Any], environ: Mapping[str, str]) -> httpx.Auth | None:
    kind = config_text(config, "auth", "none")
    if kind == "none":
        return None
    if kind == "bearer":
        return _Bearer(_secret(config, "token_env", environ))
    if kind == "basic":
        return httpx.BasicAuth(
            _secret(config, "username_env", environ), _secret(config, "password_env", environ)
        )
    raise Unsupported(f"No auth {kind!r}; there are: basic, bearer, none.")


def _secret(config: Mapping[str, Any], key: str, environ: Mapping[str, str]) -> str:
    variable = config_text(config, key)
    if not environ.get(variable):
        raise AuthFailed(f"The environment variable {variable} is not set.")
    return environ[variable]


class _Bearer(httpx.Auth):
    """Adds a fixed bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
