"""Interpreting anew: the draft follows the values in force, and nothing else moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import ScanTransition
from clinic_hwr.review.errors import ScanFinished
from clinic_hwr.review.models import PrescriptionRecord
from clinic_hwr.review.selectors import with_waiting_count
from clinic_hwr.review.services import content_sha256, prescription_refresh, unresolved_fields
from clinic_hwr.routing.models import Field, FieldBlocker, FieldReading

from .scripted import TWO_DRUGS, Line, ReadScan, read_scan


def test_a_read_scan_goes_to_review_with_a_draft(read: ReadScan) -> None:
    record = PrescriptionRecord.objects.get(scan=read.scan)

    assert read.scan.state == "in_review"
    assert record.status == "draft"
    assert [m["drug_text"] for m in record.content["medications"]] == [
        "Metformin 500 mg",
        "Lisinopril 10 mg",
    ]
    assert record.content["patient"]["name"] == "Maria Lindqvist"
    assert record.content_sha256 == content_sha256(record.content)


def test_drug_and_sig_always_wait_for_a_human(read: ReadScan) -> None:
    waiting = unresolved_fields(read.scan)

    assert {read[key] for key in ("drug", "sig", "drug2", "sig2")} <= set(waiting)


def test_doing_it_twice_changes_nothing(read: ReadScan) -> None:
    def picture() -> tuple[Any, ...]:
        record = PrescriptionRecord.objects.get(scan=read.scan)
        return (
            record.pk,
            record.content,
            record.content_sha256,
            list(FieldBlocker.objects.values_list("field", "code", "message", "severity")),
            list(Field.objects.values_list("pk", "route")),
            ScanTransition.objects.count(),
        )

    before = picture()
    prescription_refresh(scan=read.scan)

    assert picture() == before


def test_a_new_reading_never_overrides_a_human(read: ReadScan, decide: Callable[..., Any]) -> None:
    decide(read["drug"], "corrected", "Metformin 850 mg")

    FieldReading.objects.create(field=read["drug"], text="Metoprolol", p_correct=0.99, model="m2")
    record = prescription_refresh(scan=read.scan)

    assert record.content["medications"][0]["drug_text"] == "Metformin 850 mg"


def test_the_newest_reading_is_in_force_without_a_decision(read: ReadScan) -> None:
    FieldReading.objects.create(
        field=read["drug"], text="Metformin 1000 mg", p_correct=0.9, model="m2"
    )
    record = prescription_refresh(scan=read.scan)

    assert record.content["medications"][0]["drug_text"] == "Metformin 1000 mg"


def test_a_scan_that_is_not_read_is_not_interpreted(site: Site) -> None:
    scan = read_scan(site, refresh=False).scan
    type(scan).objects.filter(pk=scan.pk).update(state="paged")

    with pytest.raises(ScanFinished):
        prescription_refresh(scan=scan)

    assert not PrescriptionRecord.objects.exists()


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    content = {"b": ["é", 1], "a": {"y": None, "x": "2.50"}}
    turned = json.loads('{"a": {"x": "2.50", "y": null}, "b": ["é", 1]}')

    assert content_sha256(content) == content_sha256(turned)
    assert content_sha256({**content, "a": {"y": None, "x": "2.5"}}) != content_sha256(content)


def test_the_inbox_counts_what_waits(read: ReadScan, decide: Callable[..., Any]) -> None:
    waiting = len(unresolved_fields(read.scan))
    decide(read["sig"], "accepted")

    scans = with_waiting_count(type(read.scan).objects.all())

    assert [scan.waiting for scan in scans] == [waiting - 1]


def test_the_number_of_queries_does_not_grow_with_the_fields(site: Site) -> None:
    small = read_scan(site, name="small.png").scan
    many = tuple(Line("unnamed", 0, f"note {i}") for i in range(6))
    large = read_scan(site, TWO_DRUGS[:6] + many, name="large.png").scan

    def count(scan: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            prescription_refresh(scan=scan)
        return len(queries)

    assert count(small) == count(large)
