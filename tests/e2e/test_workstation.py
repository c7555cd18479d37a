"""A clinician reviews and signs a two-drug prescription with the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import Decision, PrescriptionRecord
from clinic_hwr.review.services import prescription_current, scan_claim, unresolved_fields
from clinic_hwr.routing.models import Field
from tests.review.scripted import ORDINARY_DRUGS, Line, ReadScan, read_scan

from .conftest import Watched

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery"


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A two-drug scan that waits in review; neither drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


@pytest.fixture
def signer(clinician: Any) -> Any:
    """The clinician, who has a password."""
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


def sign_in(page: Page, live_server: Any, user: Any) -> None:
    page.goto(live_server.url + reverse("login"))
    expect(page.locator("input[name=username]")).to_be_focused()  # once the page is painted
    page.keyboard.type(user.get_username())
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/")


def open_workstation(page: Page, live_server: Any, read: ReadScan) -> None:
    page.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    expect(page.locator("[data-lease]")).to_have_text("Yours while you work on it")


def saved(page: Page) -> None:
    expect(page.locator("[data-save]")).to_have_text("All saved")


def title(page: Page) -> str:
    return page.locator("#card-title").inner_text()


def test_a_prescription_is_reviewed_and_released_by_keyboard(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    waiting = len(unresolved_fields(read.scan))
    sign_in(page, live_server, signer)
    page.keyboard.press("g")  # the next scan that needs somebody
    page.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    expect(page.locator("[data-lease]")).to_have_text("Yours while you work on it")
    assert title(page) == "Practice"  # printed, and decided by a person until that is certified

    # one key a field: the second candidate of the patient's name, a typed sig, the rest accepted
    pressed = 0
    while not page.get_by_text("Every field is decided").is_visible():
        match title(page):
            case "Patient name":
                page.keyboard.press("2")
            case "Directions 2":
                page.keyboard.press("e")
                page.keyboard.press("Control+a")
                page.keyboard.type("1 tab PO BID")
                page.keyboard.press("Enter")
            case "Signature":
                page.keyboard.press("1")
            case _:
                page.keyboard.press("Enter")
        pressed += 1
        assert pressed <= waiting
    saved(page)

    assert pressed == waiting
    assert unresolved_fields(read.scan) == []
    by_name = {(d.field.name, d.field.group): d for d in Decision.objects.select_related("field")}
    assert by_name["patient_name", 0].value == "Maria Lindquist"
    assert (by_name["sig", 2].kind, by_name["sig", 2].value) == ("corrected", "1 tab PO BID")
    assert (by_name["sig", 1].kind, by_name["sig", 1].value) == ("accepted", "1 tab PO BID")
    assert by_name["sig", 2].active_seconds > 0

    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**{reverse('release', args=[read.scan.pk])}")
    expect(page.get_by_role("heading", name="Release this prescription")).to_be_visible()
    record = PrescriptionRecord.objects.get(scan=read.scan)
    warnings = len(from_json(record.content).blockers)
    expect(page.locator("input[name=acknowledged]")).to_have_count(warnings)
    for _ in range(warnings):  # the focus starts at the first
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('scan-detail', args=[read.scan.pk])}")

    expect(page.get_by_text("Open the FHIR document")).to_be_visible()
    read.scan.refresh_from_db()
    assert read.scan.state == "released"
    assert ResourceVersion.objects.filter(resource_type="MedicationRequest").count() == 2
    assert AuditEvent.objects.filter(action="prescription.released").count() == 1
    assert watched.complaints == []


def test_leaving_a_field_decides_nothing(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)

    page.keyboard.press("Tab")
    assert title(page) != first
    page.keyboard.press("Shift+Tab")
    assert title(page) == first
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+Enter")

    expect(page.locator(".card-hint")).to_have_text(
        "This field still needs you before the signature."
    )
    assert not Decision.objects.exists()
    assert watched.complaints == []


def test_undo_takes_decisions_back_across_fields(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)

    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.keyboard.press("u")
    page.keyboard.press("u")
    saved(page)

    assert title(page) == first
    kinds = list(Decision.objects.order_by("created_at").values_list("kind", flat=True))
    assert kinds == ["illegible", "accepted", "reopened", "reopened"]
    assert watched.complaints == []


def test_a_dead_network_keeps_the_decision_until_it_is_back(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    cut = True

    def maybe(route: Route) -> None:
        if cut:
            route.abort()
        else:
            route.continue_()

    page.route("**/decisions/", maybe)
    first = title(page)
    page.keyboard.press("Enter")

    expect(page.locator("[data-save]")).to_contain_text("No connection. 1 decision kept here")
    assert title(page) != first  # the work goes on
    assert not Decision.objects.exists()

    cut = False
    saved(page)
    assert Decision.objects.count() == 1


def test_a_second_tab_takes_over_and_the_first_says_so(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    scan_claim(user=signer, scan_id=read.scan.pk)  # what the other tab does

    page.keyboard.press("Enter")

    banner = page.locator("[data-banner]")
    expect(banner).to_contain_text("opened elsewhere")
    assert not Decision.objects.exists()
    banner.get_by_role("button").click()
    saved(page)
    assert Decision.objects.count() == 1


def test_two_answers_are_shown_and_one_key_chooses(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = unresolved_fields(read.scan)[0]
    Decision.objects.create(
        field=first,
        number=1,
        kind="corrected",
        value="Mario Lindqvist",
        machine_value="Maria Lindqvist",
        reviewer=signer,
    )

    page.keyboard.press("Enter")

    expect(page.locator(".conflict")).to_contain_text("Mario Lindqvist")
    page.keyboard.press("2")
    saved(page)
    expect(page.locator(".conflict")).to_have_count(0)
    stored = list(first.decisions.order_by("number").values_list("number", "kind", "value"))
    read_there = first.readings.get().text
    assert stored == [(1, "corrected", "Mario Lindqvist"), (2, "accepted", read_there)]


def test_an_administrator_looks_without_deciding(
    live_server: Any, watched: Watched, read: ReadScan, clinic_admin: Any
) -> None:
    page = watched.page
    clinic_admin.set_password(PASSWORD)
    clinic_admin.save()
    assert Membership.objects.get(user=clinic_admin).role == Role.ADMIN
    sign_in(page, live_server, clinic_admin)
    page.goto(live_server.url + reverse("workstation", args=[read.scan.pk]))
    expect(page.locator("[data-banner]")).to_contain_text("not decide its fields")

    page.keyboard.press("Enter")

    expect(page.locator(".card-hint")).to_contain_text("not yours now")
    assert not Decision.objects.exists()
    assert watched.complaints == []


def test_an_ended_session_loses_nothing(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    Session.objects.all().delete()

    page.keyboard.press("Enter")

    banner = page.locator("[data-banner]")
    expect(banner).to_contain_text("Your session has ended. Nothing is lost")
    assert not Decision.objects.exists()
    other_tab = page.context.new_page()
    sign_in(other_tab, live_server, signer)
    banner.get_by_role("button", name="Save now").click()
    saved(page)
    assert Decision.objects.count() == 1


def test_a_missed_field_is_added_and_an_unnamed_one_named_by_keyboard(
    live_server: Any, watched: Watched, site: Site, signer: Any
) -> None:
    page = watched.page
    lines = (Line("unnamed", 0, "Ibuprofen 600 mg", 0.82), Line("sig", 1, "1 tab PO BID", 0.7))
    read = read_scan(site, lines)
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    assert title(page) == "Other ink"

    page.keyboard.press("t")
    page.keyboard.type("Drug")
    page.keyboard.press("Tab")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text("Drug 1")
    expect(page.locator(".medication-name")).to_contain_text("ibuprofen")

    page.keyboard.press("f")
    page.keyboard.type("Patient name")
    page.keyboard.press("Tab")  # it takes no medication number: the button is next
    page.keyboard.press("Enter")
    expect(page.locator("#card-input")).to_be_focused()
    page.keyboard.type("Maria Lindqvist")
    page.keyboard.press("Enter")
    saved(page)

    fields = Field.objects.order_by("position").values_list("name", "group")
    assert list(fields) == [("drug", 1), ("sig", 1), ("patient_name", 0)]
    decision = Decision.objects.get()
    assert (decision.kind, decision.value) == ("corrected", "Maria Lindqvist")
    record = prescription_current(scan=read.scan)
    assert record is not None
    assert record.content["patient"]["name"] == "Maria Lindqvist"
    actions = AuditEvent.objects.filter(action__in=["field.added", "field.named"])
    assert list(actions.order_by("id").values_list("action", flat=True)) == [
        "field.named",
        "field.added",
    ]

    page.keyboard.press("f")
    page.keyboard.type("Patient name")
    page.keyboard.press("Tab")  # it takes no medication number: the button is next
    page.keyboard.press("Enter")
    expect(page.locator("[data-naming-problem]")).to_contain_text("with a value already")
    assert Field.objects.count() == 3


def test_single_key_shortcuts_can_be_switched_off(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    first = title(page)
    page.keyboard.press("?")
    switch = page.locator("[data-keys] input[data-single-keys]")
    expect(switch).to_be_checked()
    switch.press("Space")
    page.keyboard.press("Escape")

    for key in ("x", "n", "a", "1", "2", "u", "?"):
        page.keyboard.press(key)

    assert title(page) == first
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("F2")
    expect(page.locator("#card-input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    saved(page)
    assert Decision.objects.get().kind == "accepted"

    page.goto(live_server.url + reverse("inbox"))
    switch = page.locator("input[data-single-keys]")
    expect(switch).not_to_be_checked()
    page.keyboard.press("g")
    switch.press("Space")
    expect(page.locator("[data-next-scan] kbd")).to_be_visible()
    assert page.url == live_server.url + reverse("inbox")
    page.keyboard.press("g")
    page.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    assert watched.complaints == []
