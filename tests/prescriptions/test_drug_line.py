"""Drug lines are split into name, strength, form, quantity and directions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_hwr.prescriptions.drug_line import split_drug_line
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.prescriptions.strengths import parse_strength


@pytest.mark.parametrize(
    ("text", "name", "value", "unit", "form", "rest"),
    [
        ("Amoxicillin 500mg cap", "Amoxicillin", "500", "mg", "capsule", ""),
        ("T. Paracetamol 650", "Paracetamol", "650", "", "tablet", ""),
        ("Tab Azithromycin 500 mg", "Azithromycin", "500", "mg", "tablet", ""),
        ("Syp. Ibuprofen 100mg/5ml 5ml tds", "Ibuprofen", "100", "mg", "syrup", "5ml tds"),
        ("2) Cap. Omeprazole 20 1-0-0", "Omeprazole", "20", "", "capsule", "1-0-0"),
        ("Paracetamol 1-0-1", "Paracetamol", None, "", None, "1-0-1"),
        ("Azithromycin 500 1-0-0 x 3d", "Azithromycin", "500", "", None, "1-0-0 x 3d"),
        ("Warfarin 1 tab daily", "Warfarin", None, "", None, "1 tab daily"),
        ("Lisinopril 10mg tab 1 po qd", "Lisinopril", "10", "mg", "tablet", "1 po qd"),
        ("Vitamin B12 1000 mcg", "Vitamin B12", "1000", "ug", None, ""),
        ("Timolol 0.5% eye drops 1 gtt OU", "Timolol", "0.5", "%", "drops", "1 gtt OU"),
        ("Amoxicillin500mg", "Amoxicillin", "500", "mg", None, ""),
        ("C diff vaccine", "C diff vaccine", None, "", None, ""),
        ("", "", None, "", None, ""),
    ],
)
def test_split(
    text: str, name: str, value: str | None, unit: str, form: str | None, rest: str
) -> None:
    line = split_drug_line(text, load_lexicon())

    assert (line.name, line.form, line.sig_text) == (name, form, rest)
    assert (line.strength.value if line.strength else None) == (Decimal(value) if value else None)
    assert (line.strength.unit if line.strength else "") == unit
    assert line.text == text


@pytest.mark.parametrize(
    ("text", "quantity", "refills"),
    [
        ("Amoxicillin 500 mg cap #30", "#30", ""),
        ("Prednisone 5 mg tabs Disp: thirty (30)", "Disp: thirty (30)", ""),
        ("Lisinopril 10 mg tab #30 RF 3", "#30", "RF 3"),
        ("Lisinopril 10 mg tab no refills", "", "no refills"),
    ],
)
def test_quantity_and_refills_on_the_line(text: str, quantity: str, refills: str) -> None:
    line = split_drug_line(text, load_lexicon())

    assert (line.quantity_text, line.refills_text, line.sig_text) == (quantity, refills, "")


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("Metformin ER 500 mg tab", "Extended Release"),
        ("Metoprolol XL 50 mg", "Extended Release"),
        ("Aspirin 81 mg EC tab", "Delayed Release"),
        ("Metformin 500 mg tab", ""),
    ],
)
def test_release(text: str, release: str) -> None:
    assert split_drug_line(text, load_lexicon()).release == release


@pytest.mark.parametrize(
    ("text", "value", "unit", "per", "others"),
    [
        ("500mg", "500", "mg", None, ()),
        ("1,000 IU", "1000", "[iU]", None, ()),
        (".5 mg", "0.5", "mg", None, ()),
        ("1.0mg", "1.0", "mg", None, ()),
        ("50 µg", "50", "ug", None, ()),
        ("50 μg", "50", "ug", None, ()),
        ("250 mg/5 mL", "250", "mg", ("5", "mL"), ()),
        ("100 units/mL", "100", "[iU]", ("1", "mL"), ()),
        ("25 mcg/hr", "25", "ug", ("1", "h"), ()),
        ("20-12.5 mg", "20", "mg", None, (("12.5", "mg"),)),
        ("875 mg/125 mg", "875", "mg", None, (("125", "mg"),)),
        ("800/160", "800", "", None, (("160", ""),)),
        ("1%", "1", "%", None, ()),
    ],
)
def test_strengths(
    text: str,
    value: str,
    unit: str,
    per: tuple[str, str] | None,
    others: tuple[tuple[str, str], ...],
) -> None:
    found = parse_strength(text)

    assert found is not None
    assert (str(found.value), found.unit, found.text) == (value, unit, text)
    if per:
        assert (str(found.per_value), found.per_unit) == per
    else:
        assert found.per_unit is None
    assert found.others == tuple((Decimal(v), u) for v, u in others)


@pytest.mark.parametrize("text", ["", "mg", "5 mg/0 mL", "abc", "5 mg and 3", "1" * 40])
def test_no_strength(text: str) -> None:
    assert parse_strength(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120))
def test_any_line_is_split_without_error(text: str) -> None:
    line = split_drug_line(text, load_lexicon())

    assert line.text == text
    assert line.name in text or line.name in " ".join(text.split()) or line.quantity_text
