"""The FHIR server: read, vread, search, documents, and what it says about itself."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.services import audit_record

from . import access
from .authentication import BearerAuthentication
from .capability import capability_statement
from .encoding import to_bytes
from .models import ResourceVersion
from .negotiation import FHIR_JSON, AnyRenderer, chosen_type
from .outcome import Issue, operation_outcome
from .search import BadSearch, search, searchset
from .served import SERVED
from .store import binary_content

logger = logging.getLogger(__name__)

# R4 issue-type by HTTP status.
_ISSUE_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    429: "throttled",
}
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # R4 datatypes, id


class FhirView(APIView):
    """What every FHIR route shares: who is asking, in which format, and how errors look."""

    authentication_classes = [BearerAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    content_negotiation_class = AnyRenderer
    http_method_names = ["get", "head"]
    schema = None  # described by /fhir/metadata instead
    offered: tuple[str, ...] = (FHIR_JSON,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the sender, the format and, where patients' data is served, the permission."""
        super().initial(request, *args, **kwargs)
        self.chosen = chosen_type(request, self.offered)
        if IsAuthenticated in self.permission_classes and not self._sites().exists():
            raise PermissionDenied("This account may read FHIR at no site.")

    def handle_exception(self, exc: Exception) -> HttpResponse:
        """Answer any error with an OperationOutcome."""
        if isinstance(exc, Http404):
            return _error(404, str(exc))
        if isinstance(exc, APIException):
            response = _error(exc.status_code, str(exc.detail))
            if exc.status_code == 401:
                response["WWW-Authenticate"] = self.get_authenticate_header(self.request)
            if isinstance(exc, Throttled) and exc.wait is not None:
                response["Retry-After"] = str(int(exc.wait) + 1)
            return response
        # A FHIR client must never meet an HTML page, whatever broke; the log has the trace.
        logger.error("fhir.failed", exc_info=exc)
        return _error(500, "The server failed; the operator's log says where.")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep patients' data out of caches on the way."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Vary"] = "Accept, Authorization, Cookie"
        return response

    def _sites(self) -> Any:
        return accessible_sites(self.request.user, access.PERMISSION)


class MetadataView(FhirView):
    """``GET /fhir/metadata``: open to all, as clients read it before they sign in."""

    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        """Return the CapabilityStatement."""
        return HttpResponse(to_bytes(capability_statement(_base_url(request))), FHIR_JSON)


class ReadView(FhirView):
    """``GET /fhir/{type}/{id}`` and ``.../_history/{version}``."""

    def get(
        self, request: Request, resource_type: str, fhir_id: str, version: str | None = None
    ) -> HttpResponse:
        """Return the stored bytes of one resource."""
        row = _row(request, resource_type, fhir_id, version)
        _audit_read(request, row, "read" if version is None else "vread")
        return _answer(request, row)


class BinaryView(FhirView):
    """``GET /fhir/Binary/{id}``: the PDF itself, or the resource when FHIR JSON is asked for."""

    offered = ("application/pdf", FHIR_JSON)

    def get(self, request: Request, fhir_id: str, version: str | None = None) -> HttpResponse:
        """Return the scanned paper."""
        row = _row(request, "Binary", fhir_id, version)
        _audit_read(request, row, "read" if version is None else "vread")
        return _answer(request, row, as_content=self.chosen != FHIR_JSON)


class DocumentView(FhirView):
    """``GET /fhir/Composition/{id}/$document``."""

    def get(self, request: Request, fhir_id: str) -> HttpResponse:
        """Return the document Bundle that the newest version of the Composition was released in."""
        row = access.document_get(request.user, _row(request, "Composition", fhir_id, None))
        _audit_read(request, row, "document")
        return _answer(request, row)


class SearchView(FhirView):
    """``GET /fhir/{type}?...``."""

    def get(self, request: Request, resource_type: str) -> HttpResponse:
        """Return a searchset Bundle."""
        if not SERVED[resource_type].search:
            raise Http404(f"{resource_type} is served by read only, not by search.")
        parameters = [
            (name, value) for name, values in request.query_params.lists() for value in values
        ]
        lenient = "handling=lenient" in request.headers.get("Prefer", "").replace(" ", "")
        rows = access.current_for(request.user, resource_type).select_related("site")
        try:
            page = search(rows, resource_type, parameters, lenient=lenient)
        except BadSearch as error:
            raise ParseError(str(error)) from error
        self._audit(request, resource_type, page.rows, sorted({name for name, _ in parameters}))
        return HttpResponse(searchset(page, resource_type, _base_url(request)), FHIR_JSON)

    def _audit(
        self,
        request: Request,
        resource_type: str,
        rows: tuple[ResourceVersion, ...],
        names: list[str],
    ) -> None:
        """Record the query at each site it looked at; parameter names only, values may be PHI."""
        for site in self._sites():
            audit_record(
                action="fhir.read",
                site=site,
                object_type=resource_type,
                object_id="search",
                actor=request.user,
                data={
                    "interaction": "search-type",
                    "parameters": names,
                    "found": [row.fhir_id for row in rows if row.site_id == site.pk],
                },
            )


class UnknownView(FhirView):
    """Every other address below ``/fhir/``."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say that nothing is here."""
        raise Http404("Nothing is served here; GET /fhir/metadata lists what is.")


def _row(
    request: Request, resource_type: str, fhir_id: str, version: str | None
) -> ResourceVersion:
    if not _FHIR_ID.fullmatch(fhir_id):
        raise ParseError("An id has 1 to 64 letters, digits, hyphens or dots.")
    # longer numbers than the column holds are no version either
    if version is not None and not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Http404("There is no such version.")
    number = int(version) if version is not None else None
    return access.resource_get(request.user, resource_type, fhir_id, number)


def _answer(request: Request, row: ResourceVersion, *, as_content: bool = False) -> HttpResponse:
    """Return the stored bytes with their version, or 304 when the client has them already."""
    etag = f'W/"{row.version}"'
    if _client_has(request, row, etag):
        response = HttpResponse(status=304)
    elif as_content:
        content_type, content = binary_content(row)
        response = HttpResponse(content, content_type)
    else:
        response = HttpResponse(bytes(row.body), FHIR_JSON)
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


def _audit_read(request: Request, row: ResourceVersion, interaction: str) -> None:
    audit_record(
        action="fhir.read",
        site=row.site,
        object_type=row.resource_type,
        object_id=row.fhir_id,
        actor=request.user,
        scan_id=row.scan_id,
        data={"interaction": interaction, "version": row.version},
    )


def _base_url(request: Request) -> str:
    """Return the address of the server; a host project may have put it below a prefix."""
    return request.build_absolute_uri(reverse("fhir:metadata")).removesuffix("/metadata")


def _error(status: int, diagnostics: str) -> HttpResponse:
    code = _ISSUE_CODES.get(status, "exception" if status >= 500 else "processing")
    body = to_bytes(operation_outcome([Issue(code, diagnostics)]))
    return HttpResponse(body, FHIR_JSON, status=status)
