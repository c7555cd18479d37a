"""What a person who enters a field blind is told of it: nothing, on no page and in no answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic_hwr.intake.models import Scan
from clinic_hwr.review.errors import StaleDecision
from clinic_hwr.review.listing import queue_rows, site_ids
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.queues import queue_get
from clinic_hwr.review.selectors import with_waiting_count
from clinic_hwr.review.services import (
    clarification_ask,
    field_decide,
    field_states,
    scan_claim,
)

from .entering import enter, seen_by
from .scripted import ReadScan

SECRETS = ("warfarin", "oxycodone", "oxyCODONE", "5 mg", "PO BID")


def test_the_blind_page_holds_nothing_of_the_machine(
    grave: ReadScan, clinician: Any, signed_in: Callable[[Any], Client]
) -> None:
    client = signed_in(clinician)

    page = client.get(reverse("workstation", args=[grave.scan.pk])).content.decode()
    state = client.get(reverse("scan-state", args=[grave.scan.pk])).content.decode()

    for text in (page, state):
        assert [secret for secret in SECRETS if secret.lower() in text.lower()] == []
    field = seen_by(clinician, grave, "drug")
    assert (field["blind"], field["turn"], field["needs_you"]) == (True, "first", True)
    assert field["candidates"] == field["chars"] == []
    assert "high-alert drugs" in field["reasons"][0]["message"]
    assert seen_by(clinician, grave, "refills")["value"] == "3"  # the rest is as ever


def test_the_second_person_sees_nothing_of_the_first(
    grave: ReadScan, clinician: Any, second: Any, signed_in: Callable[[Any], Client]
) -> None:
    enter(clinician, grave["drug"], "Zwarfarin 5 mg")

    field = seen_by(second, grave, "drug")
    text = signed_in(second).get(reverse("workstation", args=[grave.scan.pk])).content.decode()

    assert (field["value"], field["decision"], field["turn"]) == ("", None, "second")
    assert "warfarin" not in text.lower()
    # the first sees their own entry, and nothing that tells whether the machine agrees
    own = seen_by(clinician, grave, "drug")
    assert (own["value"], own["decision"]["label"]) == ("Zwarfarin 5 mg", "Entered")
    assert (own["machine"], own["waits_for"]) == ("", "second")


def test_a_stale_save_does_not_tell_the_other_entry(
    grave: ReadScan, clinician: Any, second: Any
) -> None:
    enter(clinician, grave["drug"], "Warfarin 5 mg")
    grave.scan.refresh_from_db()
    grave.scan.lease.delete()
    token = scan_claim(user=second, scan_id=grave.scan.pk).token

    with pytest.raises(StaleDecision) as refused:
        field_decide(
            user=second,
            field_id=grave["drug"].pk,
            kind="corrected",
            value="Warfarin 2 mg",
            expected_number=0,
            lease_token=token,
        )

    assert refused.value.current is None


def test_the_pharmacist_who_adjudicates_sees_all_three(
    grave: ReadScan, clinician: Any, second: Any, pharmacist: Any
) -> None:
    enter(clinician, grave["drug"], "Warfarin 2 mg")
    enter(second, grave["drug"], "Warfarin 7 mg")

    field = seen_by(pharmacist, grave, "drug")
    assert (field["turn"], field["blind"]) == ("adjudicate", False)
    assert [(c["who"], c["value"]) for c in field["choices"]] == [
        ("First entry", "Warfarin 2 mg"),
        ("Second entry", "Warfarin 7 mg"),
        ("Machine", "Warfarin 5 mg"),
    ]
    for person in (clinician, second):
        field = seen_by(person, grave, "drug")
        assert (field["blind"], field["choices"], field["waits_for"]) == (True, [], "pharmacist")
    assert "7 mg" not in json.dumps(workstation_payload(grave.scan, clinician))


def test_nobody_in_particular_sees_nothing(grave: ReadScan, clinic_admin: Any) -> None:
    for user in (None, clinic_admin):
        text = json.dumps(workstation_payload(grave.scan, user)).lower()
        assert [secret for secret in SECRETS if secret.lower() in text] == []


def second_checks(user: Any) -> Any:
    return queue_rows(user, site_ids(user), queue_get("second"))


def test_the_queue_of_second_checks_leaves_out_ones_own(
    grave: ReadScan,
    clinician: Any,
    second: Any,
    pharmacist: Any,
    outsider: Any,
    signed_in: Callable[[Any], Client],
) -> None:
    scans = Scan.objects.all()
    assert not second_checks(second).exists()
    enter(clinician, grave["drug"], "Warfarin 5 mg")

    assert list(second_checks(second)) == [grave.scan]
    assert not second_checks(clinician).exists()
    assert not second_checks(outsider).exists()
    waiting = with_waiting_count(scans).get().waiting
    assert waiting == sum(state.needs_human for state in field_states(grave.scan))
    html = signed_in(second).get(reverse("second-checks"), follow=True).content.decode()
    assert reverse("workstation", args=[grave.scan.pk]) in html
    assert "warfarin" not in html.lower()

    enter(second, grave["drug"], "Warfarin 2 mg")
    assert list(second_checks(pharmacist)) == [grave.scan]
    assert not second_checks(second).exists()


def test_a_question_that_may_name_a_drug_is_not_quoted_while_one_is_entered_blind(
    grave: ReadScan, clinician: Any, second: Any, signed_in: Callable[[Any], Client]
) -> None:
    token = scan_claim(user=clinician, scan_id=grave.scan.pk).token
    clarification_ask(
        user=clinician,
        field_id=grave["quantity"].pk,
        lease_token=token,
        reason="quantity_unclear",
        question="How many Warfarin?",
    )

    html = signed_in(second).get(reverse("inbox"), {"queue": "clarify"}).content.decode()

    assert "Record a call" in html
    assert "warfarin" not in html.lower()
