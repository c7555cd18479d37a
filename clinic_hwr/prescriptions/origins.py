"""Where each value of a medication came from: its field, the rank of the reading, and the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clinic_hwr.prescriptions.drug_line import DrugLine
from clinic_hwr.prescriptions.types import FieldValue, Medication, Origin

PERSON, SAME_LINE = "entered by a person", "read from the drug line"


def origins_of(
    medication: Medication,
    line: DrugLine,
    names: Sequence[tuple[str, float]],
    fields: Mapping[str, Sequence[FieldValue]],
) -> tuple[Origin, ...]:
    """Return one origin for each value that the medication has.

    Args:
        medication: the result.
        line: the parts of the drug line.
        names: the drug's names in the n-best readings, best first.
        fields: field name -> the fields of this medication.
    """
    return tuple(_origins(medication, line, names, fields))


def _origins(
    medication: Medication,
    line: DrugLine,
    names: Sequence[tuple[str, float]],
    fields: Mapping[str, Sequence[FieldValue]],
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
        "refills": medication.refills is not None and not line.refills_text,
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
        if there and own[name] and fields.get(name):
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
