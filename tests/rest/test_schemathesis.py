"""What the REST schema allows is answered as the schema says, and nothing with a 500."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.authtoken.models import Token

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.review.api.schema import openapi
from clinic_hwr.review.services import scan_claim
from tests.review.scripted import read_scan

from .fuzzing import send_all

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.timeout(600)
def test_generated_requests(live_server: Any, site: Site, pharmacist: Any, settings: Any) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"user": "1000000/s", "anon": "1000000/s"},
    }
    Membership.objects.create(user=pharmacist, site=site, role=Role.ADMIN)
    read = read_scan(site)
    token = str(scan_claim(user=pharmacist, scan_id=read.scan.pk).token)

    def change(case: Any) -> None:
        known = {"scan_id": read.scan.pk, "field_id": read["sig"].pk, "slug": "review"}
        for name in case.path_parameters:
            # every second request, by its own content, keeps what was generated
            if name in known and len(repr(case.body)) % 4:
                case.path_parameters[name] = str(known[name])
        if isinstance(case.body, dict) and "lease_token" in case.body:
            case.body["lease_token"] = token
        if "If-Match" in (case.headers or {}) and len(repr(case.body)) % 2:
            case.headers["If-Match"] = '"0"'

    schema = openapi()
    schema["paths"].pop("/api/scans/{scan_id}/reject/")  # would end the scan for all the others
    seen = send_all(
        schema,
        url=live_server.url,
        headers={"Authorization": f"Token {Token.objects.create(user=pharmacist).key}"},
        change=change,
        examples=25,
        conformance=True,
    )

    assert len(seen) >= 25
    reached = {label for label, statuses in seen.items() if any(s < 300 for s in statuses)}
    assert {"GET /api/queues/", "POST /api/search/", "GET /api/fields/{field_id}/"} <= reached
