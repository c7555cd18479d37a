"""One resource: read, vread, history, update; the PDF of a Binary."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from rest_framework.request import Request

from ..client_writes import resource_update
from ..history import history_bundle, wishes_of
from ..negotiation import FHIR_JSON
from ..searching.bundle import body_of
from ..searching.query import parse
from ..served import SERVED
from ..store import binary_content
from ..summaries import Part
from .base import FhirView, base_url, respond
from .written import written_response


class InstanceView(FhirView):
    """``/fhir/{type}/{id}``."""

    def get(self, request: Request, resource_type: str, fhir_id: str) -> HttpResponse:
        """Return the stored bytes of the newest version."""
        row = self.row(resource_type, fhir_id)
        self.audit_read(row, "read")
        return respond(request, row, body_of(row, self._part(resource_type)), FHIR_JSON)

    def put(self, request: Request, resource_type: str, fhir_id: str) -> HttpResponse:
        """Write the next version of a resource that a client made."""
        writer = self.writer()
        self.row(resource_type, fhir_id)
        written = resource_update(
            writer,
            resource_type,
            fhir_id,
            self.body(),
            if_match=request.headers.get("If-Match", ""),
        )
        return written_response(self, written)

    def _part(self, resource_type: str) -> Part:
        """Return the part of the resource that ``_summary`` or ``_elements`` name."""
        wanted = [
            (name, value)
            for name, value in self.parameters()
            if name in ("_summary", "_elements") and value
        ]
        return parse(resource_type, wanted).part


class VersionView(FhirView):
    """``/fhir/{type}/{id}/_history/{version}``."""

    def get(self, request: Request, resource_type: str, fhir_id: str, version: str) -> HttpResponse:
        """Return the stored bytes of one version."""
        row = self.row(resource_type, fhir_id, version)
        self.audit_read(row, "vread")
        return respond(request, row, bytes(row.body), FHIR_JSON)


class BinaryView(InstanceView):
    """``/fhir/Binary/{id}``: the content itself, or the resource when FHIR JSON is asked for."""

    offered = ()  # what a Binary holds is known only after it was found

    def get(
        self,
        request: Request,
        fhir_id: str,
        resource_type: str = "Binary",
        version: str | None = None,
    ) -> HttpResponse:
        """Return the scanned paper."""
        row = self.row("Binary", fhir_id, version)
        content_type, content = binary_content(row)
        chosen = self.negotiated((content_type, FHIR_JSON))
        self.audit_read(row, "read" if version is None else "vread")
        if chosen == FHIR_JSON:
            return respond(request, row, bytes(row.body), FHIR_JSON)
        response = respond(request, row, content, content_type)
        # bytes of a client must never run as a page of this server
        response["Content-Disposition"] = "attachment"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["X-Content-Type-Options"] = "nosniff"
        return response


class BinaryVersionView(BinaryView):
    """``/fhir/Binary/{id}/_history/{version}``: versions are read and never written."""

    http_method_names = ["get", "head"]


class HistoryView(FhirView):
    """``/fhir/_history``, ``/fhir/{type}/_history``, ``/fhir/{type}/{id}/_history``."""

    def get(self, request: Request, resource_type: str = "", fhir_id: str = "") -> HttpResponse:
        """Return the versions the account may read, newest first."""
        rows = self.reader.versions()
        address = base_url(request)
        if resource_type:
            rows = rows.filter(resource_type=resource_type)
            address = f"{address}/{resource_type}"
        if fhir_id:
            rows = rows.filter(fhir_id=self.row(resource_type, fhir_id).fhir_id)
            address = f"{address}/{fhir_id}"
        elif resource_type and not SERVED[resource_type].searched:
            raise Http404(f"{resource_type} has histories of its instances only.")
        body, page = history_bundle(
            rows, wishes_of(self.parameters()), f"{address}/_history", base_url(request)
        )
        level = "instance" if fhir_id else "type" if resource_type else "system"
        self.audit_search(resource_type or "Resource", page, [], f"history-{level}")
        return HttpResponse(body, FHIR_JSON)
