"""Forms over REST: listed, taught, saved, tried, activated; by administrators, fenced by ETags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.forms import services
from clinic_hwr.forms.models import Form, FormVersion
from clinic_hwr.pages.types import UprightPage
from tests.forms.drawn import HEIGHT, REGIONS, WIDTH, blank_form, filled_form, png
from tests.forms.test_forms import paged_scan

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def upright_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn pages are upright; finding that out needs Tesseract and takes a second."""
    monkeypatch.setattr(services, "make_upright", lambda gray: UprightPage(gray, 0, 0.0, np.eye(3)))


@pytest.fixture
def api(clinic_admin: Any) -> APIClient:
    """An administrator's program."""
    client = APIClient()
    client.force_authenticate(clinic_admin)
    return client


@pytest.fixture
def create(api: APIClient) -> Callable[..., Any]:
    """Return ``create(name="Pad", data=the clean page, **headers)``."""

    def post(name: str = "Pad", data: bytes | None = None, **headers: str) -> Any:
        file = SimpleUploadedFile("pad.png", png(blank_form()) if data is None else data)
        return api.post("/api/forms/", {"name": name, "file": file}, **headers)

    return post


def act(api: APIClient, seen: Any, what: str, body: Any = None, tag: str = "") -> Any:
    """Do something to the version of an answer, as seen there."""
    address = f"/api/forms/{seen.json()['version_id']}/{what}/"
    return api.post(address, body or {}, format="json", HTTP_IF_MATCH=tag or seen["ETag"])


def test_a_form_from_its_clean_page_to_use(
    api: APIClient, create: Callable[..., Any], site: Site
) -> None:
    made = create()
    assert (made.status_code, made["ETag"]) == (201, '"0.draft"')
    assert made.json()["site"] == site.slug
    page = made.json()["pages"][0]
    assert (page["width_px"], page["height_px"], page["regions"]) == (WIDTH, HEIGHT, [])
    picture = api.get(page["image"])
    assert (picture["Content-Type"], picture["Cache-Control"]) == ("image/png", "no-store")

    saved = act(api, made, "regions", {"pages": [REGIONS]})
    assert (saved.status_code, saved["ETag"]) == (200, '"1.draft"')
    assert len(saved.json()["pages"][0]["regions"]) == len(REGIONS)
    active = act(api, saved, "activate")
    assert active.json()["state"] == "active"
    version = FormVersion.objects.get()
    assert version.state == "active"

    next_one = act(api, active, "regions", {"pages": [REGIONS[:2]]})
    assert (next_one.json()["number"], next_one.json()["state"]) == (2, "draft")
    version.refresh_from_db()
    assert len(version.pages[0]["regions"]) == len(REGIONS)
    listed = api.get("/api/forms/").json()["forms"]
    assert [line["state"] for line in listed[0]["versions"]] == ["draft", "active"]
    assert act(api, active, "retire").json()["state"] == "retired"
    actions = AuditEvent.objects.filter(object_type="form").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "form.created", "form.saved", "form.activated", "form.saved", "form.retired",
    ]  # fmt: skip


def test_nobody_saves_over_what_they_have_not_seen(
    api: APIClient, create: Callable[..., Any]
) -> None:
    made = create()
    act(api, made, "regions", {"pages": [REGIONS]})
    address = f"/api/forms/{made.json()['version_id']}/"

    for what, body in (("regions", {"pages": [[]]}), ("activate", {}), ("retire", {})):
        stale = act(api, made, what, body)
        assert (stale.status_code, stale.json()["code"]) == (412, "form_changed"), what
    without = api.post(f"{address}activate/", {}, format="json")
    other = act(api, made, "activate", tag='"x"')
    assert (without.status_code, other.json()["code"]) == (428, "no_etag")
    assert len(FormVersion.objects.get().pages[0]["regions"]) == len(REGIONS)
    fresh = api.get(address)
    assert api.get(address, HTTP_IF_NONE_MATCH=fresh["ETag"]).status_code == 304


