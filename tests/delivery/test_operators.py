"""What operators use: the ``deliveries`` command and the admin pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.admin import DeliveryTargetForm
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from tests.ehr_adapters.fake_fhir_server import fake_fhir_server
from tests.ehr_adapters.released import PRESCRIPTION_ID

pytestmark = pytest.mark.django_db

Enqueue = Callable[..., list[Delivery]]


def run(*args: str) -> str:
    """Run the command and return what it prints."""
    out = StringIO()
    call_command("deliveries", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def dead(folder_target: DeliveryTarget, enqueue: Enqueue) -> Delivery:
    """A delivery that needs a person."""
    (row,) = enqueue()
    Delivery.objects.update(
        status=DeliveryStatus.DEAD, attempts=3, problem="The EHR refused the content.\n{}"
    )
    row.refresh_from_db()
    return row


def test_the_list_shows_one_line_a_delivery(dead: Delivery) -> None:
    assert run().splitlines() == [
        f"{dead.pk}  riverside/Pharmacy share  dead       tries 3  The EHR refused the content."
    ]
    assert run("--status", "sent") == ""
    assert run("--site", "elsewhere") == ""


def test_the_list_as_json(dead: Delivery) -> None:
    (line,) = run("--json", "--status", "dead").splitlines()

    shown = json.loads(line)
    assert shown["id"] == str(dead.pk)
    assert shown["prescription"] == str(PRESCRIPTION_ID)
    assert (shown["status"], shown["attempts"], shown["version"]) == ("dead", 3, 1)


@pytest.mark.parametrize("by_id", [True, False])
def test_replay_queues_dead_deliveries_again(dead: Delivery, by_id: bool) -> None:
    printed = run("--replay", str(dead.pk)) if by_id else run("--replay-dead")

    assert printed == "1 queued again.\n"
    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == (DeliveryStatus.QUEUED, 0)
    assert AuditEvent.objects.get().action == "delivery.replayed"
    assert run("--replay-dead") == "0 queued again.\n"


def test_check_asks_each_target(
    folder_target: DeliveryTarget,
    make_fhir_target: Callable[..., DeliveryTarget],
    drop: Path,
) -> None:
    with fake_fhir_server() as server:
        make_fhir_target(server.url)
        assert run("--check").splitlines() == [
            "riverside/EHR: Fake EHR 3, all resources, look-up yes",
            "riverside/Pharmacy share: folder, all resources, look-up yes",
        ]
        drop.rmdir()
        with pytest.raises(CommandError, match="1 target"):
            run("--check")


@pytest.fixture
def boss(client: Client) -> Client:
    """A signed-in superuser."""
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def test_the_admin_replays_a_selection(boss: Client, dead: Delivery) -> None:
    response = boss.post(
        reverse("admin:clinic_delivery_delivery_changelist"),
        {"action": "replay", "_selected_action": [str(dead.pk)]},
        follow=True,
    )

    assert "1 queued again." in response.content.decode()
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.QUEUED
    assert AuditEvent.objects.get().actor_name == "boss"


def test_the_outbox_is_not_edited_by_hand(boss: Client, dead: Delivery) -> None:
    change = reverse("admin:clinic_delivery_delivery_change", args=[dead.pk])
    delete = reverse("admin:clinic_delivery_delivery_delete", args=[dead.pk])

    page = boss.get(change)
    boss.post(change, {"status": "sent"})

    assert page.status_code == 200
    assert boss.get(reverse("admin:clinic_delivery_delivery_add")).status_code == 403
    assert boss.post(delete, {"post": "yes"}).status_code == 403
    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.DEAD


@pytest.mark.parametrize(
    ("adapter", "config", "problem"),
    [
        ("folder", {"folder": "relative"}, "absolute path"),
        ("fhir_r4", {}, "base_url"),
        ("fhir_r4", {"base_url": "http://ehr.example/fhir"}, "use https"),
        ("fhir_r4", {"base_url": "https://ehr.example", "token": "abc"}, "token_env"),
        ("fhir_r4", ["https://ehr.example"], "JSON object"),
        ("pigeon", {"folder": "/srv/drop"}, "pigeon"),
    ],
)
def test_a_target_that_cannot_work_is_not_saved(
    site: Site, adapter: str, config: Any, problem: str
) -> None:
    form = DeliveryTargetForm(
        {"site": site.pk, "name": "X", "adapter": adapter, "config": json.dumps(config)}
    )

    assert not form.is_valid()
    assert problem in str(form.errors)


def test_a_good_target_is_saved(site: Site, drop: Path) -> None:
    form = DeliveryTargetForm(
        {
            "site": site.pk,
            "name": "Share",
            "adapter": "folder",
            "config": json.dumps({"folder": str(drop)}),
            "enabled": True,
        }
    )

    assert form.is_valid(), form.errors
    assert form.save().enabled
