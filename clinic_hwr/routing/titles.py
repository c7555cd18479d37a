"""What people call the fields of a prescription."""

from __future__ import annotations

FIELD_TITLES: dict[str, str] = {
    "patient_name": "Patient name",
    "patient_dob": "Date of birth",
    "patient_age": "Age",
    "patient_sex": "Sex",
    "patient_weight": "Weight",
    "patient_address": "Address",
    "patient_mrn": "Record number",
    "allergies": "Allergies",
    "prescriber_name": "Prescriber",
    "prescriber_npi": "Prescriber NPI",
    "prescriber_dea": "Prescriber DEA",
    "prescriber_phone": "Prescriber phone",
    "practice_name": "Practice",
    "date_written": "Date written",
    "drug": "Drug",
    "strength": "Strength",
    "sig": "Directions",
    "quantity": "Quantity",
    "refills": "Refills",
    "substitution": "Substitution box",
    "signature": "Signature",
    "notes": "Notes",
    "unnamed": "Other ink",
}


def field_title(name: str, group: int = 0) -> str:
    """Return what people call a field: ``Directions 2`` for the sig of the second medication."""
    title = FIELD_TITLES.get(name, name.replace("_", " ").capitalize())
    return f"{title} {group}" if group else title
