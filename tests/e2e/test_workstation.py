"""A clinician reviews and signs a two-drug prescription with the keyboard alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import (
    Decision,
    PrescriptionRecord,
)
from clinic_hwr.review.services import prescription_current, scan_claim, unresolved_fields
from clinic_hwr.routing.models import Field
from tests.review.scripted import GRAVE_DRUGS, Line, ReadScan, read_scan

from . import figures
from .conftest import Watched
from .workstation import HELD, PASSWORD, choose, open_workstation, saved, sign_in, title

# What the person's hands do, told to the test as it happens.
COUNT = """
addEventListener("keydown", (event) => event.repeat || window.notePress(event.key), true);
addEventListener("click", (event) => window.noteClick(`${event.clientX},${event.clientY}`), true);
"""

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_a_prescription_is_reviewed_and_released_by_keyboard(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    page = watched.page
    waiting = len(unresolved_fields(read.scan))
    sign_in(page, live_server, signer)
    presses: list[str] = []
    clicks: list[str] = []
    page.expose_function("notePress", lambda key: presses.append(key))
    page.expose_function("noteClick", lambda where: clicks.append(where))
    page.add_init_script(COUNT)
    page.reload()
    began = time.perf_counter()
    page.keyboard.press("g")  # the next scan that needs somebody
    page.wait_for_url(f"**{reverse('workstation', args=[read.scan.pk])}")
    expect(page.locator("[data-lease]")).to_have_text(HELD)
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
    reviewed = time.perf_counter()
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
    released = time.perf_counter()
    # Enter in a form is a click to the browser, at no place of the screen
    clicked = [where for where in clicks if where != "0,0"]
    assert clicked == []
    figures.note(
        "two_drugs_by_script",
        value={
            "fields": waiting,
            "fields_typed": 1,
            "keys_per_accepted_field": 1,
            "keys_in_all": len(presses),
            "keys_of_password": len(PASSWORD),
            "clicks": len(clicked),
            "warnings_acknowledged": warnings,
            "seconds_reviewed": round(reviewed - began, 1),
            "seconds_released": round(released - began, 1),
        },
    )

    expect(page.get_by_text("Open the FHIR document")).to_be_visible()
    read.scan.refresh_from_db()
    assert read.scan.state == "released"
    assert ResourceVersion.objects.filter(resource_type="MedicationRequest").count() == 2
    assert AuditEvent.objects.filter(action="prescription.released").count() == 1
    assert watched.complaints == []


def test_leaving_a_field_decides_nothing(
    desk: Page,
    watched: Watched,
) -> None:
    first = title(desk)

    desk.keyboard.press("Tab")
    assert title(desk) != first
    desk.keyboard.press("Shift+Tab")
    assert title(desk) == first
    desk.keyboard.press("Backspace")
    desk.keyboard.press("Control+Enter")

    expect(desk.locator(".card-hint")).to_have_text(
        "This field still needs you before the signature."
    )
    assert not Decision.objects.exists()
    assert watched.complaints == []


def test_undo_takes_decisions_back_across_fields(
    desk: Page,
    watched: Watched,
) -> None:
    first = title(desk)

    desk.keyboard.press("x")
    desk.keyboard.press("Enter")
    desk.keyboard.press("u")
    desk.keyboard.press("u")
    saved(desk)

    assert title(desk) == first
    kinds = list(Decision.objects.order_by("created_at").values_list("kind", flat=True))
    assert kinds == ["illegible", "accepted", "reopened", "reopened"]
    assert watched.complaints == []


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


def test_a_postponed_field_comes_last(
    desk: Page,
    read: ReadScan,
) -> None:
    first = title(desk)

    desk.keyboard.press("p")
    assert title(desk) != first
    saved(desk)
    desk.reload()
    expect(desk.locator("[data-lease]")).to_have_text(HELD)
    assert title(desk) != first
    expect(desk.locator(".field-line", has_text=first).first).to_contain_text("Postponed")
    for _ in range(len(unresolved_fields(read.scan)) - 1):
        desk.keyboard.press("1" if title(desk) == "Signature" else "Enter")
    assert title(desk) == first


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


def test_struck_out_ink_says_so_in_words_wherever_it_is(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    Field.objects.filter(pk=read["refills"].pk).update(
        struck_out="wholly", named_by="label", label="Refills:"
    )
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    choose(page, "Refills 1")

    expect(page.locator("[data-card] .chip-struck")).to_have_text("Struck out")
    expect(page.locator(".field-line", has_text="Refills 1")).to_contain_text("Struck out")
    expect(page.locator("[data-sheet] .struck-sign")).to_have_text("✕ struck out")
    expect(page.locator(".named")).to_have_text("Named by the print “Refills:” beside it")
    expect(page.locator(".chip-struck")).to_have_count(2)  # of no other field


def test_a_doubt_whether_ink_is_struck_out_goes_with_a_persons_answer(
    live_server: Any, watched: Watched, read: ReadScan, signer: Any
) -> None:
    Field.objects.filter(pk=read["refills"].pk).update(struck_out="perhaps")
    page = watched.page
    sign_in(page, live_server, signer)
    open_workstation(page, live_server, read)
    choose(page, "Refills 1")

    expect(page.locator("[data-card] .chip-struck")).to_have_text("Struck out?")
    expect(page.locator("[data-sheet] .is-struck")).to_have_count(1)
    expect(page.locator("[data-sheet] .struck-sign")).to_have_count(0)
    page.keyboard.press("Enter")
    saved(page)
    choose(page, "Refills 1")

    expect(page.locator(".chip-struck")).to_have_count(0)
    expect(page.locator("[data-sheet] .is-struck")).to_have_count(0)
