"""The rules of a form's regions raise doubts, and a rule that could hang is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinic_hwr.pages.form_template import pages_from_json, pages_to_json, region_from_json
from clinic_hwr.pages.known_forms import BadForm
from clinic_hwr.pages.validators import BadValidator, doubts, validator_from_json

TODAY = date(2026, 11, 26)


def broken(rule: dict[str, Any], value: str, *, day_first: bool = False) -> list[str]:
    found = doubts([validator_from_json(rule)], value, day_first=day_first, today=TODAY)
    return [doubt.rule for doubt in found]


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"rule": "required"}, "x", ""),
        ({"rule": "pattern", "pattern": "[A-Z]{2}[0-9]+"}, "AB12", "A12"),
        ({"rule": "number_range", "least": 1, "most": 90}, "#30", "300"),
        ({"rule": "number_range", "most": "90"}, "1,5", "many"),
        ({"rule": "check_digit", "scheme": "npi"}, "1234567893", "1234567894"),
        ({"rule": "check_digit", "scheme": "dea"}, "AB1234563", "AB1234564"),
        ({"rule": "check_digit", "scheme": "luhn"}, "79927398713", "79927398710"),
        ({"rule": "check_digit", "scheme": "nhs"}, "943 476 5919", "943 476 5918"),
        ({"rule": "check_digit", "scheme": "mod97"}, "794 44", "794 45"),
        ({"rule": "one_of", "values": ["0", "NR"]}, "nr", "4"),
        ({"rule": "date_range", "latest": "today"}, "11/26/2026", "11/27/2026"),
        ({"rule": "date_range", "earliest": "today-30"}, "2026-10-27", "2026-10-26"),
        ({"rule": "date_range", "earliest": "1900-01-01"}, "04121988", "13/13/1988"),
    ],
)
def test_a_value_keeps_a_rule_or_breaks_it(rule: dict[str, Any], good: str, bad: str) -> None:
    assert broken(rule, good) == []
    assert broken(rule, bad) == [rule["rule"]]


def test_days_come_first_where_the_site_writes_them_first() -> None:
    rule = {"rule": "date_range", "earliest": "2026-05-01"}
    assert broken(rule, "05/04/2026") == []
    assert broken(rule, "05/04/2026", day_first=True) == ["date_range"]


def test_nothing_but_required_speaks_of_an_empty_value_and_messages_hold_no_value() -> None:
    assert broken({"rule": "number_range", "least": 1}, "  ") == []
    (doubt,) = doubts(
        [validator_from_json({"rule": "number_range", "most": 9})],
        "4711", day_first=False, today=TODAY,
    )  # fmt: skip
    assert "4711" not in doubt.message


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "shape"},
        {"rule": "required", "colour": "red"},
        {"rule": "pattern", "pattern": "("},
        {"rule": "pattern", "pattern": "(a+)+b"},
        {"rule": "pattern", "pattern": "(a|a)*b"},
        {"rule": "pattern", "pattern": "a*a*a*a*b"},
        {"rule": "pattern", "pattern": r"(a)\1"},
        {"rule": "pattern", "pattern": "x" * 201},
        {"rule": "date_range"},
        {"rule": "date_range", "latest": "tomorrow"},
        {"rule": "number_range", "least": "NaN"},
        {"rule": "check_digit", "scheme": "sum"},
        {"rule": "one_of", "values": []},
    ],
    ids=str,
)
def test_rules_that_cannot_be_used_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(BadValidator):
        validator_from_json(rule)


REGION: dict[str, Any] = {"field": "patient_name", "kind": "text", "box": [0.1, 0.1, 0.5, 0.05]}


@pytest.mark.parametrize(
    "change",
    [
        {"field": "shoe_size"},
        {"kind": "colour"},
        {"box": [0.1, 0.1, 0.95, 0.05]},
        {"box": [0.1, 0.1, float("nan"), 0.05]},
        {"box": [0.1, 0.1, 0.5]},
        {"kind": "comb"},
        {"cells": 4},
        {"group": 2},
        {"value": "yes"},
        {"kind": "checkbox"},
        {"kind": "date"},
        {"field": "signature"},
        {"field": "unnamed"},
        {"label": "a\nb"},
        {"validators": [{"rule": "shape"}]},
        {"extra": 1},
    ],
    ids=str,
)
def test_regions_that_cannot_be_used_are_refused(change: dict[str, Any]) -> None:
    region_from_json(REGION)
    with pytest.raises(BadForm):
        region_from_json({**REGION, **change})


def test_a_form_comes_back_from_json_as_it_was() -> None:
    rule = {"rule": "one_of", "values": ["A", "B"]}
    page = (region_from_json({**REGION, "label": "Name", "validators": [rule]}),)
    assert pages_from_json(pages_to_json("Pad", [page, ()])) == ("Pad", (page, ()))
    with pytest.raises(BadForm):
        pages_from_json({"format": "other", "pages": []})
