"""No page breaks a rule of axe-core (WCAG 2.1 A and AA, and good practice), light or dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.models import Decision, PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import (
    blocker_key,
    clarification_ask,
    field_add,
    field_decide,
    field_states,
    prescription_release,
    scan_claim,
)
from tests.review.scripted import GRAVE_DRUGS, ORDINARY_DRUGS, TWO_DRUGS, Line, ReadScan, read_scan

from .conftest import Watched
from .workstation import PASSWORD, open_workstation, sign_in

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not AXE.exists(), reason="no axe-core here: npm ci --prefix tests/e2e/axe (make test does)"
    ),
]


@pytest.fixture
def worked_on(site: Site, clinician: Any) -> ReadScan:
    """A scan in review with a correction, an added field and ink without a name."""
    clinician.set_password(PASSWORD)
    clinician.save()
    read = read_scan(site, (*TWO_DRUGS, Line("unnamed", 0, "Take with food", 0.6)))
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_decide(
        user=clinician,
        field_id=read["sig"].pk,
        kind="corrected",
        value="1 tab PO TID",
        expected_number=0,
        lease_token=token,
    )
    field_add(user=clinician, scan_id=read.scan.pk, lease_token=token, name="allergies")
    return read


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong, one line for each element."""
    # evaluated, not added as a script tag: the page's policy allows no foreign script
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe-core checked nothing"
    return [
        f"{page.url} {rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_axe_finds_what_is_wrong(live_server: Any, watched: Watched) -> None:
    watched.page.goto(live_server.url + reverse("login"))
    watched.page.evaluate("document.querySelector('label').remove()")

    assert any("label" in line for line in violations(watched.page))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_a_reviewer(
    live_server: Any,
    watched: Watched,
    worked_on: ReadScan,
    site: Site,
    clinician: Any,
    theme: str,
) -> None:
    page, scan = watched.page, worked_on.scan
    broken = scan_receive(site=site, data=b"no scan", original_name="x.pdf", source="folder")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.goto(live_server.url + reverse("login"))
    found = violations(page)
    sign_in(page, live_server, clinician)
    found += violations(page)

    for name, shown in (("release", scan), ("scan-detail", scan), ("scan-detail", broken)):
        page.goto(live_server.url + reverse(name, args=[shown.pk]))
        found += violations(page)
    open_workstation(page, live_server, worked_on)
    found += violations(page)
    for key in ("?", "f", "c", "b"):
        page.keyboard.press(key)
        found += violations(page)
        page.keyboard.press("Escape")
    page.locator(".field-line", has_text="Allergies").click()
    page.keyboard.press("e")
    found += violations(page)

    assert found == []


@pytest.fixture
def released(site: Site, clinician: Any) -> ReadScan:
    """A released prescription whose EHR refused it."""
    read = read_scan(site, ORDINARY_DRUGS, name="released.png")
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    for state in field_states(read.scan):
        field_decide(
            user=clinician,
            field_id=state.field.pk,
            kind="accepted",
            expected_number=0,
            lease_token=token,
        )
    DeliveryTarget.objects.create(site=site, name="Ward EHR", adapter="folder", config={})
    record = PrescriptionRecord.objects.get(scan=read.scan)
    prescription_release(
        user=clinician,
        scan_id=read.scan.pk,
        expected_content_sha256=record.content_sha256,
        acknowledged=[blocker_key(each) for each in from_json(record.content).blockers],
    )
    Delivery.objects.update(status=DeliveryStatus.DEAD, problem="The EHR refused it (HTTP 422).")
    return read


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_search_amend_and_retract(
    live_server: Any,
    watched: Watched,
    worked_on: ReadScan,
    released: ReadScan,
    pharmacist: Any,
    theme: str,
) -> None:
    page = watched.page
    pharmacist.set_password(PASSWORD)
    pharmacist.save()
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    sign_in(page, live_server, pharmacist)
    page.keyboard.press("/")
    page.keyboard.type("lindq")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Search").wait_for()
    found = violations(page)
    for queue in ("ehr", "review", "all"):
        page.goto(f"{live_server.url}{reverse('inbox')}?queue={queue}")
        found += violations(page)
    page.goto(live_server.url + reverse("scan-detail", args=[worked_on.scan.pk]))
    found += violations(page)
    page.goto(live_server.url + reverse("scan-detail", args=[released.scan.pk]))
    found += violations(page)
    ordinary = read_scan(worked_on.scan.site, ORDINARY_DRUGS, name="ordinary.png")
    page.goto(live_server.url + reverse("release", args=[ordinary.scan.pk]))
    found += violations(page)
    for name in ("retract", "amend"):
        page.goto(live_server.url + reverse(name, args=[released.scan.pk]))
        found += violations(page)
    page.get_by_label("Refills 1", exact=True).fill("0")
    page.get_by_role("button", name="Show both versions").click()
    page.get_by_role("heading", name="Sign version 2").wait_for()
    found += violations(page)
    page.goto(live_server.url + reverse("api-docs"))
    found += violations(page)

    assert found == []
    assert watched.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_screens_of_two_entries_and_of_questions(
    live_server: Any,
    watched: Watched,
    site: Site,
    clinician: Any,
    pharmacist: Any,
    make_user: Any,
    theme: str,
) -> None:
    page = watched.page
    second = make_user("second", site, Role.CLINICIAN)
    for user in (clinician, pharmacist, second):
        user.set_password(PASSWORD)
        user.save()
    read = read_scan(site, GRAVE_DRUGS)
    for user, key, value in (
        (second, "drug", "Warfarin 5 mg"),
        (clinician, "drug", "Warfarin 2 mg"),
        (second, "drug2", "Oxycodone 5 mg"),
    ):
        number = Decision.objects.filter(field=read[key]).count()
        token = _take(user, read)
        field_decide(
            user=user,
            field_id=read[key].pk,
            kind="corrected",
            value=value,
            expected_number=number,
            lease_token=token,
        )
    asked = clarification_ask(
        user=second,
        field_id=read["quantity"].pk,
        lease_token=_take(second, read),
        reason="quantity_unclear",
        question="How many?",
    )
    ReviewLease.objects.all().delete()
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    sign_in(page, live_server, pharmacist)
    found = []
    for url in (
        f"{reverse('inbox')}?queue=second",
        f"{reverse('inbox')}?queue=clarify",
        reverse("clarification", args=[asked.pk]),
    ):
        page.goto(live_server.url + url)
        found += violations(page)
    open_workstation(page, live_server, read)
    for line in ("Drug 1", "Drug 2", "Quantity 1"):
        page.locator(".field-line", has_text=line).click()
        found += violations(page)
        if line == "Drug 2":
            page.keyboard.press("Escape")
            found += violations(page)

    assert found == []


def _take(user: Any, read: ReadScan) -> Any:
    ReviewLease.objects.all().delete()
    return scan_claim(user=user, scan_id=read.scan.pk).token


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_an_administrator(
    live_server: Any, watched: Watched, worked_on: ReadScan, clinic_admin: Any, theme: str
) -> None:
    page = watched.page
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    clinic_admin.set_password(PASSWORD)
    clinic_admin.save()
    sign_in(page, live_server, clinic_admin)
    event = AuditEvent.objects.get(action="field.corrected")

    found = []
    for url in (reverse("audit"), reverse("audit-event", args=[event.uuid])):
        page.goto(live_server.url + url)
        found += violations(page)

    assert found == []
