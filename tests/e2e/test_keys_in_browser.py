"""Keys: changed, switched off, listed where they are valid."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic_hwr.accounts.models import Site
from clinic_hwr.review.models import (
    Decision,
    KeyBinding,
)
from tests.review.scripted import Line, ReadScan, read_scan

from .conftest import Watched
from .workstation import open_workstation, saved, sign_in, title

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_single_key_shortcuts_can_be_switched_off(
    desk: Page,
    live_server: Any,
    watched: Watched,
    read: ReadScan,
) -> None:
    first = title(desk)
    desk.keyboard.press("?")
    switch = desk.locator("[data-keys] input[data-single-keys]")
    expect(switch).to_be_checked()
    switch.press("Space")
    desk.keyboard.press("Escape")

    for key in ("x", "n", "a", "1", "2", "u", "?"):
        desk.keyboard.press(key)

    assert title(desk) == first
    expect(desk.locator("dialog[open]")).to_have_count(0)
    desk.keyboard.press("F2")
    expect(desk.locator("#card-input")).to_be_focused()
    desk.keyboard.press("Escape")
    desk.keyboard.press("Enter")
    saved(desk)
    assert Decision.objects.get().kind == "accepted"

    desk.goto(live_server.url + reverse("inbox"))
    switch = desk.locator("input[data-single-keys]")
    expect(switch).not_to_be_checked()
    desk.keyboard.press("g")
    switch.press("Space")
    expect(desk.locator("[data-next-scan] kbd")).to_be_visible()
    assert desk.url == live_server.url + reverse("inbox")
    desk.keyboard.press("g")
    desk.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    assert watched.complaints == []


def test_a_key_is_changed_and_a_taken_one_refused(
    desk: Page,
    read: ReadScan,
) -> None:
    desk.keyboard.press("?")
    desk.get_by_role("button", name="Change the key of Illegible").click()
    desk.keyboard.press("n")
    expect(desk.locator("[data-keys-problem]")).to_contain_text("already means")
    desk.get_by_role("button", name="Change the key of Illegible").click()
    desk.keyboard.press("j")
    expect(desk.locator(".key-line", has_text="nobody can read it")).to_contain_text("J")
    desk.keyboard.press("Escape")

    desk.keyboard.press("j")
    saved(desk)

    assert KeyBinding.objects.get().keys == ["j"]
    assert Decision.objects.get().kind == "illegible"


def test_only_keys_that_are_valid_here_are_listed(
    live_server: Any, watched: Watched, site: Site, signer: Any
) -> None:
    read = read_scan(site, (Line("patient_name", 0, "Maria", 0.8),))
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)

    page.keyboard.press("?")

    here = page.locator("[data-key-list]")
    expect(here).to_contain_text("Accept the value")
    expect(here).not_to_contain_text("Take the fifth reading")
    expect(here).not_to_contain_text("while typing")
