"""What the page of the workstation asks of the server: leases, decisions, refusals."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from clinic_hwr.review.models import Decision, ReviewLease
from clinic_hwr.review.services import scan_claim

from .scripted import ReadScan

SignIn = Callable[[AbstractBaseUser], Client]


def post_decision(client: Client, read: ReadScan, key: str, **body: Any) -> Any:
    lease = ReviewLease.objects.get(scan=read.scan)
    whole = {
        "kind": "accepted",
        "value": "",
        "expected_number": 0,
        "active_seconds": 1.5,
        "lease_token": str(lease.token),
        "decision_id": str(uuid.uuid4()),
        **body,
    }
    url = reverse("field-decide", args=[read[key].pk])
    return client.post(url, whole, content_type="application/json")


def test_a_decision_is_stored_and_the_state_follows(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    claimed = client.post(reverse("lease-claim", args=[read.scan.pk]))
    assert claimed.status_code == 200

    response = post_decision(client, read, "sig")

    assert response.status_code == 200
    assert response.json()["decision"]["number"] == 1
    state = client.get(reverse("scan-state", args=[read.scan.pk])).json()
    field = next(f for f in state["fields"] if f["id"] == str(read["sig"].pk))
    assert field["decision"]["by"] == "Carla Weiss"
    assert (field["number"], field["needs_human"]) == (1, False)
    assert Decision.objects.get().active_seconds == 1.5


def test_a_stale_save_is_a_409_with_both_values(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    client.post(reverse("lease-claim", args=[read.scan.pk]))
    post_decision(client, read, "sig", kind="corrected", value="1 tab PO TID")

    response = post_decision(client, read, "sig", kind="corrected", value="1 tab PO QID")

    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "stale_decision"
    assert problem["current"]["value"] == "1 tab PO TID"
    assert problem["submitted"] == {"kind": "corrected", "value": "1 tab PO QID"}
    assert Decision.objects.count() == 1


def test_a_colleague_gets_409_and_the_name_of_the_holder(
    read: ReadScan, clinician: AbstractBaseUser, pharmacist: AbstractBaseUser, signed_in: SignIn
) -> None:
    scan_claim(user=clinician, scan_id=read.scan.pk)
    client = signed_in(pharmacist)

    claim = client.post(reverse("lease-claim", args=[read.scan.pk]))
    save = post_decision(client, read, "sig")

    assert (claim.status_code, claim.json()["holder"]) == (409, "Carla Weiss")
    assert (save.status_code, save.json()["code"]) == (409, "lease_lost")
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"kind": None},
        {"value": 5},
        {"expected_number": "0"},
        {"expected_number": -1},
        {"expected_number": True},
        {"active_seconds": "1"},
        {"lease_token": "x"},
        {"decision_id": None},
        {"kind": "approved"},
    ],
)
def test_a_malformed_decision_is_a_400(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn, body: dict[str, Any]
) -> None:
    client = signed_in(clinician)
    client.post(reverse("lease-claim", args=[read.scan.pk]))

    response = post_decision(client, read, "sig", **body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_decision")
    assert not Decision.objects.exists()


@pytest.mark.parametrize("body", ["", "[1]", "{"])
def test_what_is_no_json_object_is_a_400(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn, body: str
) -> None:
    url = reverse("field-decide", args=[read["sig"].pk])

    response = signed_in(clinician).post(url, body, content_type="application/json")

    assert response.status_code == 400


@pytest.mark.parametrize(("person", "status"), [("outsider", 404), ("clinic_admin", 403)])
def test_others_cannot_claim_or_decide(
    read: ReadScan,
    lease: ReviewLease,
    signed_in: SignIn,
    request: pytest.FixtureRequest,
    person: str,
    status: int,
) -> None:
    client = signed_in(request.getfixturevalue(person))

    claim = client.post(reverse("lease-claim", args=[read.scan.pk]))
    save = post_decision(client, read, "sig")

    assert (claim.status_code, save.status_code) == (status, status)
    assert ReviewLease.objects.get().token == lease.token
    assert not Decision.objects.exists()


def test_a_decision_without_csrf_token_is_refused(
    read: ReadScan, clinician: AbstractBaseUser
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clinician)

    response = client.post(reverse("lease-claim", args=[read.scan.pk]))

    assert response.status_code == 403
    assert not ReviewLease.objects.filter(holder__isnull=False).exists()
