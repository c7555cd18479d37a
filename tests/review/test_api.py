"""The REST API does what the pages do, through the same services and with the same refusals."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.models import Scan
from clinic_hwr.review.models import Decision, PrescriptionRecord
from tests.intake import samples

from .scripted import ORDINARY_DRUGS, ReadScan, read_scan

PASSWORD = "correct horse battery"
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def api(api_client: APIClient, clinician: Any) -> APIClient:
    """The clinician, by a token."""
    clinician.set_password(PASSWORD)
    clinician.save()
    api_client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=clinician).key}")
    return api_client


def as_user(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def post(client: APIClient, path: str, body: Any = None, **headers: str) -> Any:
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return client.post(f"/api/{path}", body or {}, format="json", **named)


def claim(api: APIClient, read: ReadScan) -> str:
    return str(post(api, f"scans/{read.scan.pk}/lease/").json()["token"])


def test_queues_and_the_next_scan(api: APIClient, read: ReadScan, other_site: Site) -> None:
    read_scan(other_site, name="theirs.png")

    queues = {each["slug"]: each for each in api.get("/api/queues/").json()["queues"]}
    page = api.get("/api/queues/review/").json()
    first, second = (post(api, "queues/review/claim/") for _ in range(2))

    assert (queues["review"]["count"], queues["review"]["claimable"]) == (1, True)
    assert [(row["patient"], row["waiting"]) for row in page["scans"]] == [("Maria Lindqvist", 14)]
    assert first.json()["scan_id"] == str(read.scan.pk)
    assert second.status_code == 204
    assert api.get("/api/queues/nowhere/").json()["code"] == "unknown_queue"


def test_a_lease_from_claim_to_return(api: APIClient, read: ReadScan, pharmacist: Any) -> None:
    address = f"scans/{read.scan.pk}/lease/"
    token = claim(api, read)

    theirs = as_user(pharmacist)
    seen = theirs.get(f"/api/{address}").json()
    refused = post(theirs, address)
    beat = post(api, f"{address}heartbeat/", {"lease_token": token})
    gone = post(api, f"{address}release/", {"lease_token": token})

    assert (seen["holder"], seen["token"]) == ("Carla Weiss", None)
    assert (refused.status_code, refused.json()["code"]) == (409, "lease_held")
    assert (beat.status_code, gone.status_code) == (200, 204)
    taken = post(api, address)
    over = post(theirs, f"{address}take-over/", {"reason": "She went home."})
    assert (taken.status_code, over.json()["holder"]) == (200, "Piet Osei")


def test_a_decision_says_what_it_was_made_on(api: APIClient, read: ReadScan) -> None:
    token = claim(api, read)
    address = f"fields/{read['sig'].pk}/"
    seen = api.get(f"/api/{address}")
    body = {"kind": "corrected", "value": "1 tab PO TID", "lease_token": token}

    without = post(api, f"{address}decisions/", body)
    done = post(api, f"{address}decisions/", body, if_match=seen["ETag"])
    stale = post(api, f"{address}decisions/", {**body, "value": "x"}, if_match=seen["ETag"])

    assert seen["ETag"] == '"0"'
    assert without.status_code == 428
    assert (done.status_code, done["ETag"], done.json()["value"]) == (200, '"1"', "1 tab PO TID")
    assert (stale.status_code, stale.json()["current"]["value"]) == (412, "1 tab PO TID")
    assert stale.json()["submitted"] == {"kind": "corrected", "value": "x"}
    undone = post(api, f"{address}reopen/", {"lease_token": token}, if_match='"1"')
    assert (undone.json()["decision"], undone.json()["needs_human"]) == (None, True)
    assert api.get(f"/api/{address}", HTTP_IF_NONE_MATCH='"2"').status_code == 304


def test_fields_are_added_and_named(api: APIClient, read: ReadScan) -> None:
    token = claim(api, read)

    added = post(api, f"scans/{read.scan.pk}/fields/", {"name": "allergies", "lease_token": token})
    named = post(
        api, f"fields/{added.json()['field_id']}/name/", {"name": "notes", "lease_token": token}
    )

    assert (added.status_code, named.json()["title"]) == (201, "Notes")
    listed = api.get(f"/api/scans/{read.scan.pk}/fields/").json()
    assert len(listed["items"]) == 15
    picture = api.get(f"/api/fields/{read['sig'].pk}/crop/")
    page = api.get(f"/api/scans/{read.scan.pk}/pages/1/image/")
    assert {picture["Content-Type"], page["Content-Type"]} == {"image/png"}


def test_release_amend_and_retract(api: APIClient, verified: ReadScan) -> None:
    scan = verified.scan.pk
    preview = api.get(f"/api/scans/{scan}/release/")
    keys = [each["key"] for each in preview.json()["warnings"]]
    signed = {"password": PASSWORD, "acknowledged": keys}

    wrong = post(
        api, f"scans/{scan}/release/", {**signed, "password": "x"}, if_match=preview["ETag"]
    )
    stale = post(api, f"scans/{scan}/release/", signed, if_match='"0"')
    done = post(api, f"scans/{scan}/release/", signed, if_match=preview["ETag"])

    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert (stale.status_code, stale.json()["code"]) == (412, "content_changed")
    assert (done.status_code, done.json()["status"], done.json()["version"]) == (200, "released", 1)

    changes = [{"field_id": str(verified["refills"].pk), "value": "0"}]
    seen = post(api, f"scans/{scan}/amend/preview/", {"changes": changes})
    assert seen.json()["changed"] == [{"name": "refills", "group": 1, "old": "3", "new": "0"}]
    body = {
        "changes": changes,
        "reason": "Misread.",
        "version": 1,
        "password": PASSWORD,
        "acknowledged": [each["key"] for each in seen.json()["warnings"]],
    }
    amended = post(api, f"scans/{scan}/amend/", body, if_match=seen["ETag"])
    assert (amended.status_code, amended.json()["version"]) == (200, 2)

    record = api.get(f"/api/scans/{scan}/prescription/")
    ended = {"password": PASSWORD, "reason": "Wrong patient."}
    old = post(api, f"scans/{scan}/retract/", ended, if_match='"v1"')
    retracted = post(api, f"scans/{scan}/retract/", ended, if_match=record["ETag"])
    assert (old.status_code, retracted.json()["retracted"]) == (412, True)


def test_search_and_rejection(api: APIClient, read: ReadScan) -> None:
    found = post(api, "search/", {"text": "lindq", "part": "patient"}).json()
    gone = post(api, f"scans/{read.scan.pk}/reject/", {"code": "unreadable"})

    assert [hit["scan_id"] for hit in found["hits"]] == [str(read.scan.pk)]
    assert found["hits"][0]["parts"] == ["patient", "page"]
    assert gone.status_code == 204
    assert Scan.objects.get(pk=read.scan.pk).state == "rejected"


def test_the_audit_trail_is_for_administrators(
    api: APIClient, read: ReadScan, clinic_admin: Any
) -> None:
    post(api, "search/", {"text": "maria"})

    events = as_user(clinic_admin).get("/api/audit/", {"action": "search.made"}).json()["events"]

    assert api.get("/api/audit/").status_code == 403
    assert [(event["actor"], event["intact"]) for event in events] == [("carla", True)]


@pytest.mark.parametrize("person", ["outsider", "integration"])
def test_strangers_find_and_do_nothing(
    read: ReadScan, request: pytest.FixtureRequest, person: str
) -> None:
    client = as_user(request.getfixturevalue(person))
    scan, field = read.scan.pk, read["sig"].pk
    token = str(uuid.uuid4())

    for path in ("lease/", "fields/", "release/", "prescription/", "pages/1/image/"):
        assert client.get(f"/api/scans/{scan}/{path}").status_code == 404, path
    for path in ("", "crop/"):
        assert client.get(f"/api/fields/{field}/{path}").status_code == 404
    for path, body in (
        (f"scans/{scan}/lease/", {}),
        (f"scans/{scan}/lease/take-over/", {"reason": "x"}),
        (f"scans/{scan}/reject/", {"code": "unreadable"}),
        (f"scans/{scan}/amend/preview/", {"changes": []}),
        (f"scans/{scan}/release/", {"password": "x"}),
        (f"fields/{field}/decisions/", {"kind": "accepted", "lease_token": token}),
    ):
        assert post(client, path, body, if_match='"0"').status_code == 404, path
    assert not Decision.objects.exists()
    assert post(client, "search/", {"text": "maria"}).json()["hits"] == []


# --- Idempotency-Key --------------------------------------------------------------------------


def test_a_repeated_decision_gets_the_first_answer(api: APIClient, read: ReadScan) -> None:
    token = claim(api, read)
    address = f"fields/{read['sig'].pk}/decisions/"
    body = {"kind": "accepted", "lease_token": token}

    first, again = (
        post(api, address, body, if_match='"0"', idempotency_key="k-1") for _ in range(2)
    )
    other = post(api, address, {**body, "kind": "illegible"}, if_match='"0"', idempotency_key="k-1")

    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert (first.has_header("Idempotency-Replayed"), again["ETag"]) == (False, '"1"')
    assert again["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert Decision.objects.count() == 1


def test_a_refusal_is_not_remembered(api: APIClient, read: ReadScan, pharmacist: Any) -> None:
    token = post(as_user(pharmacist), f"scans/{read.scan.pk}/lease/").json()["token"]

    held = post(api, f"scans/{read.scan.pk}/lease/", idempotency_key="again")
    post(as_user(pharmacist), f"scans/{read.scan.pk}/lease/release/", {"lease_token": token})
    free = post(api, f"scans/{read.scan.pk}/lease/", idempotency_key="again")

    assert (held.status_code, free.status_code) == (409, 200)


def test_a_repeated_upload_adds_no_scan(api: APIClient, site: Site) -> None:
    answers = [
        api.post(
            "/api/scans/",
            {"file": SimpleUploadedFile("rx.png", samples.png())},
            format="multipart",
            HTTP_IDEMPOTENCY_KEY="upload-1",
        )
        for _ in range(2)
    ]

    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Location"] == answers[0]["Location"]
    assert Scan.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\x07b"])
def test_a_key_that_is_none_is_refused(api: APIClient, read: ReadScan, key: str) -> None:
    response = post(api, f"scans/{read.scan.pk}/lease/", idempotency_key=key)

    assert response.status_code == 400
    assert response["Content-Type"].startswith("application/problem+json")


def test_keys_of_two_people_are_two_keys(api: APIClient, read: ReadScan, pharmacist: Any) -> None:
    mine = post(api, "queues/review/claim/", idempotency_key="same")
    theirs = post(as_user(pharmacist), "queues/review/claim/", idempotency_key="same")

    assert (mine.status_code, theirs.status_code) == (200, 204)


# --- the example ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_example_of_the_documentation_runs(
    api: APIClient, site: Site, clinician: Any, live_server: Any
) -> None:
    read = read_scan(site, ORDINARY_DRUGS)
    key = Token.objects.get(user=clinician).key
    example = [sys.executable, str(ROOT / "examples" / "review_over_rest.py")]
    arguments = [live_server.url, key, "-", PASSWORD, "--scan", str(read.scan.pk)]

    done = subprocess.run(
        [*example, *arguments], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr + done.stdout
    record = PrescriptionRecord.objects.get()
    assert done.stdout == f"14 fields decided\nprescription {record.pk} is released\n"
    assert AuditEvent.objects.filter(action="prescription.released").count() == 1
