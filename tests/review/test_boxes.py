"""Drawing a box anew, and taking it back: other ink, its own reading, no decision on old ink."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.errors import InvalidField, LeaseLost, StaleBox
from clinic_hwr.review.models import FieldBox
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.services import (
    FieldState,
    boxes_waiting,
    field_add,
    field_box_undo,
    field_rebox,
    field_states,
)
from clinic_hwr.routing.models import Field
from clinic_hwr.routing.policy import KindPolicy, route

from .scripted import PAGE_HEIGHT, PAGE_WIDTH, ReadScan

BOX, OTHER_BOX = [100, 200, 300, 80], [120, 220, 300, 80]


def state_of(field: Field) -> FieldState:
    return next(s for s in field_states(field.page.scan) if s.field.pk == field.pk)


@pytest.fixture
def rebox(clinician: Any, lease: Any) -> Callable[..., Field]:
    """Return ``rebox(field, box_px)`` by the clinician."""

    def draw(field: Field, box_px: list[int]) -> Field:
        return field_rebox(
            user=clinician, field_id=field.pk, lease_token=lease.token, box_px=box_px
        )

    return draw


@pytest.fixture
def undo(clinician: Any, lease: Any) -> Callable[..., Field]:
    """Return ``undo(field, box_version)`` by the clinician."""

    def take_back(field: Field, box_version: int) -> Field:
        return field_box_undo(
            user=clinician, field_id=field.pk, lease_token=lease.token, box_version=box_version
        )

    return take_back


def test_a_new_box_is_other_ink_and_waits_to_be_read(
    read: ReadScan, decide: Callable[..., Any], rebox: Callable[..., Field]
) -> None:
    decide(read["sig"], "accepted")
    old = read["sig"]

    rebox(old, BOX)

    state = state_of(old)
    assert state.field.box_px == BOX
    assert state.field.crop_sha256 != old.crop_sha256
    assert (state.machine_value, state.decision, state.needs_human) == ("", None, True)
    assert [each.text for each in old.readings.all()] == ["1 tab PO BID"]
    assert list(old.decisions.values_list("kind", flat=True)) == ["accepted", "reopened"]
    drawn = boxes_waiting(read.scan.pk).get()
    assert (drawn.version, drawn.before, drawn.box_px) == (1, 0, BOX)
    event = AuditEvent.objects.get(action="field.reboxed")
    assert (event.data["old_box_px"], event.data["box_px"]) == (old.box_px, BOX)
    assert event.data["old_crop_sha256"] == old.crop_sha256


def test_undoing_a_new_box_brings_its_reading_back(
    read: ReadScan,
    clinician: Any,
    decide: Callable[..., Any],
    rebox: Callable[..., Field],
    undo: Callable[..., Field],
) -> None:
    old = read["sig"]
    rebox(old, BOX)
    rebox(old, OTHER_BOX)
    decide(old, "corrected", "1 tab PO TID")
    shown = workstation_payload(read.scan, clinician)["undoable"]
    assert [step["what"] for step in shown] == ["box", "decision"]

    undo(old, 2)

    state = state_of(old)
    assert (state.field.box_px, state.machine_value, state.said) == (BOX, "", None)
    assert list(old.decisions.values_list("kind", flat=True)) == ["corrected", "reopened"]
    undo(old, 1)
    state = state_of(old)
    assert (state.field.box_px, state.field.crop_sha256) == (old.box_px, old.crop_sha256)
    assert (state.machine_value, state.ink_seen) == ("1 tab PO BID", "")
    assert [reading.pk for reading in [state.reading] if reading] == [old.readings.get().pk]
    assert workstation_payload(read.scan, clinician)["undoable"] == []
    assert not boxes_waiting().exists()
    assert AuditEvent.objects.filter(action="field.box_undone").count() == 2
    rebox(old, BOX)
    assert state_of(old).field.box_version == 3  # a number is never given twice


def test_only_the_box_that_was_seen_is_taken_back(
    read: ReadScan, rebox: Callable[..., Field], undo: Callable[..., Field]
) -> None:
    with pytest.raises(InvalidField):
        undo(read["sig"], 0)
    rebox(read["sig"], BOX)

    with pytest.raises(StaleBox):
        undo(read["sig"], 0)

    assert state_of(read["sig"]).field.box_px == BOX


def test_what_was_found_of_a_mark_is_of_its_box(
    read: ReadScan, rebox: Callable[..., Field], undo: Callable[..., Field]
) -> None:
    rebox(read["signature"], BOX)
    assert state_of(read["signature"]).machine_value == ""

    undo(read["signature"], 1)

    assert state_of(read["signature"]).machine_value == "present"


def test_a_field_that_is_added_with_a_box_waits_to_be_read(
    read: ReadScan, clinician: Any, lease: Any
) -> None:
    def add(**where: Any) -> Field:
        return field_add(user=clinician, scan_id=read.scan.pk, lease_token=lease.token, **where)

    whole, drawn = add(name="notes"), add(name="allergies", box_px=BOX)

    assert (whole.box_version, drawn.box_version) == (0, 1)
    assert [box.field_id for box in FieldBox.objects.all()] == [drawn.pk]
    assert boxes_waiting().get().field_id == drawn.pk


def test_no_threshold_accepts_what_is_read_in_a_box_that_a_person_drew() -> None:
    policy = {"name": KindPolicy(0.9, certified=True)}
    facts: dict[str, Any] = {"kind": "name", "p_correct": 0.99, "blocker_codes": ()}

    assert route(**facts, policy=policy).route == "accept"
    assert route(**facts, policy=policy, redrawn=True).route == "human"


def test_the_same_box_changes_nothing(read: ReadScan, rebox: Callable[..., Field]) -> None:
    rebox(read["sig"], read["sig"].box_px)

    assert not AuditEvent.objects.filter(action="field.reboxed").exists()
    assert not FieldBox.objects.exists()


@pytest.mark.parametrize(
    "box",
    [[0, 0, 0, 5], [-1, 0, 5, 5], [0, 0, PAGE_WIDTH + 1, 5], [0, PAGE_HEIGHT, 5, 5], [1, 2, 3]],
)
def test_a_box_lies_on_the_page(
    read: ReadScan, rebox: Callable[..., Field], box: list[int]
) -> None:
    with pytest.raises(InvalidField):
        rebox(read["sig"], box)

    assert not FieldBox.objects.exists()


def test_a_box_needs_the_lease(read: ReadScan, clinician: Any, lease: Any) -> None:
    with pytest.raises(LeaseLost):
        field_rebox(user=clinician, field_id=read["sig"].pk, lease_token=uuid.uuid4(), box_px=BOX)
    with pytest.raises(LeaseLost):
        field_box_undo(
            user=clinician, field_id=read["sig"].pk, lease_token=uuid.uuid4(), box_version=0
        )
