"""Addresses and checks that the tests of the server share."""

from __future__ import annotations

import json
from typing import Any

from clinic_hwr.fhir.models import ResourceVersion

FHIR_JSON = "application/fhir+json"
# What a release writes; the other types are written by clients or made from the audit trail.
RELEASED_TYPES = (
    "Binary", "Bundle", "Composition", "Device", "DocumentReference", "MedicationRequest",
    "Organization", "Patient", "Practitioner", "Provenance", "Task",
)  # fmt: skip


def row_of(resource_type: str) -> ResourceVersion:
    """Return the first stored version of a type."""
    row = ResourceVersion.objects.filter(resource_type=resource_type).order_by("pk").first()
    assert row is not None
    return row


def url_of(resource_type: str) -> str:
    """Return the address of the first stored resource of a type."""
    return f"/fhir/{resource_type}/{row_of(resource_type).fhir_id}"


def assert_outcome(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is an error with one issue of ``code``; returns the issue."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == FHIR_JSON
    outcome = json.loads(response.content)
    assert outcome["resourceType"] == "OperationOutcome"
    assert [issue["code"] for issue in outcome["issue"]] == [code]
    issue: dict[str, Any] = outcome["issue"][0]
    return issue


def found(response: Any) -> list[dict[str, Any]]:
    """Return the entries of a searchset, without warnings."""
    assert response.status_code == 200, response.content
    bundle = response.json()
    assert bundle["type"] == "searchset"
    return [e for e in bundle.get("entry", []) if e["search"]["mode"] != "outcome"]


def link(response: Any, relation: str) -> str | None:
    """Return a link of a Bundle."""
    links = {each["relation"]: each["url"] for each in response.json()["link"]}
    return links.get(relation)
