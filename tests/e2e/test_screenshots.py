"""Every screen of the documentation in both themes: axe finds nothing on it, and its picture.

``CLINIC_HWR_SHOTS=docs/screenshots .venv/bin/python -m pytest tests/e2e/test_screenshots.py``
takes the pictures. Every paper on them is drawn by the tests, every reading scripted: no model ran.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from clinic_hwr import stage_box
from clinic_hwr.accounts.models import Site
from clinic_hwr.delivery.models import Delivery, DeliveryStatus, DeliveryTarget
from clinic_hwr.forms import services as forms
from clinic_hwr.forms.models import FormVersion, PageForm
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.pages.types import UprightPage
from clinic_hwr.review.models import Decision, ReviewLease
from clinic_hwr.review.services import (
    clarification_ask,
    clarification_call,
    field_decide,
    field_states,
    prescription_refresh,
    prescription_release,
    scan_claim,
)
from clinic_hwr.routing.models import Field
from clinic_hwr.stage_box import boxes_read
from tests.forms.drawn import REGIONS, blank_form, filled_form, png
from tests.forms.test_forms import paged_scan
from tests.review.scripted import (
    GRAVE_DRUGS,
    ORDINARY_DRUGS,
    Line,
    ReadScan,
    read_scan,
    with_drugs,
)

from . import figures
from .conftest import Watched
from .test_accessibility import AXE, violations
from .test_boxes_in_browser import OneReader, move_box
from .workstation import HELD, PASSWORD, choose, open_workstation, sign_in

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not AXE.exists(), reason="no axe-core here: npm ci --prefix tests/e2e/axe (make test does)"
    ),
]

MOST_BYTES = 150 * 1024
PEOPLE = ("Maria Lindqvist", "Jonas Feld", "Aisha Rahman", "Peter Novak", "Li Wei")


class Camera:
    """Takes pictures of one page in one theme."""

    def __init__(self, page: Page, theme: str) -> None:
        self.page = page
        self.theme = theme

    def __call__(self, name: str, *, whole: bool = False) -> None:
        """Check the screen, and keep it as ``name-theme.webp`` in the folder of the environment.

        ``whole``: the picture goes down to the end of the page.
        """
        self.page.wait_for_load_state("networkidle")
        found = violations(self.page)
        figures.note("axe_violations", f"{name}, {self.theme}", value=len(found))
        assert found == []
        if "CLINIC_HWR_SHOTS" not in os.environ:
            return
        image = Image.open(io.BytesIO(self.page.screenshot(full_page=whole)))
        path = Path(os.environ["CLINIC_HWR_SHOTS"]) / f"{name}-{self.theme}.webp"
        for quality in (82, 70, 55, 40):
            image.save(path, "WEBP", quality=quality, method=6)
            if path.stat().st_size <= MOST_BYTES:
                return
        raise AssertionError(f"{path} has {path.stat().st_size} bytes")


@pytest.fixture(params=["light", "dark"])
def camera(request: Any, watched: Watched, live_server: Any) -> Camera:
    """A camera in each theme."""
    cookie = {"name": "theme", "value": request.param, "url": live_server.url}
    watched.page.context.add_cookies([cookie])
    return Camera(watched.page, request.param)


@pytest.fixture
def people(clinician: Any, pharmacist: Any, clinic_admin: Any, second: Any) -> dict[str, Any]:
    """Everybody, with a password."""
    found = {"clinician": clinician, "pharmacist": pharmacist, "admin": clinic_admin}
    for user in found.values():
        user.set_password(PASSWORD)
        user.save()
    return found | {"second": second}


def of_patient(lines: tuple[Line, ...], name: str) -> tuple[Line, ...]:
    return tuple(
        Line("patient_name", 0, name, 0.86) if line.name == "patient_name" else line
        for line in lines
    )


def take(user: Any, scan: Scan) -> Any:
    ReviewLease.objects.all().delete()
    return scan_claim(user=user, scan_id=scan.pk).token


def decide(user: Any, field: Field, value: str, kind: str = "corrected") -> Decision:
    return field_decide(
        user=user,
        field_id=field.pk,
        kind=kind,
        value=value,
        expected_number=Decision.objects.filter(field=field).count(),
        lease_token=take(user, field.page.scan),
    )


def ask(user: Any, field: Field, question: str) -> Any:
    return clarification_ask(
        user=user,
        field_id=field.pk,
        lease_token=take(user, field.page.scan),
        reason="quantity_unclear",
        question=question,
    )


def told(read: ReadScan) -> None:
    """Say of the fields what named them, and that the refills of medication 2 are struck out."""
    for key, field in read.fields.items():
        label = {"sig": "Sig:", "drug": "Rx", "quantity": "Disp:"}.get(key.rstrip("2"), "")
        Field.objects.filter(pk=field.pk).update(
            named_by="label" if label else "place", label=label
        )
    Field.objects.filter(pk=read["refills2"].pk).update(struck_out="wholly")
    prescription_refresh(scan=read.scan)


def released(site: Site, user: Any, name: str) -> ReadScan:
    """A released prescription whose EHR refused it."""
    read = read_scan(site, of_patient(ORDINARY_DRUGS, name), name="fax-0398.png")
    token = take(user, read.scan)
    for state in field_states(read.scan):
        field_decide(
            user=user, field_id=state.field.pk, kind="accepted", expected_number=0,
            lease_token=token,
        )  # fmt: skip
    read.scan.refresh_from_db()
    record = read.scan.prescription
    prescription_release(
        user=user,
        scan_id=read.scan.pk,
        expected_content_sha256=record.content_sha256,
        acknowledged=[],
    )
    return read


def test_inbox_search_and_calls(
    camera: Camera, live_server: Any, site: Site, people: dict[str, Any]
) -> None:
    page, clinician, second = camera.page, people["clinician"], people["second"]
    page.goto(live_server.url + reverse("login"))
    camera("login")
    for number, name in enumerate(PEOPLE):
        read_scan(site, of_patient(ORDINARY_DRUGS, name), name=f"fax-04{12 + number}.png")
    grave = read_scan(site, of_patient(GRAVE_DRUGS, "Ruth Adler"), name="fax-0405.png")
    decide(second, grave["drug"], "Warfarin 5 mg")
    asked_of = read_scan(site, of_patient(ORDINARY_DRUGS, "Samuel Okafor"), name="fax-0409.png")
    asked = ask(second, asked_of["quantity"], "How many tablets: 60 or 90?")
    clarification_call(
        user=second, clarification_id=asked.pk, outcome="left_message", called="Dr. Obi"
    )
    ask(clinician, asked_of["refills2"], "How many refills of the atorvastatin?")
    answered_of = read_scan(site, of_patient(ORDINARY_DRUGS, "Hana Sato"), name="fax-0401.png")
    done = ask(second, answered_of["sig"], "How often?")
    clarification_call(
        user=second, clarification_id=done.pk, outcome="answered", called="Dr. Obi",
        answer="Three times a day, with food.", read_back=True,
    )  # fmt: skip
    DeliveryTarget.objects.create(site=site, name="Ward EHR", adapter="folder", config={})
    released(site, clinician, "Greta Holm")
    Delivery.objects.update(status=DeliveryStatus.DEAD, problem="The EHR refused it (HTTP 422).")
    scan_receive(site=site, data=b"no scan", original_name="x.pdf", source="folder")
    scan_claim(user=people["pharmacist"], scan_id=answered_of.scan.pk)

    sign_in(page, live_server, clinician)
    page.goto(f"{live_server.url}{reverse('inbox')}?queue=review")
    camera("inbox")
    for queue in ("second", "clarify"):
        page.goto(f"{live_server.url}{reverse('inbox')}?queue={queue}")
        camera(f"inbox-{queue}")
    page.goto(live_server.url + reverse("clarification", args=[asked.pk]))
    camera("clarify-call", whole=True)
    page.goto(live_server.url + reverse("inbox"))
    page.keyboard.press("/")
    page.keyboard.type("lindq")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Search").wait_for()
    camera("search")


def test_workstation(
    camera: Camera,
    live_server: Any,
    site: Site,
    people: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = camera.page
    monkeypatch.setattr(stage_box, "reader_load", OneReader)
    read = read_scan(site, ORDINARY_DRUGS, name="fax-0412.png")
    told(read)
    version = forms.Form.objects.create(site=site, name="Yellow pad").versions.create(
        number=2, state="active", pages=[]
    )
    PageForm.objects.create(page=read["sig"].page, version=version)
    sign_in(page, live_server, people["clinician"])
    open_workstation(page, live_server, read)
    for _ in range(3):
        page.keyboard.press("Enter")
    choose(page, "Drug 1")
    expect(page.locator("[data-save]")).to_have_text("All saved")
    camera("workstation")
    page.keyboard.press("?")
    camera("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    camera("clarify-ask")
    page.keyboard.press("Escape")
    choose(page, "Directions 1")
    move_box(page)
    boxes_read(worker="e2e")
    expect(page.locator("#card-value")).to_contain_text("TID")
    camera("workstation-new-box")
    page.keyboard.press("b")
    camera("workstation-drawing")
    page.keyboard.press("Escape")
    choose(page, "Refills 2")
    camera("workstation-struck-out")
    page.set_viewport_size({"width": 834, "height": 1112})
    page.reload()
    expect(page.locator("[data-lease]")).to_have_text(HELD)
    choose(page, "Drug 1")
    camera("workstation-tablet")


def test_two_people(camera: Camera, live_server: Any, site: Site, people: dict[str, Any]) -> None:
    page = camera.page
    read = read_scan(site, GRAVE_DRUGS, name="fax-0405.png")
    told(read)
    decide(people["second"], read["drug"], "Warfarin 5 mg")
    decide(people["clinician"], read["drug"], "Warfarin 2 mg")
    decide(people["second"], read["drug2"], "Oxycodone 5 mg")
    ReviewLease.objects.all().delete()
    sign_in(page, live_server, people["pharmacist"])
    open_workstation(page, live_server, read)
    choose(page, "Drug 2")
    camera("second-entry")
    page.keyboard.press("Escape")
    choose(page, "Drug 1")
    camera("adjudication")


def test_release_and_afterwards(
    camera: Camera, live_server: Any, site: Site, people: dict[str, Any]
) -> None:
    page, pharmacist = camera.page, people["pharmacist"]
    DeliveryTarget.objects.create(site=site, name="Ward EHR", adapter="folder", config={})
    done = released(site, people["clinician"], "Greta Holm")
    lines = with_drugs(ORDINARY_DRUGS[5], Line("drug", 2, "Ibuprofen 600 mg", 0.9))
    waits = read_scan(site, of_patient(lines, "Jonas Feld"), name="fax-0414.png")
    Decision.objects.bulk_create(
        Decision(
            field=state.field, number=1, kind="accepted", value=state.machine_value,
            machine_value=state.machine_value, reading=state.reading,
            reviewer=people["clinician"],
        )
        for state in field_states(waits.scan)
    )  # fmt: skip
    prescription_refresh(scan=waits.scan)
    ReviewLease.objects.all().delete()
    sign_in(page, live_server, pharmacist)
    page.goto(live_server.url + reverse("release", args=[waits.scan.pk]))
    camera("release", whole=True)
    page.goto(live_server.url + reverse("scan-detail", args=[done.scan.pk]))
    camera("scan", whole=True)
    page.goto(live_server.url + reverse("retract", args=[done.scan.pk]))
    camera("retract", whole=True)
    page.goto(live_server.url + reverse("amend", args=[done.scan.pk]))
    camera("amend", whole=True)
    page.get_by_label("Refills 1", exact=True).fill("0")
    page.get_by_role("button", name="Show both versions").click()
    page.get_by_role("heading", name="Sign version 2").wait_for()
    camera("amend-preview", whole=True)
    page.goto(live_server.url + reverse("api-docs"))
    camera("api-docs")


def test_administration(
    camera: Camera,
    live_server: Any,
    site: Site,
    people: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, admin = camera.page, people["admin"]
    monkeypatch.setattr(forms, "make_upright", lambda gray: UprightPage(gray, 0, 0.0, np.eye(3)))
    version = forms.form_create(user=admin, site=site, name="Yellow pad", data=png(blank_form()))
    forms.version_save(user=admin, version=version, pages=[REGIONS], edits=0)
    paged_scan(site, filled_form())
    read = read_scan(site, ORDINARY_DRUGS, name="fax-0412.png")
    decide(people["clinician"], read["sig"], "1 tab PO TID")
    decide(people["clinician"], read["patient_name"], "", "accepted")
    forms.version_activate(user=admin, version=FormVersion.objects.get())
    sign_in(page, live_server, admin)
    page.goto(live_server.url + reverse("forms"))
    camera("forms")
    page.goto(live_server.url + reverse("form-edit", args=[version.pk]))
    page.locator(".region-list button", has_text="Drug").first.click()
    camera("form-editor", whole=True)
    page.goto(live_server.url + reverse("form-test", args=[version.pk]))
    expect(
        page.get_by_text("page recognised").or_(page.get_by_text("pages recognised"))
    ).to_be_visible(timeout=30_000)
    camera("form-trial", whole=True)
    page.goto(live_server.url + reverse("audit"))
    camera("audit", whole=True)
    page.locator("a", has_text="Value corrected").first.click()
    camera("audit-entry", whole=True)
