"""The whole server: what it says of itself, batches and transactions, and every other address."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve, reverse
from rest_framework.request import Request

from ..capability import capability_statement
from ..client_writes import Writer
from ..encoding import from_bytes, to_bytes
from ..negotiation import FHIR_JSON
from ..outcome import Issue, Refused
from ..primitives import compact
from ..searching.bundle import with_entries
from ..searching.query import pairs_of
from ..transactions import (
    Entry,
    check_provided_documents,
    check_unique,
    conditional_references,
    entries_of,
    in_order,
    rewritten,
)
from .base import FhirView, base_url, error, outcome

_PHRASES = {200: "200 OK", 201: "201 Created", 304: "304 Not Modified"}


class MetadataView(FhirView):
    """``GET /fhir/metadata``: open to all, as clients read it before they sign in."""

    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        """Return the CapabilityStatement."""
        return HttpResponse(to_bytes(capability_statement(base_url(request))), FHIR_JSON)


class RootView(FhirView):
    """``POST /fhir``: batch and transaction."""

    def get(self, request: Request) -> HttpResponse:
        """Say that nothing is here."""
        raise Http404("Nothing is served here; GET /fhir/metadata lists what is.")

    def post(self, request: Request) -> HttpResponse:
        """Carry out the requests of a Bundle: each by itself, or all or none."""
        bundle = self.body()
        base = base_url(request)
        entries = entries_of(bundle, base)
        check_provided_documents(bundle, entries)
        if bundle["type"] == "batch":
            answers = {entry.index: self._carry_out(entry) for entry in entries}
        else:
            check_unique(entries)
            try:
                answers = self._all_or_none(entries)
            except _Failed as failed:
                return failed.answer
        head = to_bytes({"resourceType": "Bundle", "type": f"{bundle['type']}-response"})
        rows = [_response_entry(answers[entry.index]) for entry in entries]
        return HttpResponse(with_entries(head, rows), FHIR_JSON)

    def _all_or_none(self, entries: Sequence[Entry]) -> dict[int, HttpResponse]:
        """Carry out a transaction.

        Raises:
            _Failed: one entry failed; nothing was changed.
        """
        answers = {}
        with transaction.atomic():
            writes = any(entry.method in ("POST", "PUT") for entry in entries)
            writer = self.writer() if writes else None
            places, assigned = {}, {}
            if writer is not None:
                # nobody changes what the conditions find until this is over
                writer.lock()
                places, assigned = _places(writer, entries)
                places |= _found_references(writer, entries)
            for entry in in_order(list(entries)):
                answer = self._carry_out(
                    entry,
                    body=rewritten(entry.resource, places),
                    assigned=assigned.get(entry.index, ""),
                )
                if answer.status_code >= 400:
                    raise _Failed(_of_entry(answer, entry))
                answers[entry.index] = answer
        return answers

    def _carry_out(self, entry: Entry, body: Any = None, assigned: str = "") -> HttpResponse:
        """Return the answer to one entry, from the view that serves its address."""
        prefix = reverse("fhir:metadata").removesuffix("metadata")
        if entry.method in ("DELETE", "PATCH") or entry.path.startswith(("_", "/")):
            return error(405, f"{entry.method} is not served.")
        try:
            match = resolve(f"{prefix}{entry.path}")
        except Resolver404:
            return error(404, "Nothing is served at this address.")
        if getattr(match.func, "cls", None) is RootView:
            return error(400, "A Bundle cannot ask for another.")
        inner = self._inner_request(entry, prefix)
        inner.fhir_body = entry.resource if body is None else body
        inner.fhir_assigned_id = assigned
        answer: HttpResponse = match.func(inner, *match.args, **match.kwargs)
        return answer

    def _inner_request(self, entry: Entry, prefix: str) -> Any:
        """Return the request of one entry, as if the same account had sent it by itself."""
        outer: HttpRequest = self.request._request
        inner: Any = copy.copy(outer)
        for cached in ("headers", "GET", "COOKIES", "_current_scheme_host"):
            inner.__dict__.pop(cached, None)
        inner.method = entry.method
        inner.path = inner.path_info = f"{prefix}{entry.path}"
        inner.META = {
            name: value
            for name, value in outer.META.items()
            if not name.startswith(("HTTP_IF_", "HTTP_ACCEPT"))
        } | {
            "QUERY_STRING": entry.query,
            "CONTENT_TYPE": FHIR_JSON,
            "HTTP_ACCEPT": FHIR_JSON,
            "HTTP_IF_NONE_MATCH": entry.if_none_match,
            "HTTP_IF_MODIFIED_SINCE": entry.if_modified_since,
            "HTTP_IF_MATCH": entry.if_match,
            "HTTP_IF_NONE_EXIST": entry.if_none_exist,
        }
        for name in list(inner.META):
            if name.startswith("HTTP_IF_") and not inner.META[name]:
                del inner.META[name]
        inner.__dict__["GET"] = QueryDict(entry.query)
        inner.fhir_reader = self.reader
        inner._force_auth_user = self.request.user
        return inner


class UnknownView(FhirView):
    """Every other address below ``/fhir/``."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say that nothing is here."""
        raise Http404("Nothing is served here; GET /fhir/metadata lists what is.")

    post = put = get


