"""An administrator draws a form by mouse, and another wholly by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from clinic_hwr.forms.models import FormVersion
from clinic_hwr.forms.services import version_activate
from tests.forms.drawn import blank_form, filled_form, png
from tests.forms.test_forms import paged_scan

from .conftest import Watched
from .test_accessibility import AXE, violations
from .workstation import PASSWORD, sign_in

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not AXE.exists(), reason="no axe-core here: npm ci --prefix tests/e2e/axe (make test does)"
    ),
]


@pytest.fixture
def admin(clinic_admin: Any) -> Any:
    """The administrator, who has a password."""
    clinic_admin.set_password(PASSWORD)
    clinic_admin.save()
    return clinic_admin


@pytest.fixture
def add_form(live_server: Any, watched: Watched, admin: Any, tmp_path: Any) -> Any:
    """Sign in and add the clean page of a form; returns its draft."""

    def add() -> FormVersion:
        page = watched.page
        file = tmp_path / "pad.png"
        file.write_bytes(png(blank_form()))
        sign_in(page, live_server, admin)
        page.get_by_role("link", name="Forms").click()
        page.get_by_label("Name").fill("Yellow pad")
        page.get_by_label("Clean page, not filled in").set_input_files(file)
        page.get_by_role("button", name="Add and draw its regions").click()
        expect(page.locator("[data-sheet] image")).to_have_count(1, timeout=30_000)
        return FormVersion.objects.get()

    return add


def test_a_form_is_drawn_by_keyboard(watched: Watched, add_form: Any) -> None:
    page = watched.page
    version = add_form()
    page.locator("[data-add]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#r-field")).to_be_focused()
    page.keyboard.type("Quantity")
    page.locator("#r-kind").focus()
    page.keyboard.type("Comb")
    page.locator("#r-cells").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    page.locator("[data-rule]").focus()
    page.keyboard.type("Number")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("1")
    before = page.locator(".region-box").bounding_box()
    page.locator(".region").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
    after = page.locator(".region-box").bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] > before["x"]
    assert after["height"] > before["height"]
    assert violations(page) == []
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_have_text("Saved")

    version.refresh_from_db()
    (region,) = version.pages[0]["regions"]
    assert (region["field"], region["kind"], region["cells"]) == ("quantity", "comb", 3)
    assert region["validators"] == [{"rule": "number_range", "least": "1"}]
    page.locator(".region").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".region")).to_have_count(0)
    assert watched.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_form_is_drawn_by_mouse_tested_and_activated(
    live_server: Any, watched: Watched, add_form: Any, site: Any, theme: str
) -> None:
    page = watched.page
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    version = add_form()
    paged_scan(site, filled_form())
    sheet = page.locator("[data-sheet]").bounding_box()
    assert sheet is not None

    def drag(x0: float, y0: float, x1: float, y1: float) -> None:
        page.mouse.move(sheet["x"] + x0 * sheet["width"], sheet["y"] + y0 * sheet["width"])
        page.mouse.down()
        page.mouse.move(sheet["x"] + x1 * sheet["width"], sheet["y"] + y1 * sheet["width"])
        page.mouse.up()

    drag(0.06, 0.26, 0.58, 0.33)
    expect(page.locator(".region")).to_have_count(1)
    page.mouse.move(10, 10)
    drag(0.58, 0.33, 0.60, 0.34)  # the corner of the region at hand
    drag(0.3, 0.3, 0.31, 0.3)  # its middle
    found = violations(page)
    page.locator("[data-save]").click()
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    version.refresh_from_db()
    (region,) = version.pages[0]["regions"]
    assert region["field"] == "patient_name"
    x, _, width, _ = region["box"]
    assert x == pytest.approx(0.07, abs=0.004)
    assert width == pytest.approx(0.54, abs=0.006)

    page.get_by_role("link", name="Test on past pages").click()
    expect(page.get_by_text("1 of 1 page recognised")).to_be_visible(timeout=30_000)
    found += violations(page)
    page.get_by_role("link", name="Back to the form").click()
    page.get_by_role("button", name="Activate").click()
    expect(page.locator(".message-success")).to_contain_text("is looked for on every page now")
    found += violations(page)
    page.goto(live_server.url + reverse("forms"))
    expect(page.locator(".chip-good")).to_have_text("Active")
    found += violations(page)

    assert found == []
    assert watched.complaints == []
    version.refresh_from_db()
    assert version.state == "active"


def test_an_active_version_is_saved_as_the_next_one(
    watched: Watched, add_form: Any, admin: Any
) -> None:
    page = watched.page
    version = add_form()
    page.locator("[data-add]").click()
    page.locator("[data-save]").click()
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    version.refresh_from_db()
    version_activate(user=admin, version=version)
    page.reload()

    page.locator("[data-add]").click()
    page.locator("[data-save]").click()

    expect(page.get_by_text("Version 2", exact=False).first).to_be_visible()
    new = FormVersion.objects.get(number=2)
    page.wait_for_url(f"**{reverse('form-edit', args=[new.pk])}")
    assert (new.state, len(new.pages[0]["regions"])) == ("draft", 2)
