"""What this machine lacks costs no scan its tries: it waits, says why, and is read once mended."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from clinic_hwr import pipeline, stage_page, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Page, Scan, StageRun
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState
from clinic_hwr.pages import TesseractMissing
from clinic_hwr.pages.types import Gray, UprightPage
from clinic_hwr.recognition import runtime
from clinic_hwr.routing.models import Field
from clinic_hwr.scan_report import scan_report

from . import pipeline_fakes
from .intake import samples


@pytest.fixture
def scan(site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """A received scan of one page, the scripted rooms, and no pause between failed tries."""
    settings.CLINIC_HWR_RETRY_S = -1.0
    monkeypatch.setattr(pipeline, "_faults", {})
    pipeline_fakes.install(monkeypatch.setattr)
    return scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")


@pytest.fixture
def no_wait(settings: Any) -> None:
    """No pause after an installation fault either."""
    settings.CLINIC_HWR_WAIT_S = -1.0


def no_tesseract(gray: Gray) -> UprightPage:
    raise TesseractMissing("Tesseract is not installed. Install it.")


def disk_full(gray: Gray) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


def database_full(*arguments: Any) -> None:
    raise OperationalError("database or disk is full")


def no_weights() -> None:
    raise InstallationFault("No weights for trba.")


@pytest.mark.parametrize(
    ("module", "name", "broken", "stage", "sentence"),
    [
        (stage_page, "make_upright", no_tesseract, "page", "Tesseract is not installed."),
        (stage_page, "raster_write", disk_full, "page", "The disk is full."),
        (pipeline, "pages_replace", database_full, "page", "The database could not be written"),
        (stage_read, "reader_load", no_weights, "read", "No weights for trba."),
    ],
)
def test_installation_fault_costs_no_try_and_the_scan_is_read_once_it_is_mended(
    scan: Scan,
    no_wait: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    name: str,
    broken: Any,
    stage: str,
    sentence: str,
) -> None:
    """Given a machine that lacks something, when that is mended, then the scan is read."""
    with monkeypatch.context() as lacking:
        lacking.setattr(module, name, broken)
        results = [pipeline.process(scan.pk, worker="w").result for _ in range(5)]

    assert results == ["waiting"] * 5
    scan.refresh_from_db()
    assert (scan.attempts, scan.claimed_by, scan.problem_code) == (0, "", "waiting")
    assert scan.problem.startswith(f"Waiting: {sentence}")
    report = scan_report(scan, path="rx.png")
    assert report["problem"] == {"code": "waiting", "message": scan.problem}
    failed = StageRun.objects.get(outcome="failed")
    assert (failed.stage, failed.attempt) == (stage, 1)
    assert failed.error.startswith(sentence)
    told = [log for log in caplog.messages if log.startswith("stage.installation_fault")]
    assert len(told) == 1

    assert pipeline.process(scan.pk, worker="w").result == "idle"

    scan.refresh_from_db()
    assert (scan.state, scan.problem_code, scan.problem) == (ScanState.IN_REVIEW, "", "")
    assert Page.objects.count() == 1
    assert Field.objects.count() == 3


def test_missing_weights_are_an_installation_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_reader(arch: str | None, **options: Any) -> None:
        raise runtime.WeightsNotFound("No weights for trba: train them.")

    monkeypatch.setattr(runtime, "load_reader", load_reader)

    with pytest.raises(InstallationFault, match="No weights for trba: train them"):
        stage_read.reader_load()


def test_installation_fault_waits_a_minute_and_is_told_anew_after_it_was_over(
    scan: Scan,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = scan_receive(site=site, data=samples.png(9), original_name="b.png", source="cli")
    third = scan_receive(site=site, data=samples.png(10), original_name="c.png", source="cli")
    with monkeypatch.context() as lacking:
        lacking.setattr(stage_page, "make_upright", no_tesseract)
        assert pipeline.process(scan.pk, worker="w").result == "waiting"
        assert pipeline.process(scan.pk, worker="w").result == "idle"
        scan.refresh_from_db()
        assert scan.claim_expires_at is not None
        assert 50 < (scan.claim_expires_at - timezone.now()).total_seconds() <= 60
    pipeline.process(other.pk, worker="w")
    monkeypatch.setattr(stage_page, "make_upright", no_tesseract)
    pipeline.process(third.pk, worker="w")

    told = [log for log in caplog.messages if log.startswith("stage.installation_fault")]
    assert len(told) == 2


def test_real_failures_still_count_to_three_between_installation_faults(
    scan: Scan, no_wait: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for broken in (no_tesseract, None, no_tesseract, None, no_tesseract, None):
        monkeypatch.setattr(stage_page, "make_upright", broken or (lambda gray: 1 / 0))
        results.append(pipeline.advance(scan.pk, worker="w").result)
        scan.refresh_from_db()
        assert (scan.problem_code == "waiting") == (broken is not None)

    assert results == ["waiting", "failed"] * 3
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "processing_failed")
