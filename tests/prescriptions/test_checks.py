"""Each blocker has one paper that raises it and says exactly where; a clean paper raises none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.pages.types import FIELD_NAMES
from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.checks import (
    UnknownBlockerError,
    blocker_codes,
    blocker_explanation,
    run_check,
)
from clinic_hwr.prescriptions.checks.registry import blocker
from clinic_hwr.prescriptions.types import FieldValue

from .builders import TODAY, codes, decided, field, only, read, whole_paper
from .check_cases import CASES


def test_a_clean_paper_has_no_blocker() -> None:
    assert read().blockers == ()


@pytest.mark.parametrize(
    ("code", "changes", "without", "name", "group", "words"),
    CASES,
    ids=[f"{case[0]}-{index}" for index, case in enumerate(CASES)],
)
def test_blocker_is_raised_where_it_belongs(
    code: str,
    changes: list[FieldValue],
    without: tuple[str, ...],
    name: str,
    group: int,
    words: str,
) -> None:
    found = only(read(*changes, without=without), code)

    # What is about no field has none on which a stop could be resolved.
    severity = "stop" if name else "warn"
    assert (found.field_name, found.group, found.severity) == (name, group, severity)
    assert words in found.message


def test_every_blocker_is_explained_in_one_sentence() -> None:
    for code in blocker_codes():
        sentence = blocker_explanation(code)
        assert sentence.endswith("."), code
        assert ". " not in sentence.replace('"1.0 mg"', "").replace('".5 mg"', ""), code
        assert 2 <= len(sentence.split()) <= 20, code


def test_every_registered_blocker_has_a_case() -> None:
    elsewhere = {"same_paper", "same_order"}  # test_received_twice.py
    assert {case[0] for case in CASES} | elsewhere == set(blocker_codes())


@pytest.mark.parametrize(
    ("code", "changes"),
    [(c[0], c[1]) for c in CASES if c[0] != "illegible" and not c[2]],
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES) if c[0] != "illegible" and not c[2]],
)
def test_a_human_decision_on_the_field_leaves_a_warning_at_most(
    code: str, changes: list[FieldValue]
) -> None:
    # given the same paper, every field of it decided by a person
    values = [decided(value) for value in whole_paper(*changes)]

    prescription = interpret(values, today=TODAY)

    assert {b.severity for b in prescription.blockers if b.code == code} <= {"warn"}


def test_what_is_not_on_the_paper_is_a_warning_to_acknowledge() -> None:
    prescription = read(without=("signature", "patient_name", "date_written", "sig", "quantity"))

    assert {(b.code, b.severity) for b in prescription.blockers} == {
        ("missing_signature", "warn"),
        ("missing_patient", "warn"),
        ("date_missing", "warn"),
        ("missing_sig", "warn"),
    }


def test_an_illegible_drug_stays_a_stop_until_another_decision() -> None:
    illegible = field("drug", "", 1, human=True, illegible=True)

    assert only(read(illegible), "illegible").severity == "stop"
    assert "unknown_drug" not in codes(read(illegible))

    answered = replace(illegible, text="Lisinopril 10 mg tab", illegible=False)
    assert read(answered).blockers == ()


def test_directions_without_a_drug_stay_a_stop_until_they_are_taken_away() -> None:
    gone = field("drug", "", 1, human=True)

    found = only(read(gone), "unknown_drug")
    assert (found.field_name, found.severity) == ("drug", "stop")

    nothing = read(
        gone,
        field("sig", "", 1, human=True),
        field("quantity", "", 1, human=True),
    )
    assert nothing.medications == ()
    assert "unknown_drug" not in codes(nothing)


def test_a_confirmed_drug_is_not_ambiguous() -> None:
    read_twice = field(
        "drug",
        "hydroxyzine 25 mg tab",
        1,
        alternatives=(("hydralazine 25 mg tab", 0.45),),
    )

    assert "look_alike" in codes(read(read_twice))
    assert not {"look_alike", "ambiguous_drug"} & codes(read(decided(read_twice)))


@pytest.mark.parametrize(
    ("sig", "missing"),
    [
        ("40 mg IV q12h", False),
        ("1 tab po q12h", True),
        ("5 mL po q12h", True),
        ("as directed", True),
    ],
)
def test_a_dose_by_amount_needs_no_strength_beside_it(sig: str, missing: bool) -> None:
    order = [field("drug", "Furosemide", 1), field("sig", sig, 1)]

    found = codes(read(*order, without=("quantity", "refills")))

    assert ("missing_strength" in found) is missing


def test_brand_and_generic_of_one_drug_are_no_rivals() -> None:
    twice = field("drug", "Zestril 10 mg tab", 1, alternatives=(("Lisinopril 10 mg tab", 0.4),))

    assert "ambiguous_drug" not in codes(read(twice))


def test_every_listed_lookalike_pair_in_the_n_best_raises_its_blocker() -> None:
    from clinic_hwr.prescriptions.tables import read_table

    pairs = [(a, b) for a, b, _ in read_table("lookalikes.tsv.gz")]
    missed = []
    for a, b in (*pairs, *((b, a) for a, b in pairs)):
        value = field("drug", a, 1, p_correct=0.5, alternatives=((a, 0.5), (b, 0.4)))
        if "look_alike" not in codes(read(value)):
            missed.append((a, b))
    assert len(pairs) == 281
    assert missed == []


def test_a_controlled_drug_is_too_old_after_six_months() -> None:
    drug = field("drug", "Alprazolam 0.5 mg tab", 1)

    assert "date_too_old" in codes(read(drug, field("date_written", "05/01/2026")))
    assert "date_too_old" not in codes(read(field("date_written", "05/01/2026")))


def test_as_needed_orders_have_no_quantity_to_compare() -> None:
    sig = field("sig", "1 tab q6h prn pain x 5 days", 1)

    assert "quantity_mismatch" not in codes(read(sig))


def test_a_bottle_may_hold_more_than_is_needed_but_not_less() -> None:
    drug = field("drug", "Cephalexin 250 mg/5 mL susp", 1)
    sig = field("sig", "5 mL tid x 10 days", 1)

    assert "quantity_mismatch" not in codes(read(drug, sig, field("quantity", "200 mL", 1)))
    assert "quantity_mismatch" in codes(read(drug, sig, field("quantity", "100 mL", 1)))


def test_unknown_code_names_the_valid_ones() -> None:
    with pytest.raises(UnknownBlockerError, match="valid names: ambiguous_drug, birth_date"):
        run_check("no_such_check", None)  # type: ignore[arg-type]


def test_a_code_is_registered_once() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        blocker("unknown_drug")(lambda context: iter(()))


texts = st.text(max_size=40) | st.sampled_from(
    ["Lisinopril 10 mg tab", "1 tab bid x 5d prn pain", "#30", "0.5mg", "12/12/2026", "thirty (3)"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            FieldValue,
            field_id=st.just("x"),
            name=st.sampled_from(sorted(FIELD_NAMES)),
            group=st.integers(0, 3),
            text=texts,
            alternatives=st.lists(st.tuples(texts, st.floats(0, 1)), max_size=2).map(tuple),
            p_correct=st.floats(0, 1),
            human=st.booleans(),
            present=st.none() | st.booleans(),
            illegible=st.booleans(),
        ),
        max_size=8,
    )
)
def test_a_stop_can_always_be_resolved(values: list[FieldValue]) -> None:
    """Every stop names a field on the paper that is open, or one where another decision helps."""
    prescription = interpret(values, today=TODAY)

    for found in prescription.blockers:
        assert found.message.endswith(".")
        if found.severity == "stop":
            fields = [v for v in values if v.name == found.field_name]
            assert fields, found
            if found.code not in {"illegible", "unknown_drug"}:
                assert any(not value.human for value in fields), found


def test_a_decision_about_one_field_leaves_the_stop_of_its_namesake() -> None:
    struck = field("unnamed", "call back", struck_out="wholly")
    open_one, done = replace(struck, field_id="one"), decided(replace(struck, field_id="two"))
    found = interpret([*whole_paper(), open_one, done], today=TODAY).blockers

    severities = {each.field_id: each.severity for each in found if each.code == "struck_out"}
    assert severities == {"one": "stop", "two": "warn"}


def test_what_is_perhaps_crossed_out_keeps_its_words_until_a_person_answers() -> None:
    drug = field("drug", "Lisinopril 10 mg tab", 1, struck_out="perhaps")
    rest = [value for value in whole_paper() if value.name != "drug"]

    asked = interpret([*rest, drug], today=TODAY)
    settled = interpret([*rest, decided(drug)], today=TODAY)
    plain = interpret([*rest, replace(drug, struck_out="")], today=TODAY)
    crossed = interpret([*rest, replace(drug, struck_out="wholly")], today=TODAY)

    assert asked.medications[0].drug == plain.medications[0].drug != crossed.medications[0].drug
    assert [b.severity for b in asked.blockers if b.code == "struck_out"] == ["stop"]
    assert not [b for b in settled.blockers if b.code == "struck_out"]
