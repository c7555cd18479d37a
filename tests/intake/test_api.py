"""REST: upload and status through the front door, with every kind of client."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake import api, safety
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.routing.models import Field, FieldBlocker, FieldReading

from . import samples


def upload_file(data: bytes, name: str = "rx.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="application/octet-stream")


@pytest.fixture
def signed_in_api(api_client: APIClient, integration: Any) -> APIClient:
    """The client of a fax gateway."""
    api_client.force_authenticate(integration)
    return api_client


def post(client: APIClient, *files: SimpleUploadedFile, **fields: str) -> Any:
    return client.post("/api/scans/", {"file": list(files), **fields}, format="multipart")


def assert_problem(response: Any, status: int, detail: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"].startswith("application/problem+json")
    body = response.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert detail in body["detail"]
    return body


def test_upload_is_accepted_with_id_and_location(signed_in_api: APIClient) -> None:
    response = post(signed_in_api, upload_file(samples.png()))

    scan = Scan.objects.get()
    assert response.status_code == 202
    assert response["Location"] == f"/api/scans/{scan.pk}/"
    assert response.json()["scans"] == [
        {
            "path": "rx.png",
            "scan_id": str(scan.pk),
            "status": "received",
            "pages": 1,
            "fields": [],
            "blockers": [],
            "page_problems": [],
            "prescription": None,
            "prescription_id": None,
            "duplicate_of": None,
            "problem": None,
            "parent": None,
            "parts": [],
        }
    ]
    assert scan.source == "api"


def test_bad_file_in_a_batch_stops_nothing(signed_in_api: APIClient) -> None:
    response = post(
        signed_in_api,
        upload_file(samples.png()),
        upload_file(samples.locked_pdf(), "b.pdf"),
        upload_file(samples.jpeg(), "c.jpg"),
    )

    assert response.status_code == 202
    scans = response.json()["scans"]
    assert [scan["status"] for scan in scans] == ["received", "quarantined", "received"]
    assert scans[1]["problem"]["code"] == "encrypted"
    assert Scan.objects.count() == 3


def test_file_over_the_limit_is_413_and_kept(
    signed_in_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples.png()
    monkeypatch.setattr(safety, "MAX_FILE_BYTES", len(data) - 1)

    response = post(signed_in_api, upload_file(data))

    scan = Scan.objects.get()
    body = assert_problem(response, 413, "Scan at 300 dpi")
    assert body["scan_ids"] == [str(scan.pk)]
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "too_large")


def test_body_over_the_limit_is_413_unread_but_recorded(
    signed_in_api: APIClient, monkeypatch: pytest.MonkeyPatch, integration: Any
) -> None:
    monkeypatch.setattr(api, "MAX_REQUEST_BYTES", 100)

    response = post(signed_in_api, upload_file(samples.png()))

    assert_problem(response, 413, "Send fewer files at a time")
    assert Scan.objects.count() == 0
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("scan.quarantined", integration)
    assert event.data["code"] == "too_large"
    assert event.data["size_bytes"] > 100


def test_same_file_twice_answers_with_the_first(signed_in_api: APIClient) -> None:
    first = post(signed_in_api, upload_file(samples.png())).json()["scans"][0]

    second = post(signed_in_api, upload_file(samples.png(), "b.png")).json()["scans"][0]

    assert second["duplicate_of"] == first["scan_id"]
    assert second["scan_id"] != first["scan_id"]
    assert (second["status"], second["problem"]) == ("received", None)


def test_upload_without_a_file_is_refused(signed_in_api: APIClient) -> None:
    assert_problem(post(signed_in_api), 400, "multipart field 'file'")


def test_other_media_types_are_refused(signed_in_api: APIClient) -> None:
    response = signed_in_api.post("/api/scans/", {"file": "x"}, format="json")

    assert_problem(response, 415, "Unsupported media type")


def test_stranger_is_asked_to_sign_in_and_leaves_nothing(api_client: APIClient, db: None) -> None:
    assert_problem(post(api_client, upload_file(samples.png())), 401, "Authentication")
    assert Scan.objects.count() == 0


def test_person_of_two_sites_must_choose(
    signed_in_api: APIClient, integration: Any, other_site: Site
) -> None:
    Membership.objects.create(user=integration, site=other_site, role=Role.INTEGRATION)

    assert_problem(post(signed_in_api, upload_file(samples.png())), 400, "hilltop, riverside")
    assert Scan.objects.count() == 0

    response = post(signed_in_api, upload_file(samples.png()), site="hilltop")
    assert response.status_code == 202
    assert Scan.objects.get().site == other_site


def test_site_of_others_cannot_be_named(signed_in_api: APIClient, other_site: Site) -> None:
    response = post(signed_in_api, upload_file(samples.png()), site="hilltop")

    assert_problem(response, 400, "cannot upload for a site of this name")
    assert Scan.objects.count() == 0


@pytest.fixture
def read_scan(site: Site) -> Scan:
    """A scan with one field that was read, and one blocker."""
    scan = scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")
    page = Page.objects.create(
        scan=scan, number=1, image_sha256=scan.sha256, width_px=240, height_px=320
    )
    field = Field.objects.create(
        page=page,
        position=0,
        name="drug",
        kind=FieldKind.DRUG,
        group=1,
        x_px=20,
        y_px=30,
        width_px=80,
        height_px=40,
        crop_sha256=scan.sha256,
    )
    FieldReading.objects.create(field=field, text="amoxicillin", p_correct=0.800012, model="m@1")
    FieldBlocker.objects.create(scan=scan, field=field, code="lookalike", message="Look alike.")
    return scan


def test_status_shows_what_was_read_to_those_who_may_see_it(
    api_client: APIClient, clinician: Any, read_scan: Scan
) -> None:
    api_client.force_authenticate(clinician)

    response = api_client.get(f"/api/scans/{read_scan.pk}/")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert body["fields"] == [
        {
            "name": "drug",
            "kind": "drug",
            "text": "amoxicillin",
            "confidence": 0.8,
            "decision": "human",
            "box_px": [20, 30, 80, 40],
            "page": 1,
            "group": 1,
            "model": "m@1",
        }
    ]
    assert body["blockers"] == [
        {
            "code": "lookalike",
            "message": "Look alike.",
            "severity": "stop",
            "field": "drug",
            "group": 1,
            "other_scan": None,
        }
    ]


def test_integration_learns_the_status_but_not_what_was_read(
    signed_in_api: APIClient, read_scan: Scan
) -> None:
    body = signed_in_api.get(f"/api/scans/{read_scan.pk}/").json()

    assert body["status"] == "received"
    assert (body["fields"], body["blockers"], body["prescription"]) == ([], [], None)


def test_scan_of_another_site_looks_like_none_at_all(
    api_client: APIClient, outsider: Any, read_scan: Scan
) -> None:
    api_client.force_authenticate(outsider)

    theirs = api_client.get(f"/api/scans/{read_scan.pk}/")
    nobodys = api_client.get(f"/api/scans/{uuid4()}/")

    assert_problem(theirs, 404, "")
    assert theirs.json() == nobodys.json()
