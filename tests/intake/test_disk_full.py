"""A full disk: a proper answer at every door, nothing half kept, all well once there is room."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake import storage
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.uploads import is_no_space

from . import samples


class FullDisk:
    """A disk that takes ``blobs`` more files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, blobs: int = 0) -> None:
        self.left = blobs
        self._keep = storage._keep
        monkeypatch.setattr(storage, "_keep", self)

    def __call__(self, *arguments: Any) -> None:
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= 1
        self._keep(*arguments)


def files(*levels: int) -> dict[str, Any]:
    return {"file": [SimpleUploadedFile(f"{n}.png", samples.png(n)) for n in levels]}


def stored(data_dir: Any) -> list[Any]:
    return [path for path in (data_dir / "blobs").rglob("*") if path.is_file()]


@pytest.fixture
def api(api_client: APIClient, clinician: Any) -> APIClient:
    """A signed-in REST client."""
    api_client.force_authenticate(clinician)
    return api_client


def test_rest_answers_507_and_keeps_nothing(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, data_dir: Any
) -> None:
    FullDisk(monkeypatch)

    answer = api.post("/api/scans/", files(1), format="multipart")

    assert (answer.status_code, answer["Content-Type"]) == (507, "application/problem+json")
    assert answer.json()["title"] == "Insufficient Storage"
    assert "Send it again" in answer.json()["detail"]
    assert (Scan.objects.count(), stored(data_dir)) == (0, [])


def test_rest_names_what_arrived_before_the_disk_was_full(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch, blobs=1)

    answer = api.post("/api/scans/", files(1, 2), format="multipart")

    scan = Scan.objects.get()
    assert answer.json()["scan_ids"] == [str(scan.pk)]
    assert scan.original_name == "1.png"


def test_full_database_is_507_as_well(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Scan, "save", full)

    assert api.post("/api/scans/", files(1), format="multipart").status_code == 507


@pytest.mark.parametrize("step", ["new_file", "receive_data_chunk", "file_complete"])
def test_upload_that_fills_the_temporary_folder_is_507(
    api: APIClient, client: Client, clinician: Any, settings: Any,
    monkeypatch: pytest.MonkeyPatch, step: str,
) -> None:  # fmt: skip
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    monkeypatch.setattr(TemporaryFileUploadHandler, step, full)
    client.force_login(clinician)

    assert api.post("/api/scans/", files(1), format="multipart").status_code == 507
    assert client.post("/scans/upload/", files(1)).status_code == 507
    assert Scan.objects.count() == 0


def test_upload_form_shows_a_page_and_a_script_gets_a_problem(
    client: Client, clinician: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch)
    client.force_login(clinician)

    page = client.post("/scans/upload/", files(1))
    problem = client.post("/scans/upload/", files(1), headers={"Accept": "application/json"})

    assert page.status_code == 507
    assert b"There is no space left" in page.content
    assert (problem.status_code, problem["Content-Type"]) == (507, "application/problem+json")
    assert problem.json()["status"] == 507


def test_other_faults_stay_what_they_are(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_no_space(OSError(errno.EACCES, "denied"))
    assert not is_no_space(OperationalError("database is locked"))
    assert not is_no_space(ValueError("disk is full"))

    def denied(*arguments: Any) -> None:
        raise OSError(errno.EACCES, "denied")

    monkeypatch.setattr(storage, "_keep", denied)
    with pytest.raises(OSError, match="denied"):
        scan_receive(site=site, data=samples.png(), original_name="a.png", source="cli")


def test_same_file_is_received_once_there_is_room(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        FullDisk(full)
        api.post("/api/scans/", files(1), format="multipart")

    assert api.post("/api/scans/", files(1), format="multipart").status_code == 202
    assert Scan.objects.get().state == "received"
