"""Blind second entries, questions to the prescriber, and two people at one scan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic_hwr.accounts.models import Site
from clinic_hwr.review.models import (
    Clarification,
    Decision,
    FieldCheck,
    ReviewLease,
)
from clinic_hwr.review.services import unresolved_fields
from tests.review.scripted import Line, ReadScan, read_scan

from .conftest import Watched
from .workstation import HELD, PASSWORD, open_workstation, saved, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

WARFARIN = (Line("drug", 1, "Warfarin 5 mg", 0.97), Line("sig", 1, "1 tab PO daily", 0.9))


def enter_blind(page: Page, *values: str) -> None:
    for value in values:
        expect(page.locator("#card-input")).to_be_focused()
        page.keyboard.type(value)
        page.keyboard.press("Enter")


def test_two_people_enter_a_grave_drug_blind(
    live_server: Any,
    watched: Watched,
    other_page: Page,
    site: Site,
    signer: Any,
    second: Any,
) -> None:
    read = read_scan(site, WARFARIN)
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    assert "arfarin" not in page.content()

    enter_blind(page, "Warfarin 5 mg", "1 tab PO daily")
    expect(page.get_by_text("Your part is done")).to_be_visible()
    saved(page)
    page.goto(live_server.url + reverse("inbox"))  # gives the scan back

    sign_in(other_page, live_server, second)
    other_page.goto(live_server.url + reverse("second-checks"))
    other_page.keyboard.press("g")
    expect(other_page.locator("[data-lease]")).to_have_text(HELD)
    assert "arfarin" not in other_page.content()
    enter_blind(other_page, "warfarin 5mg", "1 tablet by mouth daily")
    expect(other_page.get_by_text("Every field is decided")).to_be_visible()
    saved(other_page)

    assert unresolved_fields(read.scan) == []
    assert set(FieldCheck.objects.values_list("stage", flat=True)) == {"settled"}
    assert Decision.objects.filter(blind=True).count() == 4
    assert watched.complaints == []


def test_entries_that_differ_go_to_a_pharmacist(
    live_server: Any, watched: Watched, site: Site, signer: Any, second: Any, pharmacist: Any
) -> None:
    read = read_scan(site, WARFARIN[:1])
    for user, value in ((signer, "Warfarin 5 mg"), (second, "Warfarin 2 mg")):
        Decision.objects.create(
            field=read["drug"],
            number=Decision.objects.count() + 1,
            kind="corrected",
            value=value,
            reviewer=user,
            round=1,
            entry=Decision.objects.count() + 1,
            blind=True,
        )
    pharmacist.set_password(PASSWORD)
    pharmacist.save()
    page = watched.page
    sign_in(page, live_server, pharmacist)
    open_workstation(page, live_server, read)
    expect(page.get_by_text("Two people entered different values. Which one")).to_be_visible()
    page.keyboard.press("Enter")  # no habit decides between them
    assert Decision.objects.count() == 2

    page.keyboard.press("2")
    saved(page)

    decision = Decision.objects.get(entry=3)
    assert (decision.value, decision.reviewer) == ("Warfarin 2 mg", pharmacist)
    assert watched.complaints == []


def test_a_question_goes_to_the_prescriber_and_comes_back(
    desk: Page,
    live_server: Any,
    watched: Watched,
    read: ReadScan,
) -> None:
    desk.locator(".field-line", has_text="Directions 1").click()

    desk.keyboard.press("c")
    expect(desk.locator("#clarify-reason")).to_be_focused()
    expect(desk.locator("#clarify-question")).to_have_value(
        "How is it to be taken: dose, route, how often, and for how long?"
    )
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    line = desk.locator(".field-line", has_text="Directions 1")
    expect(line).to_contain_text("Waits: prescriber")
    desk.goto(live_server.url + reverse("clarify"))
    desk.get_by_role("link", name="Record a call").click()
    desk.get_by_label("Who was called").fill("Dr. Obi")
    desk.get_by_label("Answer, in their words").fill("Twice a day")
    desk.get_by_label("I read the answer back").check()
    desk.get_by_role("button", name="Record").click()

    desk.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    desk.locator(".field-line", has_text="Directions 1").click()
    expect(desk.locator(".answer")).to_contain_text("Twice a day")
    assert Clarification.objects.get().status == "answered"
    assert watched.complaints == []


def test_two_reviewers_one_scan(
    desk: Page,
    live_server: Any,
    other_page: Page,
    read: ReadScan,
    second: Any,
) -> None:
    sign_in(other_page, live_server, second)
    other_page.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    expect(other_page.locator("[data-banner]")).to_contain_text("is working on this scan now")

    other_page.keyboard.press("Enter")
    assert not Decision.objects.exists()

    # the first one's lease runs out, the second takes it; what the first then says is kept
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    other_page.locator("[data-banner] button").click()
    expect(other_page.locator("[data-lease]")).to_have_text(HELD)
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-banner]")).to_contain_text("opened elsewhere")
    expect(desk.locator("[data-save]")).to_contain_text("1 decision not saved yet")
    assert not Decision.objects.exists()
