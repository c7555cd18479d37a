"""Drawing a box anew: other ink, an empty reading, and no decision about the old ink in force."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.errors import InvalidField, LeaseLost
from clinic_hwr.review.services import field_rebox, field_states

from .scripted import PAGE_HEIGHT, PAGE_WIDTH, ReadScan

BOX = [100, 200, 300, 80]


def test_a_new_box_is_other_ink(
    read: ReadScan, decide: Callable[..., Any], clinician: Any, lease: Any
) -> None:
    decide(read["sig"], "accepted")
    old = read["sig"]

    field_rebox(user=clinician, field_id=old.pk, lease_token=lease.token, box_px=BOX)

    state = next(s for s in field_states(read.scan) if s.field.pk == old.pk)
    assert state.field.box_px == BOX
    assert state.field.crop_sha256 != old.crop_sha256
    assert (state.machine_value, state.decision, state.needs_human) == ("", None, True)
    readings = list(old.readings.order_by("id").values_list("text", "model"))
    assert readings == [("1 tab PO BID", "scripted@0001"), ("", "none")]
    assert list(old.decisions.values_list("kind", flat=True)) == ["accepted", "reopened"]
    event = AuditEvent.objects.get(action="field.reboxed")
    assert (event.data["old_box_px"], event.data["box_px"]) == (old.box_px, BOX)
    assert event.data["old_crop_sha256"] == old.crop_sha256


def test_the_same_box_changes_nothing(read: ReadScan, clinician: Any, lease: Any) -> None:
    box = read["sig"].box_px

    field_rebox(user=clinician, field_id=read["sig"].pk, lease_token=lease.token, box_px=box)

    assert not AuditEvent.objects.filter(action="field.reboxed").exists()
    assert read["sig"].readings.count() == 1


@pytest.mark.parametrize(
    "box",
    [[0, 0, 0, 5], [-1, 0, 5, 5], [0, 0, PAGE_WIDTH + 1, 5], [0, PAGE_HEIGHT, 5, 5], [1, 2, 3]],
)
def test_a_box_lies_on_the_page(read: ReadScan, clinician: Any, lease: Any, box: list[int]) -> None:
    with pytest.raises(InvalidField):
        field_rebox(user=clinician, field_id=read["sig"].pk, lease_token=lease.token, box_px=box)

    read["sig"].refresh_from_db()
    assert read["sig"].readings.count() == 1


def test_a_box_needs_the_lease(read: ReadScan, clinician: Any, lease: Any) -> None:
    with pytest.raises(LeaseLost):
        field_rebox(user=clinician, field_id=read["sig"].pk, lease_token=uuid.uuid4(), box_px=BOX)
