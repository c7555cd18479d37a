"""Where each value of a prescription came from: its field, rank of the reading, and rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from clinic_hwr.prescriptions.drug_line import DrugLine
from clinic_hwr.prescriptions.types import FieldValue, Medication, Origin, Prescription

PERSON, SAME_LINE = "entered by a person", "read from the drug line"
BEHIND_SIG = "read behind the directions"

_AS_WRITTEN, _DATE, _CHECKED = "text as written", "date as written", "check digits of the number"
_PAPER: dict[str, tuple[str, str]] = {
    "patient.name": ("patient_name", _AS_WRITTEN),
    "patient.birth_date": ("patient_dob", _DATE),
    "patient.birth_date_text": ("patient_dob", _AS_WRITTEN),
    "patient.age_text": ("patient_age", _AS_WRITTEN),
    "patient.sex": ("patient_sex", _AS_WRITTEN),
    "patient.address": ("patient_address", _AS_WRITTEN),
    "patient.mrn": ("patient_mrn", _AS_WRITTEN),
    "patient.weight_kg": ("patient_weight", "number and unit, in kg"),
    "patient.allergies": ("allergies", _AS_WRITTEN),
    "prescriber.name": ("prescriber_name", _AS_WRITTEN),
    "prescriber.npi": ("prescriber_npi", "digits of the number"),
    "prescriber.npi_valid": ("prescriber_npi", _CHECKED),
    "prescriber.dea": ("prescriber_dea", "letters and digits of the number"),
    "prescriber.dea_valid": ("prescriber_dea", _CHECKED),
    "prescriber.phone": ("prescriber_phone", _AS_WRITTEN),
    "prescriber.practice": ("practice_name", _AS_WRITTEN),
    "date_written": ("date_written", _DATE),
    "date_text": ("date_written", _AS_WRITTEN),
    "signature_present": ("signature", "mark on the paper"),
}
"""Value of the paper -> the field it is read in, and the rule."""

PAPER_FIELDS = frozenset(field for field, _ in _PAPER.values())


def origins_of_paper(
    prescription: Prescription, fields: Mapping[str, FieldValue | None]
) -> tuple[Origin, ...]:
    """Return one origin for each value of patient, prescriber, date and signature that is there.

    Args:
        prescription: the result.
        fields: name of each of ``PAPER_FIELDS`` -> the field in force.
    """
    found = []
    for value, (name, rule) in _PAPER.items():
        field = fields.get(name)
        if field is not None and attrgetter(value)(prescription) not in (None, ""):
            found.append(_origin(value, {name: (field,)}, name, rule, 0))
    return tuple(found)


def origins_of(
    medication: Medication,
    line: DrugLine,
    names: Sequence[tuple[str, float]],
    fields: Mapping[str, Sequence[FieldValue]],
    *,
    behind_sig: Mapping[str, bool],
) -> tuple[Origin, ...]:
    """Return one origin for each value that the medication has.

    Args:
        medication: the result.
        line: the parts of the drug line.
        names: the drug's names in the n-best readings, best first.
        fields: field name -> the fields of this medication.
        behind_sig: whether quantity and refills stood behind the directions.
    """
    return tuple(_origins(medication, line, names, fields, behind_sig))


def _origins(
    medication: Medication,
    line: DrugLine,
    names: Sequence[tuple[str, float]],
    fields: Mapping[str, Sequence[FieldValue]],
    behind_sig: Mapping[str, bool],
) -> Iterator[Origin]:
    drug = medication.drug
    if drug is not None:
        rank = next((i for i, (name, _) in enumerate(names) if name == drug.written), 0)
        rule = "name in the lexicon" if drug.score >= 1.0 else "nearest name in the lexicon"
        yield _origin("drug", fields, "drug", rule, rank)
    own = {
        "strength": bool(medication.strength) and line.strength != medication.strength,
        "sig": bool(medication.sig) and medication.sig is not None
        and medication.sig.text != line.sig_text,
        "quantity": bool(medication.quantity)
        and medication.quantity is not None
        and medication.quantity.text != line.quantity_text,
        "refills": any(field.text.strip() for field in fields.get("refills", ())),
    }  # fmt: skip
    rules = {
        "strength": "strength as written", "sig": "grammar of directions",
        "quantity": "number and unit", "refills": "number",
    }  # fmt: skip
    present = {
        "strength": medication.strength is not None, "sig": medication.sig is not None,
        "quantity": medication.quantity is not None, "refills": medication.refills is not None,
    }  # fmt: skip
    for name, there in present.items():
        if there and behind_sig.get(name) and own["sig"] and fields.get("sig"):
            yield _origin(name, fields, "sig", f"{rules[name]}, {BEHIND_SIG}", 0)
        elif there and own[name] and fields.get(name):
            yield _origin(name, fields, name, rules[name], 0)
        elif there:
            yield _origin(name, fields, "drug", f"{rules[name]}, {SAME_LINE}", 0)
    if medication.form is not None:
        source = "drug" if line.form else "strength"
        yield _origin("form", fields, source, "form as written", 0)
    if medication.product_rxcui is not None:
        yield _origin("product", fields, "drug", "the only product of name, strength and form", 0)
    if medication.substitution_allowed is not None:
        yield _origin("substitution", fields, "substitution", "words of the paper", 0)


def _origin(
    value: str, fields: Mapping[str, Sequence[FieldValue]], name: str, rule: str, rank: int
) -> Origin:
    mine = fields.get(name, ())
    human = bool(mine) and all(field.human for field in mine)
    return Origin(
        value=value,
        field_id=mine[0].field_id if mine else "",
        reading_rank=rank,
        rule=f"{PERSON}; {rule}" if human else rule,
    )
