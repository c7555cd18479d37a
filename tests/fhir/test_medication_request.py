"""What an order says of a released prescription: drug, directions, dates, dispensing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from clinic_hwr.fhir.document import build
from clinic_hwr.fhir.primitives import fhir_string
from clinic_hwr.prescriptions.types import (
    Dosage,
    DrugMatch,
    Sig,
)

from .publications import (
    PRESCRIPTION,
    SIG_TEXT,
    publication,
    publications,
    resources_of,
    with_medication,
)

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def _order(**changes: Any) -> dict[str, Any]:
    """Return the MedicationRequest of amoxicillin with ``changes``."""
    return resources_of(build(with_medication(**changes)).bundle, "MedicationRequest")[0]


def _directions(**changes: Any) -> dict[str, Any]:
    """Return the Dosage of one part of directions."""
    sig = Sig(text=SIG_TEXT, dosages=(Dosage(sequence=1, text="", **changes),))
    (dosage,) = _order(sig=sig)["dosageInstruction"]
    return dosage


def test_an_order_is_active_and_signed_and_points_at_its_paper() -> None:
    record = publication()
    bundle = build(record).bundle
    first, second = resources_of(bundle, "MedicationRequest")
    prescriber, verifier = resources_of(bundle, "Practitioner")
    (scan,) = resources_of(bundle, "DocumentReference")

    assert (first["status"], first["intent"], first["reportedBoolean"]) == (
        "active",
        "order",
        False,
    )
    assert first["category"][0]["coding"][0]["code"] == "community"
    assert first["requester"] == {"reference": f"urn:uuid:{prescriber['id']}"}
    assert first["recorder"] == {"reference": f"urn:uuid:{verifier['id']}"}
    assert first["supportingInformation"] == [{"reference": f"urn:uuid:{scan['id']}"}]
    assert first["authoredOn"] == "2026-11-20"
    assert first["meta"]["security"][0]["code"] == "AIAST"
    assert first["groupIdentifier"] == second["groupIdentifier"]
    assert first["groupIdentifier"]["value"] == f"urn:uuid:{record.prescription_id}"
    assert first["identifier"] != second["identifier"]


def test_the_sig_stands_verbatim_in_every_part_of_the_directions() -> None:
    parts = (Dosage(sequence=1, text="2 tabs"), Dosage(sequence=2, text="1 tab"))

    order = _order(sig=Sig(text=SIG_TEXT, dosages=parts))

    assert [part["text"] for part in order["dosageInstruction"]] == [SIG_TEXT, SIG_TEXT]
    assert [part["sequence"] for part in order["dosageInstruction"]] == [1, 2]


def test_a_sig_without_structure_is_text_alone() -> None:
    order = _order(sig=Sig(text="ut dict.", leftover=("ut dict.",)))

    assert order["dosageInstruction"] == [{"text": "ut dict."}]
    assert order["note"] == [{"text": "Words of the directions left unstructured: ut dict."}]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=publications)
def test_the_sig_is_verbatim_whatever_was_written(record: Any) -> None:
    for medication, order in zip(
        record.prescription.medications,
        resources_of(build(record).bundle, "MedicationRequest"),
        strict=True,
    ):
        written = fhir_string(medication.sig.text) if medication.sig else None
        instructions = order.get("dosageInstruction", [])
        assert {each["text"] for each in instructions} == ({written} if written else set())


def test_structured_directions_carry_what_the_grammar_gave_and_no_more() -> None:
    (dosage,) = _order()["dosageInstruction"]

    assert dosage == {
        "sequence": 1,
        "text": SIG_TEXT,
        "additionalInstruction": [{"text": "with food"}],
        "timing": {
            "repeat": {
                "boundsDuration": {
                    "value": Decimal("10"),
                    "unit": "day",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                },
                "frequency": 2,
                "period": Decimal("1"),
                "periodUnit": "d",
            },
            "code": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                        "code": "BID",
                    }
                ],
                "text": "BID",
            },
        },
        "asNeededCodeableConcept": {"text": "pain"},
        "route": {
            "coding": [
                {"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}
            ]
        },
        "doseAndRate": [
            {
                "doseQuantity": {
                    "value": Decimal("1.50"),
                    "unit": "tablet",
                    "system": "http://unitsofmeasure.org",
                    "code": "{tablet}",
                }
            }
        ],
        "maxDosePerPeriod": {
            "numerator": {
                "value": Decimal("8"),
                "unit": "tablet",
                "system": "http://unitsofmeasure.org",
                "code": "{tablet}",
            },
            "denominator": {
                "value": Decimal("24"),
                "unit": "hour",
                "system": "http://unitsofmeasure.org",
                "code": "h",
            },
        },
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"when": ("AC",), "times_of_day": ("08:00",)},  # tim-10
        {"frequency": 2, "period": Decimal(1), "period_unit": None},  # tim-2
        {"frequency": 2, "period": Decimal(1), "period_unit": "day"},
        {"frequency": 0, "period": Decimal(1), "period_unit": "d"},
        {"when": ("breakfast",)},
        {"days_of_week": ("Tuesday",)},
        {"times_of_day": ("24:00",)},
        {"duration": Decimal(7), "duration_unit": "days"},
    ],
)
def test_a_timing_r4_cannot_say_is_left_to_the_text(changes: dict[str, Any]) -> None:
    assert _directions(**changes) == {"sequence": 1, "text": SIG_TEXT}


def test_a_time_of_day_gets_its_seconds() -> None:
    assert _directions(times_of_day=("08:00",))["timing"] == {"repeat": {"timeOfDay": ["08:00:00"]}}


def test_up_to_twice_a_day_has_no_lower_end() -> None:
    dosage = _directions(frequency_max=2, period=Decimal(1), period_unit="d")

    assert dosage["timing"] == {
        "repeat": {"frequencyMax": 2, "period": Decimal(1), "periodUnit": "d"}
    }


@pytest.mark.parametrize(("abbreviation", "coded"), [("Q8H", True), ("Q12H", False)])
def test_only_abbreviations_of_the_value_set_are_coded(abbreviation: str, coded: bool) -> None:
    code = _directions(timing_code=abbreviation)["timing"]["code"]

    assert code["text"] == abbreviation
    assert ("coding" in code) is coded


def test_a_dose_range_has_two_ends() -> None:
    dosage = _directions(dose=Decimal("1"), dose_high=Decimal("2"), dose_unit="mL")

    assert [dosage["doseAndRate"][0]["doseRange"][end]["value"] for end in ("low", "high")] == [
        1,
        2,
    ]


def test_as_needed_without_a_reason_is_a_flag() -> None:
    assert _directions(as_needed=True)["asNeededBoolean"] is True
    assert "asNeededBoolean" not in _directions(as_needed=False)


def test_a_verified_drug_is_coded_by_its_most_specific_rxnorm_concept() -> None:
    assert _order()["medicationCodeableConcept"] == {
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "308192",
                "display": "amoxicillin 500 MG Oral Tablet",
            }
        ],
        "text": "Amoxicillin 500 mg",
    }
    assert _order(product_rxcui=None)["medicationCodeableConcept"]["coding"][0]["code"] == "723"


@pytest.mark.parametrize(
    "match", [None, DrugMatch("Amoxil", "amoxicillin", "723", False, "", 0.9, verified=False)]
)
def test_a_drug_that_was_not_looked_up_is_text_alone(match: DrugMatch | None) -> None:
    assert _order(drug=match)["medicationCodeableConcept"] == {"text": "Amoxicillin 500 mg"}


def test_a_strength_inside_the_name_is_not_written_twice() -> None:
    order = _order(drug_text="Amoxicillin 500 MG caps", drug=None)

    assert order["medicationCodeableConcept"] == {"text": "Amoxicillin 500 MG caps"}


def test_dispense_and_substitution() -> None:
    order = _order()

    assert order["dispenseRequest"]["numberOfRepeatsAllowed"] == 2
    assert order["dispenseRequest"]["quantity"]["code"] == "{tablet}"
    assert order["substitution"] == {"allowedBoolean": False}
    bare = _order(quantity=None, refills=None, substitution_allowed=None)
    assert not {"dispenseRequest", "substitution"} & bare.keys()
    assert _order(quantity=None, refills=0)["dispenseRequest"] == {"numberOfRepeatsAllowed": 0}


@pytest.mark.parametrize(
    ("written", "text", "authored_on"),
    [
        (date(2026, 3, 1), "3/1/26", "2026-03-01"),
        (None, "2026", "2026"),
        (None, "3/2026", "2026-03"),
    ],
)
def test_the_date_keeps_the_precision_of_the_paper(
    written: date | None, text: str, authored_on: str
) -> None:
    paper = replace(PRESCRIPTION, date_written=written, date_text=text)

    (order, _) = resources_of(build(publication(paper)).bundle, "MedicationRequest")

    assert order["authoredOn"] == authored_on


@pytest.mark.parametrize(("text", "reason"), [("", "unknown"), ("last Tuesday", "as-text")])
def test_a_missing_date_says_why(text: str, reason: str) -> None:
    paper = replace(PRESCRIPTION, date_written=None, date_text=text)

    (order, _) = resources_of(build(publication(paper)).bundle, "MedicationRequest")

    assert "authoredOn" not in order
    assert order["_authoredOn"] == {"extension": [{"url": ABSENT, "valueCode": reason}]}
    assert [note["text"] for note in order.get("note", [])] == (
        ["Date on the paper: last Tuesday"] if text else []
    )
