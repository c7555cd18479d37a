"""From fields to a prescription: group, read, match, structure, check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from clinic_hwr.prescriptions.checks import CheckContext, MedicationReading, run_checks
from clinic_hwr.prescriptions.dates import DateReading, parse_date
from clinic_hwr.prescriptions.drug_line import (
    DrugLine,
    read_drug_line,
    split_drug_line,
    take_quantity,
)
from clinic_hwr.prescriptions.forms import form_of
from clinic_hwr.prescriptions.identifiers import dea_of, dea_valid, npi_of, npi_valid
from clinic_hwr.prescriptions.lexicon import DrugLexicon, load_lexicon
from clinic_hwr.prescriptions.lexicon_entries import Availability
from clinic_hwr.prescriptions.origins import PAPER_FIELDS, origins_of, origins_of_paper
from clinic_hwr.prescriptions.people import age_on, parse_age_years, parse_weight_kg
from clinic_hwr.prescriptions.quantities import NumberReading, parse_quantity, parse_refills
from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.strengths import find_strengths, parse_strength
from clinic_hwr.prescriptions.types import (
    DrugMatch,
    EarlierOrder,
    FieldValue,
    Medication,
    PatientInfo,
    PrescriberInfo,
    Prescription,
    Sig,
    Strength,
)

MEDICATION_FIELDS = frozenset({"drug", "strength", "sig", "quantity"})
"""Fields of one medication. Refills and substitution may also stand once for the whole page."""

_MEDICATION_VALUES = (*sorted(MEDICATION_FIELDS), "refills", "substitution")

# A nearest name below this is shown as a candidate and not taken as the drug.
MIN_DRUG_SCORE = 0.7


def interpret(
    values: Sequence[FieldValue],
    *,
    today: date,
    day_first: bool = False,
    lexicon: DrugLexicon | None = None,
    country: str | None = None,
    earlier: Sequence[EarlierOrder] = (),
) -> Prescription:
    """Read the fields of one paper together. Never raises on any text.

    Args:
        values: the value in force of every field, in reading order.
        today: the day of interpretation.
        day_first: the site writes day before month in numeric dates.
        lexicon: the drug lexicon; the packaged one when None.
        country: where the paper was written (US, UK, IN or FR): language and abbreviations.
        earlier: earlier papers of the site that may be the same one.

    Returns:
        The prescription with its blockers. A human value is taken as it is: matched to the
        lexicon only where it stands there letter by letter, never corrected. A sig keeps its
        structure only when every word of it was understood in one way.
    """
    context = context_of(values, today=today, day_first=day_first, lexicon=lexicon, country=country)
    context = replace(context, earlier=tuple(earlier))
    prescription = Prescription(
        patient=context.patient,
        prescriber=context.prescriber,
        medications=tuple(reading.medication for reading in context.medications),
        date_written=context.date_reading.value if context.date_reading else None,
        date_text=context.date_text,
        signature_present=context.signature_present,
        blockers=run_checks(context),
    )
    fields = {name: _first(context.values, name) for name in PAPER_FIELDS}
    return replace(prescription, origins=origins_of_paper(prescription, fields))


def context_of(
    values: Sequence[FieldValue],
    *,
    today: date,
    day_first: bool = False,
    lexicon: DrugLexicon | None = None,
    country: str | None = None,
    route: str | None = None,
) -> CheckContext:
    """Read the fields of one paper as ``interpret`` does, before any check has run.

    Args:
        values, today, day_first, lexicon, country: as in ``interpret``.
        route: SNOMED CT code of a route known from elsewhere; it helps to rank drugs.
    """
    lexicon = lexicon or load_lexicon()
    values = tuple(_as_ordered(value) for value in values)
    date_value = _first(values, "date_written")
    date_text = date_value.text.strip() if date_value else ""
    date_reading = parse_date(date_text, today=today, day_first=day_first) if date_text else None
    patient, weight_unit_missing = _patient(values, today=today, day_first=day_first)
    readings = tuple(
        _medication(values, group, lexicon, country, route) for group in medication_groups(values)
    )
    signature = _first(values, "signature")
    signature_present = None
    if signature is not None:
        signature_present = signature.present
        if signature_present is None:
            signature_present = bool(signature.text.strip()) or None
    written = date_reading.value if date_reading else None
    return CheckContext(
        values=values,
        medications=readings,
        patient=patient,
        prescriber=_prescriber(values),
        date_reading=date_reading,
        date_text=date_text,
        signature_present=signature_present,
        age_years=_age(patient, written or today),
        weight_unit_missing=weight_unit_missing,
        today=today,
        lexicon=lexicon,
    )


def _as_ordered(value: FieldValue) -> FieldValue:
    """Take the machine's words off what is crossed out: only a person may say that it is meant."""
    if value.struck_out in ("", "perhaps") or value.human:
        return value
    return replace(value, text="", alternatives=(), p_correct=0.0)


