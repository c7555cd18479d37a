"""Adding a missed field and naming an unnamed one: interpreted, audited, never lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import reverse

from clinic_hwr import pipeline
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.storage import blob_read
from clinic_hwr.review.errors import InvalidField, LeaseLost, ScanFinished
from clinic_hwr.review.models import Decision, PrescriptionRecord, ReviewLease
from clinic_hwr.review.services import (
    field_add,
    field_name,
    field_states,
    scan_claim,
    scan_reject,
    unresolved_fields,
)
from clinic_hwr.routing.models import Field, FieldReading

from .scripted import PAGE_HEIGHT, PAGE_WIDTH, Line, ReadScan, read_scan

SignIn = Callable[[Any], Client]

# The page finder missed the patient's name, and could not say what the drug line is.
MISSED: tuple[Line, ...] = (
    Line("prescriber_name", 0, "Amara Obi, MD", 0.99, is_print=True),
    Line("unnamed", 0, "Metformin 500 mg", 0.82),
    Line("sig", 1, "1 tab PO BID", 0.7),
)


@pytest.fixture
def read(site: Site) -> ReadScan:
    return read_scan(site, MISSED)


@pytest.fixture
def add(read: ReadScan, lease: ReviewLease, clinician: Any) -> Callable[..., Field]:
    """Return ``add(name, group=0, **more)`` by the clinician."""

    def add_one(name: str, group: int = 0, **more: Any) -> Field:
        arguments = {"user": clinician, "scan_id": read.scan.pk, "lease_token": lease.token}
        return field_add(name=name, group=group, **{**arguments, **more})

    return add_one


@pytest.fixture
def name_as(lease: ReviewLease, clinician: Any) -> Callable[..., Field]:
    """Return ``name_as(field, name, group=0, **more)`` by the clinician."""

    def name_one(field: Field, name: str, group: int = 0, **more: Any) -> Field:
        arguments = {"user": clinician, "lease_token": lease.token}
        return field_name(field_id=field.pk, name=name, group=group, **{**arguments, **more})

    return name_one


def content(read: ReadScan) -> dict[str, Any]:
    return PrescriptionRecord.objects.get(scan=read.scan).content


# --- adding -----------------------------------------------------------------------------------


def test_an_added_field_waits_empty_after_the_last(read: ReadScan, add: Callable[..., Any]) -> None:
    field = add("patient_name")

    state = field_states(read.scan)[-1]
    assert state.field == field
    assert (field.position, field.kind, field.box_px) == (
        len(MISSED),
        "name",
        [0, 0, PAGE_WIDTH, PAGE_HEIGHT],
    )
    assert (state.reading, state.machine_value, state.number) == (None, "", 0)
    assert state.needs_human
    assert field.crop_sha256 == read.scan.pages.get().image_sha256


def test_what_is_typed_into_an_added_field_enters_the_prescription(
    read: ReadScan, add: Callable[..., Any], decide: Callable[..., Any]
) -> None:
    assert content(read)["patient"]["name"] == ""

    decision = decide(add("patient_name"), "corrected", "Maria Lindqvist")

    assert (decision.kind, decision.machine_value) == ("corrected", "")
    assert content(read)["patient"]["name"] == "Maria Lindqvist"


def test_a_box_cuts_the_ink_out(read: ReadScan, add: Callable[..., Any]) -> None:
    field = add("drug", 2, box_px=[220, 146, 700, 70])

    assert field.box_px == [220, 146, 700, 70]
    assert field.crop_sha256 != read.scan.pages.get().image_sha256
    assert blob_read(field.crop_sha256).startswith(b"\x89PNG")


def test_an_addition_is_audited(read: ReadScan, add: Callable[..., Any], clinician: Any) -> None:
    field = add("drug", 2)

    event = AuditEvent.objects.get(action="field.added")
    assert (event.actor, event.object_id, event.scan_id) == (
        clinician,
        str(field.pk),
        read.scan.pk,
    )
    assert event.data == {
        "field": "drug",
        "group": 2,
        "page": 1,
        "box_px": [0, 0, PAGE_WIDTH, PAGE_HEIGHT],
        "old": "",
        "old_group": 0,
        "new": "drug",
        "crop_sha256": field.crop_sha256,
    }


def test_the_same_id_twice_adds_one_field(read: ReadScan, add: Callable[..., Any]) -> None:
    chosen = uuid.uuid4()

    assert add("patient_name", field_id=chosen) == add("patient_name", field_id=chosen)

    assert Field.objects.count() == len(MISSED) + 1
    assert AuditEvent.objects.filter(action="field.added").count() == 1


def test_a_field_added_to_a_verified_scan_opens_it_again(
    verified: ReadScan, add: Callable[..., Any]
) -> None:
    assert verified.scan.state == "verified"

    field = add("quantity", 1)

    verified.scan.refresh_from_db()
    assert verified.scan.state == "in_review"
    assert unresolved_fields(verified.scan) == [field]


@pytest.mark.parametrize(
    ("name", "group", "more"),
    [
        ("unnamed", 0, {}),
        ("address_of_the_moon", 0, {}),
        ("drug", 0, {}),
        ("drug", 21, {}),
        ("drug", -1, {}),
        ("patient_name", 1, {}),
        ("prescriber_name", 0, {}),
        ("patient_name", 0, {"page_number": 2}),
        ("patient_name", 0, {"box_px": [0, 0, 10]}),
        ("patient_name", 0, {"box_px": [0, 0, 0, 10]}),
        ("patient_name", 0, {"box_px": [-1, 0, 10, 10]}),
        ("patient_name", 0, {"box_px": [0, 0, PAGE_WIDTH + 1, 10]}),
    ],
)
def test_a_field_that_does_not_fit_is_not_added(
    read: ReadScan, add: Callable[..., Any], name: str, group: int, more: dict[str, Any]
) -> None:
    with pytest.raises(InvalidField):
        add(name, group, **more)

    assert Field.objects.count() == len(MISSED)
    assert not AuditEvent.objects.filter(action="field.added").exists()


def test_a_name_is_free_again_once_its_field_is_not_applicable(
    read: ReadScan, add: Callable[..., Any], decide: Callable[..., Any]
) -> None:
    decide(read["prescriber_name"], "not_applicable")

    decide(add("prescriber_name"), "corrected", "Bea Holm, MD")

    assert content(read)["prescriber"]["name"] == "Bea Holm, MD"


def test_an_old_token_neither_adds_nor_names(
    read: ReadScan, add: Callable[..., Any], name_as: Callable[..., Any], clinician: Any
) -> None:
    scan_claim(user=clinician, scan_id=read.scan.pk)  # another tab

    with pytest.raises(LeaseLost):
        add("patient_name")
    with pytest.raises(LeaseLost):
        name_as(read["unnamed"], "drug", 1)

    assert set(Field.objects.values_list("name", flat=True)) == {line.name for line in MISSED}


def test_a_rejected_scan_takes_no_field(
    read: ReadScan, add: Callable[..., Any], name_as: Callable[..., Any], clinician: Any
) -> None:
    scan_reject(user=clinician, scan_id=read.scan.pk, code="unreadable")

    with pytest.raises(ScanFinished):
        add("patient_name")
    with pytest.raises(ScanFinished):
        name_as(read["unnamed"], "drug", 1)


@pytest.mark.parametrize(
    ("person", "refusal"), [("outsider", Http404), ("clinic_admin", PermissionDenied)]
)
def test_nobody_else_adds_or_names(
    read: ReadScan,
    add: Callable[..., Any],
    name_as: Callable[..., Any],
    request: pytest.FixtureRequest,
    person: str,
    refusal: type[Exception],
) -> None:
    user = request.getfixturevalue(person)

    with pytest.raises(refusal):
        add("patient_name", user=user)
    with pytest.raises(refusal):
        name_as(read["unnamed"], "drug", 1, user=user)

    assert Field.objects.count() == len(MISSED)
    read["unnamed"].refresh_from_db()
    assert read["unnamed"].name == "unnamed"


def test_the_pipeline_leaves_the_fields_of_people_alone(
    read: ReadScan, add: Callable[..., Any], name_as: Callable[..., Any]
) -> None:
    added = add("patient_name")
    name_as(read["unnamed"], "drug", 1)
    before = list(Field.objects.order_by("pk").values())

    advance = pipeline.process(read.scan.pk, worker="test")

    assert advance.result == "idle"  # only scans nobody has worked on are read
    assert list(Field.objects.order_by("pk").values()) == before
    assert Field.objects.filter(pk=added.pk).exists()


# --- naming -----------------------------------------------------------------------------------


def test_a_named_field_keeps_its_reading_and_enters_the_prescription(
    read: ReadScan, name_as: Callable[..., Any]
) -> None:
    readings = list(FieldReading.objects.order_by("pk").values())

    field = name_as(read["unnamed"], "drug", 1)

    assert (field.name, field.group, field.kind, field.route) == ("drug", 1, "drug", "human")
    assert content(read)["medications"][0]["drug_text"] == "Metformin 500 mg"
    assert list(FieldReading.objects.order_by("pk").values()) == readings
    data = AuditEvent.objects.get(action="field.named").data
    assert (data["old"], data["old_group"], data["new"], data["group"]) == ("unnamed", 0, "drug", 1)


def test_a_decision_under_another_name_is_taken_back(
    read: ReadScan, name_as: Callable[..., Any], decide: Callable[..., Any]
) -> None:
    decide(read["unnamed"], "not_applicable")

    field = name_as(read["unnamed"], "drug", 1)

    kinds = list(Decision.objects.order_by("number").values_list("number", "kind"))
    assert kinds == [(1, "not_applicable"), (2, "reopened")]
    assert field in unresolved_fields(read.scan)


def test_the_same_name_again_changes_nothing(
    read: ReadScan, name_as: Callable[..., Any], decide: Callable[..., Any]
) -> None:
    decide(read["sig"], "accepted")

    name_as(read["sig"], "sig", 1)

    assert Decision.objects.count() == 1
    assert not AuditEvent.objects.filter(action="field.named").exists()


# --- over HTTP --------------------------------------------------------------------------------


def post(client: Client, url: str, lease: ReviewLease, **body: Any) -> Any:
    whole = {"lease_token": str(lease.token), "field_id": str(uuid.uuid4()), **body}
    return client.post(url, whole, content_type="application/json")


def test_adding_answers_the_new_state(
    read: ReadScan, lease: ReviewLease, clinician: Any, signed_in: SignIn
) -> None:
    url = reverse("field-add", args=[read.scan.pk])

    response = post(signed_in(clinician), url, lease, name="patient_name", page=1)

    assert response.status_code == 200
    answer = response.json()
    field = answer["state"]["fields"][-1]
    assert field["id"] == answer["field"] == str(Field.objects.get(name="patient_name").pk)
    assert (field["title"], field["band"], field["whole_page"]) == ("Patient name", None, True)
    assert field["reasons"][-1]["message"] == "No model read this: type what the page says."


def test_naming_answers_the_new_state(
    read: ReadScan, lease: ReviewLease, clinician: Any, signed_in: SignIn
) -> None:
    url = reverse("field-name", args=[read["unnamed"].pk])

    response = post(signed_in(clinician), url, lease, name="drug", group=1)

    assert response.status_code == 200
    titles = [field["title"] for field in response.json()["state"]["fields"]]
    assert titles == ["Prescriber", "Drug 1", "Directions 1"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "unnamed"},
        {"name": None},
        {"name": "drug", "group": "1"},
        {"name": "drug", "group": True},
        {"name": "patient_name", "page": 1.5},
        {"name": "patient_name", "box": "0,0,1,1"},
        {"name": "patient_name", "box": [0, 0, True, 1]},
        {"name": "patient_name", "field_id": "x"},
    ],
)
def test_a_malformed_addition_is_a_400(
    read: ReadScan, lease: ReviewLease, clinician: Any, signed_in: SignIn, body: dict[str, Any]
) -> None:
    response = post(signed_in(clinician), reverse("field-add", args=[read.scan.pk]), lease, **body)

    assert response.status_code == 400
    assert Field.objects.count() == len(MISSED)


@pytest.mark.parametrize(("person", "status"), [("outsider", 404), ("clinic_admin", 403)])
def test_others_change_no_field_over_http(
    read: ReadScan,
    lease: ReviewLease,
    signed_in: SignIn,
    request: pytest.FixtureRequest,
    person: str,
    status: int,
) -> None:
    client = signed_in(request.getfixturevalue(person))

    added = post(client, reverse("field-add", args=[read.scan.pk]), lease, name="patient_name")
    named = post(
        client, reverse("field-name", args=[read["unnamed"].pk]), lease, name="drug", group=1
    )

    assert (added.status_code, named.status_code) == (status, status)
    assert Field.objects.filter(name="unnamed").count() == 1
    assert Field.objects.count() == len(MISSED)
