"""Receiving files: every one is kept, the bad ones aside, the same one linked."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake import safety
from clinic_hwr.intake.models import Scan, ScanTransition
from clinic_hwr.intake.services import scan_receive, scan_transition
from clinic_hwr.intake.states import ScanState, TransitionRefused
from clinic_hwr.intake.storage import blob_exists, blob_read

from . import samples

hinted: list[Any] = []


@pytest.fixture(autouse=True)
def hints(settings: Any) -> list[Any]:
    """Collect the hints that would wake a worker."""
    settings.CLINIC_HWR_HINT = f"{__name__}.collect_hint"
    hinted.clear()
    return hinted


def collect_hint(scan_id: Any) -> None:
    hinted.append(scan_id)


def receive(site: Site, data: bytes, name: str = "rx.png", **more: Any) -> Scan:
    return scan_receive(site=site, data=data, original_name=name, source="cli", **more)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_good_file_is_stored_recorded_and_hinted(
    site: Site, clinician: Any, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    data = samples.tiff(pages=3)

    with django_capture_on_commit_callbacks(execute=True):
        scan = receive(site, data, "C:\\fax\\morning.tif", user=clinician)

    stored = Scan.objects.get()
    assert stored.state == ScanState.RECEIVED
    assert (stored.original_name, stored.content_type) == ("morning.tif", "image/tiff")
    assert (stored.page_count, stored.size_bytes) == (3, len(data))
    assert stored.uploaded_by == clinician
    assert blob_read(stored.sha256) == data
    assert hints == [scan.pk]
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.scan_id) == ("scan.received", clinician, scan.pk)
    assert "morning" not in str(event.data)  # a file name may hold a patient's name


BAD_FILES = {
    "empty": (b"", "rx.png", "empty"),
    "unknown": (b"GIF89a" + b"\0" * 100, "rx.gif", "unknown_type"),
    "text": (b"take two daily", "rx", "unknown_type"),
    "pdf named png": (samples.pdf(), "rx.png", "type_mismatch"),
    "png named docx": (samples.png(), "rx.docx", "type_mismatch"),
    "locked": (samples.locked_pdf(), "rx.pdf", "encrypted"),
    "no pdf inside": (b"%PDF-1.7\nnothing\n%%EOF\n", "rx.pdf", "broken"),
    "half a pdf": (samples.pdf()[:-700], "rx.pdf", "broken"),
    "png header only": (samples.png()[:20], "rx.png", "broken"),
    "51 pages": (samples.tiff(pages=51), "rx.tif", "too_many_pages"),
    "51 pdf pages": (samples.pdf(pages=51), "rx.pdf", "too_many_pages"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_is_kept_and_quarantined_with_its_reason(
    site: Site, case: str, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    data, name, code = BAD_FILES[case]

    with django_capture_on_commit_callbacks(execute=True):
        scan = receive(site, data, name)

    stored = Scan.objects.get()
    assert (stored.state, stored.problem_code) == (ScanState.QUARANTINED, code)
    assert scan.problem == stored.problem
    assert stored.problem.endswith(".")
    assert "rx" not in stored.problem
    assert blob_read(stored.sha256) == data
    assert hints == []
    assert actions() == ["scan.received", "scan.quarantined"]


def test_mismatch_says_both_types(site: Site) -> None:
    scan = receive(site, samples.pdf(), "rx.png")

    assert scan.problem == (
        "This file is named .png but holds a PDF. Name it .pdf and send it again."
    )


@pytest.mark.parametrize("name", ["rx.JPG", "rx.jpeg", "rx", "rx.0001", "fax.scan"])
def test_name_without_a_contradicting_claim_passes(site: Site, name: str) -> None:
    assert receive(site, samples.jpeg(), name).state == ScanState.RECEIVED


def test_file_over_the_size_limit_is_kept_but_never_decoded(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples.png()
    monkeypatch.setattr(safety, "MAX_FILE_BYTES", len(data) - 1)

    scan = receive(site, data)

    assert (scan.state, scan.problem_code) == (ScanState.QUARANTINED, "too_large")
    assert (scan.content_type, scan.page_count) == ("", 0)
    assert blob_exists(scan.sha256)


def test_same_bytes_are_linked_to_the_first_and_not_queued(
    site: Site, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    first = receive(site, samples.png(), "a.png")

    with django_capture_on_commit_callbacks(execute=True):
        second = receive(site, samples.png(), "b.png")

    assert second.duplicate_of == first
    assert (second.state, second.problem_code) == (ScanState.REJECTED, "duplicate")
    assert hints == []
    assert actions() == ["scan.received", "scan.duplicate"]
    first.refresh_from_db()
    assert first.state == ScanState.RECEIVED


def test_same_bytes_at_another_site_are_its_own_scan(site: Site, other_site: Site) -> None:
    receive(site, samples.png())
    elsewhere = receive(other_site, samples.png())

    assert elsewhere.duplicate_of is None
    assert elsewhere.state == ScanState.RECEIVED


def test_wrongly_named_file_gets_its_chance_under_a_fitting_name(
    site: Site, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    first = receive(site, samples.pdf(), "rx.png")

    with django_capture_on_commit_callbacks(execute=True):
        second = receive(site, samples.pdf(), "rx.pdf")

    first.refresh_from_db()
    assert (first.state, first.problem_code, first.problem) == (ScanState.RECEIVED, "", "")
    assert (first.content_type, first.page_count) == ("application/pdf", 1)
    assert second.duplicate_of == first
    assert hints == [first.pk]


def test_broken_file_sent_twice_stays_quarantined_twice(site: Site) -> None:
    first = receive(site, b"", "a.png")
    second = receive(site, b"", "b.png")

    assert second.duplicate_of == first
    assert (second.state, second.problem_code) == (ScanState.QUARANTINED, "empty")
    first.refresh_from_db()
    assert first.state == ScanState.QUARANTINED


def test_person_of_another_site_leaves_no_trace(site: Site, outsider: Any, data_dir: Any) -> None:
    with pytest.raises(PermissionDenied):
        receive(site, samples.png(), user=outsider)

    assert Scan.objects.count() == 0
    assert [path for path in (data_dir / "blobs").rglob("*") if path.is_file()] == []


def test_failing_hint_does_not_fail_the_upload(
    site: Site, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.CLINIC_HWR_HINT = "no.such.module.hint"

    with django_capture_on_commit_callbacks(execute=True):
        scan = receive(site, samples.png())

    assert Scan.objects.get().pk == scan.pk


@pytest.mark.django_db(transaction=True)
def test_race_for_the_same_bytes_has_one_winner(site: Site) -> None:
    data = samples.png()
    start = threading.Barrier(6)
    failures: list[Exception] = []

    def upload() -> None:
        try:
            start.wait(timeout=30)
            receive(site, data)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    original = Scan.objects.get(duplicate_of__isnull=True)
    assert original.state == ScanState.RECEIVED
    copies = Scan.objects.filter(duplicate_of=original, state=ScanState.REJECTED)
    assert copies.count() == 5


def test_transition_appends_a_row_and_frees_the_claim(site: Site) -> None:
    scan = receive(site, samples.png())
    Scan.objects.filter(pk=scan.pk).update(attempts=2, claimed_by="w")

    scan_transition(scan=scan, to=ScanState.PAGED, reason="1 page")

    assert (scan.state, scan.attempts, scan.claimed_by) == (ScanState.PAGED, 0, "")
    steps = ScanTransition.objects.filter(scan=scan).values_list("from_state", "to_state", "reason")
    assert list(steps) == [("", "received", ""), ("received", "paged", "1 page")]


def test_transition_outside_of_the_table_changes_nothing(site: Site) -> None:
    scan = receive(site, samples.png())

    with pytest.raises(TransitionRefused, match="'Received' to 'Released'"):
        scan_transition(scan=scan, to=ScanState.RELEASED)

    scan.refresh_from_db()
    assert scan.state == ScanState.RECEIVED
    assert ScanTransition.objects.filter(scan=scan).count() == 1
