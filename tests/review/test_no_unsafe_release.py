"""Whatever people do in whatever order: nothing is released unresolved, by one person, or twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
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

from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.fhir.models import ResourceVersion
from clinic_hwr.intake.models import Scan
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.review.errors import ReviewError
from clinic_hwr.review.models import (
    Clarification,
    Decision,
    PrescriptionRecord,
    ReviewLease,
)
from clinic_hwr.review.services import (
    InkFound,
    blocker_key,
    box_claim,
    box_reading_store,
    boxes_waiting,
    clarification_ask,
    clarification_call,
    clarification_withdraw,
    decision_store,
    field_box_undo,
    field_decide,
    field_rebox,
    field_reopen,
    field_states,
    prescription_current,
    prescription_release,
    release,
    scan_claim,
)
from clinic_hwr.routing.models import Field, FieldReading

from .scripted import Line, read_scan

LINES = (
    Line("patient_name", 0, "Maria Lindqvist", 0.9),
    Line("drug", 1, "Warfarin 5 mg", 0.97, ("Warfarin 2 mg",)),
    Line("sig", 1, "1 tab PO daily", 0.9),
)
TEXTS = {
    "patient_name": ("Maria Lindqvist", "Maria Lindquist"),
    "drug": ("Warfarin 5 mg", "warfarin 5mg", "Warfarin 2 mg", "Ibuprofen 600 mg"),
    "sig": ("1 tab PO daily", "1 tablet by mouth once daily", "1 tab PO BID"),
}
PEOPLE = ("anna", "bert", "cora")  # two clinicians and a pharmacist
KINDS = ("accepted", "corrected", "illegible", "not_present", "postponed")


class People(RuleBasedStateMachine):
    """Three people who decide, take back, ask, answer, re-box and sign as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = getattr(type(self), "counter", 0) + 1
        type(self).counter = self.counter
        self.released = 0
        self.resources = 0

    @initialize()
    def begin(self) -> None:
        name = f"s{self.counter}"
        self.site = Site.objects.create(name=name, slug=name)
        roles = (Role.CLINICIAN, Role.CLINICIAN, Role.PHARMACIST)
        self.users = {}
        for person, role in zip(PEOPLE, roles, strict=True):
            user = get_user_model().objects.create(username=f"{person}-{name}")
            Membership.objects.create(user=user, site=self.site, role=role)
            self.users[person] = user
        self.read = read_scan(self.site, LINES, name=f"{name}.png")
        self.keys = list(self.read.fields)

    def _token(self, user: Any) -> Any:
        """Take the scan over, as after an expired lease."""
        ReviewLease.objects.filter(scan=self.read.scan).delete()
        return scan_claim(user=user, scan_id=self.read.scan.pk).token

    def _number(self, key: str) -> int:
        return Decision.objects.filter(field=self.read[key]).count()

    @rule(
        person=st.sampled_from(PEOPLE),
        key=st.sampled_from(tuple(TEXTS)),
        kind=st.sampled_from(KINDS),
        which=st.integers(0, 3),
        behind=st.integers(0, 1),
        lazily=st.booleans(),
    )
    def decide(
        self, person: str, key: str, kind: str, which: int, behind: int, lazily: bool
    ) -> None:
        user, texts = self.users[person], TEXTS[key]
        whole: dict[str, Any] = {
            "user": user,
            "field_id": self.read[key].pk,
            "kind": kind,
            "value": texts[which % len(texts)] if kind == "corrected" else "",
            "expected_number": max(0, self._number(key) - behind),
            "lease_token": self._token(user),
        }
        try:
            (decision_store if lazily else field_decide)(**whole)
        except ReviewError:
            return

    @rule(person=st.sampled_from(PEOPLE), key=st.sampled_from(tuple(TEXTS)))
    def enter_what_is_there(self, person: str, key: str) -> None:
        """The good case often enough that releases happen."""
        user = self.users[person]
        try:
            field_decide(
                user=user,
                field_id=self.read[key].pk,
                kind="corrected",
                value=TEXTS[key][0],
                expected_number=self._number(key),
                lease_token=self._token(user),
            )
        except ReviewError:
            return

    @rule(person=st.sampled_from(PEOPLE), key=st.sampled_from(tuple(TEXTS)))
    def take_back(self, person: str, key: str) -> None:
        user = self.users[person]
        try:
            field_reopen(
                user=user,
                field_id=self.read[key].pk,
                expected_number=self._number(key),
                lease_token=self._token(user),
            )
        except ReviewError:
            return

    @rule(person=st.sampled_from(PEOPLE), key=st.sampled_from(tuple(TEXTS)))
    def ask(self, person: str, key: str) -> None:
        user = self.users[person]
        try:
            clarification_ask(
                user=user,
                field_id=self.read[key].pk,
                lease_token=self._token(user),
                reason="other",
                question="Which one?",
            )
        except ReviewError:
            return

    @precondition(lambda self: Clarification.objects.filter(status="open").exists())
    @rule(person=st.sampled_from(PEOPLE), way=st.sampled_from(("answer", "message", "withdraw")))
    def close(self, person: str, way: str) -> None:
        asked = Clarification.objects.filter(
            status="open", field__page__scan=self.read.scan
        ).first()
        if asked is None:
            return
        call = {"user": self.users[person], "clarification_id": asked.pk}
        if way == "withdraw":
            clarification_withdraw(**call, reason="Not needed.")
        elif way == "message":
            clarification_call(**call, outcome="left_message", called="Desk")
        else:
            answered = {"outcome": "answered", "called": "Dr. Obi", "answer": "Yes."}
            clarification_call(**call, **answered, read_back=True)

    @rule(person=st.sampled_from(PEOPLE), key=st.sampled_from(tuple(TEXTS)), x=st.integers(0, 2))
    def rebox(self, person: str, key: str, x: int) -> None:
        user = self.users[person]
        try:
            field_rebox(
                user=user,
                field_id=self.read[key].pk,
                lease_token=self._token(user),
                box_px=[10 + x, 10, 200, 60],
            )
        except ReviewError:
            return

    @rule(person=st.sampled_from(PEOPLE), key=st.sampled_from(tuple(TEXTS)))
    def undo_box(self, person: str, key: str) -> None:
        user = self.users[person]
        version = Field.objects.get(pk=self.read[key].pk).box_version
        try:
            field_box_undo(
                user=user,
                field_id=self.read[key].pk,
                lease_token=self._token(user),
                box_version=version,
            )
        except ReviewError:
            return

    @rule(which=st.integers(0, 3))
    def read_boxes(self, which: int) -> None:
        for box in boxes_waiting(self.read.scan.pk).select_related("field"):
            texts = TEXTS[box.field.name]
            claim = box_claim(box.pk, worker="w")
            if claim is not None:
                text = texts[which % len(texts)]
                row = FieldReading(text=text, p_correct=0.99, model="scripted@2")
                box_reading_store(claim=claim, ink=InkFound(row))

    @rule(person=st.sampled_from(PEOPLE), looks_first=st.booleans())
    def sign(self, person: str, looks_first: bool) -> None:
        scan = Scan.objects.get(pk=self.read.scan.pk)
        if looks_first:
            prescription_current(scan=scan)
        record = PrescriptionRecord.objects.get(scan=scan)
        ReviewLease.objects.filter(scan=scan).delete()
        before = {state.field.name: state for state in field_states(scan)}
        try:
            prescription_release(
                user=self.users[person],
                scan_id=scan.pk,
                expected_content_sha256=record.content_sha256,
                acknowledged=[blocker_key(b) for b in from_json(record.content).blockers],
            )
        except ReviewError:
            return
        self.released += 1
        for state in before.values():
            assert not state.needs_human, f"{state.field.name} was released unresolved"
            if state.check is not None and state.check.level == "two":
                assert len(set(state.check.people())) >= 2, f"{state.field.name}: one person"
                assert len(state.check.people()) == len(set(state.check.people()))
        assert not Clarification.objects.filter(field__page__scan=scan, status="open").exists()

    @rule(signer=st.sampled_from(PEOPLE))
    def good_day(self, signer: str) -> None:
        """Everything is entered and signed; random steps alone seldom reach a release."""
        for person in ("anna", "bert"):
            for key in TEXTS:
                self.enter_what_is_there(person, key)
        self.sign(person=signer, looks_first=True)

    @invariant()
    def released_once(self) -> None:
        if not hasattr(self, "read"):
            return
        assert self.released <= 1
        orders = ResourceVersion.objects.filter(
            prescription_id__in=PrescriptionRecord.objects.filter(scan=self.read.scan).values("pk"),
            resource_type="MedicationRequest",
        ).count()
        assert orders <= self.released
        type(self).releases = max(getattr(type(self), "releases", 0), self.released)


@pytest.fixture(autouse=True)
def no_converting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converting the scan takes a child process each time, and says nothing of who may sign."""
    monkeypatch.setattr(release, "scan_pdf", lambda scan: b"%PDF-1.4 scripted")


@pytest.mark.django_db
def test_no_path_releases_unresolved_or_by_one_person_or_twice() -> None:
    People.releases = 0  # type: ignore[attr-defined]

    run_state_machine_as_test(
        People,
        settings=settings(
            max_examples=8,
            stateful_step_count=8,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert People.releases == 1, "no path ever released: the machine proves nothing"  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.django_db
def test_no_path_releases_unresolved_searched_longer() -> None:
    run_state_machine_as_test(
        People,
        settings=settings(
            max_examples=200,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
