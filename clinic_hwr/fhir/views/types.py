"""One type: search by GET and POST, create, conditional create and update, compartments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from ..client_writes import resource_create, resource_update_where
from ..models import PostedSearch
from ..negotiation import FHIR_JSON
from ..outcome import Issue, Refused
from ..searching.bundle import searchset
from ..searching.pages import matching, page_of
from ..searching.query import POSTED, BadSearch, Query, pairs_of, parse
from ..served import SERVED
from .base import FhirView, base_url, read_body
from .written import written_response

_FORM = "application/x-www-form-urlencoded"
_POSTED_FOR = timedelta(hours=24)  # how long the pages of a search by POST can be turned


class SearchingView(FhirView):
    """A route that answers with a searchset."""

    def search(
        self,
        resource_type: str,
        parameters: Sequence[tuple[str, str]],
        address: str,
        *,
        posted: bool = False,
    ) -> HttpResponse:
        """Return the page of a search; ``address`` is where it is found without parameters."""
        if not SERVED[resource_type].searched:
            raise Http404(f"{resource_type} is served by read only, not by search.")
        parameters = self._with_posted(resource_type, parameters)
        query = parse(resource_type, parameters, strict=self.preferences().strict)
        base = base_url(self.request)
        page = page_of(self.reader, query, matching(self.reader, query, base))
        rows = [*page.rows, *page.included]
        self.audit_search(
            resource_type, rows, sorted({name for name, _ in parameters}), "search-type"
        )
        following = ""
        if page.cursor and (posted or self._posted_id(parameters)):
            following = self._following(query, address, parameters)
        return HttpResponse(searchset(page, query, address, base, following=following), FHIR_JSON)

    def _following(self, query: Query, address: str, parameters: Sequence[tuple[str, str]]) -> str:
        """Return the address of further pages of a search by POST, without its values."""
        known = self._posted_id(parameters)
        if not known:
            PostedSearch.objects.filter(created_at__lt=timezone.now() - _POSTED_FOR).delete()
            known = str(
                PostedSearch.objects.create(
                    user=self.request.user,
                    resource_type=query.resource_type,
                    parameters=[list(each) for each in query.used],
                ).pk
            )
        return f"{address}?{POSTED}={known}"

    def _with_posted(
        self, resource_type: str, parameters: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Return the parameters, with those of a stored search by POST in place of its number."""
        known = self._posted_id(parameters)
        if not known:
            return list(parameters)
        try:
            stored = PostedSearch.objects.get(
                pk=UUID(known), user=self.request.user, resource_type=resource_type
            )
        except (ValueError, PostedSearch.DoesNotExist) as error:
            raise BadSearch("These pages are gone; search again.") from error
        return [*((name, value) for name, value in stored.parameters), *parameters]

    @staticmethod
    def _posted_id(parameters: Sequence[tuple[str, str]]) -> str:
        return next((value for name, value in parameters if name == POSTED), "")


class TypeView(SearchingView):
    """``/fhir/{type}``."""

    def get(self, request: Request, resource_type: str) -> HttpResponse:
        """Return a searchset Bundle."""
        return self.search(resource_type, self.parameters(), f"{base_url(request)}/{resource_type}")

    def post(self, request: Request, resource_type: str) -> HttpResponse:
        """Create a resource; ``If-None-Exist`` makes it conditional."""
        writer = self.writer()
        written = resource_create(
            writer,
            resource_type,
            self.body(),
            condition=self._condition(resource_type),
            fhir_id=getattr(request._request, "fhir_assigned_id", ""),
        )
        return written_response(self, written)

    def _condition(self, resource_type: str) -> list[tuple[str, str]] | None:
        """Return the condition of a create, None for none.

        Aidbox and its client fhirpy put it into the address; to ignore it there would make a
        second resource where the client asked for one.
        """
        header = self.request.headers.get("If-None-Exist")
        if header is not None:
            bare = header.strip().removeprefix(resource_type).removeprefix("?")
            return pairs_of(bare)
        asked = [each for each in self.parameters() if each[0] not in ("_format", "_pretty")]
        return asked or None

    def put(self, request: Request, resource_type: str) -> HttpResponse:
        """Update the one resource the parameters find, or create one (conditional update)."""
        writer = self.writer()
        written = resource_update_where(
            writer,
            resource_type,
            self.body(),
            self.parameters(),
            if_match=request.headers.get("If-Match", ""),
            fhir_id=getattr(request._request, "fhir_assigned_id", ""),
        )
        return written_response(self, written)


class PostSearchView(SearchingView):
    """``POST /fhir/{type}/_search``: the same search, its values out of the address."""

    def post(self, request: Request, resource_type: str) -> HttpResponse:
        """Return a searchset Bundle; parameters of body and address count alike."""
        address = f"{base_url(request)}/{resource_type}"
        return self.search(
            resource_type, [*self.parameters(), *form_parameters(request)], address, posted=True
        )


class CompartmentView(SearchingView):
    """``GET /fhir/Patient/{id}/{type}``: a search inside one patient's compartment."""

    def get(self, request: Request, fhir_id: str, resource_type: str) -> HttpResponse:
        """Return a searchset Bundle."""
        row = self.row("Patient", fhir_id)
        if "patient" not in SERVED[resource_type].parameters:
            raise Http404(f"{resource_type} is not in the compartment of a patient.")
        parameters = [("patient", f"Patient/{row.fhir_id}"), *self.parameters()]
        return self.search(resource_type, parameters, f"{base_url(request)}/{resource_type}")


def form_parameters(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a form in the body.

    Raises:
        Refused: 415 for another type, 400 for what is no form.
    """
    media = str(request.content_type or _FORM).partition(";")[0].strip().lower()
    if media != _FORM:
        raise Refused(415, Issue("not-supported", f"Send the parameters as {_FORM}."))
    try:
        return pairs_of(read_body(request).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(400, Issue("structure", "The body is no form.")) from error