def medication_groups(values: Sequence[FieldValue]) -> list[int]:
    """Return the groups that are a medication, ascending.

    A group whose drug a person found not to be there, and that holds no other text, is none. A
    field without a group (0) belongs to the only medication when there is exactly one.
    """
    groups = {value.group for value in values if value.name in MEDICATION_FIELDS}
    numbered = groups - {0}
    if 0 in groups and len(numbered) == 1:
        groups = numbered
    return sorted(group for group in groups if not _is_absent(values, group))


def _is_absent(values: Sequence[FieldValue], group: int) -> bool:
    mine = [v for v in values if v.group == group and v.name in MEDICATION_FIELDS]
    blank = all(not value.text.strip() and not value.illegible for value in mine)
    drugs = [value for value in mine if value.name == "drug"] or mine
    return blank and all(value.human for value in drugs)


def _of_group(values: Sequence[FieldValue], name: str, group: int) -> list[FieldValue]:
    mine = [value for value in values if value.name == name and value.group == group]
    if mine or group == 0:
        return mine
    # Page-level refills and substitution hold for all; a stray sig only for a single medication.
    others = {v.group for v in values if v.name in MEDICATION_FIELDS} - {0}
    if name in MEDICATION_FIELDS and len(others) != 1:
        return []
    return [value for value in values if value.name == name and value.group == 0]


def _joined(fields: Sequence[FieldValue]) -> str:
    return " ".join(value.text.strip() for value in fields if value.text.strip())


def _medication(
    values: Sequence[FieldValue],
    group: int,
    lexicon: DrugLexicon,
    country: str | None,
    route: str | None,
) -> MedicationReading:
    drug_fields = _of_group(values, "drug", group)
    drug_text = _joined(drug_fields)
    human = bool(drug_fields) and all(value.human for value in drug_fields)
    # What a person entered is taken as it is; a machine's line may hold its name misread.
    line = (split_drug_line if human else read_drug_line)(drug_text, lexicon)
    strength_text = _joined(_of_group(values, "strength", group))
    strength, form = _strength_and_form(line, strength_text)
    names = ((line.name, 1.0),) if human else _names(drug_fields, line, lexicon)
    sig_fields = _of_group(values, "sig", group)
    sig_text = _joined(sig_fields) or line.sig_text
    # "1 tab bid #20": the quantity behind directions is no part of them; the text stays whole.
    sig_quantity, sig_refills, directions = take_quantity(sig_text)
    quantity_text = _joined(_of_group(values, "quantity", group)) or line.quantity_text
    refills_text = _joined(_of_group(values, "refills", group)) or line.refills_text
    if (sig_quantity and quantity_text) or (sig_refills and refills_text):
        # Written twice: nothing is taken out, so that the second one is left over and reported.
        sig_quantity, sig_refills, directions = "", "", sig_text
    quantity_text, refills_text = quantity_text or sig_quantity, refills_text or sig_refills
    sig = (
        _with_text(parse_sig(directions, form=form, country=country), sig_text)
        if sig_text
        else None
    )
    route = _route(sig) or route
    candidates = _candidates(names, line, strength, form, route, lexicon, human=human)
    drug = candidates[0] if candidates and candidates[0].score >= MIN_DRUG_SCORE else None
    availability: Availability | None = None
    product = None
    if drug is not None:
        entry = lexicon.entry(drug)
        availability = lexicon.availability(
            entry, strength=strength, form=form, release=line.release
        )
        product = lexicon.product(entry, strength=strength, form=form, release=line.release)
    stray = bool(_joined(sig_fields)) and bool(line.sig_text)
    quantity, quantity_reading = parse_quantity(quantity_text) if quantity_text else (None, None)
    refills: int | None = None
    refills_reading: NumberReading | None = None
    if refills_text:
        refills, refills_reading = parse_refills(refills_text)
    medication = Medication(
        sequence=group,
        drug_text=drug_text,
        drug=drug,
        candidates=candidates,
        strength=strength,
        form=form,
        product_rxcui=product.rxcui if product else None,
        product_name=product.name if product else None,
        sig=_certain(sig, stray=stray),
        quantity=quantity,
        refills=refills,
        substitution_allowed=_substitution(_of_group(values, "substitution", group)),
    )
    fields = {name: _of_group(values, name, group) for name in _MEDICATION_VALUES}
    behind_sig = {"quantity": bool(sig_quantity), "refills": bool(sig_refills)}
    origins = origins_of(medication, line, names, fields, behind_sig=behind_sig)
    medication = replace(medication, origins=origins)
    return MedicationReading(
        medication=medication,
        line=line,
        readings=names,
        availability=availability,
        sig=sig,
        sig_text=sig_text,
        strength_text=strength_text,
        quantity_text=quantity_text,
        refills_text=refills_text,
        quantity_reading=quantity_reading,
        refills_reading=refills_reading,
    )


