"""Blind entry, questions, boxes, own keys, and what goes wrong around them, in a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.review.models import (
    Clarification,
    Decision,
    FieldCheck,
    KeyBinding,
    ReviewLease,
)
from clinic_hwr.review.services import scan_claim, unresolved_fields
from tests.review.scripted import GRAVE_DRUGS, ORDINARY_DRUGS, Line, ReadScan, read_scan

from .conftest import Watched
from .test_workstation import PASSWORD, open_workstation, saved, sign_in, signer, title

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

__all__ = ["signer"]

WARFARIN = (Line("drug", 1, "Warfarin 5 mg", 0.97), Line("sig", 1, "1 tab PO daily", 0.9))


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A two-drug scan of which no drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


@pytest.fixture
def second(make_user: Callable[..., Any], site: Site) -> Any:
    """Another clinician with a password."""
    user = make_user("second", site, Role.CLINICIAN, first_name="Nina", last_name="Berg")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def other_page(browser: Browser) -> Iterator[Page]:
    """A browser of somebody else."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


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
    other_page.get_by_role("link", name="Enter").click()
    expect(other_page.locator("[data-lease]")).to_have_text("Yours while you work on it")
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
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    page.locator(".field-line", has_text="Directions 1").click()

    page.keyboard.press("c")
    expect(page.locator("#clarify-reason")).to_be_focused()
    expect(page.locator("#clarify-question")).to_have_value(
        "How is it to be taken: dose, route, how often, and for how long?"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    line = page.locator(".field-line", has_text="Directions 1")
    expect(line).to_contain_text("Waits: prescriber")
    page.goto(live_server.url + reverse("clarify"))
    page.get_by_role("link", name="Record a call").click()
    page.get_by_label("Who was called").fill("Dr. Obi")
    page.get_by_label("Answer, in their words").fill("Twice a day")
    page.get_by_label("I read the answer back").check()
    page.get_by_role("button", name="Record").click()

    page.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    page.locator(".field-line", has_text="Directions 1").click()
    expect(page.locator(".answer")).to_contain_text("Twice a day")
    assert Clarification.objects.get().status == "answered"
    assert watched.complaints == []


def test_a_box_is_drawn_anew_with_keys_and_with_the_mouse(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    page.locator(".field-line", has_text="Directions 1").click()
    x, y, width, height = read["sig"].box_px

    page.keyboard.press("b")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")

    expect(page.locator(".card-hint")).to_contain_text("The box is drawn anew")
    read["sig"].refresh_from_db()
    moved = read["sig"].box_px
    assert moved[0] < x and moved[1] < y and moved[2] > width and moved[3] == height
    expect(page.locator("#card-value")).to_have_text("Nothing was read")

    page.keyboard.press("b")
    frame = page.locator("[data-sheet]").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 200, frame["y"] + 200)
    page.mouse.down()
    page.mouse.move(frame["x"] + 400, frame["y"] + 260, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="This box").click()
    expect(page.locator("[data-rebox]")).to_be_hidden()
    read["sig"].refresh_from_db()
    assert read["sig"].box_px != moved
    assert watched.complaints == []


def test_a_postponed_field_comes_last(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)

    page.keyboard.press("p")
    assert title(page) != first
    saved(page)
    page.reload()
    expect(page.locator("[data-lease]")).to_have_text("Yours while you work on it")
    assert title(page) != first
    expect(page.locator(".field-line", has_text=first).first).to_contain_text("Postponed")
    for _ in range(len(unresolved_fields(read.scan)) - 1):
        page.keyboard.press("1" if title(page) == "Signature" else "Enter")
    assert title(page) == first


def test_undo_survives_a_reload(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)
    page.keyboard.press("x")
    saved(page)
    page.reload()
    expect(page.locator("[data-lease]")).to_have_text("Yours while you work on it")

    page.keyboard.press("u")
    saved(page)

    assert title(page) == first
    kinds = list(Decision.objects.order_by("number").values_list("kind", flat=True))
    assert kinds == ["illegible", "reopened"]


def test_a_key_is_changed_and_a_taken_one_refused(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key of Illegible").click()
    page.keyboard.press("n")
    expect(page.locator("[data-keys-problem]")).to_contain_text("already means")
    page.get_by_role("button", name="Change the key of Illegible").click()
    page.keyboard.press("j")
    expect(page.locator(".key-line", has_text="nobody can read it")).to_contain_text("J")
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    saved(page)

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


def test_a_value_is_read_aloud(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    page.add_init_script(
        "window.spoken = [];"
        "Object.defineProperty(window, 'speechSynthesis', { value: "
        "{ cancel() {}, speak: (said) => window.spoken.push(said.text) } });"
    )
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)

    page.keyboard.press("r")

    assert page.evaluate("window.spoken") == ["Practice: Riverside Clinic"]


def test_what_was_typed_is_not_lost_by_leaving_the_field(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("Half typed")
    page.locator(".field-line", has_text="Directions 1").click()
    page.evaluate(
        "() => { const e = new Event('beforeunload', { cancelable: true });"
        " dispatchEvent(e); window.warned = e.defaultPrevented; }"
    )
    assert page.evaluate("window.warned") is True
    page.locator(".field-line", has_text=first).first.click()
    page.keyboard.press("e")

    expect(page.locator("#card-input")).to_have_value("Half typed")
    assert not Decision.objects.exists()


def test_a_double_press_and_the_back_button_decide_once(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    field = unresolved_fields(read.scan)[0]

    # a repeat of the same request, as a proxy or a nervous network would send it
    with page.expect_request("**/decisions/") as sent:
        page.keyboard.press("Enter")
    saved(page)
    again = page.evaluate(
        """async ([url, body]) => {
          const token = /csrftoken=([^;]+)/.exec(document.cookie)[1];
          const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
          return (await fetch(url, { method: "POST", headers, body })).status;
        }""",
        [sent.value.url, sent.value.post_data],
    )
    page.goto(live_server.url + reverse("inbox"))
    page.go_back()
    expect(page.locator("[data-lease]")).to_have_text("Yours while you work on it")

    assert again == 200
    assert field.decisions.count() == 1
    assert title(page) != "Practice"


def test_two_reviewers_one_scan(
    live_server: Any,
    watched: Watched,
    other_page: Page,
    read: ReadScan,
    signer: Any,
    second: Any,
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    sign_in(other_page, live_server, second)
    other_page.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    expect(other_page.locator("[data-banner]")).to_contain_text("is working on this scan now")

    other_page.keyboard.press("Enter")
    assert not Decision.objects.exists()

    # the first one's lease runs out, the second takes it; what the first then says is kept
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    other_page.locator("[data-banner] button").click()
    expect(other_page.locator("[data-lease]")).to_have_text("Yours while you work on it")
    page.keyboard.press("Enter")
    expect(page.locator("[data-banner]")).to_contain_text("opened elsewhere")
    expect(page.locator("[data-save]")).to_contain_text("1 decision not saved yet")
    assert not Decision.objects.exists()


def test_an_expired_lease_that_nobody_took_keeps_the_work(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(minutes=30))

    page.keyboard.press("Enter")
    saved(page)

    assert Decision.objects.count() == 1


class Killable:
    """A server process of its own on the test's database, to be killed dead."""

    def __init__(self, data_dir: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": settings.SECRET_KEY,
            "CLINIC_HWR_DATA_DIR": str(data_dir),
            "DATABASE_URL": f"sqlite:///{settings.DATABASES['default']['NAME']}",
        }

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port), "--no-worker"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert str(self.port) in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def killable(data_dir: Path) -> Iterator[Killable]:
    """A server that is killed at the end, if not before."""
    server = Killable(data_dir)
    server.start()
    yield server
    server.kill()


def test_a_server_killed_and_started_again_loses_and_doubles_nothing(
    killable: Killable, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, killable, signer)
    open_workstation(page, killable, read)
    waiting = len(unresolved_fields(read.scan))
    page.keyboard.press("Enter")
    saved(page)

    killable.kill()
    for _ in range(waiting - 1):
        page.keyboard.press("1" if title(page) == "Signature" else "Enter")
    expect(page.locator("[data-save]")).to_contain_text(f"{waiting - 1} decisions kept here")
    assert Decision.objects.count() == 1

    killable.start()
    expect(page.locator("[data-save]")).to_have_text("All saved", timeout=30_000)

    assert Decision.objects.count() == waiting
    assert unresolved_fields(read.scan) == []


def test_a_stale_tab_of_the_same_person_is_told(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    other = page.context.new_page()
    open_workstation(other, live_server, read)
    other.keyboard.press("x")
    saved(other)

    page.keyboard.press("Enter")
    page.locator("[data-banner] button").click()  # take it back into the first tab

    expect(page.locator(".conflict")).to_contain_text("illegible")
    page.keyboard.press("1")  # keep what the other tab said
    expect(page.locator(".conflict")).to_have_count(0)
    assert Decision.objects.get().kind == "illegible"


def test_a_drug_is_listed_from_five_letters_on_with_its_look_alikes(
    live_server: Any, watched: Watched, site: Site, signer: Any
) -> None:
    read = read_scan(site, GRAVE_DRUGS)
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    page.locator(".field-line", has_text="Drug 1").click()
    expect(page.locator("#card-input")).to_be_focused()

    page.keyboard.type("hydr")
    page.wait_for_timeout(300)
    expect(page.locator(".drug-names li")).to_have_count(0)
    page.keyboard.type("ox")

    expect(page.locator(".drug-names")).to_contain_text("hydrOXYzine")
    expect(page.locator(".drug-names")).to_contain_text("not")
    assert scan_claim(user=signer, scan_id=read.scan.pk).holder == signer
