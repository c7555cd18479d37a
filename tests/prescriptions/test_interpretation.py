"""From fields to a prescription: grouping, human values, printed lines, the whole paper."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.codec import CodecError, from_json, to_json
from clinic_hwr.prescriptions.types import Prescription

from .builders import TODAY, codes, field, read, whole_paper


def test_the_whole_paper() -> None:
    prescription = read()

    (medication,) = prescription.medications
    assert medication.drug is not None
    assert (medication.drug.name, medication.drug.rxcui) == ("lisinopril", "29046")
    assert medication.product_rxcui == "314076"
    assert medication.product_name == "lisinopril 10 MG Oral Tablet"
    assert medication.strength is not None
    assert (medication.strength.value, medication.strength.unit) == (Decimal(10), "mg")
    assert medication.sig is not None
    assert medication.sig.text == "1 tab po daily x 30 days"
    assert medication.sig.dosages[0].timing_code == "QD"
    assert medication.quantity is not None
    assert (medication.quantity.value, medication.refills) == (Decimal(30), 2)
    assert prescription.patient.name == "Jane Doe"
    assert prescription.patient.birth_date == date(1961, 2, 14)
    assert prescription.date_written == date(2026, 11, 20)
    assert prescription.prescriber.npi_valid is True
    assert prescription.prescriber.dea_valid is None
    assert prescription.signature_present is True


def test_medications_come_in_the_order_of_the_page() -> None:
    prescription = read(
        field("sig", "1 tab bid", 3),
        field("drug", "Metformin 500 mg tab", 3),
        field("drug", "Gabapentin 300 mg cap", 2),
        field("sig", "1 cap tid", 2),
    )

    assert [(m.sequence, m.drug.name if m.drug else "") for m in prescription.medications] == [
        (1, "lisinopril"),
        (2, "gabapentin"),
        (3, "metformin"),
    ]
    assert prescription.medications[2].sig is not None
    assert prescription.medications[2].sig.text == "1 tab bid"


def test_a_lone_strength_field_joins_its_medication() -> None:
    prescription = read(field("drug", "Lisinopril", 1), field("strength", "10 mg tab", 1))

    (medication,) = prescription.medications
    assert medication.strength is not None
    assert (medication.strength.text, medication.form) == ("10 mg", "tablet")
    assert medication.product_rxcui == "314076"
    assert prescription.blockers == ()


def test_fields_without_a_group_belong_to_the_only_medication() -> None:
    values = whole_paper(field("quantity", "#30", 0), field("strength", "10 mg", 0), without=())
    values = [v for v in values if (v.name, v.group) != ("quantity", 1)]

    (medication,) = interpret(values, today=TODAY).medications
    assert medication.quantity is not None
    assert medication.quantity.value == 30


def test_directions_on_the_drug_line() -> None:
    values = [
        v
        for v in whole_paper(field("drug", "Lisinopril 10 mg tab 1 po daily #30 RF 2", 1))
        if v.name not in {"sig", "quantity", "refills"}
    ]

    prescription = interpret(values, today=TODAY)

    (medication,) = prescription.medications
    assert medication.sig is not None
    assert medication.sig.text == "1 po daily"
    assert medication.sig.dosages[0].dose_unit == "{tablet}"  # the form of the line
    assert (medication.quantity and medication.quantity.value, medication.refills) == (30, 2)
    assert prescription.blockers == ()


def test_quantity_and_refills_behind_the_directions() -> None:
    text = "1 tab daily x 20 days #20 RF 1"
    values = whole_paper(field("sig", text, 1), without=("quantity", "refills"))

    prescription = interpret(values, today=TODAY)

    (medication,) = prescription.medications
    assert medication.sig is not None
    assert (medication.sig.text, medication.sig.dosages[0].text) == (text, text)
    assert (medication.quantity and medication.quantity.value, medication.refills) == (20, 1)
    assert prescription.blockers == ()


def test_two_quantities_are_never_settled_in_silence() -> None:
    behind = read(field("sig", "1 tab daily x 30 days #20", 1))
    assert "sig_not_understood" in codes(behind)

    on_the_line = read(field("drug", "Lisinopril 10 mg tab #20", 1))
    assert "words_numbers_disagree" in codes(on_the_line)


def test_a_human_value_is_never_corrected() -> None:
    near = field("drug", "Lisinoprill 10 mg tab", 1)
    confirmed = field("drug", "Lisinoprill 10 mg tab", 1, human=True)

    by_machine = read(near).medications[0]
    by_human = read(confirmed).medications[0]

    assert by_machine.drug is not None
    assert by_machine.drug.name == "lisinopril"
    assert by_human.drug is None
    assert by_human.candidates == ()
    assert by_human.drug_text == "Lisinoprill 10 mg tab"


def test_a_human_value_in_the_lexicon_is_coded() -> None:
    medication = read(field("drug", "lisinopril 10 mg tab", 1, human=True)).medications[0]

    assert medication.drug is not None
    assert (medication.drug.rxcui, medication.drug.score) == ("29046", 1.0)


def test_structure_that_leaves_words_out_is_taken_away() -> None:
    text = "1 tab daily, 2 if severe"

    sig = read(field("sig", text, 1, human=True)).medications[0].sig

    assert sig is not None
    assert (sig.text, sig.dosages, sig.plain_language) == (text, (), "")
    assert "severe" in sig.leftover or "if" in sig.leftover


def test_stray_words_on_the_drug_line_take_the_structure_away_too() -> None:
    prescription = read(field("drug", "Lisinopril 10 mg tab half only", 1))

    sig = prescription.medications[0].sig
    assert sig is not None
    assert sig.dosages == ()
    assert "sig_not_understood" in codes(prescription)


def test_the_site_decides_the_order_of_day_and_month() -> None:
    value = field("date_written", "05/11/2026")

    assert read(value, day_first=True).date_written == date(2026, 11, 5)
    assert read(value, day_first=False).date_written == date(2026, 5, 11)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("DAW", False), ("dispense as written", False), ("substitution permitted", True), ("", None)],
)
def test_substitution(text: str, allowed: bool | None) -> None:
    prescription = read(field("substitution", text, 0, present=True))

    assert prescription.medications[0].substitution_allowed is allowed


def test_no_fields_at_all() -> None:
    prescription = interpret([], today=TODAY)

    assert prescription.medications == ()
    assert codes(prescription) == {"missing_patient", "missing_signature", "date_missing"}


# --- codec ------------------------------------------------------------------------------------


def through_json(prescription: Prescription) -> Prescription:
    return from_json(json.loads(json.dumps(to_json(prescription))))


def test_json_keeps_every_digit() -> None:
    prescription = read(field("drug", "Digoxin 0.1250 mg tab", 1))

    copy = through_json(prescription)

    assert copy == prescription
    strength = copy.medications[0].strength
    assert strength is not None
    assert str(strength.value) == "0.1250"


lines = st.text(max_size=30) | st.sampled_from(
    ["Lisinopril 10 mg tab", "amox/clav 875-125mg", "1-2 tabs q4-6h prn pain max 8/day",
     "1-0-2 x 5/7", "#30", "thirty (30) tabs", "12/01/2026", "4 tabs daily x3d then 2 daily x3d"]
)  # fmt: skip
NAMES = ["patient_name", "patient_dob", "patient_weight", "date_written", "drug", "strength",
         "sig", "quantity", "refills", "substitution", "prescriber_npi", "unnamed"]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(field, st.sampled_from(NAMES), lines, st.integers(0, 3), human=st.booleans()),
        max_size=10,
    )
)
def test_any_prescription_survives_json(values: list[Any]) -> None:
    prescription = interpret(values, today=TODAY)

    assert through_json(prescription) == prescription
    assert repr(through_json(prescription)) == repr(prescription)  # digits of Decimals too


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unheard_of": 1}, "prescription: unknown field unheard_of"),
        ({"medications": "none"}, "prescription.medications: expected a list"),
        ({"date_written": "2026-13-01"}, "prescription.date_written: not a date"),
        ({"signature_present": "yes"}, "prescription.signature_present: expected bool"),
        ({"patient": 3}, "prescription.patient: expected an object"),
    ],
)
def test_broken_json_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CodecError, match=message):
        from_json(to_json(read()) | change)


def test_absent_parts_take_their_default() -> None:
    stored = to_json(read())
    del stored["medications"][0]["strength"]["others"]
    del stored["medications"][0]["sig"]["warnings"]

    assert from_json(stored) == read()


def test_every_value_says_where_it_came_from() -> None:
    drug = field("drug", "Lisinoprl 10 mg tab #30", 1)
    sig = field("sig", "1 tab po daily", 1, human=True)

    (medication,) = read(drug, sig, without=("quantity", "refills")).medications

    origins = {o.value: (o.field_id, o.reading_rank, o.rule) for o in medication.origins}
    assert origins == {
        "drug": ("drug-1", 0, "nearest name in the lexicon"),
        "strength": ("drug-1", 0, "strength as written, read from the drug line"),
        "form": ("drug-1", 0, "form as written"),
        "product": ("drug-1", 0, "the only product of name, strength and form"),
        "sig": ("sig-1", 0, "entered by a person; grammar of directions"),
        "quantity": ("drug-1", 0, "number and unit, read from the drug line"),
    }


def test_a_name_from_another_reading_says_its_rank() -> None:
    value = field("drug", "Zzyzx 10 mg tab", 1, alternatives=(("Lisinopril 10 mg tab", 0.4),))

    (medication,) = read(value).medications

    origin = next(o for o in medication.origins if o.value == "drug")
    assert (medication.drug and medication.drug.name, origin.reading_rank) == ("lisinopril", 1)


def test_patient_prescriber_date_and_signature_say_where_they_came_from() -> None:
    paper = read(
        field("patient_weight", "44 lb"), field("patient_mrn", "A-17", human=True),
        field("patient_age", "65"), field("patient_sex", "F"), field("allergies", "none"),
        field("patient_address", "1 Main St"), field("prescriber_name", "A. Roe"),
        field("prescriber_dea", "AB1234563"), field("prescriber_phone", "555 0100"),
        field("practice_name", "Clinic"),
    )  # fmt: skip

    origins = {o.value: (o.field_id, o.reading_rank, o.rule) for o in paper.origins}
    values = {"date_written", "date_text", "signature_present"}
    values |= {f"patient.{item.name}" for item in fields(paper.patient)}
    values |= {f"prescriber.{item.name}" for item in fields(paper.prescriber)}
    assert set(origins) == values
    assert origins["patient.weight_kg"] == ("patient_weight-0", 0, "number and unit, in kg")
    assert origins["patient.mrn"] == ("patient_mrn-0", 0, "entered by a person; text as written")
    assert origins["date_written"] == ("date_written-0", 0, "date as written")
    assert origins["prescriber.npi_valid"][0] == "prescriber_npi-0"
    assert through_json(paper) == paper


def test_a_value_that_is_not_there_has_no_origin() -> None:
    paper = read(field("patient_dob", "31/31/1961"), field("patient_weight", "20"))

    found = {origin.value for origin in paper.origins}
    assert "patient.birth_date_text" in found
    assert found.isdisjoint({"patient.birth_date", "patient.weight_kg", "patient.sex"})


def test_a_quantity_behind_the_directions_points_at_the_directions() -> None:
    sig = field("sig", "1 tab po daily #20 refills 2", 1)

    (medication,) = read(sig, without=("quantity", "refills")).medications

    origins = {o.value: (o.field_id, o.rule) for o in medication.origins}
    assert origins["quantity"] == ("sig-1", "number and unit, read behind the directions")
    assert origins["refills"] == ("sig-1", "number, read behind the directions")
