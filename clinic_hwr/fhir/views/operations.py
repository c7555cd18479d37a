"""Operations: ``$document``, ``$docref``, ``$everything`` and ``$validate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from ..indexing import EARLIEST, LATEST, moment_span
from ..models import Resource, SearchDate
from ..negotiation import FHIR_JSON
from ..outcome import Issue, Refused
from ..searching.bundle import searchset
from ..searching.pages import page_of
from ..searching.query import CURSOR, BadSearch, Include, Query, whole_number
from ..served import SERVED
from ..validation import bundle_issues, resource_issues
from .base import FhirView, base_url, outcome, respond
from .types import SearchingView

_DATES = ("authoredon", "date", "period", "recorded", "authored-on")


class DocumentView(FhirView):
    """``/fhir/Composition/{id}/$document``."""

    def get(self, request: Request, fhir_id: str) -> HttpResponse:
        """Return the document Bundle that the newest version of the Composition was released in."""
        composition = self.row("Composition", fhir_id)
        row = self.reader.get("Bundle", composition.document_fhir_id)
        self.audit_read(row, "document")
        return respond(request, row, bytes(row.body), FHIR_JSON)

    post = get


class DocrefView(SearchingView):
    """``/fhir/DocumentReference/$docref``: the documents of a patient (US Core)."""

    def get(self, request: Request) -> HttpResponse:
        """Return a searchset of DocumentReferences."""
        return self._answer(self.parameters())

    def post(self, request: Request) -> HttpResponse:
        """Take the same from a Parameters resource."""
        return self._answer([*self.parameters(), *_parameters(self.body())])

    def _answer(self, given: Sequence[tuple[str, str]]) -> HttpResponse:
        search = []
        patients = [value for name, value in given if name == "patient"]
        if len(patients) != 1:
            raise BadSearch("$docref needs one patient.")
        for name, value in given:
            match name:
                case "patient" | "type" | "_count" | "_cursor":
                    search.append((name, value))
                case "start":
                    search.append(("period", f"ge{value}"))
                case "end":
                    search.append(("period", f"le{value}"))
                case "on-demand":
                    if value == "true":
                        raise BadSearch("No document is made on demand here.")
                case "profile":
                    search.append(("_profile", value))
                case _ if self.preferences().strict:
                    raise BadSearch("$docref takes patient, start, end, type, on-demand, profile.")
        return self.search(
            "DocumentReference", search, f"{base_url(self.request)}/DocumentReference"
        )


class EverythingView(FhirView):
    """``/fhir/Patient/{id}/$everything``: the compartment, and what it refers to."""

    def get(self, request: Request, fhir_id: str) -> HttpResponse:
        """Return a searchset Bundle, page by page."""
        return self._answer(fhir_id, self.parameters())

    def post(self, request: Request, fhir_id: str) -> HttpResponse:
        """Take the same from a Parameters resource."""
        sent = _parameters(self.body()) if request._request.META.get("CONTENT_LENGTH") else []
        return self._answer(fhir_id, [*self.parameters(), *sent])

    def _answer(self, fhir_id: str, given: Sequence[tuple[str, str]]) -> HttpResponse:
        patient = self.row("Patient", fhir_id)
        rows = (
            self.reader.current()
            .filter(patient_fhir_id=patient.fhir_id, site_id=patient.site_id)
            .exclude(resource_type="Bundle")  # the document says the same once more
        )
        # what the compartment refers to comes along: people and places of documents by clients
        query = Query("Patient", includes=[Include("*", "*", "", False)])
        span = [EARLIEST, LATEST]
        for name, value in given:
            if name == CURSOR:
                query.cursor = value
                continue
            match name:
                case "_count":
                    query.count = min(max(whole_number(name, value), 1), 200)
                case "_type":
                    rows = rows.filter(resource_type__in=value.split(","))
                    query.includes = []
                case "_since":
                    rows = rows.filter(last_updated__gte=_moment(name, value)[0])
                case "start":
                    span[0] = _moment(name, value)[0]
                case "end":
                    span[1] = _moment(name, value)[1]
                case _ if self.preferences().strict:
                    raise BadSearch("$everything takes start, end, _since, _type, _count.")
                case _:
                    query.ignored.append(name)
                    continue
            query.used.append((name, value))
        if span != [EARLIEST, LATEST]:
            rows = _inside(rows, span)
        page = page_of(self.reader, query, rows)
        self.audit_search(
            "Patient", [*page.rows, *page.included], sorted({n for n, _ in given}), "everything"
        )
        base = base_url(self.request)
        address = f"{base}/Patient/{patient.fhir_id}/$everything"
        return HttpResponse(searchset(page, query, address, base), FHIR_JSON)


class ValidateView(FhirView):
    """``POST /fhir/{type}/$validate``: the same border as for storing, without storing."""

    def post(self, request: Request, resource_type: str, fhir_id: str = "") -> HttpResponse:
        """Return an OperationOutcome; 200 whatever it says, as the operation itself worked."""
        sent = self.body()
        resource, profiles = _to_validate(sent)
        if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
            words = f"Send a {resource_type}, by itself or as parameter 'resource'."
            raise Refused(400, Issue("structure", words))
        meta = resource.get("meta")
        if profiles and isinstance(meta, dict | None):
            claimed = [*((meta or {}).get("profile") or []), *profiles]
            resource = {**resource, "meta": {**(meta or {}), "profile": claimed}}
        is_document = resource_type == "Bundle" and resource.get("type") == "document"
        issues = bundle_issues(resource) if is_document else resource_issues(resource)
        if fhir_id and resource.get("id") != fhir_id:
            issues.append(
                Issue("value", "The id is not that of the address.", f"{resource_type}.id")
            )
        if not issues:
            return outcome(
                200, Issue("informational", "No problem was found.", severity="information")
            )
        return outcome(200, *issues)


def _to_validate(sent: Any) -> tuple[Any, list[str]]:
    """Return the resource of a ``$validate`` body and the profiles to judge it by."""
    if not isinstance(sent, dict) or sent.get("resourceType") != "Parameters":
        return sent, []
    parts = sent.get("parameter")
    named = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    resource = next(
        (part.get("resource") for part in named if part.get("name") == "resource"), None
    )
    profiles = [
        str(value)
        for part in named
        if part.get("name") == "profile"
        for value in (part.get("valueUri"), part.get("valueCanonical"))
        if value
    ]
    return resource, profiles


def _parameters(sent: Any) -> list[tuple[str, str]]:
    """Return (name, value) of the plain parts of a Parameters resource.

    Raises:
        Refused: 400, it is another resource.
    """
    if not isinstance(sent, dict) or sent.get("resourceType") != "Parameters":
        raise Refused(400, Issue("structure", "Send a Parameters resource."))
    found = []
    parts = sent.get("parameter", [])
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise Refused(
                400, Issue("structure", "A parameter needs a name.", "Parameters.parameter")
            )
        for key, value in part.items():
            if key == "valueCodeableConcept" and isinstance(value, dict):
                codings = value.get("coding")
                for coding in codings if isinstance(codings, list) else []:
                    if isinstance(coding, dict):
                        found.append(
                            (part["name"], f"{coding.get('system', '')}|{coding.get('code', '')}")
                        )
            elif key.startswith("value") and isinstance(value, bool):
                found.append((part["name"], "true" if value else "false"))
            elif key.startswith("value") and isinstance(value, str | int):
                found.append((part["name"], str(value)))
    return found


def _moment(name: str, text: str) -> tuple[Any, Any]:
    span = moment_span(text.replace(" ", "+"))
    if span is None:
        raise BadSearch(f"{name} is a date.")
    return span


def _inside(rows: QuerySet[Resource], span: Sequence[Any]) -> QuerySet[Resource]:
    """Leave out what has a clinical date, and none within ``span``."""
    names = [
        f"{kind}.{name}" for kind, served in SERVED.items() for name in _DATES
        if name in served.parameters
    ]  # fmt: skip
    dates = SearchDate.objects.filter(resource=OuterRef("pk"), parameter__in=names)
    hits = dates.filter(low__lt=span[1], high__gt=span[0])
    return rows.filter(Exists(hits) | ~Exists(dates))
