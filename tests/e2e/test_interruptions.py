"""Nothing is lost or doubled: networks, sessions, leases, tabs, reloads and servers that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.review.models import Decision, PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import scan_claim, unresolved_fields
from tests.review.scripted import ReadScan

from .workstation import HELD, PASSWORD, decide_all, open_workstation, saved, sign_in, title

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_a_dead_network_keeps_the_decision_until_it_is_back(desk: Page) -> None:
    cut = True

    def maybe(route: Route) -> None:
        if cut:
            route.abort()
        else:
            route.continue_()

    desk.route("**/decisions/", maybe)
    first = title(desk)
    desk.keyboard.press("Enter")

    expect(desk.locator("[data-save]")).to_contain_text("No connection. 1 decision kept here")
    assert title(desk) != first  # the work goes on
    assert not Decision.objects.exists()

    cut = False
    saved(desk)
    assert Decision.objects.count() == 1


def test_a_second_tab_takes_over_and_the_first_says_so(
    desk: Page,
    read: ReadScan,
    signer: Any,
) -> None:
    scan_claim(user=signer, scan_id=read.scan.pk)  # what the other tab does

    desk.keyboard.press("Enter")

    banner = desk.locator("[data-banner]")
    expect(banner).to_contain_text("opened elsewhere")
    assert not Decision.objects.exists()
    banner.get_by_role("button").click()
    saved(desk)
    assert Decision.objects.count() == 1


def test_two_answers_are_shown_and_one_key_chooses(
    desk: Page,
    read: ReadScan,
    signer: Any,
) -> None:
    first = unresolved_fields(read.scan)[0]
    Decision.objects.create(
        field=first,
        number=1,
        kind="corrected",
        value="Mario Lindqvist",
        machine_value="Maria Lindqvist",
        reviewer=signer,
    )

    desk.keyboard.press("Enter")

    expect(desk.locator(".conflict")).to_contain_text("Mario Lindqvist")
    desk.keyboard.press("2")
    saved(desk)
    expect(desk.locator(".conflict")).to_have_count(0)
    stored = list(first.decisions.order_by("number").values_list("number", "kind", "value"))
    read_there = first.readings.get().text
    assert stored == [(1, "corrected", "Mario Lindqvist"), (2, "accepted", read_there)]


def test_an_ended_session_loses_nothing(
    desk: Page,
    live_server: Any,
    signer: Any,
) -> None:
    Session.objects.all().delete()

    desk.keyboard.press("Enter")

    banner = desk.locator("[data-banner]")
    expect(banner).to_contain_text("Your session has ended. Nothing is lost")
    assert not Decision.objects.exists()
    other_tab = desk.context.new_page()
    sign_in(other_tab, live_server, signer)
    banner.get_by_role("button", name="Save now").click()
    saved(desk)
    assert Decision.objects.count() == 1


def test_undo_survives_a_reload(desk: Page) -> None:
    first = title(desk)
    desk.keyboard.press("x")
    saved(desk)
    desk.reload()
    expect(desk.locator("[data-lease]")).to_have_text(HELD)

    desk.keyboard.press("u")
    saved(desk)

    assert title(desk) == first
    kinds = list(Decision.objects.order_by("number").values_list("kind", flat=True))
    assert kinds == ["illegible", "reopened"]


def test_what_was_typed_is_not_lost_by_leaving_the_field(desk: Page) -> None:
    first = title(desk)
    desk.keyboard.press("e")
    desk.keyboard.press("Control+a")
    desk.keyboard.type("Half typed")
    desk.locator(".field-line", has_text="Directions 1").click()
    desk.evaluate(
        "() => { const e = new Event('beforeunload', { cancelable: true });"
        " dispatchEvent(e); window.warned = e.defaultPrevented; }"
    )
    assert desk.evaluate("window.warned") is True
    desk.locator(".field-line", has_text=first).first.click()
    desk.keyboard.press("e")

    expect(desk.locator("#card-input")).to_have_value("Half typed")
    assert not Decision.objects.exists()


def test_a_double_press_and_the_back_button_decide_once(
    desk: Page,
    live_server: Any,
    read: ReadScan,
) -> None:
    field = unresolved_fields(read.scan)[0]

    # a repeat of the same request, as a proxy or a nervous network would send it
    with desk.expect_request("**/decisions/") as sent:
        desk.keyboard.press("Enter")
    saved(desk)
    again = desk.evaluate(
        """async ([url, body]) => {
          const token = /csrftoken=([^;]+)/.exec(document.cookie)[1];
          const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
          return (await fetch(url, { method: "POST", headers, body })).status;
        }""",
        [sent.value.url, sent.value.post_data],
    )
    desk.goto(live_server.url + reverse("inbox"))
    desk.go_back()
    expect(desk.locator("[data-lease]")).to_have_text(HELD)

    assert again == 200
    assert field.decisions.count() == 1
    assert title(desk) != "Practice"


def test_an_expired_lease_that_nobody_took_keeps_the_work(desk: Page) -> None:
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(minutes=30))

    desk.keyboard.press("Enter")
    saved(desk)

    assert Decision.objects.count() == 1


def test_a_stale_tab_of_the_same_person_is_told(
    desk: Page,
    live_server: Any,
    read: ReadScan,
) -> None:
    other = desk.context.new_page()
    open_workstation(other, live_server, read)
    other.keyboard.press("x")
    saved(other)

    desk.keyboard.press("Enter")
    desk.locator("[data-banner] button").click()  # take it back into the first tab

    expect(desk.locator(".conflict")).to_contain_text("illegible")
    desk.keyboard.press("1")  # keep what the other tab said
    expect(desk.locator(".conflict")).to_have_count(0)
    assert Decision.objects.get().kind == "illegible"


def test_a_reload_in_the_middle_goes_on_where_it_was(desk: Page, read: ReadScan) -> None:
    waiting = len(unresolved_fields(read.scan))
    decide_all(desk, 4)
    saved(desk)
    fifth = title(desk)

    desk.reload()
    expect(desk.locator("[data-lease]")).to_have_text(HELD)

    assert title(desk) == fifth
    decide_all(desk, waiting - 4)
    saved(desk)
    assert Decision.objects.count() == waiting
    assert unresolved_fields(read.scan) == []


def test_a_page_that_goes_while_decisions_are_under_way_asks_and_loses_none(
    desk: Page, read: ReadScan
) -> None:
    held = True

    def slow(route: Route) -> None:
        if held:
            route.abort()
        else:
            route.continue_()

    desk.route("**/decisions/", slow)
    decide_all(desk, 3)
    expect(desk.locator("[data-save]")).to_contain_text("3 decisions kept here")
    asked: list[str] = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    desk.evaluate("location.reload()")
    desk.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    held = False
    saved(desk)
    assert Decision.objects.count() == 3


def test_a_signature_sent_twice_and_the_back_button_release_once(
    desk: Page, live_server: Any, read: ReadScan
) -> None:
    decide_all(desk, len(unresolved_fields(read.scan)))
    saved(desk)
    desk.goto(live_server.url + reverse("release", args=[read.scan.pk]))
    for box in desk.locator("input[name=acknowledged]").all():
        box.check()
    desk.locator("input[name=password]").fill(PASSWORD)
    # two presses before the first answer: the browser sends the second, the server has the last say
    desk.evaluate(
        """() => {
          const form = document.querySelector("form:has(input[name=password])");
          const again = new FormData(form);
          fetch(form.action || location.href, { method: "POST", body: again });
          form.requestSubmit();
        }"""
    )
    desk.wait_for_url(f"**{reverse('scan-detail', args=[read.scan.pk])}")
    desk.go_back()
    desk.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    desk.wait_for_url(f"**{reverse('scan-detail', args=[read.scan.pk])}")

    record = PrescriptionRecord.objects.get(scan=read.scan)
    assert (record.status, record.version) == ("released", 1)
    assert AuditEvent.objects.filter(action="prescription.released").count() == 1
    assert ResourceVersion.objects.filter(resource_type="MedicationRequest").count() == 2


def test_two_tabs_decide_in_turns_and_nothing_is_doubled(
    desk: Page, live_server: Any, read: ReadScan
) -> None:
    waiting = len(unresolved_fields(read.scan))
    decide_all(desk, 2)
    saved(desk)
    other = desk.context.new_page()
    open_workstation(other, live_server, read)
    decide_all(other, 2)
    saved(other)

    desk.keyboard.press("Enter")  # what the other tab has decided by now
    desk.locator("[data-banner] button").click()
    expect(desk.locator(".conflict")).to_have_count(1)
    desk.keyboard.press("1")
    expect(desk.locator(".conflict")).to_have_count(0)
    decide_all(desk, waiting - 4)
    saved(desk)

    assert Decision.objects.count() == waiting
    assert unresolved_fields(read.scan) == []
