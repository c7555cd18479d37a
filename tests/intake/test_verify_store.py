"""``verify_store``: what was received is there, unchanged, and makes the same pages again."""

from __future__ import annotations

import io
import json
import os
import stat

import pytest
from django.core.management import call_command

from clinic_hwr import pipeline
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.storage import blob_path, blob_write
from tests import pipeline_fakes

from . import samples


@pytest.fixture
def scan(site: Site, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """A scan of two pages that was read."""
    pipeline_fakes.install(monkeypatch.setattr)
    received = scan_receive(
        site=site, data=samples.tiff(pages=2), original_name="a.tif", source="cli"
    )
    pipeline.process(received.pk, worker="w")
    return received


def verify(*arguments: str) -> tuple[list[tuple[str, str]], int]:
    """Run the command; returns (code, name) of every fault, and the exit status."""
    out = io.StringIO()
    status = 0
    try:
        call_command("verify_store", "--json", *arguments, stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        status = int(str(end.code))
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    return [(row["code"], row["name"]) for row in rows], status


def test_whole_store_has_no_fault(scan: Scan) -> None:
    assert verify("--derive") == ([], 0)


def test_blob_is_for_nobody_to_write(scan: Scan) -> None:
    mode = blob_path(scan.sha256).stat().st_mode

    assert stat.S_IMODE(mode) == 0o440


def test_blob_that_is_there_is_never_written_over(scan: Scan) -> None:
    path = blob_path(scan.sha256)
    before = path.stat().st_ino

    blob_write(samples.tiff(pages=2))

    assert path.stat().st_ino == before


def test_changed_original_is_found(scan: Scan) -> None:
    path = blob_path(scan.sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    faults, status = verify()

    assert faults == [("damaged", scan.sha256), ("writable", scan.sha256)]
    assert status == 1


def test_lost_original_is_found(scan: Scan) -> None:
    blob_path(scan.sha256).unlink()

    assert verify() == ([("missing", scan.sha256)], 1)
    assert verify("--derive")[0] == [("missing", scan.sha256), ("not_derivable", scan.sha256)]


def test_lost_picture_of_a_page_is_found(scan: Scan) -> None:
    picture = Page.objects.filter(scan=scan).first()
    assert picture is not None
    blob_path(picture.image_sha256).unlink()

    assert verify() == ([("missing", picture.image_sha256)], 1)


def test_original_that_no_longer_makes_its_pages_is_found(scan: Scan) -> None:
    Page.objects.create(scan=scan, number=3, image_sha256=scan.sha256, width_px=1, height_px=1)

    assert verify() == ([], 0)
    assert verify("--derive") == ([("not_derivable", scan.sha256)], 1)


def test_orphans_and_strangers_are_named_and_are_no_failure(scan: Scan) -> None:
    orphan = blob_write(b"of a try that was done again")
    (blob_path(orphan).parent / "notes.txt").write_text("x")
    waiting = blob_path(orphan).parents[2] / "incoming" / "tmp1.part"
    waiting.write_bytes(b"half")

    faults, status = verify()

    assert faults == [("orphan", orphan), ("stranger", "notes.txt")]
    assert status == 0
    os.utime(waiting, (1, 1))
    assert ("stranger", "tmp1.part") in verify()[0]
