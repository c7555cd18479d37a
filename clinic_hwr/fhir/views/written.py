"""How a write is answered: status, place, version, and as much of the resource as is wanted."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import http_date

from ..client_writes import Written
from ..negotiation import FHIR_JSON
from ..outcome import Issue
from .base import FhirView, base_url, outcome


def written_response(view: FhirView, written: Written) -> HttpResponse:
    """Return the answer to a create or update (R4 http, 3.1.0.1.7: Prefer return)."""
    row = written.row
    status = 201 if written.created else 200
    returned = view.preferences().returned
    if returned == "minimal":
        response = HttpResponse(status=status, content_type=FHIR_JSON)
    elif returned == "OperationOutcome":
        words = "Stored." if written.changed else "It was there already; nothing was changed."
        response = outcome(status, Issue("informational", words, severity="information"))
    else:
        response = HttpResponse(bytes(row.body), FHIR_JSON, status=status)
    place = f"{base_url(view.request)}/{row.resource_type}/{row.fhir_id}/_history/{row.version}"
    response["Location"] = place
    response["ETag"] = f'W/"{row.version}"'
    response["Last-Modified"] = http_date(row.last_updated.timestamp())
    return response
