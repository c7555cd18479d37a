"""A box that a person drew, read by the readers of the first time, in a worker or by a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clinic_hwr import pipeline, stage_box, stage_read, tasks
from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.claims import InstallationFault
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.pages.types import Box, FieldKind, FieldRegion, PrintedWord, StruckOut
from clinic_hwr.review.models import BoxReading, FieldBox
from clinic_hwr.review.services import field_rebox, prescription_refresh, scan_claim
from clinic_hwr.review.states import field_states
from clinic_hwr.routing.models import Field
from clinic_hwr.worker import Worker

from . import pipeline_fakes
from .intake import samples


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> pipeline_fakes.ScriptedReader:
    """The scripted rooms, but for interpretation, which is real."""
    found = pipeline_fakes.install(monkeypatch.setattr)
    monkeypatch.setattr(stage_box, "reader_load", lambda: found)
    monkeypatch.setattr(pipeline, "prescription_refresh", prescription_refresh)
    return found


@pytest.fixture
def scan(site: Site, reader: pipeline_fakes.ScriptedReader, settings: Any) -> Scan:
    """A scan in review with a printed name, a handwritten drug and a signature."""
    settings.CLINIC_HWR_HINT = f"{__name__}.no_hint"
    scan = scan_receive(site=site, data=samples.png(), original_name="rx.png", source="cli")
    pipeline.process(scan.pk, worker="w")
    reader.asked.clear()
    return scan


def no_hint(scan_id: Any) -> None:
    """Tell nobody: the tests run the worker themselves."""


@pytest.fixture
def draw(scan: Scan, clinician: Any) -> Callable[[str, list[int]], Field]:
    """Return ``draw(name, box)``: the clinician draws the box of a field anew."""
    token = scan_claim(user=clinician, scan_id=scan.pk).token

    def drawn(name: str, box: list[int]) -> Field:
        field = Field.objects.get(page__scan=scan, name=name)
        return field_rebox(user=clinician, field_id=field.pk, lease_token=token, box_px=box)

    return drawn


def value(scan: Scan, name: str) -> str:
    return next(s.machine_value for s in field_states(scan) if s.field.name == name)


def test_the_worker_reads_what_was_drawn(
    scan: Scan, draw: Callable[..., Field], reader: pipeline_fakes.ScriptedReader
) -> None:
    draw("drug", [10, 60, 90, 30])
    assert value(scan, "drug") == ""

    assert Worker("w").scans_once() == 1

    assert value(scan, "drug") == "amoxicillin"
    assert reader.asked == [([(30, 90)], ["drug"])]  # the new ink, and nothing else
    box = FieldBox.objects.get(version=1)
    assert (box.reading, box.claimed_by, box.attempts) == (BoxReading.READ, "", 1)
    assert Worker("w").scans_once() == 0


@pytest.mark.parametrize(
    ("second", "said"),
    [(None, "wholly"), (StruckOut.NO, "partly"), (StruckOut.PERHAPS, "partly")],
)
def test_a_box_around_two_values_is_struck_out_as_its_worst_says(
    second: StruckOut | None,
    said: str,
    draw: Callable[..., Field],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    field = draw("drug", [10, 15, 100, 90])
    found = [FieldRegion("drug", FieldKind.DRUG, Box(20, 65, 80, 20), struck_out=StruckOut.WHOLLY)]
    if second is not None:
        upper = FieldRegion("drug", FieldKind.DRUG, Box(20, 20, 80, 40), struck_out=second)
        found.insert(0, upper)
    look = stage_box.page_find
    monkeypatch.setattr(
        stage_box, "page_find", lambda *args: replace(look(*args), regions=tuple(found))
    )

    assert stage_box.ink_read(field).struck_out == said


def test_the_task_of_a_scan_reads_its_boxes_and_a_second_delivery_does_nothing(
    scan: Scan, draw: Callable[..., Field], reader: pipeline_fakes.ScriptedReader
) -> None:
    draw("drug", [10, 60, 90, 30])

    tasks.advance_scan(str(scan.pk))
    tasks.advance_scan(str(scan.pk))

    assert value(scan, "drug") == "amoxicillin"
    assert len(reader.asked) == 1


def test_the_reaper_finds_a_box_whose_hint_was_lost(
    scan: Scan, draw: Callable[..., Field], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw("drug", [10, 60, 90, 30])
    sent: list[str] = []
    monkeypatch.setattr(tasks.advance_scan, "delay", sent.append)

    tasks.reap()

    assert sent == [str(scan.pk)]


def test_without_weights_the_box_waits_and_says_why(
    scan: Scan, draw: Callable[..., Field], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CLINIC_HWR_WAIT_S = -1.0

    def no_weights() -> None:
        raise InstallationFault("No weights for trba.")

    draw("drug", [10, 60, 90, 30])
    with monkeypatch.context() as patched:
        patched.setattr(stage_box, "reader_load", no_weights)
        for _ in range(4):  # however often: it costs no try
            assert stage_box.boxes_read(worker="w") == 0

    box = FieldBox.objects.get(version=1)
    assert (box.reading, box.problem, box.attempts) == ("waiting", "No weights for trba.", 0)
    assert stage_box.boxes_read(worker="w") == 1
    assert value(scan, "drug") == "amoxicillin"


def test_a_reader_that_fails_three_times_leaves_the_box_to_people(
    scan: Scan, draw: Callable[..., Field], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CLINIC_HWR_RETRY_S = -1.0

    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(stage_box, "page_readings", broken)
    draw("drug", [10, 60, 90, 30])

    for _ in range(4):
        stage_box.boxes_read(worker="w")

    box = FieldBox.objects.get(version=1)
    assert (box.reading, box.attempts) == (BoxReading.FAILED, 3)


def found_on_the_page(monkeypatch: pytest.MonkeyPatch, *regions: FieldRegion) -> None:
    monkeypatch.setattr(stage_read, "find_fields", lambda *page, **options: regions)


def test_print_in_a_new_box_is_what_ocr_read(
    scan: Scan, draw: Callable[..., Field], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        PrintedWord("Lee", Box(60, 62, 20, 10), 0.8),
        PrintedWord("Ann", Box(20, 60, 30, 12), 0.9),
        PrintedWord("elsewhere", Box(100, 150, 30, 12), 0.9),
    )
    monkeypatch.setattr(stage_read, "_words", lambda page: words)
    found_on_the_page(
        monkeypatch,
        FieldRegion("unnamed", FieldKind.TEXT, Box(20, 60, 60, 12), printed_text="Ann Lee"),
    )

    field = draw("patient_name", [10, 55, 90, 25])
    stage_box.boxes_read(worker="w")

    reading = field.readings.get(box_version=1)
    assert (reading.text, reading.p_correct) == ("Ann Lee", 0.8)
    assert reading.model.startswith("tesseract")
    field.refresh_from_db()
    assert field.is_print


def test_two_lines_in_a_new_box_are_read_line_by_line(
    scan: Scan,
    draw: Callable[..., Field],
    reader: pipeline_fakes.ScriptedReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found_on_the_page(
        monkeypatch,
        FieldRegion("unnamed", FieldKind.TEXT, Box(12, 62, 40, 10)),
        FieldRegion("unnamed", FieldKind.TEXT, Box(55, 64, 30, 10)),
        FieldRegion("unnamed", FieldKind.TEXT, Box(12, 80, 80, 10)),
        FieldRegion("unnamed", FieldKind.TEXT, Box(12, 120, 80, 10)),
    )

    draw("drug", [10, 60, 90, 32])
    stage_box.boxes_read(worker="w")

    assert reader.asked == [([(12, 73), (10, 80)], ["drug", "drug"])]
    assert value(scan, "drug") == "amoxicillin amoxicillin"


def test_a_mark_in_a_new_box_is_what_the_page_finder_says_of_it(
    scan: Scan, draw: Callable[..., Field], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw("signature", [20, 100, 80, 40])
    stage_box.boxes_read(worker="w")
    assert value(scan, "signature") == ""  # it found none there

    found_on_the_page(
        monkeypatch,
        FieldRegion("signature", FieldKind.SIGNATURE, Box(22, 150, 60, 30), present=False),
    )
    draw("signature", [20, 140, 80, 40])
    stage_box.boxes_read(worker="w")

    assert value(scan, "signature") == "absent"
    assert FieldBox.objects.get(version=2).reading == BoxReading.READ
