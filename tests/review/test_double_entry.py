"""High-alert, controlled and look-alike drugs: two people, blind, and a third where they differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.prescriptions.codec import from_json
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.review.double_entry import alerts_of, same_meaning
from clinic_hwr.review.errors import InvalidDecision, OtherPersonNeeded
from clinic_hwr.review.models import CheckStage, Decision, FieldCheck, PrescriptionRecord
from clinic_hwr.review.services import (
    field_reopen,
    release_problems,
    scan_claim,
)

from .entering import enter, state_of
from .scripted import ORDINARY_DRUGS, ReadScan, read_scan


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["Warfarin 5 mg"], (True, False)),
        (["Ibuprofen 600 mg", "Ibuprofen 800 mg"], (False, False)),
        (["Oxycodone 5 mg"], (True, True)),
        # the machine's first reading is harmless, a further one is not
        (["Ibuprofen 5 mg", "Warfarin 5 mg"], (True, False)),
        # misread, and near to one of the list
        (["Warfarim 5 mg"], (True, False)),
        ([""], (False, False)),
    ],
)
def test_any_reading_on_a_list_counts(texts: list[str], found: tuple[bool, bool]) -> None:
    alerts = alerts_of(texts, load_lexicon())

    assert (alerts.high_alert, alerts.controlled) == found


@pytest.mark.parametrize(
    ("rule", "texts", "expected"),
    [
        ("listed", ["Metformin 500 mg"], True),
        ("pairs", ["Metformin 500 mg"], False),
        ("pairs", ["Metformin 500 mg", "Metronidazole 500 mg"], True),
        ("off", ["Metformin 500 mg", "Metronidazole 500 mg"], False),
    ],
)
def test_a_look_alike_counts_by_the_rule_of_the_installation(
    rule: Any, texts: list[str], expected: bool
) -> None:
    assert alerts_of(texts, load_lexicon(), rule).look_alike is expected


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("drug", "Warfarin 5 mg", "warfarin  5mg", True),
        ("drug", "Warfarin 5 mg", "Warfarin 50 mg", False),
        ("drug", "Warfarin 5 mg", "Coumadin 5 mg", False),
        ("drug", "Warfarin 5 mg", "Warfarin 5 mcg", False),
        ("drug", "Qxyz 5 mg", "Qxyz 6 mg", False),
        ("sig", "1 tab PO BID", "1 tablet by mouth twice daily", True),
        ("sig", "1 tab PO BID", "1 tab PO TID", False),
        ("sig", "1 tab PO BID", "1 tab PO BID gluftz", False),
        ("strength", "0.5 mg", "0.50mg", True),
        ("strength", "0.5 mg", "5 mg", False),
        ("quantity", "30", " 30", True),
        ("quantity", "30", "80", False),
        ("drug", "Warfarin 5 mg", "", False),
    ],
)
def test_entries_are_compared_by_what_they_say(name: str, one: str, other: str, same: bool) -> None:
    assert same_meaning(name, one, other, load_lexicon()) is same
    assert same_meaning(name, other, one, load_lexicon()) is same


def test_drug_and_directions_of_a_grave_drug_take_two_people(grave: ReadScan, site: Site) -> None:
    levels = dict(FieldCheck.objects.values_list("field__name", "level").order_by("field"))
    rows = FieldCheck.objects.values_list("field__name", "field__group", "level", "stage")

    assert set(rows) == {
        ("drug", 1, "two", "first"),
        ("sig", 1, "two", "first"),
        ("drug", 2, "two", "first"),
        ("sig", 2, "two", "first"),
        ("quantity", 2, "two", "first"),  # of the controlled one
    }
    assert "patient_name" not in levels
    assert not FieldCheck.objects.filter(
        field__page__scan=read_scan(site, ORDINARY_DRUGS, name="other.png").scan
    ).exists()


def test_a_drug_that_only_a_person_named_takes_two_people_too(site: Site, clinician: Any) -> None:
    read = read_scan(site, ORDINARY_DRUGS)

    enter(clinician, read["sig"], "", "accepted")
    enter(clinician, read["drug"], "Warfarin 5 mg")

    for key in ("drug", "sig"):
        check = FieldCheck.objects.get(field=read[key])
        assert (check.level, check.stage, check.first_by) == ("two", "second", clinician)
    # taking it back does not lower it: the drug was in play
    enter(clinician, read["drug"], "Ibuprofen 600 mg")
    assert FieldCheck.objects.get(field=read["drug"]).stage == "second"


def test_two_people_who_say_the_same_settle_it(
    grave: ReadScan, clinician: Any, second: Any
) -> None:
    first = enter(clinician, grave["drug"], "Warfarin 5 mg")
    assert state_of(grave, "drug").decision is None
    assert state_of(grave, "drug").waits_for(clinician.pk) == "second"
    assert state_of(grave, "drug").waits_for(second.pk) == "you"

    other = enter(second, grave["drug"], "warfarin 5mg")

    state = state_of(grave, "drug")
    assert (state.decision, state.needs_human) == (other, False)
    assert (first.entry, other.entry, first.round == other.round) == (1, 2, True)
    assert (first.blind, other.blind) == (True, True)
    check = FieldCheck.objects.get(field=grave["drug"])
    assert (check.stage, check.first_by, check.second_by) == ("settled", clinician, second)
    event = AuditEvent.objects.filter(action="field.corrected").latest("id")
    assert (event.data["entry"], event.data["blind"], event.data["agrees"]) == (2, True, False)


def test_the_same_person_twice_is_one_person(grave: ReadScan, clinician: Any) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    enter(clinician, grave["drug"], "Warfarin 5 mg")

    state = state_of(grave, "drug")
    assert state.decision is None
    assert state.check is not None
    assert state.check.stage == CheckStage.SECOND
    assert len(state.check.entries) == 1


def test_nothing_is_accepted_blind(grave: ReadScan, clinician: Any) -> None:
    for value in ("", "Warfarin 5 mg"):
        with pytest.raises(InvalidDecision, match="blind"):
            enter(clinician, grave["drug"], value, "accepted")

    assert not Decision.objects.exists()


def test_who_differ_wait_for_a_pharmacist_who_is_neither(
    grave: ReadScan, clinician: Any, second: Any, pharmacist: Any
) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    enter(second, grave["drug"], "Warfarin 2 mg")
    assert FieldCheck.objects.get(field=grave["drug"]).stage == "adjudication"
    assert release_problems([state_of(grave, "drug")], _prescription(grave))[0].startswith(
        "1 field"
    )
    for person in (clinician, second):
        with pytest.raises(OtherPersonNeeded):
            enter(person, grave["drug"], "Warfarin 5 mg")

    enter(pharmacist, grave["drug"], "Warfarin 2 mg")

    state = state_of(grave, "drug")
    assert (state.value, state.needs_human) == ("Warfarin 2 mg", False)
    assert state.decision is not None
    assert state.decision.entry == 3


def test_a_clinician_does_not_adjudicate(
    grave: ReadScan, clinician: Any, second: Any, site: Site, make_user: Callable[..., Any]
) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    enter(second, grave["drug"], "Warfarin 2 mg")

    with pytest.raises(OtherPersonNeeded):
        enter(make_user("third", site, Role.CLINICIAN), grave["drug"], "Warfarin 5 mg")


def test_a_pharmacist_does_not_judge_their_own_entry(
    grave: ReadScan, clinician: Any, pharmacist: Any
) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    enter(pharmacist, grave["drug"], "Warfarin 2 mg")

    with pytest.raises(OtherPersonNeeded):
        enter(pharmacist, grave["drug"], "Warfarin 2 mg")


def test_a_look_alike_is_typed_blind_and_the_machine_may_agree(
    read: ReadScan, clinician: Any
) -> None:
    with pytest.raises(InvalidDecision):
        enter(clinician, read["drug"], "", "accepted")

    enter(clinician, read["drug"], "metformin 500mg")

    assert state_of(read, "drug").needs_human is False
    assert FieldCheck.objects.get(field=read["drug"]).level == "blind"


def test_a_look_alike_that_the_machine_read_otherwise_takes_a_second_person(
    read: ReadScan, clinician: Any, second: Any
) -> None:
    enter(clinician, read["drug"], "Metronidazole 500 mg")
    assert state_of(read, "drug").waits_for(clinician.pk) == "second"

    enter(second, read["drug"], "metronidazole 500 mg")

    assert state_of(read, "drug").needs_human is False


def test_illegible_takes_two_people_as_well(grave: ReadScan, clinician: Any, second: Any) -> None:
    enter(clinician, grave["drug"], "", "illegible")
    assert state_of(grave, "drug").needs_human
    enter(second, grave["drug"], "", "illegible")

    state = state_of(grave, "drug")
    assert state.decision is not None
    assert state.decision.kind == "illegible"


def test_taking_back_voids_every_entry(grave: ReadScan, clinician: Any, second: Any) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    enter(second, grave["drug"], "Warfarin 5 mg")
    token = scan_claim(user=second, scan_id=grave.scan.pk).token

    field_reopen(user=second, field_id=grave["drug"].pk, expected_number=2, lease_token=token)

    state = state_of(grave, "drug")
    assert state.check is not None
    assert (state.check.stage, state.check.entries) == (CheckStage.FIRST, ())
    enter(second, grave["drug"], "Warfarin 5 mg")
    assert state_of(grave, "drug").decision is None


def test_the_database_refuses_the_same_person_as_second(grave: ReadScan, clinician: Any) -> None:
    first = enter(clinician, grave["drug"], "Warfarin 5 mg")

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            field=grave["drug"],
            number=2,
            kind="corrected",
            value="Warfarin 5 mg",
            reviewer=clinician,
            round=first.round,
            entry=2,
        )
    check = FieldCheck.objects.get(field=grave["drug"])
    check.stage, check.second_by = "settled", clinician
    with pytest.raises(IntegrityError), transaction.atomic():
        check.save()
    check.second_by = None
    with pytest.raises(IntegrityError), transaction.atomic():
        check.save()


def _prescription(read: ReadScan) -> Any:
    return from_json(PrescriptionRecord.objects.get(scan=read.scan).content)
