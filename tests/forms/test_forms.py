"""Administrators teach forms at their own sites; pages of a form are read by its regions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.forms import services
from clinic_hwr.forms.models import Form, FormField, FormVersion, PageForm
from clinic_hwr.forms.recognition import active_sheets, scan_form_doubts
from clinic_hwr.forms.services import (
    FormRefused,
    form_create,
    version_activate,
    version_retire,
    version_save,
)
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.rasters import raster_write
from clinic_hwr.pages.types import UprightPage
from clinic_hwr.routing.models import Field
from clinic_hwr.stage_read import fields_read, fields_replace
from tests import pipeline_fakes

from .drawn import HEIGHT, REGIONS, WIDTH, blank_form, faxed, filled_form, png

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def upright_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn pages are upright; finding that out needs Tesseract and takes a second."""
    monkeypatch.setattr(services, "make_upright", lambda gray: UprightPage(gray, 0, 0.0, np.eye(3)))


@pytest.fixture
def draft(site: Site, clinic_admin: Any) -> FormVersion:
    """A form with all its regions, not active yet."""
    version = form_create(user=clinic_admin, site=site, name="Pad", data=png(blank_form()))
    return version_save(user=clinic_admin, version=version, pages=[REGIONS], edits=0)


@pytest.fixture
def browser(signed_in: Callable[[Any], Client], clinic_admin: Any) -> Client:
    """The administrator's session."""
    return signed_in(clinic_admin)


def paged_scan(site: Site, page: Any) -> Scan:
    """A scan whose one page waits to be read."""
    scan = Scan.objects.create(
        site=site, sha256=raster_write(page), original_name="x.png", size_bytes=1, source="web",
        state="paged", page_count=1,
    )  # fmt: skip
    Page.objects.create(
        scan=scan, number=1, image_sha256=scan.sha256, width_px=page.shape[1],
        height_px=page.shape[0], to_original=np.eye(3).tolist(),
    )  # fmt: skip
    return scan


def read(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    from clinic_hwr import stage_read

    monkeypatch.setattr(stage_read, "reader_load", pipeline_fakes.ScriptedReader)
    fields_replace(scan, fields_read(scan))


def test_a_clean_page_becomes_a_draft(site: Site, browser: Client) -> None:
    file = SimpleUploadedFile("pad.png", png(blank_form()))

    answer = browser.post(
        reverse("form-new"), {"site": site.slug, "name": " Yellow  pad ", "file": file}
    )

    version = FormVersion.objects.get()
    assert answer.url == reverse("form-edit", args=[version.pk])
    assert (version.form.name, version.number, version.state) == ("Yellow pad", 1, "draft")
    assert [(p["width_px"], p["height_px"]) for p in version.pages] == [(WIDTH, HEIGHT)]
    assert AuditEvent.objects.get(action="form.created").data["form"] == "Yellow pad"
    picture = browser.get(reverse("form-picture", args=[version.pk, 1]))
    assert picture["Content-Type"] == "image/png"
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert browser.get(reverse("forms")).status_code == 200
    assert browser.get(answer.url).status_code == 200


@pytest.mark.parametrize("data", [b"", b"no picture", b"%PDF-1.7 broken"])
def test_a_bad_file_makes_no_form(site: Site, browser: Client, data: bytes) -> None:
    file = SimpleUploadedFile("pad.png", data)
    answer = browser.post(reverse("form-new"), {"site": site.slug, "name": "Pad", "file": file})
    assert answer.url == reverse("forms")
    assert not Form.objects.exists()


def test_a_draft_is_saved_in_place_and_an_active_version_never_changes(
    browser: Client, draft: FormVersion, clinic_admin: Any
) -> None:
    url = reverse("form-save", args=[draft.pk])
    body = {"pages": [REGIONS[:3]], "edits": draft.edits}
    first = browser.post(url, json.dumps(body), content_type="application/json").json()
    assert (first["version"], first["is_new"], first["edits"]) == (1, False, 2)

    version_activate(user=clinic_admin, version=draft)
    body = {"pages": [REGIONS], "edits": first["edits"]}
    second = browser.post(url, json.dumps(body), content_type="application/json").json()

    assert (second["version"], second["is_new"]) == (2, True)
    draft.refresh_from_db()
    assert len(draft.pages[0]["regions"]) == 3
    new = FormVersion.objects.get(number=2)
    assert (new.state, len(new.pages[0]["regions"])) == ("draft", len(REGIONS))
    version_activate(user=clinic_admin, version=new)
    states = FormVersion.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["retired", "active"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('{"pages": [[]], "edits": 0}', 409),
        ('{"pages": [], "edits": 1}', 409),
        ('{"pages": [[{"field": "shoe_size"}]], "edits": 1}', 400),
        ('{"pages": [7], "edits": 1}', 400),
        ("[" * 100_000, 400),
    ],
    ids=["no json", "list", "stale", "no page", "bad region", "number", "deep"],
)
def test_what_cannot_be_saved_changes_nothing(
    browser: Client, draft: FormVersion, body: str, status: int
) -> None:
    answer = browser.post(
        reverse("form-save", args=[draft.pk]), body, content_type="application/json"
    )
    assert answer.status_code == status
    draft.refresh_from_db()
    assert (draft.edits, len(draft.pages[0]["regions"])) == (1, len(REGIONS))


def test_regions_travel_as_json(browser: Client, draft: FormVersion, clinic_admin: Any) -> None:
    exported = browser.get(reverse("form-export", args=[draft.pk]))
    version_save(user=clinic_admin, version=draft, pages=[[]])

    file = SimpleUploadedFile("form.json", exported.content)
    browser.post(reverse("form-import", args=[draft.pk]), {"file": file})

    draft.refresh_from_db()
    names = [region["field"] for region in draft.pages[0]["regions"]]
    assert names == [region["field"] for region in REGIONS]


