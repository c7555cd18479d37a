"""The upload form's target and the pictures: signed in, own site, never the received file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.rasters import raster_write
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.pages.types import FieldKind
from clinic_hwr.routing.models import Field

from . import samples

SignIn = Callable[[Any], Client]


@pytest.fixture
def page(site: Site) -> Page:
    """A page with a stored picture."""
    scan = scan_receive(site=site, data=samples.jpeg(), original_name="rx.jpg", source="cli")
    sha256 = raster_write(np.asarray(samples.marked_page()))
    return Page.objects.create(
        scan=scan, number=1, image_sha256=sha256, width_px=240, height_px=320
    )


@pytest.fixture
def field(page: Page) -> Field:
    """A field with a stored crop."""
    sha256 = raster_write(np.zeros((40, 80), dtype=np.uint8))
    return Field.objects.create(
        page=page,
        position=0,
        name="drug",
        kind=FieldKind.DRUG,
        x_px=20,
        y_px=20,
        width_px=80,
        height_px=40,
        crop_sha256=sha256,
    )


def page_address(page: Page) -> str:
    return reverse("page-image", args=[page.scan_id, page.number])


def viewed() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action="document.viewed")
    return list(events.values_list("object_type", "object_id"))


def test_page_picture_is_ours_and_is_kept_nowhere(
    signed_in: SignIn, clinician: Any, page: Page
) -> None:
    response = signed_in(clinician).get(page_address(page))

    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    picture = Image.open(io.BytesIO(response.content))
    assert (picture.format, picture.size, picture.info) == ("PNG", (240, 320), {})
    assert viewed() == [("page", str(page.pk))]


def test_crop_shows_the_ink_of_the_field(signed_in: SignIn, clinician: Any, field: Field) -> None:
    response = signed_in(clinician).get(reverse("field-crop", args=[field.pk]))

    assert Image.open(io.BytesIO(response.content)).size == (80, 40)
    assert response["Cache-Control"] == "no-store"
    assert viewed() == [("field", str(field.pk))]


@pytest.mark.parametrize("person", ["outsider", "integration"])
def test_others_get_no_picture_and_no_event(
    signed_in: SignIn, request: pytest.FixtureRequest, person: str, page: Page, field: Field
) -> None:
    browser = signed_in(request.getfixturevalue(person))

    assert browser.get(page_address(page)).status_code == 404
    assert browser.get(reverse("field-crop", args=[field.pk])).status_code == 404
    assert viewed() == []


def test_stranger_is_sent_to_the_sign_in_page(client: Client, page: Page, field: Field) -> None:
    for address in (page_address(page), reverse("field-crop", args=[field.pk])):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("login"))


def test_page_number_that_does_not_exist_is_404(
    signed_in: SignIn, clinician: Any, page: Page
) -> None:
    address = reverse("page-image", args=[page.scan_id, 2])

    assert signed_in(clinician).get(address).status_code == 404


def upload(browser: Client, *files: tuple[str, bytes], **fields: str) -> list[str]:
    """Send the form; returns what the next page will say."""
    sent = [SimpleUploadedFile(name, data) for name, data in files]
    response = browser.post(reverse("scan-upload"), {"file": sent, **fields})
    assert (response.status_code, response["Location"]) == (302, reverse("inbox"))
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_form_receives_many_files_and_never_repeats_their_names(
    signed_in: SignIn, clinician: Any, site: Site
) -> None:
    said = upload(
        signed_in(clinician),
        ("ann-lee.png", samples.png()),
        ("ann-lee-2.png", samples.png()),
        ("ann-lee.pdf", samples.locked_pdf()),
    )

    assert said == [
        "1 scan is being read.",
        "1 file was already here and not read again.",
        "Set aside: This PDF is locked with a password. Save it without one and send it again.",
    ]
    assert list(Scan.objects.values_list("source", "uploaded_by")) == [("web", clinician.pk)] * 3


def test_form_without_files_says_so(signed_in: SignIn, clinician: Any) -> None:
    said = upload(signed_in(clinician))

    assert said == ["Choose at least one file: PDF, TIFF, JPEG, PNG or WebP."]


def test_form_for_the_site_of_others_receives_nothing(
    signed_in: SignIn, clinician: Any, other_site: Site
) -> None:
    said = upload(signed_in(clinician), ("rx.png", samples.png()), site="hilltop")

    assert said == ["Choose the site the scans belong to."]
    assert Scan.objects.count() == 0


def test_form_is_sent_by_post_only(signed_in: SignIn, clinician: Any) -> None:
    assert signed_in(clinician).get(reverse("scan-upload")).status_code == 405


def send_json(browser: Client, *files: tuple[str, bytes], **fields: str) -> Any:
    sent = [SimpleUploadedFile(name, data) for name, data in files]
    return browser.post(
        reverse("scan-upload"),
        {"file": sent, **fields},
        headers={"Accept": "application/json"},
    )


def test_script_learns_what_became_of_every_file(signed_in: SignIn, clinician: Any) -> None:
    answer = send_json(
        signed_in(clinician),
        ("ann-lee.png", samples.png()),
        ("b.png", samples.png()),
        ("c.pdf", samples.locked_pdf()),
    )

    assert answer.status_code == 202
    first, again, locked = answer.json()["scans"]
    assert (first["status"], first["problem"]) == ("received", "")
    assert (again["status"], again["duplicate_of"]) == ("rejected", first["scan_id"])
    assert again["url"] == first["url"] == reverse("scan-detail", args=[first["scan_id"]])
    assert (locked["status"], locked["problem_code"]) == ("quarantined", "encrypted")
    assert b"ann-lee" not in answer.content
    assert set(Scan.objects.values_list("source", flat=True)) == {"web"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [({}, "Choose at least one file"), ({"split": "each"}, "every:N")],
    ids=["no file", "unknown rule"],
)
def test_script_learns_why_nothing_was_received(
    signed_in: SignIn, clinician: Any, fields: dict[str, str], words: str
) -> None:
    files = [("a.png", samples.png())] if fields else []

    answer = send_json(signed_in(clinician), *files, **fields)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert words in answer.json()["detail"]
    assert Scan.objects.count() == 0


def test_form_takes_a_rule_for_batches(signed_in: SignIn, clinician: Any) -> None:
    upload(signed_in(clinician), ("a.tif", samples.tiff(pages=2)), split="every:1")

    assert Scan.objects.get().split_rule == "every:1"


def test_original_is_only_ever_saved_never_shown(
    signed_in: SignIn, clinician: Any, site: Site
) -> None:
    data = b"<script>alert(1)</script>"
    scan = scan_receive(site=site, data=data, original_name="a\r\nX: y.html", source="cli")

    answer = signed_in(clinician).get(reverse("scan-original", args=[scan.pk]))

    assert (answer.status_code, answer.content) == (200, data)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="scan-{scan.pk}.bin"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "no-store"
    event = AuditEvent.objects.get(action="document.viewed")
    assert event.data == {"original_sha256": scan.sha256}


@pytest.mark.parametrize("person", ["outsider", "integration"])
def test_original_of_others_is_not_there(
    signed_in: SignIn, request: pytest.FixtureRequest, person: str, page: Page
) -> None:
    browser = signed_in(request.getfixturevalue(person))

    assert browser.get(reverse("scan-original", args=[page.scan_id])).status_code == 404
    assert viewed() == []


def test_separator_sheet_is_handed_out_to_be_printed(signed_in: SignIn, clinician: Any) -> None:
    browser = signed_in(clinician)

    answer = browser.get(reverse("separator-sheet"), {"paper": "a4"})

    assert answer.content.startswith(b"%PDF")
    assert answer["Content-Disposition"] == 'attachment; filename="separator-a4.pdf"'
    assert browser.get(reverse("separator-sheet"), {"paper": "a0"}).status_code == 404
