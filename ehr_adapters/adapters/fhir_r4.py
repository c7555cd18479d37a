"""Any FHIR R4 server: reads what it can do, looks before it writes, reads back what it wrote.

Conditional create alone does not give exactly-once on real servers (hapi-fhir #3141, Microsoft
fhir-server #1382, medplum #4878 race or duplicate), and a write whose answer was lost may have
been stored (medplum #9009). So every push starts with a look-up by identifier, writes go by PUT to
deterministic ids where the server allows it, and a lost answer is never followed by a blind
re-send. A later version changes what the earlier one left there: see ``ehr_adapters.amending``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ehr_adapters.amending import Amendment
from ehr_adapters.capability_statement import read_capability_statement
from ehr_adapters.documents import Resource, parse_document
from ehr_adapters.errors import Ambiguous, AuthFailed, Rejected, Retryable, Unsupported
from ehr_adapters.fhir_http import (
    FhirHttp,
    carries,
    json_of_read,
    json_of_write,
    receipt_of,
    remote_id,
    version_of,
)
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
from ehr_adapters.transport import Limits, Transport, check_base_url

CAPABILITIES_TTL_S = 15 * 60  # servers change with a deployment, not with a prescription
# A push starts no further request after this long, so that it ends before its sender's claim does.
PUSH_BUDGET_S = 180.0


class FhirR4Adapter:
    """One FHIR R4 endpoint. Safe to share between threads."""

    def __init__(
        self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._monotonic = monotonic
        self._http = FhirHttp(transport, monotonic=monotonic)
        self._capabilities: tuple[float, Capabilities] | None = None

    def capabilities(self) -> Capabilities:
        """Read ``/metadata``; kept for ``CAPABILITIES_TTL_S``."""
        now = self._monotonic()
        if self._capabilities is None or now - self._capabilities[0] > CAPABILITIES_TTL_S:
            answer = self._transport.request("GET", "metadata")
            if answer.status in {404, 410}:
                raise Unsupported("There is no FHIR server at this address (no /metadata).")
            self._capabilities = now, read_capability_statement(json_of_read(answer))
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

        if submission.key.version > 1:
            amendment = Amendment(self._http, capabilities, document, submission, deadline)
            return amendment.run(route, entries, left_out)
        if capabilities.looks_up:
            found = self._http.search("DocumentReference", submission.key.identifier)
            if found is not None:
                later = carries(found, submission.key.next_version.identifier)
                sent = document_alone(document, submission.key)
                changed = () if later else differences(sent, found)
                return receipt_of(Outcome.ALREADY_THERE, found, left_out, changed)

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
        found = self._http.search("DocumentReference", key.identifier)
        return None if found is None else RemoteRef(remote_id(found), version_of(found))

    def status(self, remote: RemoteRef) -> RemoteStatus:
        """Read the DocumentReference and tell what has become of it."""
        answer = self._http.get(remote.remote_id)
        if answer.status in {404, 410}:
            return RemoteStatus.ABSENT
        withdrawn = json_of_read(answer).get("status") == "entered-in-error"
        return RemoteStatus.WITHDRAWN if withdrawn else RemoteStatus.PRESENT

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
        answer = self._http.write("POST", "", sent, {})
        if answer.status == 202:
            return Receipt(Outcome.ACCEPTED, "", left_out=left_out)
        rows = json_of_write(answer).get("entry", [])
        if len(rows) != len(sent["entry"]):
            raise Ambiguous("The EHR's transaction answer does not match what was sent.")
        receipt: Receipt | None = None
        changed: list[str] = []
        for row, entry in zip(rows, sent["entry"], strict=True):
            resource = entry["resource"]
            if resource["resourceType"] not in {"DocumentReference", "MedicationRequest"}:
                continue
            kept = self._http.read_back(
                str((row.get("response") or {}).get("location", "")), deadline
            )
            changed += differences(resource, kept)
            if resource["resourceType"] == "DocumentReference":
                receipt = receipt_of(Outcome.CREATED, kept, left_out, ())
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
        headers = {"If-None-Exist": if_none_exist(alone)} if conditional else {}
        answer = self._http.write("POST", "DocumentReference", alone, headers)
        if answer.status == 202:
            return Receipt(Outcome.ACCEPTED, "", left_out=left_out)
        kept = self._http.read_back(answer.headers.get("location", ""), deadline)
        return receipt_of(Outcome.CREATED, kept, left_out, differences(alone, kept))


def _is_idempotent(transaction: Resource) -> bool:
    """Whether a second run of the transaction writes the prescription no second time."""
    return all(
        entry["request"]["method"] == "PUT" or "ifNoneExist" in entry["request"]
        for entry in transaction["entry"]
        if entry["resource"]["resourceType"] in {"DocumentReference", "MedicationRequest"}
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