def test_nothing_without_a_region_is_activated(site: Site, clinic_admin: Any) -> None:
    version = form_create(user=clinic_admin, site=site, name="Pad", data=png(blank_form()))
    with pytest.raises(FormRefused):
        version_activate(user=clinic_admin, version=version)
    with pytest.raises(FormRefused):
        version_retire(user=clinic_admin, version=version)


@pytest.mark.parametrize("who", ["clinician", "other_admin", "nobody"])
def test_others_see_and_change_no_form(
    client: Client, draft: FormVersion, clinician: Any, other_site: Site, make_user: Any, who: str
) -> None:
    if who != "nobody":
        other = clinician if who == "clinician" else make_user("olga", other_site, Role.ADMIN)
        client.force_login(other)
    refused = {302} if who == "nobody" else {404}
    for name in ("form-edit", "form-test", "form-export"):
        assert client.get(reverse(name, args=[draft.pk])).status_code in refused
    assert client.get(reverse("form-picture", args=[draft.pk, 1])).status_code in refused
    for name in ("form-save", "form-activate", "form-retire", "form-import", "form-repicture"):
        assert client.post(reverse(name, args=[draft.pk])).status_code in refused
    file = SimpleUploadedFile("pad.png", png(blank_form()))
    client.post(reverse("form-new"), {"site": draft.form.site.slug, "name": "X", "file": file})
    assert Form.objects.count() == 1
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_page_of_an_active_form_is_read_by_its_regions(
    site: Site, draft: FormVersion, clinic_admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_activate(user=clinic_admin, version=draft)
    scan = paged_scan(site, faxed(filled_form()))

    read(scan, monkeypatch)
    read(scan, monkeypatch)  # a second try replaces the first

    stored = PageForm.objects.get()
    assert (stored.version, stored.page_number, stored.refusal) == (draft, 1, "")
    assert stored.coincidence > 0.95
    names = list(Field.objects.filter(form_region__isnull=False).values_list("name", flat=True))
    assert names == [region["field"] for region in REGIONS]
    assert FormField.objects.count() == len(REGIONS)


def test_other_paper_is_read_without_a_form_and_says_why(
    site: Site, draft: FormVersion, clinic_admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clinic_hwr import stage_read

    version_activate(user=clinic_admin, version=draft)
    monkeypatch.setattr(stage_read, "find_fields", pipeline_fakes.find_fields)
    scan = paged_scan(site, blank_form(moved=True))

    read(scan, monkeypatch)

    stored = PageForm.objects.get()
    assert stored.version == draft
    assert stored.refusal in ("other_version", "print_differs")
    assert not FormField.objects.exists()
    assert Field.objects.count() == len(pipeline_fakes.REGIONS)


def test_forms_of_another_site_and_drafts_are_not_looked_for(
    site: Site, other_site: Site, draft: FormVersion, clinic_admin: Any
) -> None:
    assert active_sheets(site) == ()
    version_activate(user=clinic_admin, version=draft)
    assert len(active_sheets(site)) == 1
    assert active_sheets(other_site) == ()


def test_rules_stop_machine_values_and_warn_of_human_ones(
    site: Site, draft: FormVersion, clinic_admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = [dict(region) for region in REGIONS]
    regions[4]["validators"] = [{"rule": "number_range", "least": 1, "most": 90}]
    regions[1]["validators"] = [{"rule": "required"}]
    version = version_save(user=clinic_admin, version=draft, pages=[regions])
    version_activate(user=clinic_admin, version=version)
    scan = paged_scan(site, filled_form())
    read(scan, monkeypatch)
    quantity = Field.objects.get(name="quantity")

    def said(decided: bool) -> list[tuple[str, str, str]]:
        found = scan_form_doubts(scan, [(quantity.pk, "900", decided)], today=date(2026, 11, 26))
        return [(one.field_name, one.code, one.severity) for one in found]

    missing = ("patient_dob", "form_required", "warn")
    assert said(False) == [("quantity", "form_number_range", "stop"), missing]
    assert said(True) == [("quantity", "form_number_range", "warn"), missing]


def test_a_form_is_tried_on_past_pages_before_it_is_used(
    site: Site, browser: Client, draft: FormVersion
) -> None:
    paged_scan(site, blank_form(moved=True))
    scan = paged_scan(site, filled_form())

    page = browser.get(reverse("form-test", args=[draft.pk]))

    text = page.content.decode()
    assert "1 of 2 pages recognised" in text
    assert "another version" in text or "does not coincide" in text
    assert AuditEvent.objects.get(action="form.tested").data["recognised"] == 1
    assert not PageForm.objects.exists()  # nothing is changed by a test
    ink = browser.get(reverse("form-test-ink", args=[draft.pk, scan.pk, 1, 0]))
    assert ink["Content-Type"] == "image/png"
    gone = browser.get(reverse("form-test-ink", args=[draft.pk, scan.pk, 1, 99]))
    assert gone.status_code == 404


def test_people_see_which_form_a_page_was_read_by(
    site: Site, browser: Client, draft: FormVersion, clinic_admin: Any, monkeypatch: Any
) -> None:
    version_activate(user=clinic_admin, version=draft)
    scan = paged_scan(site, filled_form())
    read(scan, monkeypatch)

    page = browser.get(reverse("scan-detail", args=[scan.pk])).content.decode()

    assert "form Pad, version 1" in page
