"""Another try for a quarantined scan: by an administrator, and only where a try makes sense."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from clinic_hwr import pipeline, stage_page
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake import safety
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_receive, scan_transition
from clinic_hwr.intake.states import ScanState
from tests import pipeline_fakes

from . import samples


@pytest.fixture
def failed(site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """A scan that failed three times, on a product that has been mended since."""
    settings.CLINIC_HWR_RETRY_S = -1.0
    pipeline_fakes.install(monkeypatch.setattr)
    scan = scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")
    with monkeypatch.context() as broken:
        broken.setattr(stage_page, "make_upright", lambda gray: 1 / 0)
        for _ in range(3):
            pipeline.advance(scan.pk, worker="w")
    scan.refresh_from_db()
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "processing_failed")
    return scan


def retry(client: APIClient, scan_id: Any) -> Any:
    return client.post(f"/api/scans/{scan_id}/retry/")


def assert_refused(response: Any, status: int, detail: str, scan: Scan) -> None:
    """The problem says why, and nothing changed."""
    before = (scan.state, scan.problem_code, scan.problem)
    assert (response.status_code, response.json()["status"]) == (status, status)
    assert response["Content-Type"].startswith("application/problem+json")
    assert detail in response.json()["detail"]
    scan.refresh_from_db()
    assert (scan.state, scan.problem_code, scan.problem) == before
    assert not AuditEvent.objects.filter(action="scan.retried").exists()


def test_administrator_sends_a_scan_back_and_it_is_read(
    api_client: APIClient,
    clinic_admin: Any,
    failed: Scan,
    django_capture_on_commit_callbacks: Any,
) -> None:
    api_client.force_authenticate(clinic_admin)

    with django_capture_on_commit_callbacks() as hints:
        response = retry(api_client, failed.pk)

    assert response.status_code == 202
    body = response.json()
    assert (body["scan_id"], body["status"]) == (str(failed.pk), "received")
    assert body["problem"] is None
    assert len(hints) == 1
    event = AuditEvent.objects.get(action="scan.retried")
    assert (event.actor, event.object_id) == (clinic_admin, str(failed.pk))
    assert event.data == {"code": "processing_failed"}

    pipeline.process(failed.pk, worker="w")

    failed.refresh_from_db()
    assert failed.state == ScanState.IN_REVIEW


def test_only_administrators_of_the_site_may(
    api_client: APIClient,
    clinician: Any,
    pharmacist: Any,
    integration: Any,
    outsider: Any,
    failed: Scan,
) -> None:
    assert_refused(retry(api_client, failed.pk), 401, "Authentication", failed)
    for member in (clinician, pharmacist, integration):
        api_client.force_authenticate(member)
        assert_refused(retry(api_client, failed.pk), 403, "scan.retry", failed)
    api_client.force_authenticate(outsider)
    assert_refused(retry(api_client, failed.pk), 404, "", failed)
    assert retry(api_client, uuid4()).status_code == 404


def test_scan_in_any_other_state_stays_there(
    api_client: APIClient, clinic_admin: Any, failed: Scan
) -> None:
    api_client.force_authenticate(clinic_admin)
    scan_transition(scan=failed, to=ScanState.REJECTED, problem_code="other", problem="Not ours.")

    assert_refused(retry(api_client, failed.pk), 409, "this one is 'Rejected'", failed)


def test_second_of_two_presses_is_refused(
    api_client: APIClient, clinic_admin: Any, failed: Scan
) -> None:
    api_client.force_authenticate(clinic_admin)

    assert retry(api_client, failed.pk).status_code == 202
    assert retry(api_client, failed.pk).status_code == 409

    assert AuditEvent.objects.filter(action="scan.retried").count() == 1


def test_file_that_is_still_refused_stays_aside(
    api_client: APIClient, clinic_admin: Any, site: Site
) -> None:
    scan = scan_receive(site=site, data=samples.locked_pdf(), original_name="rx.pdf", source="cli")
    api_client.force_authenticate(clinic_admin)

    assert_refused(retry(api_client, scan.pk), 409, "locked with a password", scan)


def test_file_refused_by_a_limit_goes_on_once_the_limit_is_raised(
    api_client: APIClient, clinic_admin: Any, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples.tiff(pages=2)
    with monkeypatch.context() as strict:
        strict.setattr(safety, "MAX_FILE_BYTES", len(data) - 1)
        scan = scan_receive(site=site, data=data, original_name="rx.tif", source="cli")
    assert (scan.problem_code, scan.page_count) == ("too_large", 0)
    api_client.force_authenticate(clinic_admin)

    assert retry(api_client, scan.pk).status_code == 202

    scan.refresh_from_db()
    assert (scan.state, scan.page_count, scan.content_type) == ("received", 2, "image/tiff")


def test_quarantined_copy_is_not_read_beside_its_first(
    api_client: APIClient, clinic_admin: Any, site: Site
) -> None:
    scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")
    copy = scan_receive(site=site, data=samples.png(), original_name="rx.pdf", source="cli")
    assert (copy.state, copy.problem_code) == (ScanState.QUARANTINED, "type_mismatch")
    api_client.force_authenticate(clinic_admin)

    assert_refused(retry(api_client, copy.pk), 409, "send the first one back", copy)


def test_page_of_the_scan_offers_it_to_administrators_only(
    clinic_admin: Any, clinician: Any, failed: Scan, client: Client
) -> None:
    page, action = reverse("scan-detail", args=[failed.pk]), reverse("scan-retry", args=[failed.pk])
    client.force_login(clinician)
    assert action not in client.get(page).content.decode()
    assert client.post(action).status_code == 403

    client.force_login(clinic_admin)
    assert f'action="{action}"' in client.get(page).content.decode()
    assert client.get(action).status_code == 405
    told = client.post(action, follow=True)

    assert told.redirect_chain == [(page, 302)]
    assert "The scan is being read again." in told.content.decode()
    assert action not in told.content.decode()
    failed.refresh_from_db()
    assert failed.state == ScanState.RECEIVED

    refused = client.post(action, follow=True)
    assert "Only a quarantined scan can be sent back" in refused.content.decode()
