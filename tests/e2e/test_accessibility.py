"""No page breaks a rule of axe-core (WCAG 2.1 A and AA, and good practice), light or dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.review.services import field_add, field_decide, scan_claim
from tests.review.scripted import TWO_DRUGS, Line, ReadScan, read_scan

from .conftest import Watched
from .test_workstation import PASSWORD, open_workstation, sign_in

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
    for key in ("?", "f"):
        page.keyboard.press(key)
        found += violations(page)
        page.keyboard.press("Escape")
    page.locator(".field-line", has_text="Allergies").click()
    page.keyboard.press("e")
    found += violations(page)

    assert found == []


def test_the_pages_of_an_administrator(
    live_server: Any, watched: Watched, worked_on: ReadScan, clinic_admin: Any
) -> None:
    page = watched.page
    clinic_admin.set_password(PASSWORD)
    clinic_admin.save()
    sign_in(page, live_server, clinic_admin)
    event = AuditEvent.objects.get(action="field.corrected")

    found = []
    for url in (reverse("audit"), reverse("audit-event", args=[event.uuid])):
        page.goto(live_server.url + url)
        found += violations(page)

    assert found == []
