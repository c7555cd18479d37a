"""The pipeline: what each stage stores, and that it stores it once whatever happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from clinic_hwr import pipeline, stage_page, stage_read
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.claims import ClaimLost, claim_lock, claim_take
from clinic_hwr.intake.models import Page, Scan, ScanTransition, StageRun
from clinic_hwr.intake.rasters import raster_read
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState
from clinic_hwr.pages.types import Gray, UprightPage
from clinic_hwr.routing.models import Field, FieldReading

from . import pipeline_fakes
from .intake import samples
from .pipeline_fakes import ScriptedReader


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, settings: Any) -> ScriptedReader:
    """The scripted rooms in place of the real ones, and no pause between tries."""
    settings.CLINIC_HWR_RETRY_S = -1.0
    return pipeline_fakes.install(monkeypatch.setattr)


@pytest.fixture
def scan(site: Site, reader: ScriptedReader) -> Scan:
    """A received scan of one page."""
    return scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")


def states(scan: Scan) -> list[str]:
    return list(ScanTransition.objects.filter(scan=scan).values_list("to_state", flat=True))


def runs(scan: Scan) -> list[tuple[str, int, str]]:
    return list(StageRun.objects.filter(scan=scan).values_list("stage", "attempt", "outcome"))


def test_scan_walks_the_whole_path_and_leaves_one_row_a_step(scan: Scan) -> None:
    last = pipeline.process(scan.pk, worker="w")

    scan.refresh_from_db()
    assert last == pipeline.Advance(scan.pk, "", "idle")
    assert (scan.state, scan.attempts, scan.claimed_by) == (ScanState.IN_REVIEW, 0, "")
    assert states(scan) == ["received", "paged", "read", "in_review"]
    assert runs(scan) == [("page", 1, "done"), ("read", 1, "done"), ("route", 1, "done")]
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["scan.received", "scan.paged", "scan.read"]


def test_page_stage_stores_raster_words_and_geometry(scan: Scan) -> None:
    pipeline.advance(scan.pk, worker="w")

    page = Page.objects.get(scan=scan)
    assert (page.number, page.width_px, page.height_px, page.dpi) == (1, 240, 320, 0)
    assert page.printed_words == [["Patient", 5, 5, 60, 12, 0.96]]
    assert page.to_original == np.eye(3).tolist()
    assert raster_read(page.image_sha256)[40, 60] == 0


def test_geometry_leads_back_to_the_page_as_received(
    site: Site, reader: ScriptedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_size(gray: Gray) -> UprightPage:
        return UprightPage(gray[::2, ::2], 0, 0.0, np.diag([2.0, 2.0, 1.0]))

    monkeypatch.setattr(stage_page, "make_upright", half_size)
    fax = samples.encoded(samples.marked_page().resize((240, 160)), "TIFF", dpi=(204, 102))
    scan = scan_receive(site=site, data=fax, original_name="fax.tif", source="cli")

    pipeline.advance(scan.pk, worker="w")

    page = Page.objects.get(scan=scan)
    # 120 x 160 stored pixels show a fax of 240 x 160 dots: two across, one down for each
    assert (page.width_px, page.height_px, page.dpi) == (120, 160, 102)
    assert page.to_original == [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_read_stage_reads_hand_by_model_print_by_ocr_and_marks_not(
    scan: Scan, reader: ScriptedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_read, "_tesseract_version", lambda: "5.0")

    pipeline.advance(scan.pk, worker="w")
    pipeline.advance(scan.pk, worker="w")

    assert reader.asked == [([(40, 80)], ["drug"])]
    name, drug, signature = Field.objects.order_by("position")
    assert (name.name, name.is_print, name.present) == ("patient_name", True, None)
    assert (drug.name, drug.group, drug.label) == ("drug", 1, "Rx")
    assert drug.box_px == [20, 20, 80, 40]
    assert raster_read(drug.crop_sha256).shape == (40, 80)
    assert (signature.present, signature.readings.count()) == (True, 0)
    printed = name.readings.get()
    assert (printed.text, printed.p_correct, printed.model) == ("Ann Lee", 0.9, "tesseract 5.0")
    written = drug.readings.get()
    assert (written.text, written.p_correct, written.model) == ("amoxicillin", 0.8, "scripted@1")
    assert written.alternatives == [["amoxicillin", 0.8], ["amoxapine", 0.1]]
    assert written.chars[0] == ["a", 0.9]
    assert written.scores == {"margin": 0.7}


def test_page_without_fields_reaches_people_as_a_whole(
    scan: Scan, reader: ScriptedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_read, "find_fields", lambda page, words, **options: ())

    pipeline.process(scan.pk, worker="w")

    field = Field.objects.get()
    assert (field.name, field.box_px) == ("unnamed", [0, 0, 240, 320])
    assert (field.readings.get().text, field.readings.get().model) == ("", "none")
    assert reader.asked == []
    scan.refresh_from_db()
    assert scan.state == ScanState.IN_REVIEW


def test_all_pages_of_a_scan_are_read(site: Site, reader: ScriptedReader) -> None:
    scan = scan_receive(site=site, data=samples.tiff(pages=3), original_name="rx.tif", source="cli")

    pipeline.process(scan.pk, worker="w")

    numbers = Page.objects.filter(scan=scan).values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3]
    assert Field.objects.filter(page__scan=scan).count() == 9


def test_file_damaged_inside_is_quarantined_at_once(site: Site, reader: ScriptedReader) -> None:
    data = samples.png()[:-30]
    scan = scan_receive(site=site, data=data, original_name="rx.png", source="cli")
    assert scan.state == ScanState.RECEIVED  # its headers are in order

    pipeline.process(scan.pk, worker="w")

    scan.refresh_from_db()
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "broken")
    assert runs(scan) == [("page", 1, "done")]


def test_three_failures_quarantine_and_the_message_holds_no_detail(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(gray: Gray) -> UprightPage:
        raise ValueError("Ann Lee")

    monkeypatch.setattr(stage_page, "make_upright", fail)

    results = [pipeline.advance(scan.pk, worker="w").result for _ in range(4)]

    assert results == ["failed", "failed", "failed", "idle"]
    scan.refresh_from_db()
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "processing_failed")
    assert "ValueError" in scan.problem
    assert "Ann" not in scan.problem
    assert runs(scan) == [("page", 1, "failed"), ("page", 2, "failed"), ("page", 3, "failed")]
    assert set(StageRun.objects.values_list("error", flat=True)) == {"ValueError"}


def test_failure_waits_before_the_next_try(scan: Scan, settings: Any, monkeypatch: Any) -> None:
    settings.CLINIC_HWR_RETRY_S = 60.0
    monkeypatch.setattr(stage_page, "make_upright", lambda gray: 1 / 0)

    assert pipeline.process(scan.pk, worker="w").result == "failed"
    assert pipeline.process(scan.pk, worker="w").result == "idle"

    scan.refresh_from_db()
    assert (scan.state, scan.attempts, scan.claimed_by) == (ScanState.RECEIVED, 1, "")


def test_success_after_failures_starts_the_next_stage_with_a_fresh_count(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(stage_page, "make_upright", lambda gray: 1 / 0)
        pipeline.advance(scan.pk, worker="w")
        pipeline.advance(scan.pk, worker="w")

    pipeline.process(scan.pk, worker="w")

    assert runs(scan)[2:] == [("page", 3, "done"), ("read", 1, "done"), ("route", 1, "done")]


def test_quarantined_scan_sent_again_is_read_anew_without_leftovers(
    scan: Scan, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "prescription_refresh", lambda scan: 1 / 0)
        for _ in range(5):
            pipeline.advance(scan.pk, worker="w")
    scan.refresh_from_db()
    assert scan.problem_code == "processing_failed"

    scan_receive(site=site, data=samples.png(), original_name="again.png", source="cli")
    pipeline.process(scan.pk, worker="w")

    scan.refresh_from_db()
    assert scan.state == ScanState.IN_REVIEW
    assert Page.objects.count() == 1
    assert Field.objects.count() == 3
    assert FieldReading.objects.count() == 2


def expire(scan: Scan) -> None:
    Scan.objects.filter(pk=scan.pk).update(claim_expires_at=timezone.now() - timedelta(seconds=1))


def test_held_scan_is_left_alone_until_the_claim_runs_out(scan: Scan) -> None:
    claim = claim_take(scan.pk, states=pipeline.STATES, worker="first")
    assert claim is not None

    assert pipeline.process(scan.pk, worker="second").result == "idle"
    assert Page.objects.count() == 0

    expire(scan)
    pipeline.process(scan.pk, worker="second")
    assert runs(scan)[0] == ("page", 2, "done")
    with pytest.raises(ClaimLost):
        claim_lock(claim)


def test_worker_that_lost_its_claim_writes_nothing(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker that hangs in a stage, when another finishes it, then it stays as it is."""

    def hang(gray: Gray) -> UprightPage:
        monkeypatch.setattr(stage_page, "make_upright", pipeline_fakes.make_upright)
        expire(scan)
        pipeline.process(scan.pk, worker="second")
        return UprightPage(gray[:10], 0, 0.0, np.eye(3))

    monkeypatch.setattr(stage_page, "make_upright", hang)

    assert pipeline.advance(scan.pk, worker="first").result == "lost"

    assert Page.objects.get().height_px == 320
    assert states(scan) == ["received", "paged", "read", "in_review"]
    assert runs(scan)[:2] == [("page", 1, "lost"), ("page", 2, "done")]