def _with_text(sig: Sig, text: str) -> Sig:
    """Give directions the whole text they were written in; a single dosage carries it too."""
    if sig.text == text:
        return sig
    dosages = sig.dosages
    if all(dosage.text == sig.text for dosage in dosages):
        dosages = tuple(replace(dosage, text=text) for dosage in dosages)
    return replace(sig, text=text, dosages=dosages)


def _certain(sig: Sig | None, *, stray: bool) -> Sig | None:
    """Keep the structure of directions only when nothing of them is left out or unsure."""
    if sig is None or not (sig.leftover or sig.warnings or stray):
        return sig
    return replace(sig, dosages=(), plain_language="")


def _names(
    fields: Sequence[FieldValue], line: DrugLine, lexicon: DrugLexicon
) -> tuple[tuple[str, float], ...]:
    """Return the names in the n-best drug lines with their summed probability, best first."""
    shares: dict[str, float] = {}
    if line.name:
        shares[line.name] = fields[0].p_correct if fields else 0.0
    if len(fields) == 1:
        for text, share in fields[0].alternatives:
            if text.strip() == fields[0].text.strip():
                continue
            name = read_drug_line(text, lexicon).name
            if name and name != line.name:
                shares[name] = shares.get(name, 0.0) + share
    first = [(line.name, shares.pop(line.name))] if line.name in shares else []
    return tuple(first + sorted(shares.items(), key=lambda item: -item[1]))


def _candidates(
    names: Sequence[tuple[str, float]],
    line: DrugLine,
    strength: Strength | None,
    form: str | None,
    route: str | None,
    lexicon: DrugLexicon,
    *,
    human: bool,
) -> tuple[DrugMatch, ...]:
    if human:
        exact = lexicon.match_exact(line.name) if line.name else None
        return (exact,) if exact else ()
    return lexicon.match(names, strength=strength, form=form, release=line.release, route=route)


def _route(sig: Sig | None) -> str | None:
    """Return the one route that directions name, or None."""
    routes = {d.route.code for d in sig.dosages if d.route is not None} if sig else set()
    return next(iter(routes)) if len(routes) == 1 else None


def _strength_and_form(line: DrugLine, strength_text: str) -> tuple[Strength | None, str | None]:
    """Return the strength of its own field, else of the drug line, and the form of either."""
    form = line.form
    own = parse_strength(strength_text)
    if own is None and strength_text:
        found = find_strengths(strength_text)
        own = found[0].strength if len(found) == 1 else None
    for word in re.findall(r"[A-Za-z]{3,}", strength_text):
        form = form or form_of(word)
    return own or line.strength, form


def _substitution(fields: Sequence[FieldValue]) -> bool | None:
    """Whether a generic may be given; None when the paper does not say."""
    text = _joined(fields).lower()
    no = r"\bdaw\b|as written|not substitute|no subst|medically necessary|not permitted|\bno\b"
    if re.search(no, text):
        return False
    yes = r"permitted|permissible|allowed|may substitute|generic|\byes\b|\bok\b"
    return True if re.search(yes, text) else None


def _first(values: Sequence[FieldValue], name: str) -> FieldValue | None:
    """Return the first field of a name with text, else the first of that name."""
    mine = [value for value in values if value.name == name]
    return next((value for value in mine if value.text.strip()), mine[0] if mine else None)


def _text(values: Sequence[FieldValue], name: str) -> str:
    value = _first(values, name)
    return " ".join(value.text.split()) if value else ""


def _patient(
    values: Sequence[FieldValue], *, today: date, day_first: bool
) -> tuple[PatientInfo, bool]:
    """Return the patient, and whether a weight was written without its unit."""
    weight_kg, unit_missing = parse_weight_kg(_text(values, "patient_weight"))
    birth_text = _text(values, "patient_dob")
    birth = DateReading(None)
    if birth_text:
        birth = parse_date(birth_text, today=today, day_first=day_first, past=True)
    return (
        PatientInfo(
            name=_text(values, "patient_name"),
            birth_date=birth.value,
            birth_date_text=birth_text,
            age_text=_text(values, "patient_age"),
            sex=_text(values, "patient_sex"),
            address=_text(values, "patient_address"),
            mrn=_text(values, "patient_mrn"),
            weight_kg=weight_kg,
            allergies=_text(values, "allergies"),
        ),
        unit_missing,
    )


def _prescriber(values: Sequence[FieldValue]) -> PrescriberInfo:
    npi = npi_of(_text(values, "prescriber_npi"))
    dea = dea_of(_text(values, "prescriber_dea"))
    return PrescriberInfo(
        name=_text(values, "prescriber_name"),
        npi=npi,
        npi_valid=npi_valid(npi) if npi else None,
        dea=dea,
        dea_valid=dea_valid(dea) if dea else None,
        phone=_text(values, "prescriber_phone"),
        practice=_text(values, "practice_name"),
    )


def _age(patient: PatientInfo, day: date) -> float | None:
    if patient.birth_date is not None and patient.birth_date <= day:
        return age_on(patient.birth_date, day)
    return parse_age_years(patient.age_text)
