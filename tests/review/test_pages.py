"""The pages through the front door: who sees what, and what the server then holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.services import blocker_key

from .scripted import GRAVE_DRUGS, ORDINARY_DRUGS, ReadScan, read_scan

SignIn = Callable[[AbstractBaseUser], Client]
PASSWORD = "correct horse battery"


def addresses(read: ReadScan) -> list[str]:
    scan = read.scan.pk
    return [
        reverse("scan-detail", args=[scan]),
        reverse("workstation", args=[scan]),
        reverse("release", args=[scan]),
        reverse("scan-state", args=[scan]),
        reverse("page-image", args=[scan, 1]),
        reverse("field-crop", args=[read["sig"].pk]),
    ]


@pytest.mark.parametrize("person", ["outsider", "integration"])
def test_strangers_find_nothing(
    read: ReadScan, signed_in: SignIn, request: pytest.FixtureRequest, person: str
) -> None:
    client = signed_in(request.getfixturevalue(person))

    assert [client.get(url).status_code for url in addresses(read)] == [404] * 6


def test_without_a_session_there_is_only_the_login(read: ReadScan, client: Client) -> None:
    for url in [reverse("inbox"), reverse("audit"), *addresses(read)]:
        response = client.get(url)
        if url.endswith("/state/"):
            assert response.status_code == 401
            assert response.json()["code"] == "session_ended"
        else:
            assert response.status_code == 302
            assert response["Location"] == f"{reverse('login')}?next={url}"


def test_members_of_the_site_see_every_page(
    site: Site, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    read = read_scan(site, ORDINARY_DRUGS)
    client = signed_in(clinician)

    assert [client.get(url).status_code for url in addresses(read)] == [200] * 6


def test_an_administrator_looks_and_does_not_sign(
    read: ReadScan, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinic_admin)

    codes = [client.get(url).status_code for url in addresses(read)]

    assert codes == [200, 200, 403, 200, 200, 200]


def test_the_integration_account_has_no_inbox(
    integration: AbstractBaseUser, signed_in: SignIn
) -> None:
    assert signed_in(integration).get(reverse("inbox")).status_code == 403


def test_the_inbox_shows_the_own_site_only(
    read: ReadScan,
    other_site: Site,
    clinician: AbstractBaseUser,
    signed_in: SignIn,
) -> None:
    read_scan(other_site, name="theirs.png")

    response = signed_in(clinician).get(reverse("inbox"))

    assert {tab.queue.slug: tab.count for tab in response.context["tabs"]} == {
        "review": 1,
        "sign": 0,
        "working": 0,
        "problems": 0,
        "done": 0,
        "all": 1,
    }
    assert [row["scan"] for row in response.context["rows"]] == [read.scan]
    assert b"Maria Lindqvist" in response.content
    assert b"theirs.png" not in response.content


def test_a_quarantined_file_shows_its_reason(
    site: Site, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    scan = scan_receive(site=site, data=b"no scan at all", original_name="x.pdf", source="folder")
    client = signed_in(clinician)

    inbox = client.get(reverse("inbox"), {"queue": "problems"})
    detail = client.get(reverse("scan-detail", args=[scan.pk]))

    assert scan.problem
    assert scan.problem in inbox.content.decode()
    assert scan.problem in detail.content.decode()


def test_a_duplicate_links_to_the_first_copy(
    site: Site, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    first = scan_receive(site=site, data=b"same", original_name="a.pdf", source="folder")
    scan_receive(site=site, data=b"same", original_name="b.pdf", source="folder")

    response = signed_in(clinician).get(reverse("inbox"), {"queue": "problems"})

    link = f'<a href="{reverse("scan-detail", args=[first.pk])}">Open the first copy</a>'
    assert link in response.content.decode()


def test_a_scan_that_is_not_in_review_has_no_workstation(
    site: Site, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    scan = scan_receive(site=site, data=b"broken", original_name="a.pdf", source="folder")

    response = signed_in(clinician).get(reverse("workstation", args=[scan.pk]))

    assert response.status_code == 302
    assert response["Location"] == reverse("scan-detail", args=[scan.pk])


def test_opening_the_workstation_is_audited_once(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    signed_in(clinician).get(reverse("workstation", args=[read.scan.pk]))

    event = AuditEvent.objects.get(action="document.viewed")
    assert (event.actor, event.scan_id) == (clinician, read.scan.pk)
    assert event.data == {"screen": "workstation"}


def test_pages_run_no_inline_code(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinician)

    for url in [reverse("inbox"), *addresses(read)[:3]]:
        response = client.get(url)
        policy = response["Content-Security-Policy"]
        html = response.content.decode()
        assert "unsafe-inline" not in policy
        assert "style=" not in html
        assert "onclick=" not in html
        assert "<style" not in html


@pytest.fixture
def signer(clinician: Any) -> Any:
    """The clinician with a password to sign with."""
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


def sign(client: Client, read: ReadScan, password: str = PASSWORD, **changed: Any) -> Any:
    record = PrescriptionRecord.objects.get(scan=read.scan)
    body = {"password": password, "content_sha256": record.content_sha256, **changed}
    return client.post(reverse("release", args=[read.scan.pk]), body)


def acknowledge_all(read: ReadScan) -> list[str]:
    record = PrescriptionRecord.objects.get(scan=read.scan)
    return [blocker_key(blocker) for blocker in from_json(record.content).blockers]


def test_the_release_page_tells_what_the_record_holds(
    verified: ReadScan, signer: AbstractBaseUser, signed_in: SignIn
) -> None:
    html = signed_in(signer).get(reverse("release", args=[verified.scan.pk])).content.decode()

    for words in ("Maria Lindqvist", "1 tab PO BID", "Lisinopril 10 mg", "MedicationRequest"):
        assert words in html


def test_a_password_signs(verified: ReadScan, signer: AbstractBaseUser, signed_in: SignIn) -> None:
    client = signed_in(signer)

    response = sign(client, verified, acknowledged=acknowledge_all(verified))

    assert response.status_code == 302
    verified.scan.refresh_from_db()
    assert verified.scan.state == "released"
    detail = client.get(response["Location"]).content.decode()
    assert "Open the FHIR document" in detail


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"password": "guess"}, 403), ({"password": ""}, 403), ({"content_sha256": "0" * 64}, 409)],
)
def test_a_wrong_password_or_old_page_signs_nothing(
    verified: ReadScan,
    signer: AbstractBaseUser,
    signed_in: SignIn,
    changed: dict[str, str],
    status: int,
) -> None:
    response = sign(signed_in(signer), verified, acknowledged=acknowledge_all(verified), **changed)

    assert response.status_code == status
    assert b"Nothing was written" in response.content
    assert PrescriptionRecord.objects.get().status == "draft"


def test_open_fields_refuse_the_signature(
    site: Site, signer: AbstractBaseUser, signed_in: SignIn
) -> None:
    read = read_scan(site, ORDINARY_DRUGS)
    response = sign(signed_in(signer), read, acknowledged=acknowledge_all(read))

    assert response.status_code == 409
    assert b"fields still need a decision" in response.content
    assert PrescriptionRecord.objects.get().status == "draft"


def test_a_rejection_needs_a_reason_and_takes_the_scan_out(
    read: ReadScan, clinician: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    url = reverse("scan-reject", args=[read.scan.pk])

    client.post(url, {"code": "other", "reason": " "})
    read.scan.refresh_from_db()
    assert read.scan.state == "in_review"

    client.post(url, {"code": "other", "reason": "A shopping list."})
    read.scan.refresh_from_db()
    assert (read.scan.state, read.scan.problem_code) == ("rejected", "other")
    event = AuditEvent.objects.get(action="scan.rejected")
    assert (event.actor, event.reason) == (clinician, "Another reason. A shopping list.")
    assert event.data == {"old": "in_review", "new": "rejected", "code": "other"}


def test_an_outsider_rejects_nothing(
    read: ReadScan, outsider: AbstractBaseUser, signed_in: SignIn
) -> None:
    url = reverse("scan-reject", args=[read.scan.pk])

    assert signed_in(outsider).post(url, {"code": "unreadable"}).status_code == 404
    read.scan.refresh_from_db()
    assert read.scan.state == "in_review"


def test_nothing_of_a_draft_is_told_while_a_drug_is_entered_blind(
    site: Site, clinician: AbstractBaseUser, pharmacist: AbstractBaseUser, signed_in: SignIn
) -> None:
    read = read_scan(site, GRAVE_DRUGS)
    client = signed_in(pharmacist)

    pages = [
        client.get(reverse("inbox")),
        client.get(reverse("scan-detail", args=[read.scan.pk])),
        client.get(reverse("release", args=[read.scan.pk]), follow=True),
        client.get(f"/api/scans/{read.scan.pk}/"),
        client.get(f"/api/scans/{read.scan.pk}/fields/"),
        client.get("/api/queues/review/"),
        client.get(f"/api/scans/{read.scan.pk}/prescription/"),
        client.get(f"/api/scans/{read.scan.pk}/release/"),
    ]

    assert [page.status_code for page in pages] == [200, 200, 200, 200, 200, 200, 409, 409]
    told = [word for page in pages for word in (b"arfarin", b"xycodone") if word in page.content]
    assert told == []
