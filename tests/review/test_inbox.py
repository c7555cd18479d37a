"""The inbox, search, amend and retract pages through the front door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import (
    blocker_key,
    prescription_release,
    retraction_sign,
    scan_claim,
)
from clinic_hwr.review.views import inbox as inbox_view

from .scripted import TWO_DRUGS, ReadScan, read_scan

SignIn = Callable[[AbstractBaseUser], Client]
PASSWORD = "correct horse battery"


@pytest.fixture
def released(verified: ReadScan, clinician: Any, site: Site) -> ReadScan:
    """A prescription that was released and delivered to the one EHR of its site."""
    clinician.set_password(PASSWORD)
    clinician.save()
    DeliveryTarget.objects.create(site=site, name="Ward EHR", adapter="folder", config={})
    record = PrescriptionRecord.objects.get(scan=verified.scan)
    prescription_release(
        user=clinician,
        scan_id=verified.scan.pk,
        expected_content_sha256=record.content_sha256,
        acknowledged=[blocker_key(each) for each in from_json(record.content).blockers],
    )
    Delivery.objects.update(status=DeliveryStatus.SENT, sent_at=timezone.now())
    Scan.objects.filter(pk=verified.scan.pk).update(state="delivered")
    verified.scan.refresh_from_db()
    return verified


def queries(client: Client, url: str, **query: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url, query).status_code == 200
    return len(seen)


def test_the_inbox_costs_the_same_for_one_scan_and_for_many(
    site: Site, clinician: Any, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    read_scan(site, TWO_DRUGS[2:6], name="0.png")
    client.get(reverse("inbox"))
    few = queries(client, reverse("inbox"), queue="review")
    for number in range(1, 6):
        read_scan(site, TWO_DRUGS[2:6], name=f"{number}.png")

    assert queries(client, reverse("inbox"), queue="review") == few
    assert few <= 20


def test_pages_of_a_queue_are_complete_and_without_repeats(
    site: Site, clinician: Any, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = [read_scan(site, TWO_DRUGS[2:6], name=f"{n}.png").scan for n in range(5)]
    same = timezone.now() - timedelta(hours=1)  # one moment: the number decides the order
    Scan.objects.filter(pk__in=[scan.pk for scan in scans[:3]]).update(received_at=same)
    small = inbox_view.scans_page
    monkeypatch.setattr(inbox_view, "scans_page", lambda rows, **kw: small(rows, size=2, **kw))
    client = signed_in(clinician)

    for queue in ("review", "all"):
        seen: list[Any] = []
        after = ""
        for _ in range(4):
            context = client.get(reverse("inbox"), {"queue": queue, "after": after}).context
            seen += [row["scan"].pk for row in context["rows"]]
            after = context["after"] or ""
            if not after:
                break
        assert len(seen) == 5
        assert set(seen) == {scan.pk for scan in scans}


@pytest.mark.parametrize("after", ["x", "2026-01-01_x", "_", "2026-01-01T00:00:00_" + "0" * 32])
def test_a_broken_place_is_the_start(
    read: ReadScan, clinician: Any, signed_in: SignIn, after: str
) -> None:
    response = signed_in(clinician).get(reverse("inbox"), {"queue": "review", "after": after})

    assert [row["scan"] for row in response.context["rows"]] == [read.scan]


def test_next_claims_and_opens(read: ReadScan, clinician: Any, signed_in: SignIn) -> None:
    client = signed_in(clinician)

    first = client.post(reverse("inbox-next"), {"queue": "review"})
    second = client.post(reverse("inbox-next"), {"queue": "review"}, follow=True)
    wrong = client.post(reverse("inbox-next"), {"queue": "nowhere"}, follow=True)

    assert first["Location"] == reverse("workstation", args=[read.scan.pk])
    assert ReviewLease.objects.get().holder == clinician
    assert "Nothing free is waiting" in second.content.decode()
    assert "There is no queue of this name" in wrong.content.decode()


def test_a_search_leaves_no_name_in_an_address(
    read: ReadScan, clinician: Any, signed_in: SignIn
) -> None:
    client = signed_in(clinician)

    asked = client.post(reverse("inbox-search"), {"text": "Lindqvist", "part": "patient"})
    shown = client.get(asked["Location"])

    assert asked["Location"] == reverse("inbox-search")
    assert [row["scan"] for row in shown.context["rows"]] == [read.scan]
    html = shown.content.decode()
    assert "indqvist" not in "".join(part.split('"')[0] for part in html.split('href="')[1:])
    assert client.post(reverse("inbox-search"), {"text": " "}, follow=True).redirect_chain[-1] == (
        reverse("inbox"),
        302,
    )


def test_a_session_in_a_cookie_keeps_no_search(
    read: ReadScan, clinician: Any, signed_in: SignIn, settings: Any
) -> None:
    settings.SESSION_ENGINE = inbox_view.COOKIE_SESSIONS
    client = signed_in(clinician)

    response = client.post(reverse("inbox-search"), {"text": "Lindqvist"})

    assert [row["scan"] for row in response.context["rows"]] == [read.scan]
    assert inbox_view.SEARCH_KEY not in client.session


def test_a_colleagues_scan_is_taken_over_with_a_reason(
    read: ReadScan, clinician: Any, pharmacist: Any, signed_in: SignIn
) -> None:
    scan_claim(user=clinician, scan_id=read.scan.pk)
    client = signed_in(pharmacist)

    detail = client.get(reverse("scan-detail", args=[read.scan.pk])).content.decode()
    taken = client.post(reverse("take-over", args=[read.scan.pk]), {"reason": "She left."})

    assert "Carla Weiss is working on it" in detail
    assert taken["Location"] == reverse("workstation", args=[read.scan.pk])
    assert ReviewLease.objects.get().holder == pharmacist


# --- amending and retracting ------------------------------------------------------------------


def amendment(client: Client, read: ReadScan, **changed: str) -> Any:
    url = reverse("amend", args=[read.scan.pk])
    body = {f"value-{read['refills'].pk}": "0"}
    context = client.post(url, body).context
    signed = {
        **body,
        "sign": "1",
        "version": "1",
        "content_sha256": context["preview"].content_sha256,
        "acknowledged": [warning["key"] for warning in context["warnings"]],
        "reason": "Misread.",
        "password": PASSWORD,
        **changed,
    }
    return client.post(url, signed)


def test_an_amendment_is_seen_beside_the_old_version_and_signed(
    released: ReadScan, clinician: Any, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    url = reverse("amend", args=[released.scan.pk])

    form = client.get(url).content.decode()
    html = client.post(url, {f"value-{released['refills'].pk}": "0"}).content.decode()
    assert PrescriptionRecord.objects.get().version == 1
    done = amendment(client, released)

    assert 'value="1 tab PO BID"' in form
    for words in ("Version 1, as released", "Version 2, as it will be written", "holds version 1"):
        assert words in html
    assert done["Location"] == reverse("scan-detail", args=[released.scan.pk])
    record = PrescriptionRecord.objects.get()
    assert (record.version, record.released_by) == (2, clinician)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"password": "guess"}, 403),
        ({"reason": ""}, 409),
        ({"version": "9"}, 409),
        ({"content_sha256": ""}, 409),
    ],
)
def test_a_refused_amendment_writes_nothing(
    released: ReadScan, clinician: Any, signed_in: SignIn, changed: dict[str, str], status: int
) -> None:
    response = amendment(signed_in(clinician), released, **changed)

    assert response.status_code == status
    assert b"Nothing was written" in response.content
    assert PrescriptionRecord.objects.get().version == 1


def test_an_emptied_value_is_asked_about(
    released: ReadScan, clinician: Any, signed_in: SignIn
) -> None:
    url = reverse("amend", args=[released.scan.pk])

    response = signed_in(clinician).post(url, {f"value-{released['refills'].pk}": ""})

    assert response.status_code == 400
    assert "is empty: type a value" in response.content.decode()


def test_a_retraction_needs_a_password_and_a_reason(
    released: ReadScan, clinician: Any, signed_in: SignIn
) -> None:
    client = signed_in(clinician)
    url = reverse("retract", args=[released.scan.pk])
    body = {"version": "1", "reason": "Wrong patient.", "password": PASSWORD}

    assert b"entered in error" in client.get(url).content
    assert client.post(url, {**body, "password": ""}).status_code == 403
    assert client.post(url, {**body, "reason": " "}).status_code == 409
    assert PrescriptionRecord.objects.get().retracted_at is None
    assert client.post(url, body).status_code == 302
    assert PrescriptionRecord.objects.get().retracted_at is not None


@pytest.mark.parametrize(("person", "status"), [("outsider", 404), ("clinic_admin", 403)])
def test_others_do_not_amend(
    released: ReadScan,
    signed_in: SignIn,
    request: pytest.FixtureRequest,
    person: str,
    status: int,
) -> None:
    client = signed_in(request.getfixturevalue(person))

    for name in ("amend", "retract"):
        url = reverse(name, args=[released.scan.pk])
        assert (client.get(url).status_code, client.post(url).status_code) == (status, status)


def test_a_retraction_that_did_not_get_through_shows_everywhere(
    released: ReadScan, clinician: Any, signed_in: SignIn
) -> None:
    scan = released.scan
    retraction_sign(user=clinician, scan_id=scan.pk, reason="Wrong.", expected_version=1)
    Delivery.objects.filter(prescription_version=2).update(
        status=DeliveryStatus.DEAD, problem="STILL IN FORCE IN THE EHR: MedicationRequest/7."
    )
    client = signed_in(clinician)

    detail = client.get(reverse("scan-detail", args=[scan.pk])).content.decode()
    listed = client.get(reverse("inbox"), {"queue": "ehr"})

    told = "The retraction did not reach Ward EHR: version 1 may still be followed there."
    assert told in detail
    assert "STILL IN FORCE IN THE EHR: MedicationRequest/7." in detail
    assert "Retracted" in detail
    assert [row["scan"] for row in listed.context["rows"]] == [scan]
    assert told in listed.content.decode()
    Delivery.objects.update(status=DeliveryStatus.SENT)
    after = client.get(reverse("scan-detail", args=[scan.pk])).content.decode()
    assert "did not reach" not in after
