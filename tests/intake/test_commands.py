"""``ingest``, ``watch`` and ``worker`` as they are called."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic_hwr import pipeline, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.review.models import PrescriptionRecord
from tests import pipeline_fakes

from . import samples

KEYS = {
    "path",
    "scan_id",
    "status",
    "pages",
    "fields",
    "blockers",
    "prescription",
    "prescription_id",
    "duplicate_of",
    "problem",
    "parent",
    "page_problems",
    "parts",
}


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted rooms, with a draft for every scan."""
    pipeline_fakes.install(monkeypatch.setattr)

    def refresh(*, scan: Scan) -> None:
        PrescriptionRecord.objects.create(scan=scan, content={"medications": []})
        pipeline_fakes.prescription_refresh(scan=scan)

    monkeypatch.setattr(pipeline, "prescription_refresh", refresh)


def ingest(*arguments: str | Path, status: int = 0) -> list[dict[str, Any]]:
    """Run ``ingest --json``; returns the objects printed."""
    stdout = io.StringIO()
    command = ["ingest", *map(str, arguments), "--json"]
    if status:
        with pytest.raises(SystemExit) as ended:
            call_command(*command, stdout=stdout, stderr=io.StringIO())
        assert ended.value.code == status
    else:
        call_command(*command, stdout=stdout, stderr=io.StringIO())
    return [json.loads(line) for line in stdout.getvalue().splitlines()]


def test_ingest_and_wait_prints_what_was_read(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "rx.png"
    path.write_bytes(samples.png())

    (report,) = ingest(path, "--wait")

    scan = Scan.objects.get()
    record = PrescriptionRecord.objects.get()
    assert set(report) == KEYS
    assert (report["path"], report["scan_id"]) == (str(path), str(scan.pk))
    assert (report["status"], report["pages"]) == ("in_review", 1)
    assert [field["name"] for field in report["fields"]] == ["patient_name", "drug", "signature"]
    drug = report["fields"][1]
    assert (drug["kind"], drug["text"], drug["confidence"]) == ("drug", "amoxicillin", 0.8)
    assert (drug["decision"], drug["box_px"]) == ("human", [20, 20, 80, 40])
    signature = report["fields"][2]
    assert (signature["text"], signature["confidence"], signature["model"]) == (
        "present",
        0.0,
        None,
    )
    assert (report["prescription"], report["blockers"]) == ({"medications": []}, [])
    assert report["prescription_id"] == str(record.pk)


def test_ingest_without_wait_only_queues(site: Site, tmp_path: Path) -> None:
    (tmp_path / "rx.png").write_bytes(samples.png())

    (report,) = ingest(tmp_path / "rx.png")

    assert (report["status"], report["fields"]) == ("received", [])
    assert Scan.objects.get().state == ScanState.RECEIVED


def test_ingest_of_a_folder_goes_on_after_bad_files_and_exits_with_1(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "sub" / "b.png").write_bytes(samples.png())
    (tmp_path / ".hidden").write_bytes(b"x")
    missing = tmp_path / "missing.png"

    reports = ingest(tmp_path, missing, "--wait", status=1)

    assert all(set(report) == KEYS for report in reports)
    assert [Path(report["path"]).name for report in reports] == ["a.png", "b.png", "missing.png"]
    assert [report["status"] for report in reports] == ["quarantined", "in_review", "failed"]
    assert reports[0]["problem"]["code"] == "empty"
    assert reports[2]["problem"] == {
        "code": "unreadable",
        "message": "This file cannot be opened: No such file or directory.",
    }


def test_ingest_does_not_wait_for_something_to_be_installed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader_load() -> None:
        raise InstallationFault("No weights for trba.")

    monkeypatch.setattr(stage_read, "reader_load", reader_load)
    (tmp_path / "rx.png").write_bytes(samples.png())

    (report,) = ingest(tmp_path, "--wait", status=1)

    assert (report["status"], report["pages"]) == ("paged", 1)
    assert report["problem"] == {"code": "waiting", "message": "Waiting: No weights for trba."}


def test_ingest_of_a_duplicate_shows_the_result_of_the_first(site: Site, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(samples.png())

    first, second = ingest(tmp_path, "--wait")

    assert second["duplicate_of"] == first["scan_id"]
    assert second["status"] == "in_review"
    assert second["fields"] == first["fields"]


def test_ingest_speaks_to_people_without_json(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"")

    with pytest.raises(SystemExit):
        call_command("ingest", str(tmp_path))

    said = capsys.readouterr()
    assert said.out.startswith(f"quarantined  {tmp_path}/a.png  ")
    assert said.out.endswith("This file is empty: nothing arrived. Scan the paper again.\n")
    assert "1 of 1 files could not be used or must wait." in said.err
    assert "1/1" in said.err


def test_first_ingest_of_a_fresh_installation_makes_its_site(db: None, tmp_path: Path) -> None:
    (tmp_path / "rx.png").write_bytes(samples.png())

    ingest(tmp_path)

    assert Scan.objects.get().site.slug == "clinic"


def test_ingest_asks_for_the_site_when_there_are_several(
    site: Site, other_site: Site, tmp_path: Path
) -> None:
    (tmp_path / "rx.png").write_bytes(samples.png())

    with pytest.raises(CommandError, match="hilltop, riverside"):
        call_command("ingest", str(tmp_path))
    with pytest.raises(CommandError, match="no site 'nowhere'"):
        call_command("ingest", str(tmp_path), site="nowhere")
    assert Scan.objects.count() == 0

    ingest(tmp_path, "--site", "hilltop")
    assert Scan.objects.get().site == other_site


def test_worker_once_works_off_what_waits(site: Site, tmp_path: Path) -> None:
    (tmp_path / "rx.png").write_bytes(samples.png())
    ingest(tmp_path)

    call_command("worker", "--once")

    assert Scan.objects.get().state == ScanState.IN_REVIEW
