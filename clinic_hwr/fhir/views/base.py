"""What every FHIR route shares: who is asking, in which format, and how answers and errors look."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from clinic_hwr.audit.services import audit_record

from ..access import Reader, reader_for, writable_sites
from ..authentication import BearerAuthentication
from ..client_writes import Writer
from ..connection import CONNECTION, connection_of
from ..encoding import NotJson, from_client, to_bytes
from ..models import ResourceVersion
from ..negotiation import FHIR_JSON, AnyRenderer, chosen_type
from ..outcome import Issue, Refused, operation_outcome
from ..preferences import Preferences, preferences_of
from ..searching.query import BadSearch

logger = logging.getLogger(__name__)

# Servers take at least 5 MiB inline (US Core, Writing Clinical Notes); base64 and the rest on top.
MAX_BODY_BYTES = 32 * 1024 * 1024
_WORTH_PACKING = 1024  # bytes; below that gzip saves nothing
_BODY_TYPES = ("application/fhir+json", "application/json", "text/json", "application/json+fhir")
# R4 issue-type by HTTP status.
_ISSUE_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # R4 datatypes, id


class FhirView(APIView):
    """A FHIR route; subclasses have one method for each HTTP method they serve."""

    authentication_classes = [BearerAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    content_negotiation_class = AnyRenderer
    http_method_names = ["get", "head", "post", "put"]
    schema = None  # described by /fhir/metadata instead
    offered: tuple[str, ...] = (FHIR_JSON,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the sender, the format and, where patients' data is served, the permission."""
        super().initial(request, *args, **kwargs)
        if self.offered:
            self.negotiated(self.offered)
        if IsAuthenticated in self.permission_classes:
            # one look at the memberships serves all parts of a batch
            self.reader: Reader = getattr(request._request, "fhir_reader", None) or reader_for(
                request.user
            )
            if not self.reader.sites:
                raise PermissionDenied("This account may read FHIR at no site.")

    def get_throttles(self) -> list[Any]:
        """Count a batch once, not each of its parts."""
        inner = hasattr(self.request._request, "fhir_reader")
        return [] if inner else super().get_throttles()

    def handle_exception(self, exc: Exception) -> HttpResponse:
        """Answer any error with an OperationOutcome."""
        if isinstance(exc, Http404):
            return error(404, str(exc))
        if isinstance(exc, Refused):
            return outcome(exc.status, *exc.issues)
        if isinstance(exc, BadSearch):
            return error(400, str(exc))
        if isinstance(exc, APIException):
            response = error(exc.status_code, str(exc.detail))
            if exc.status_code == 401:
                response["WWW-Authenticate"] = self.get_authenticate_header(self.request)
            if isinstance(exc, Throttled) and exc.wait is not None:
                response["Retry-After"] = str(int(exc.wait) + 1)
            return response
        # A FHIR client must never meet an HTML page, whatever broke; the log has the trace.
        logger.error("fhir.failed", exc_info=exc)
        return error(500, "The server failed; the operator's log says where.")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep patients' data out of caches on the way, and pack what is long."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Vary"] = "Accept, Accept-Encoding, Authorization, Cookie, Prefer"
        if not hasattr(request._request, "fhir_reader"):
            _pack(request, response)
        return response

    def negotiated(self, offered: Sequence[str]) -> str:
        """Return the type of ``offered`` that the client likes best; see ``chosen_type``."""
        return chosen_type(self.request, offered)

    # ---- what the client sent ------------------------------------------------------------------

    def preferences(self) -> Preferences:
        """Return what the ``Prefer`` header says."""
        return preferences_of(self.request.headers.get("Prefer", ""))

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters of the address, in order."""
        query = self.request.query_params
        return [(name, value) for name, values in query.lists() for value in values]

    def body(self) -> Any:
        """Return the JSON value of the body.

        Raises:
            Refused: 413, 415, or 400 for what is no JSON.
        """
        inner = getattr(self.request._request, "fhir_body", None)
        if inner is not None:
            return inner
        media = str(self.request.content_type or "").partition(";")[0].strip().lower()
        if media not in _BODY_TYPES:
            raise Refused(415, Issue("not-supported", f"Send the body as {FHIR_JSON}."))
        try:
            return from_client(read_body(self.request))
        except NotJson as error_:
            raise Refused(400, Issue("structure", str(error_))) from error_

    def writer(self) -> Writer:
        """Return the account as a writer at one site.

        Raises:
            PermissionDenied: no site.
            Refused: 400, several sites and none named.
        """
        sites = writable_sites(self.request.user)
        wanted = self.request.headers.get("X-Clinic-Site", "")
        if not sites or (wanted and wanted not in sites):
            raise PermissionDenied("This account may not write over FHIR there.")
        if not wanted and len(sites) > 1:
            words = f"Name the site in the header X-Clinic-Site: {', '.join(sorted(sites))}."
            raise Refused(400, Issue("required", words))
        site = sites[wanted] if wanted else next(iter(sites.values()))
        # a condition may find what the account reads there, and nothing of its other sites
        only = Reader(self.request.user, {site.pk: site})
        return Writer(only, site, base_url(self.request), self.connection())

    # ---- what it gets --------------------------------------------------------------------------

    def row(self, resource_type: str, fhir_id: str, version: str | None = None) -> ResourceVersion:
        """Return one stored version that the account may read.

        Raises:
            ParseError: no possible id.
            Http404: it does not exist for this account.
        """
        if not _FHIR_ID.fullmatch(fhir_id):
            raise ParseError("An id has 1 to 64 letters, digits, hyphens or dots.")
        if version is None:
            return self.reader.get(resource_type, fhir_id)
        # longer numbers than the column holds are no version either
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise Http404("There is no such version.")
        return self.reader.get(resource_type, fhir_id, int(version))

    def connection(self) -> dict[str, str]:
        """Return between which machines the request went, for the audit trail."""
        return connection_of(self.request._request, base_url(self.request))

    def audit_read(self, row: ResourceVersion, interaction: str) -> None:
        """Record that one resource was read."""
        audit_record(
            action="fhir.read",
            site=row.site,
            object_type=row.resource_type,
            object_id=row.fhir_id,
            actor=self.request.user,
            scan_id=row.scan_id,
            data={
                "interaction": interaction,
                "version": row.version,
                "patient": row.patient_fhir_id,
                CONNECTION: self.connection(),
            },
        )

    def audit_search(
        self, object_type: str, rows: list[ResourceVersion], names: list[str], interaction: str
    ) -> None:
        """Record a query at each site it looked at; parameter names only, values may be PHI."""
        connection = self.connection()
        for site in self.reader.sites.values():
            there = [row for row in rows if row.site_id == site.pk]
            audit_record(
                action="fhir.read",
                site=site,
                object_type=object_type,
                object_id="search" if interaction == "search-type" else interaction,
                actor=self.request.user,
                data={
                    "interaction": interaction,
                    "parameters": names,
                    "found": [row.fhir_id for row in there],
                    "patients": sorted({row.patient_fhir_id for row in there} - {""}),
                    CONNECTION: connection,
                },
            )


def read_body(request: Request) -> bytes:
    """Return the bytes of the body, at most ``MAX_BODY_BYTES``.

    Reads the stream itself: ``request.body`` stops at the limit of forms, which scans outgrow.

    Raises:
        Refused: 413 for more, 415 when it is packed.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(415, Issue("not-supported", "Send the body unpacked."))
    found: bytes = request._request.read(MAX_BODY_BYTES + 1)
    if len(found) > MAX_BODY_BYTES:
        words = f"A body may have at most {MAX_BODY_BYTES} bytes."
        raise Refused(413, Issue("too-long", words))
    return found


