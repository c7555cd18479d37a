"""Demo decisions come from the sample's ground truth, through the services people use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.demo.decisions import decide_from_truth
from clinic_hwr.demo.samples import Truth
from clinic_hwr.intake.models import Page, Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.review.models import Decision, DecisionKind, ReviewLease
from clinic_hwr.review.services import prescription_refresh, unresolved_fields
from clinic_hwr.routing.models import Field, FieldReading

# The upright page is the scan, doubled in size and moved by (100, 0): a truth at (50, 60) of the
# scan is seen at (0, 120) of the page.
TO_SCAN = [[0.5, 0, 50], [0, 0.5, 0], [0, 0, 1]]


@pytest.fixture
def scan(site: Any) -> Scan:
    """A scan that was read and not yet interpreted, with one page."""
    made = Scan.objects.create(
        site=site, sha256="a" * 64, original_name="s.png", size_bytes=1, source="demo"
    )
    Scan.objects.filter(pk=made.pk).update(state=ScanState.READ)
    made.refresh_from_db()
    Page.objects.create(
        scan=made,
        number=1,
        image_sha256="b" * 64,
        width_px=2000,
        height_px=3000,
        to_original=TO_SCAN,
    )
    return made


@pytest.fixture
def found(scan: Scan) -> Callable[..., Field]:
    """Return ``found(name, kind, box, text)``: a field on the page, read as ``text``."""

    def make(name: str, kind: str, box: tuple[int, int, int, int], text: str | None) -> Field:
        page = scan.pages.get()
        field = Field.objects.create(
            page=page,
            position=page.fields.count(),
            name=name,
            kind=kind,
            group=1 if kind in ("drug", "sig") else 0,
            x_px=box[0],
            y_px=box[1],
            width_px=box[2],
            height_px=box[3],
            crop_sha256="c" * 64,
        )
        if text is not None:
            FieldReading.objects.create(field=field, text=text, p_correct=0.3, model="test")
        return field

    return make


def truth(name: str, kind: str, text: str, box: tuple[int, int, int, int], group: int = 0) -> Truth:
    return Truth(name=name, kind=kind, group=group, text=text, box_px=box)


def test_each_doubtful_field_gets_what_is_written_at_its_place(
    scan: Scan, found: Callable[..., Field], clinician: Any
) -> None:
    # given six fields as the pages room would find them
    misread = found("patient_name", "name", (0, 120, 400, 80), "Jone Rae")
    right = found("drug", "drug", (0, 300, 600, 80), "amoxicillin 500 mg")
    stray = found("unnamed", "text", (1200, 2000, 100, 100), "~")
    signed = found("signature", "signature", (800, 2600, 400, 100), None)
    permitted = found("substitution", "checkbox", (800, 2600, 400, 100), None)
    elsewhere = found("date_written", "date", (1400, 120, 300, 80), "1/1/2020")
    prescription_refresh(scan=scan)
    truths = (
        truth("patient_name", "name", "Jane Roe", (50, 60, 200, 40)),
        truth("drug", "drug", "amoxicillin 500 mg", (50, 150, 300, 40), group=1),
        truth("signature", "signature", "", (450, 1300, 200, 50)),
        truth("date_written", "date", "11/20/2026", (50, 1400, 100, 40)),  # another place
    )

    # when the demo decides
    count = decide_from_truth(scan, truths, clinician)

    # then every field has the decision its place on the paper gives
    assert count == 6
    assert unresolved_fields(scan) == []
    decisions = {row.field_id: (row.kind, row.value) for row in Decision.objects.all()}
    assert decisions == {
        misread.pk: (DecisionKind.CORRECTED, "Jane Roe"),
        right.pk: (DecisionKind.ACCEPTED, "amoxicillin 500 mg"),
        stray.pk: (DecisionKind.NOT_APPLICABLE, ""),
        signed.pk: (DecisionKind.CORRECTED, "present"),
        permitted.pk: (DecisionKind.CORRECTED, "present"),
        elsewhere.pk: (DecisionKind.NOT_APPLICABLE, ""),
    }
    assert Scan.objects.get().state == ScanState.VERIFIED
    assert not ReviewLease.objects.filter(holder__isnull=False).exists()


def test_the_audit_trail_says_that_ground_truth_decided(
    scan: Scan, found: Callable[..., Field], clinician: Any
) -> None:
    found("patient_name", "name", (0, 120, 400, 80), "Jone Rae")
    prescription_refresh(scan=scan)

    decide_from_truth(
        scan,
        [truth("patient_name", "name", "Jane Roe", (50, 60, 200, 40))],
        clinician,
    )

    events = list(AuditEvent.objects.order_by("pk").values_list("action", "actor_name"))
    assert events == [("demo.decided", "carla"), ("field.corrected", "carla")]
    assert "ground truth" in AuditEvent.objects.get(action="demo.decided").reason
