"""The sig grammar: what it understands, what it refuses, and that nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clinic_hwr.prescriptions.identifiers import snomed_valid
from clinic_hwr.prescriptions.routes import ROUTES
from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.types import Dosage


def facts(dosage: Dosage) -> dict[str, Any]:
    """What a dosage says, without its text, sequence and what follows from other facts."""
    empty = Dosage(sequence=0, text="")
    skip = {"sequence", "text", "dose_unit_display", "timing_code"}
    return {
        name: getattr(dosage, name)
        for name in Dosage.__dataclass_fields__
        if name not in skip and getattr(dosage, name) != getattr(empty, name)
    }


ONE = Decimal(1)
TABLET = {"dose": ONE, "dose_unit": "{tablet}"}


def every(frequency: int, period: object = 1, unit: str = "d", **more: Any) -> dict[str, Any]:
    return {"frequency": frequency, "period": Decimal(str(period)), "period_unit": unit, **more}


UNDERSTOOD: list[tuple[str, dict[str, Any]]] = [
    ("1 tab bid", TABLET | every(2)),
    ("1tab b.i.d.", TABLET | every(2)),
    ("ONE TAB BID", TABLET | every(2)),
    ("i tab BID", TABLET | every(2)),
    ("ii tabs BID", TABLET | every(2) | {"dose": Decimal(2)}),
    ("one (1) tablet twice a day", TABLET | every(2)),
    ("take 1 tablet two times daily", TABLET | every(2)),
    ("1 tab bd", TABLET | every(2)),
    ("1 tab tds", TABLET | every(3)),
    ("1 tab qds", TABLET | every(4)),
    ("1 tab 3x/day", TABLET | every(3)),
    ("1 tab od", TABLET | every(1)),
    ("two tabs qid", TABLET | every(4) | {"dose": Decimal(2)}),
    ("½ tab daily", TABLET | every(1) | {"dose": Decimal("0.5")}),
    ("1 1/2 tabs daily", TABLET | every(1) | {"dose": Decimal("1.5")}),
    ("one and a half tablets daily", TABLET | every(1) | {"dose": Decimal("1.5")}),
    ("half a tablet at night", {"dose": Decimal("0.5"), "dose_unit": "{tablet}"}
     | every(1, when=("NIGHT",))),
    ("1-2 tabs q4-6h prn", TABLET | every(1, 4, "h", period_max=Decimal(6))
     | {"dose_high": Decimal(2), "as_needed": True}),
    ("1 tab q6h", TABLET | every(1, 6, "h")),
    ("1 tab 6 hourly", TABLET | every(1, 6, "h")),
    ("1 tab every 8 hours", TABLET | every(1, 8, "h")),
    ("1 tab every other day", TABLET | every(1, 2)),
    ("1 tab alternate days", TABLET | every(1, 2)),
    ("1 tab every third day", TABLET | every(1, 3)),
    ("1 tab 3x/week", TABLET | every(3, 1, "wk")),
    ("1 tab weekly", TABLET | every(1, 1, "wk")),
    ("1 tab once a month", TABLET | every(1, 1, "mo")),
    ("1 tab fortnightly", TABLET | every(1, 2, "wk")),
    ("1 tab up to 4 times a day", TABLET
     | {"frequency_max": 4, "period": ONE, "period_unit": "d"}),
    ("1 tab 2 to 3 times a day", TABLET | every(2, frequency_max=3)),
    ("1 tab bid x 5 days", TABLET | every(2, duration=Decimal(5), duration_unit="d")),
    ("1 tab bid x5d", TABLET | every(2, duration=Decimal(5), duration_unit="d")),
    ("1 tab bid 5/7", TABLET | every(2, duration=Decimal(5), duration_unit="d")),
    ("1 tab bid for 2/52", TABLET | every(2, duration=Decimal(2), duration_unit="wk")),
    ("1 tab bid for a week", TABLET | every(2, duration=ONE, duration_unit="wk")),
    ("1 tab qhs", TABLET | every(1, when=("HS",))),
    ("1 tab at bedtime", TABLET | every(1, when=("HS",))),
    ("1 tab mane", TABLET | every(1, when=("MORN",))),
    ("1 tab morning and night after food", TABLET | every(2, when=("MORN", "NIGHT", "PC"))),
    ("1 tab tid pc", TABLET | every(3, when=("PC",))),
    ("1 tab with food", TABLET | {"when": ("C",)}),
    ("1 tab after meals and at bedtime", TABLET | every(4, when=("PC", "HS"))),
    ("1 tab 30 min before breakfast", TABLET | every(1, when=("ACM",))
     | {"offset_min": 30}),
    ("1 tab at 8am and 8pm", TABLET | every(2, times_of_day=("08:00:00", "20:00:00"))),
    ("1 tab at 0800", TABLET | every(1, times_of_day=("08:00:00",))),
    ("1 tab daily on mon wed fri", TABLET | every(1, days_of_week=("mon", "wed", "fri"))),
    ("1 tab MWF", TABLET | {"days_of_week": ("mon", "wed", "fri")}),
    ("1 tab stat", TABLET | {"count": 1}),
    ("1 tab q6h for 3 doses", TABLET | every(1, 6, "h", count=3)),
    ("1 tab q4h prn pain or fever, max 8 in 24h", TABLET | every(1, 4, "h")
     | {"as_needed": True, "as_needed_reason": "pain or fever", "max_dose": Decimal(8),
        "max_dose_unit": "{tablet}", "max_dose_period": Decimal(24),
        "max_dose_period_unit": "h"}),
    ("1 tab sos", TABLET | {"as_needed": True}),
    ("1 tab daily for pain", TABLET | every(1, additional=("for pain",))),
    ("1 tab bid as directed", TABLET | every(2, additional=("as directed",))),
    ("5 mL tid", {"dose": Decimal(5), "dose_unit": "mL"} | every(3)),
    ("2 x 5 ml spoonful tid", {"dose": Decimal(10), "dose_unit": "mL"} | every(3)),
    ("1 tsp tid", {"dose": ONE, "dose_unit": "[tsp_us]"} | every(3)),
    ("500 mcg daily", {"dose": Decimal(500), "dose_unit": "ug"} | every(1)),
    ("10 units before meals", {"dose": Decimal(10), "dose_unit": "[iU]", "when": ("AC",)}),
    ("2 puffs q4h prn wheeze", {"dose": Decimal(2), "dose_unit": "{puff}"}
     | every(1, 4, "h", as_needed=True, as_needed_reason="wheeze")),
    ("10 mg/kg bid", {"dose": Decimal(10), "dose_unit": "mg/kg"} | every(2)),
    ("1 patch every 72 hours", {"dose": ONE, "dose_unit": "{patch}"} | every(1, 72, "h")),
    ("1 tab po", TABLET | {"route": ROUTES["26643006"]}),
    ("1 tab sl", TABLET | {"route": ROUTES["37839007"]}),
    ("1 gtt OU qid", {"dose": ONE, "dose_unit": "[drp]", "site": "both eyes",
                      "route": ROUTES["54485002"]} | every(4)),
    ("1 gtt OD qid", {"dose": ONE, "dose_unit": "[drp]", "site": "right eye",
                      "route": ROUTES["54485002"]} | every(4)),
    ("4 drops AS bid into the ear", {"dose": Decimal(4), "dose_unit": "[drp]",
                                     "site": "left ear", "route": ROUTES["10547007"]} | every(2)),
    ("1 spray each nostril daily", {"dose": ONE, "dose_unit": "{spray}", "site": "each nostril",
                                    "route": ROUTES["46713006"]} | every(1)),
    ("apply AAA bid", {"site": "affected area"} | every(2)),
    ("as directed", {"additional": ("as directed",)}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD, ids=[text for text, _ in UNDERSTOOD])
def test_understood(text: str, expected: dict[str, Any]) -> None:
    sig = parse_sig(text)

    assert sig.leftover == ()
    assert sig.warnings == ()
    assert [facts(dosage) for dosage in sig.dosages] == [expected]
    assert sig.dosages[0].text == text


@pytest.mark.parametrize(
    ("text", "doses"),
    [
        ("1-0-1", [("1", ("MORN", "NIGHT"), 2)]),
        ("1 - 1 - 1", [("1", ("MORN", "AFT", "NIGHT"), 3)]),
        ("1+0+1", [("1", ("MORN", "NIGHT"), 2)]),
        ("0-0-1", [("1", ("NIGHT",), 1)]),
        ("½-0-½", [("0.5", ("MORN", "NIGHT"), 2)]),
        ("1-1-1-1", [("1", ("MORN", "AFT", "EVE", "NIGHT"), 4)]),
        ("1-0-2", [("1", ("MORN",), 1), ("2", ("NIGHT",), 1)]),
    ],
)
def test_dose_patterns_of_india(text: str, doses: list[tuple[str, Any, int]]) -> None:
    sig = parse_sig(text, form="tablet")

    assert [(str(d.dose), d.when, d.frequency) for d in sig.dosages] == doses
    assert {d.dose_unit for d in sig.dosages} == {"{tablet}"}
    assert {d.sequence for d in sig.dosages} == {1}
    assert sig.leftover == ()


def test_a_taper_is_a_sequence() -> None:
    text = "4 tabs daily x 3 days then 2 daily for 3 days, then 1 tab daily for 3 days"

    sig = parse_sig(text)

    assert [(d.sequence, d.dose, d.dose_unit, d.duration) for d in sig.dosages] == [
        (1, Decimal(4), "{tablet}", Decimal(3)),
        (2, Decimal(2), "{tablet}", Decimal(3)),
        (3, Decimal(1), "{tablet}", Decimal(3)),
    ]
    assert [d.text for d in sig.dosages] == [
        "4 tabs daily x 3 days",
        "2 daily for 3 days",
        "1 tab daily for 3 days",
    ]
    assert (sig.leftover, sig.warnings) == ((), ())


def test_two_doses_of_a_day_stand_side_by_side() -> None:
    sig = parse_sig("1 tab in the morning and 2 tabs at bedtime po for 10 days")

    assert [(d.sequence, d.dose, d.when) for d in sig.dosages] == [
        (1, Decimal(1), ("MORN",)),
        (1, Decimal(2), ("HS",)),
    ]
    assert {(d.duration, d.route and d.route.code) for d in sig.dosages} == {
        (Decimal(10), "26643006")
    }


@pytest.mark.parametrize(
    ("text", "leftover"),
    [
        ("1 tab bid hold if dizzy", ("hold", "if", "dizzy")),
        ("1 tab bid 2 refills", ("2", "refills")),
        ("1 tab bid tid", ("tid",)),
        ("20 mg/kg/day", ("20 mg/kg/day",)),
        ("1000 mL at 50 mL/hour", ("50 mL/hour",)),
        ("Dopamine 4mcg/kg/min", ("Dopamine", "4mcg/kg/min")),
        ("2-1 tabs daily", ("2-1 tabs",)),
        ("1 tab x 3", ("x 3",)),
        ("1 tab daily bid", ("bid",)),
        ("1 tab twice", ("twice",)),
        ("1 am", ("1 am",)),
        ("0 tabs daily", ("0 tabs",)),
        ("max 8", ("max 8",)),
        ("two (3) tablets daily", ("tablets",)),
        ("1 tab q", ("q",)),
        ("bid ii", ("ii",)),
        ("take 1 tab blorp daily", ("blorp",)),
    ],
)
def test_what_is_not_understood_is_left_over(text: str, leftover: tuple[str, ...]) -> None:
    assert parse_sig(text).leftover[-len(leftover) :] == leftover


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("1 OD", "OD may mean once daily or the right eye"),
        ("1 tab bid at bedtime", "how often and the moments of the day do not agree"),
        ("1 tab daily 2 tabs weekly", "Two doses are written"),
        ("2 tabs a day", "may be meant divided"),
        ("1 tab stat bid", "a single dose and how often"),
        ("1 tab stat prn", "a single dose and as needed"),
        ("1 tab pm", "may be a misread PRN"),
        ("1 tab 4 times", "without the time it is in"),
        ("1 tab am 2 tabs hs prn", "which of the doses is taken only as needed"),
        ("2 tabs daily x 3 days then 1 tab", "both how much and how often"),
    ],
)
def test_what_can_mean_two_things_is_said(text: str, warning: str) -> None:
    assert any(warning in found for found in parse_sig(text).warnings)


def test_od_is_decided_by_the_form() -> None:
    assert parse_sig("1 OD", form="tablet").dosages[0].timing_code == "QD"
    assert parse_sig("1 OD", form="drops").dosages[0].site == "right eye"
    assert parse_sig("1 OD").dosages[0].site is None


def test_the_form_counts_a_bare_number_of_pieces_only() -> None:
    assert parse_sig("1 bd", form="capsule").dosages[0].dose_unit == "{capsule}"
    assert parse_sig("5 bd", form="syrup").dosages[0].dose_unit is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 tab bid", "BID"), ("1 tab q6h", "Q6H"), ("1 tab qhs", "BED"), ("1 tab qam", "AM"),
        ("1 tab qod", "QOD"), ("1 tab q12h", None), ("1 tab nocte", None),
        ("1 tab 3x/week", None), ("1 tab weekly", "WK"),
    ],
)  # fmt: skip
def test_timing_codes(text: str, code: str | None) -> None:
    assert parse_sig(text).dosages[0].timing_code == code


def test_plain_language() -> None:
    text = "1-2 tabs po q4-6h prn pain x 5 days max 8/day"

    assert parse_sig(text).plain_language == (
        "Take 1 to 2 tablets by mouth every 4 to 6 hours, as needed for pain, for 5 days, "
        "maximum 8 tablets in 1 day"
    )


def test_route_codes_have_right_check_digits() -> None:
    assert all(snomed_valid(code) for code in ROUTES)
    assert not snomed_valid("26643007")