def test_scan_whose_every_worker_died_is_quarantined_not_tried_for_ever(scan: Scan) -> None:
    for attempt in (1, 2, 3):
        claim = claim_take(scan.pk, states=pipeline.STATES, worker="w")
        assert claim is not None
        StageRun.objects.create(scan=scan, stage="page", attempt=attempt, worker="w")
        expire(scan)

    assert claim_take(scan.pk, states=pipeline.STATES, worker="w") is None
    assert pipeline.scans_quarantine_spent() == 1
    assert pipeline.scans_quarantine_spent() == 0

    scan.refresh_from_db()
    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "processing_failed")
    assert {outcome for _, _, outcome in runs(scan)} == {"lost"}


def test_scan_in_its_third_try_is_not_taken_for_spent(scan: Scan) -> None:
    Scan.objects.filter(pk=scan.pk).update(attempts=2)
    claim_take(scan.pk, states=pipeline.STATES, worker="w")

    assert pipeline.scans_quarantine_spent() == 0


def test_duplicate_is_never_processed(scan: Scan, site: Site) -> None:
    copy = scan_receive(site=site, data=samples.png(), original_name="b.png", source="cli")

    assert pipeline.process(copy.pk, worker="w").result == "idle"
    assert Page.objects.count() == 0


def test_failing_write_leaves_no_part_of_the_outcome(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.advance(scan.pk, worker="w")
    monkeypatch.setattr(pipeline, "audit_record", lambda **event: 1 / 0)

    assert pipeline.advance(scan.pk, worker="w").result == "failed"

    assert Field.objects.count() == 0
    assert FieldReading.objects.count() == 0
    assert states(scan) == ["received", "paged"]
