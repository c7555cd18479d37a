"""Every broken resource of the table is refused over HTTP, with the right place and kind."""

from __future__ import annotations

import json

import pytest
from rest_framework.test import APIClient

from clinic_hwr.fhir.encoding import from_bytes
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.fhir.validation import resource_issues

from .broken_resources import BROKEN, DOCUMENT, ORDER, PATIENT
from .serving import FHIR_JSON

pytestmark = pytest.mark.django_db


def test_the_table_is_long_enough_and_its_unbroken_resources_pass() -> None:
    assert len(BROKEN) >= 60
    for resource in (PATIENT, ORDER, DOCUMENT):
        assert resource_issues(resource) == []


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_resource_is_refused_and_not_stored(as_integration: APIClient, fault: str) -> None:
    resource, code, place = BROKEN[fault]

    response = as_integration.post(
        f"/fhir/{resource['resourceType']}", json.dumps(resource), content_type=FHIR_JSON
    )

    assert response.status_code == 422, response.content
    outcome = from_bytes(response.content)
    assert outcome["resourceType"] == "OperationOutcome"
    told = {(issue["code"], *issue["expression"]) for issue in outcome["issue"]}
    assert (code, place) in told
    assert {issue["severity"] for issue in outcome["issue"]} == {"error"}
    assert not ResourceVersion.objects.exists()