class _Failed(Exception):
    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer
        super().__init__()


def _places(writer: Writer, entries: Sequence[Entry]) -> tuple[dict[str, str], dict[int, str]]:
    """Return fullUrl -> ``Type/id`` of what is written, and the ids drawn for new resources."""
    places: dict[str, str] = {}
    assigned: dict[int, str] = {}
    for entry in entries:
        if entry.method not in ("POST", "PUT") or not entry.type:
            continue
        found = ""
        if entry.method == "PUT" and not entry.query:
            found = entry.path.partition("/")[2]
        else:
            asked = entry.if_none_exist if entry.method == "POST" else entry.query
            matches = writer.matches(entry.type, pairs_of(asked)) if asked else []
            found = matches[0].fhir_id if matches else ""
        if not found:
            found = assigned[entry.index] = str(uuid4())
        if entry.full_url:
            places[entry.full_url] = f"{entry.type}/{found}"
    return places, assigned


def _found_references(writer: Writer, entries: Sequence[Entry]) -> dict[str, str]:
    """Return what conditional references lead to.

    Raises:
        Refused: 412, one leads to none or several.
    """
    places = {}
    for entry in entries:
        for target in conditional_references(entry.resource):
            name, _, query = target.partition("?")
            found = writer.matches(name, pairs_of(query))
            if len(found) != 1:
                words = "A conditional reference must lead to one resource."
                raise Refused(
                    412, Issue("multiple-matches" if found else "not-found", words, entry.place)
                )
            places[target] = f"{name}/{found[0].fhir_id}"
    return places


def _of_entry(answer: HttpResponse, entry: Entry) -> HttpResponse:
    """Return the same failure, saying which entry it is about."""
    issues = from_bytes(answer.content).get("issue", [])
    return outcome(
        answer.status_code,
        *(
            Issue(
                code=issue["code"],
                diagnostics=issue.get("diagnostics", ""),
                expression=_inside(entry.place, (issue.get("expression") or [""])[0]),
                severity=issue["severity"],
            )
            for issue in issues
        ),
    )


def _inside(place: str, expression: str) -> str:
    """Return the FHIRPath of an element of an entry's resource, seen from the Bundle."""
    _, _, rest = expression.partition(".")
    return f"{place}.resource.{rest}" if rest else place


def _response_entry(answer: HttpResponse) -> bytes:
    """Return one entry of a batch-response or transaction-response."""
    status = answer.status_code
    response: dict[str, Any] = compact(
        {
            "status": _PHRASES.get(status, str(status)),
            "location": answer.headers.get("Location"),
            "etag": answer.headers.get("ETag"),
        }
    )
    body = bytes(answer.content)
    is_outcome = body.startswith(b'{"resourceType":"OperationOutcome"')
    if is_outcome:
        response["outcome"] = from_bytes(body)
        return to_bytes({"response": response})
    tail = to_bytes({"response": response})
    return b'{"resource":%s,%s' % (body, tail[1:]) if body else tail
