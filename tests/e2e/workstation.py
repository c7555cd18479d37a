"""Steps that every browser test of the workstation takes: sign in, open it, wait for a save."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.review.scripted import ReadScan

PASSWORD = "correct horse battery"
HELD = "Yours while you work on it"


def sign_in(page: Page, live_server: Any, user: Any) -> None:
    """Sign in by keyboard."""
    page.goto(live_server.url + reverse("login"))
    expect(page.locator("input[name=username]")).to_be_focused()  # once the page is painted
    page.keyboard.type(user.get_username())
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/")


def open_workstation(page: Page, live_server: Any, read: ReadScan) -> None:
    """Open the workstation on a scan and wait for the lease."""
    page.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    expect(page.locator("[data-lease]")).to_have_text(HELD)


def saved(page: Page) -> None:
    """Wait until everything is stored."""
    expect(page.locator("[data-save]")).to_have_text("All saved")


def title(page: Page) -> str:
    """Return the title of the field at hand."""
    return page.locator("#card-title").inner_text()


def choose(page: Page, name: str) -> None:
    """Go to a field by its line in the list."""
    page.locator(".field-line", has_text=name).first.click()


def decide_all(page: Page, fields: int) -> None:
    """Decide every field with one key each: what was read, and that a signature is there."""
    for _ in range(fields):
        page.keyboard.press("1" if title(page) == "Signature" else "Enter")
