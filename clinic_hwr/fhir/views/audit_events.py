"""``/fhir/AuditEvent``: the audit trail over FHIR, for who may see the trail (``audit.view``)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from clinic_hwr.accounts.access import accessible_sites
from clinic_hwr.audit.models import AuditEvent

from ..connection import CONNECTION
from ..encoding import to_bytes
from ..negotiation import FHIR_JSON
from ..resources.audit_event import ACTIONS, AuditedEvent, audit_event
from ..searching.bundle import with_entries
from ..searching.conditions import compared
from ..searching.query import CURSOR, BadSearch, Filter, Query, parse, whole_number
from .base import FhirView, base_url
from .types import form_parameters

_NOT_OBJECTS = ("search", "everything", "history-instance", "history-type", "history-system")


class AuditEventView(FhirView):
    """What read and search of audit events share."""

    def events(self) -> QuerySet[AuditEvent]:
        """Return the events about FHIR at the sites where the account may see the trail."""
        sites = list(accessible_sites(self.request.user, "audit.view"))
        if not sites:
            raise PermissionDenied("This account may see the audit trail at no site.")
        return AuditEvent.objects.filter(site__in=sites, action__in=ACTIONS)


class AuditEventInstanceView(AuditEventView):
    """``GET /fhir/AuditEvent/{id}``."""

    def get(self, request: Request, fhir_id: str) -> HttpResponse:
        """Return one event."""
        try:
            event = self.events().filter(uuid=UUID(fhir_id)).first()
        except ValueError:
            event = None
        if event is None:
            raise Http404("There is no such event, or it is not at a site of yours.")
        return HttpResponse(_body(event), FHIR_JSON, headers={"ETag": 'W/"1"'})


class AuditEventTypeView(AuditEventView):
    """``GET /fhir/AuditEvent?...``, newest last."""

    def get(self, request: Request) -> HttpResponse:
        """Return a searchset Bundle."""
        return self._answer(self.parameters())

    def post(self, request: Request) -> HttpResponse:
        """Return a searchset Bundle."""
        return self._answer([*self.parameters(), *form_parameters(request)])

    def _answer(self, parameters: Sequence[tuple[str, str]]) -> HttpResponse:
        query = parse("AuditEvent", parameters, strict=self.preferences().strict)
        rows = self.events()
        for wanted in query.filters:
            rows = rows.filter(_condition(wanted))
        total = rows.count()
        if query.cursor:
            rows = rows.filter(pk__gt=whole_number(CURSOR, query.cursor))
        found = list(rows.order_by("pk")[: query.count + 1]) if query.count else []
        page = found[: query.count]
        base = base_url(self.request)
        head = {"resourceType": "Bundle", "type": "searchset", "total": total}
        head["link"] = _links(query, f"{base}/AuditEvent", page, len(found) > query.count)
        entries = [
            b'{"fullUrl":"%s/AuditEvent/%s","resource":%s,"search":{"mode":"match"}}'
            % (base.encode("ascii"), str(event.uuid).encode("ascii"), _body(event))
            for event in page
        ]
        return HttpResponse(with_entries(to_bytes(head), entries), FHIR_JSON)


def _links(
    query: Query, address: str, page: Sequence[AuditEvent], more: bool
) -> list[dict[str, str]]:
    links = [{"relation": "self", "url": f"{address}?{urlencode(query.used)}".rstrip("?")}]
    if more:
        onward = urlencode([*query.used, (CURSOR, str(page[-1].pk))])
        links.append({"relation": "next", "url": f"{address}?{onward}"})
    return links


def _condition(wanted: Filter) -> Q:
    if wanted.modifier or wanted.chain:
        raise BadSearch("Audit events are searched without modifiers.")
    match wanted.parameter.name:
        case "_id":
            try:
                return Q(uuid__in=[UUID(each) for each in wanted.value.split(",")])
            except ValueError:
                return Q(pk__in=[])
        case "date":
            return compared(wanted.value, "at", "at")
        case "action":
            return _action(wanted.value.rpartition("|")[2])
        case "patient":
            return Q(data__patient=wanted.value.rpartition("/")[2])
        case _:
            kind, _, own = wanted.value.rpartition("/")
            return Q(object_id=own) & (Q(object_type=kind) if kind else Q())


def _action(code: str) -> Q:
    kinds = {"C": ["create"], "U": ["update"], "R": ["read", "vread"]}
    written = {"C": "fhir.created", "U": "fhir.updated"}
    if code == "E":
        known = [kind for each in kinds.values() for kind in each]
        return ~Q(data__interaction__in=known) & ~Q(action__in=written.values())
    return Q(data__interaction__in=kinds.get(code, [])) | Q(action=written.get(code, "-"))


def _body(event: AuditEvent) -> bytes:
    data = event.data if isinstance(event.data, dict) else {}
    patients = [data["patient"]] if data.get("patient") else data.get("patients", [])
    connection = data.get(CONNECTION, {})
    about = "" if event.object_id in _NOT_OBJECTS else event.object_id
    return to_bytes(
        audit_event(
            AuditedEvent(
                event_id=str(event.uuid),
                at=event.at,
                action=event.action,
                interaction=str(data.get("interaction", "")),
                fhir_type=event.object_type,
                fhir_id=about,
                patients=tuple(map(str, patients)),
                parameters=tuple(map(str, data.get("parameters", []))),
                user=event.actor_name,
                source=f"urn:uuid:{event.site_id}",
                client=connection.get("client", ""),
                server=connection.get("server", ""),
                request_id=connection.get("request_id", ""),
                within=event.action == "fhir.published" or event.actor_id is None,
            )
        )
    )
