"""What is read in a box that a person drew: it counts once, for that box, never over a person."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.review.errors import ReviewError
from clinic_hwr.review.models import BoxReading, Decision, FieldBox
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.services import (
    BoxClaim,
    FieldState,
    InkFound,
    box_claim,
    box_fail,
    box_reading_store,
    box_wait,
    boxes_waiting,
    field_box_undo,
    field_decide,
    field_rebox,
    field_reopen,
    field_states,
    scan_claim,
    scan_reject,
)
from clinic_hwr.routing.models import Field, FieldReading

from .scripted import ORDINARY_DRUGS, Line, ReadScan, read_scan

BOX, OTHER_BOX = [100, 200, 300, 80], [120, 220, 300, 80]


def ink(text: str, *others: str) -> InkFound:
    shares = (0.8, 0.15, 0.05)
    alternatives = [[each, share] for each, share in zip((text, *others), shares, strict=False)]
    row = FieldReading(text=text, p_correct=0.8, alternatives=alternatives, model="scripted@0002")
    return InkFound(row)


def state_of(field: Field) -> FieldState:
    return next(s for s in field_states(field.page.scan) if s.field.pk == field.pk)


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A scan of which no drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


@pytest.fixture
def drawn(read: ReadScan, clinician: Any, lease: Any) -> BoxClaim:
    """The directions of medication 1 in a new box, which a worker has begun to read."""
    field_rebox(user=clinician, field_id=read["sig"].pk, lease_token=lease.token, box_px=BOX)
    claim = box_claim(boxes_waiting().get().pk, worker="w")
    assert claim is not None
    return claim


def test_a_reading_counts_like_the_first_one(
    read: ReadScan, clinician: Any, drawn: BoxClaim
) -> None:
    stored = box_reading_store(claim=drawn, ink=ink("1 tab PO TID", "1 tab PO QID"))

    state = state_of(read["sig"])
    assert stored == "read"
    assert (state.machine_value, state.needs_human) == ("1 tab PO TID", True)
    assert state.reading is not None
    assert (state.reading.box_version, state.reading.p_correct) == (1, 0.8)
    shown = workstation_payload(read.scan, clinician)
    field = next(each for each in shown["fields"] if each["id"] == str(read["sig"].pk))
    assert [each["text"] for each in field["candidates"]] == ["1 tab PO TID", "1 tab PO QID"]
    assert (field["reading"], field["band"]) == ("read", "medium")
    assert shown["meaning"][0]["plain"].lower().startswith("take 1 tablet")
    assert "3 times" in shown["meaning"][0]["plain"]
    event = AuditEvent.objects.get(action="field.read")
    assert (event.actor_name, event.data["model"]) == ("pipeline", "scripted@0002")
    assert "TID" not in str(event.data)


def test_a_reading_of_a_decided_field_is_dropped_and_read_again_once_it_is_open(
    read: ReadScan, clinician: Any, lease: Any, decide: Callable[..., Any], drawn: BoxClaim
) -> None:
    decide(read["sig"], "corrected", "1 tab PO daily")

    stored = box_reading_store(claim=drawn, ink=ink("1 tab PO TID"))

    assert stored == "decided"
    assert state_of(read["sig"]).value == "1 tab PO daily"
    assert [each.text for each in read["sig"].readings.all()] == ["1 tab PO BID"]
    assert FieldBox.objects.get(version=1).reading == BoxReading.LATE
    assert AuditEvent.objects.get(action="field.reading_dropped").reason == "decided"
    assert not boxes_waiting().exists()
    field_reopen(
        user=clinician, field_id=read["sig"].pk, expected_number=1, lease_token=lease.token
    )
    again = box_claim(boxes_waiting().get().pk, worker="w")
    assert again is not None
    assert box_reading_store(claim=again, ink=ink("1 tab PO TID")) == "read"
    assert state_of(read["sig"]).machine_value == "1 tab PO TID"


def test_a_reading_of_an_earlier_box_is_dropped_and_read_once_that_is_back(
    read: ReadScan, clinician: Any, lease: Any, drawn: BoxClaim
) -> None:
    who = {"user": clinician, "field_id": read["sig"].pk, "lease_token": lease.token}
    field_rebox(**who, box_px=OTHER_BOX)

    assert box_reading_store(claim=drawn, ink=ink("1 tab PO TID")) == "reboxed"

    assert state_of(read["sig"]).machine_value == ""
    assert [box.version for box in boxes_waiting()] == [2]
    field_box_undo(**who, box_version=2)
    assert [box.version for box in boxes_waiting()] == [1]


def test_a_reading_of_a_finished_scan_is_dropped(
    read: ReadScan, clinician: Any, drawn: BoxClaim
) -> None:
    scan_reject(user=clinician, scan_id=read.scan.pk, code="not_a_prescription", reason="")

    assert box_reading_store(claim=drawn, ink=ink("1 tab PO TID")) == "finished"

    assert not FieldReading.objects.filter(box_version=1).exists()
    assert not boxes_waiting().exists()


def test_a_grave_drug_read_in_a_new_box_closes_its_field_before_anybody_sees_it(
    site: Site, clinician: Any
) -> None:
    lines = (Line("drug", 1, "Ibuprofen 600 mg", 0.9), Line("sig", 1, "1 tab PO daily", 0.9))
    read = read_scan(site, lines)
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_rebox(user=clinician, field_id=read["drug"].pk, lease_token=token, box_px=BOX)
    claim = box_claim(boxes_waiting().get().pk, worker="w")
    assert claim is not None

    box_reading_store(claim=claim, ink=ink("Warfarin 5 mg", "Warfarin 2 mg"))

    shown = workstation_payload(read.scan, clinician)
    assert "arfarin" not in str(shown).replace("ibuprofen", "")
    assert [each["blind"] for each in shown["fields"]] == [True, True]
    assert shown["fields"][0]["reading"] == "read"  # that there is one may be known
    api = APIClient()
    api.force_authenticate(clinician)
    assert b"arfarin" not in api.get(f"/api/scans/{read.scan.pk}/fields/").content
    assert b"arfarin" not in api.get(f"/api/fields/{read['drug'].pk}/").content
    assert "arfarin" not in str(list(AuditEvent.objects.values_list("data", flat=True)))


def test_one_worker_has_a_box_and_a_lost_claim_writes_nothing(
    read: ReadScan, settings: Any, drawn: BoxClaim
) -> None:
    assert box_claim(drawn.box.pk, worker="other") is None
    FieldBox.objects.filter(version=1).update(claim_expires_at="2020-01-01T00:00:00Z")
    other = box_claim(drawn.box.pk, worker="other")
    assert other is not None

    assert box_reading_store(claim=drawn, ink=ink("1 tab PO TID")) == "lost"
    assert box_reading_store(claim=other, ink=ink("1 tab PO QID")) == "read"
    assert box_reading_store(claim=other, ink=ink("1 tab PO BID")) == "lost"

    assert state_of(read["sig"]).machine_value == "1 tab PO QID"


def test_what_cannot_be_read_says_so_and_people_type(
    read: ReadScan, clinician: Any, settings: Any, drawn: BoxClaim
) -> None:
    settings.CLINIC_HWR_WAIT_S = settings.CLINIC_HWR_RETRY_S = -1.0

    def shown() -> tuple[str, str]:
        fields = workstation_payload(read.scan, clinician)["fields"]
        field = next(each for each in fields if each["id"] == str(read["sig"].pk))
        return field["reading"], " ".join(each["message"] for each in field["reasons"])

    box_wait(drawn, "No weights for trba.")
    assert shown()[0] == "waiting"
    assert "No weights for trba." in shown()[1]
    for _ in range(3):
        claim = box_claim(drawn.box.pk, worker="w")
        assert claim is not None
        box_fail(claim)

    assert shown()[0] == "failed"
    assert "The reader failed on this ink. Type what it says." in shown()[1]
    assert box_claim(drawn.box.pk, worker="w") is None
    field = read["sig"]
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_decide(
        user=clinician, field_id=field.pk, kind="corrected", value="1 tab PO TID",
        expected_number=0, lease_token=token,
    )  # fmt: skip
    assert state_of(field).value == "1 tab PO TID"


def test_a_box_that_killed_its_workers_is_left_to_people(drawn: BoxClaim) -> None:
    FieldBox.objects.filter(version=1).update(attempts=3, claim_expires_at="2020-01-01T00:00:00Z")

    assert box_claim(drawn.box.pk, worker="w") is None

    assert FieldBox.objects.get(version=1).reading == BoxReading.FAILED


def test_a_client_accepts_only_the_reading_it_saw(
    read: ReadScan, clinician: Any, lease: Any, drawn: BoxClaim
) -> None:
    api = APIClient()
    api.force_authenticate(clinician)
    address = f"/api/fields/{read['sig'].pk}/"
    seen = api.get(address)
    assert (seen["ETag"], seen.json()["reading"]) == ('"0.1"', "waiting")
    box_reading_store(claim=drawn, ink=ink("1 tab PO TID"))
    body = {"kind": "accepted", "lease_token": str(lease.token)}

    def accept(tag: str) -> Any:
        return api.post(f"{address}decisions/", body, format="json", HTTP_IF_MATCH=tag)

    unseen = accept(seen["ETag"])
    assert (unseen.status_code, unseen.json()["code"]) == (412, "reading_changed")
    fresh = api.get(address, HTTP_IF_NONE_MATCH=seen["ETag"])
    assert (fresh.status_code, fresh["ETag"]) == (200, '"0.1r"')
    assert accept('"0"').status_code == 412
    assert accept(fresh["ETag"]).json()["value"] == "1 tab PO TID"
    undo = {"lease_token": str(lease.token), "box_version": 1}
    back = api.post(f"{address}box/undo/", undo, format="json")
    assert (back.json()["machine_value"], back.json()["decision"]) == ("1 tab PO BID", None)
    again = api.post(f"{address}box/undo/", undo, format="json")
    assert (again.status_code, again.json()["code"]) == (412, "stale_box")


def test_a_reading_written_while_the_state_is_looked_up_is_seen_whole_or_not_at_all(
    read: ReadScan, drawn: BoxClaim
) -> None:
    """The state takes several queries; a worker commits before each of them in turn."""
    seen = set()
    for before in range(1, 8):
        FieldReading.objects.filter(box_version=1).delete()
        FieldBox.objects.filter(version=1).update(
            reading=BoxReading.WAITING, claimed_by=drawn.token
        )
        count = itertools.count(1)

        def worker(execute: Any, *rest: Any, at: int = before, count: Any = count) -> Any:
            if next(count) == at:
                FieldReading.objects.create(
                    field=read["sig"], box_version=1, text="1 tab PO TID", p_correct=0.8
                )
                FieldBox.objects.filter(version=1).update(reading=BoxReading.READ)
            return execute(*rest)

        with connection.execute_wrapper(worker):
            state = state_of(read["sig"])
        assert state.box is not None
        seen.add((state.box.reading, state.machine_value))

    assert seen == {("waiting", ""), ("read", "1 tab PO TID")}


class Races(RuleBasedStateMachine):
    """A person who draws, takes back, decides and reopens while workers read, slowly."""

    counter = 0

    @initialize()
    def begin(self) -> None:
        type(self).counter += 1
        name = f"b{self.counter}"
        self.site = Site.objects.create(name=name, slug=name)
        self.user = Membership.objects.create(
            user=_user(name), site=self.site, role=Role.CLINICIAN
        ).user
        self.field = read_scan(
            self.site, (Line("patient_name", 0, "Maria Lindqvist", 0.9),), name=f"{name}.png"
        )["patient_name"]
        self.token = scan_claim(user=self.user, scan_id=self.field.page.scan_id).token
        self.claims: list[BoxClaim] = []
        self.said: list[tuple[str, str]] = []

    def _who(self) -> dict[str, Any]:
        return {"user": self.user, "field_id": self.field.pk, "lease_token": self.token}

    @rule(left=st.integers(0, 4))
    def draw(self, left: int) -> None:
        field_rebox(**self._who(), box_px=[100 + 10 * left, 200, 300, 80])

    @rule()
    def take_box_back(self) -> None:
        version = Field.objects.get(pk=self.field.pk).box_version
        try:
            field_box_undo(**self._who(), box_version=version)
        except ReviewError:
            assert version == 0

    @rule(kind=st.sampled_from(("corrected", "illegible", "accepted", "postponed")))
    def decide(self, kind: str) -> None:
        value = "Typed" if kind == "corrected" else ""
        number = Decision.objects.filter(field=self.field).count()
        try:
            field_decide(**self._who(), kind=kind, value=value, expected_number=number)
        except ReviewError:
            return

    @rule()
    def reopen(self) -> None:
        number = Decision.objects.filter(field=self.field).count()
        try:
            field_reopen(**self._who(), expected_number=number)
        except ReviewError:
            return

    @precondition(lambda self: boxes_waiting().filter(field=self.field).exists())
    @rule()
    def begin_to_read(self) -> None:
        box = boxes_waiting().filter(field=self.field).first()
        claim = box_claim(box.pk, worker="w") if box else None
        if claim is not None:
            self.claims.append(claim)

    @precondition(lambda self: bool(self.claims))
    @rule(which=st.integers(0, 5))
    def finish_reading(self, which: int) -> None:
        claim = self.claims.pop(which % len(self.claims))
        before = state_of(self.field)
        stored = box_reading_store(claim=claim, ink=ink(f"Read in {claim.box.version}"))
        after = state_of(self.field)
        assert after.said == before.said  # no reading says anything in a person's place
        if stored != "read":
            assert after.machine_value == before.machine_value
        else:
            assert before.said is None
            assert after.machine_value == f"Read in {after.field.box_version}"

    @invariant()
    def what_counts_is_of_the_box_in_force(self) -> None:
        if not hasattr(self, "field"):
            return
        state = state_of(self.field)
        version = state.field.box_version
        known = {"", "Maria Lindqvist" if version == 0 else f"Read in {version}"}
        assert state.machine_value in known
        if version == 0:
            assert state.machine_value == "Maria Lindqvist"
        assert state.needs_human == (state.said is None)

    @invariant()
    def a_box_is_read_once(self) -> None:
        if not hasattr(self, "field"):
            return
        versions = list(self.field.readings.values_list("box_version", flat=True))
        assert len(versions) == len(set(versions))


def _user(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create(username=name)


@pytest.mark.django_db
def test_no_order_of_drawing_deciding_and_reading_lets_a_late_reading_count() -> None:
    run_state_machine_as_test(
        Races,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
