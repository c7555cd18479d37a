"""The audit browser through the front door."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.audit.services import audit_record
from clinic_hwr.audit.views import PAGE_SIZE
from clinic_hwr.intake.storage import blob_write
from clinic_hwr.review.services import field_add, field_name, scan_claim
from tests.review.scripted import Line, read_scan

SignIn = Callable[[AbstractBaseUser], Client]
PNG = b"\x89PNG\r\n\x1a\n of the ink"


@pytest.fixture
def correction(site: Site, clinician: AbstractBaseUser) -> AuditEvent:
    """A corrected sig with its crop in the store."""
    return audit_record(
        action="field.corrected",
        site=site,
        object_type="field",
        object_id=uuid.uuid4(),
        actor=clinician,
        scan_id=uuid.uuid4(),
        data={
            "field": "sig",
            "group": 1,
            "old": "1 tab QD",
            "new": "1 tab QID",
            "seconds": 3.25,
            "model": "trba@1",
            "crop_sha256": blob_write(PNG),
        },
    )


@pytest.fixture
def reading(site: Site) -> AuditEvent:
    """An event of a process, on another scan."""
    return audit_record(
        action="scan.read",
        site=site,
        object_type="scan",
        object_id=uuid.uuid4(),
        actor_name="worker-1",
        scan_id=uuid.uuid4(),
    )


@pytest.fixture
def theirs(other_site: Site) -> AuditEvent:
    """An event of the other clinic."""
    return audit_record(action="scan.read", site=other_site, object_type="scan", object_id=1)


def shown(client: Client, **query: Any) -> list[AuditEvent]:
    response = client.get(reverse("audit"), query)
    assert response.status_code == 200
    return [row["event"] for row in response.context["rows"]]


@pytest.mark.parametrize("person", ["clinician", "pharmacist", "integration", "outsider"])
def test_the_trail_is_for_administrators(
    correction: AuditEvent, signed_in: SignIn, request: pytest.FixtureRequest, person: str
) -> None:
    client = signed_in(request.getfixturevalue(person))

    assert client.get(reverse("audit")).status_code == 403
    assert client.get(reverse("audit-event", args=[correction.uuid])).status_code == 403
    assert client.get(reverse("audit-crop", args=[correction.uuid])).status_code == 404


def test_an_administrator_sees_the_own_site_newest_first(
    correction: AuditEvent,
    reading: AuditEvent,
    theirs: AuditEvent,
    clinic_admin: AbstractBaseUser,
    signed_in: SignIn,
) -> None:
    client = signed_in(clinic_admin)

    assert shown(client) == [reading, correction]
    assert client.get(reverse("audit-event", args=[theirs.uuid])).status_code == 404


def test_every_filter_narrows(
    correction: AuditEvent,
    reading: AuditEvent,
    clinic_admin: AbstractBaseUser,
    signed_in: SignIn,
) -> None:
    client = signed_in(clinic_admin)

    assert shown(client, action="field.corrected") == [correction]
    assert shown(client, user="worker-1") == [reading]
    assert shown(client, scan=str(correction.scan_id)) == [correction]
    assert shown(client, scan="not a number") == []
    assert shown(client, field="sig") == [correction]
    assert shown(client, field=correction.object_id) == [correction]
    assert shown(client, field="drug") == []
    assert shown(client, before="x") == [reading, correction]


def test_an_entry_shows_ink_change_seconds_and_model(
    correction: AuditEvent, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinic_admin)

    html = client.get(reverse("audit-event", args=[correction.uuid])).content.decode()
    crop = client.get(reverse("audit-crop", args=[correction.uuid]))

    for words in ("1 tab QD", "1 tab QID", "3.3 s", "trba@1", correction.content_hash):
        assert words in html
    assert crop.content == PNG
    assert "no-store" in crop["Cache-Control"]


def test_an_event_without_a_crop_has_no_image(
    reading: AuditEvent, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinic_admin)

    assert client.get(reverse("audit-crop", args=[reading.uuid])).status_code == 404


def test_a_lost_crop_leaves_the_entry_readable(
    site: Site, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    event = audit_record(
        action="field.accepted",
        site=site,
        object_type="field",
        object_id=1,
        data={"field": "sig", "old": "x", "new": "x", "seconds": 1.0, "crop_sha256": "a" * 64},
    )
    client = signed_in(clinic_admin)

    assert client.get(reverse("audit-crop", args=[event.uuid])).status_code == 404
    assert client.get(reverse("audit-event", args=[event.uuid])).status_code == 200


def test_older_entries_are_one_link_away(
    site: Site, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    events = [
        audit_record(action="scan.read", site=site, object_type="scan", object_id=number)
        for number in range(PAGE_SIZE + 3)
    ]
    client = signed_in(clinic_admin)

    first = client.get(reverse("audit"), {"action": "scan.read"})
    second = client.get(f"{reverse('audit')}?{first.context['older']}")

    assert [row["event"] for row in first.context["rows"]] == events[: -PAGE_SIZE - 1 : -1]
    assert [row["event"] for row in second.context["rows"]] == events[2::-1]
    assert second.context["older"] == ""


def test_an_altered_entry_is_marked(
    correction: AuditEvent, clinic_admin: AbstractBaseUser, signed_in: SignIn
) -> None:
    client = signed_in(clinic_admin)
    assert client.get(reverse("audit")).context["verification"].ok

    super(type(AuditEvent.objects.all()), AuditEvent.objects.all()).update(reason="forged")

    response = client.get(reverse("audit"))
    assert response.context["verification"].altered == (correction.pk,)
    assert "▲ altered" in response.content.decode()


def test_an_added_and_a_named_field_are_told_in_words(
    site: Site, clinician: Any, clinic_admin: Any, signed_in: Callable[[Any], Client]
) -> None:
    read = read_scan(site, (Line("unnamed", 0, "Take with food", 0.6),))
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_add(user=clinician, scan_id=read.scan.pk, lease_token=token, name="patient_name")
    field_name(user=clinician, field_id=read["unnamed"].pk, lease_token=token, name="sig", group=2)

    html = signed_in(clinic_admin).get(reverse("audit")).content.decode()

    assert "<strong>Field added</strong>" in html
    assert '<div class="change"><ins>patient name</ins></div>' in html
    assert "<strong>Field named</strong>" in html
    assert "<del>unnamed</del>" in html
    assert "<ins>sig 2</ins>" in html