def test_regions_go_from_one_form_to_another_as_json(
    api: APIClient, create: Callable[..., Any]
) -> None:
    first = act(api, create(), "regions", {"pages": [REGIONS]})
    exported = api.get(f"/api/forms/{first.json()['version_id']}/export/").json()
    second = create("Other pad")

    imported = act(api, second, "import", exported)

    assert imported.json()["pages"][0]["regions"] == first.json()["pages"][0]["regions"]
    bad = act(api, imported, "import", {"format": "another"})
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_form")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"pages": [[{"field": "drug"}]]}, 400, "bad_form"),
        ({"pages": [[], []]}, 409, "form_refused"),
        ({}, 400, "bad_form"),
        ([], 400, "bad_form"),
    ],
)
def test_what_cannot_be_used_says_why(
    api: APIClient, create: Callable[..., Any], body: Any, status: int, code: str
) -> None:
    made = create()

    answer = act(api, made, "regions", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert FormVersion.objects.get().edits == 0


def test_a_repeat_with_its_key_makes_one_form(create: Callable[..., Any]) -> None:
    first = create(HTTP_IDEMPOTENCY_KEY="k")
    again = create(HTTP_IDEMPOTENCY_KEY="k")
    taken = create()
    broken = create("Broken", b"no picture")

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert (taken.status_code, taken.json()["code"]) == (409, "form_refused")
    assert (broken.status_code, "code" in broken.json()) == (400, True)
    assert Form.objects.count() == 1


def test_a_picture_is_replaced_under_the_regions(
    api: APIClient, create: Callable[..., Any]
) -> None:
    saved = act(api, create(), "regions", {"pages": [REGIONS]})
    address = f"/api/forms/{saved.json()['version_id']}/picture/"
    before = FormVersion.objects.get().pages[0]

    file = SimpleUploadedFile("new.png", png(255 - (255 - blank_form()) // 2))
    answer = api.post(address, {"file": file}, HTTP_IF_MATCH=saved["ETag"])

    after = FormVersion.objects.get().pages[0]
    assert (answer.status_code, answer["ETag"]) == (200, '"2.draft"')
    assert after["regions"] == before["regions"]
    assert after["image_sha256"] != before["image_sha256"]


def test_a_version_is_tried_on_past_pages(
    api: APIClient, create: Callable[..., Any], site: Site
) -> None:
    saved = act(api, create(), "regions", {"pages": [REGIONS]})
    scan = paged_scan(site, filled_form())
    address = f"/api/forms/{saved.json()['version_id']}/trial/"

    tried = api.get(address).json()

    assert tried["recognised"] == 1
    (page,) = tried["pages"]
    assert (page["scan_id"], page["recognised"], page["reason"]) == (str(scan.pk), True, "")
    assert len(page["regions"]) == len(REGIONS)
    ink = api.get(next(each["ink"] for each in page["regions"] if each["written"]))
    assert ink["Content-Type"] == "image/png"
    older = api.get(f"{address}?before={tried['before']}").json()
    assert (older["pages"], older["before"]) == ([], None)
    assert AuditEvent.objects.filter(action="form.tested").count() == 2


@pytest.mark.parametrize("person", ["clinician", "pharmacist", "integration"])
def test_forms_are_for_administrators_of_their_sites(
    create: Callable[..., Any],
    request: pytest.FixtureRequest,
    make_user: Any,
    other_site: Site,
    person: str,
) -> None:
    version = create().json()["version_id"]
    client = APIClient()
    client.force_authenticate(request.getfixturevalue(person))
    file = SimpleUploadedFile("pad.png", png(blank_form()))

    assert client.get("/api/forms/").status_code == 403
    assert client.post("/api/forms/", {"name": "Mine", "file": file}).status_code == 403
    client.force_authenticate(make_user("theirs", other_site, "admin"))
    assert client.get("/api/forms/").json() == {"forms": []}
    for path in ("", "export/", "trial/", "pages/1/image/"):
        assert client.get(f"/api/forms/{version}/{path}").status_code == 404
    for path in ("regions/", "import/", "activate/", "retire/"):
        answer = client.post(
            f"/api/forms/{version}/{path}",
            {"pages": [[]]},
            format="json",
            HTTP_IF_MATCH='"0.draft"',
        )
        assert answer.status_code == 404
    assert Form.objects.count() == 1
    assert FormVersion.objects.get().edits == 0