def respond(request: Request, row: ResourceVersion, body: bytes, content_type: str) -> HttpResponse:
    """Return ``body`` with the version of ``row``, or 304 when the client has it already."""
    etag = f'W/"{row.version}"'
    unchanged = _client_has(request, row, etag)
    response = HttpResponse(status=304) if unchanged else HttpResponse(body, content_type)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(row.last_updated.timestamp())
    return response


def _client_has(request: Request, row: ResourceVersion, etag: str) -> bool:
    """Tell whether a conditional read may be answered 304 (RFC 9110, 13.2.2)."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return "*" in tags or etag.removeprefix("W/") in tags
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(row.last_updated.timestamp()) <= since


def base_url(request: Request) -> str:
    """Return the address of the server; a host project may have put it below a prefix."""
    return request.build_absolute_uri(reverse("fhir:metadata")).removesuffix("/metadata")


def error(status: int, diagnostics: str) -> HttpResponse:
    """Return an OperationOutcome of one error."""
    code = _ISSUE_CODES.get(status, "exception" if status >= 500 else "processing")
    return outcome(status, Issue(code, diagnostics))


def outcome(status: int, *issues: Issue) -> HttpResponse:
    """Return an OperationOutcome."""
    return HttpResponse(to_bytes(operation_outcome(issues)), FHIR_JSON, status=status)


def _pack(request: Request, response: HttpResponse) -> None:
    """Compress a long answer for who takes gzip.

    Answers hold no secret of the server beside text of the client's choice, so their length tells
    a listener nothing (BREACH).
    """
    encodings = request.headers.get("Accept-Encoding", "").lower()
    takes = any(
        part.partition(";")[0].strip() in ("gzip", "*") and "q=0" not in part.replace("q=0.", "")
        for part in encodings.split(",")
    )
    if not takes or response.streaming or len(response.content) < _WORTH_PACKING:
        return
    response.content = gzip.compress(response.content, compresslevel=5, mtime=0)
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))
