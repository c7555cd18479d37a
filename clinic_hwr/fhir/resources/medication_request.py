"""MedicationRequest: one ordered drug of a paper."""

from __future__ import annotations

import re
from typing import Any

from clinic_hwr.prescriptions.types import Medication, Prescription

from ..ids import uri_identifier
from ..primitives import (
    RXNORM,
    absent,
    ai_assisted,
    coding,
    compact,
    concept,
    fhir_string,
    notes,
    quantity,
)
from ..publication import PrescriptionPublication
from .dosage import dosage_instructions
from .links import Links

CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH_OF_YEAR = re.compile(r"(0?[1-9]|1[0-2])\s*[/.-]\s*((?:19|20)\d\d)")


def medication_request(
    record: PrescriptionPublication, links: Links, medication: Medication
) -> dict[str, Any]:
    """Return the order as US Core MedicationRequest, active because a person signed it.

    The drug is coded only by an RxNorm id that was looked up; the name as written always stands
    beside it. A drug with no name is left to the border check, which refuses it.
    """
    fhir_id = links.id_of("medication", medication.sequence)
    authored_on, authored_on_absent, date_note = written_date(record.prescription)
    leftover = medication.sig.leftover if medication.sig else ()
    quantity_written = medication.quantity
    return compact(
        {
            "resourceType": "MedicationRequest",
            "id": fhir_id,
            "meta": ai_assisted("us-core-medicationrequest"),
            "identifier": [uri_identifier(fhir_id)],
            "status": "entered-in-error" if record.retracted else "active",
            "statusReason": reason_concept(record) if record.retracted else None,
            "intent": "order",
            "category": [concept(coding(CATEGORY, "community", "Community"))],
            "reportedBoolean": False,
            "medicationCodeableConcept": _drug(medication),
            "subject": links.patient(),
            "supportingInformation": [links.scan()],
            "authoredOn": authored_on,
            "_authoredOn": authored_on_absent,
            "requester": links.prescriber(),
            "recorder": links.verifier(),
            "groupIdentifier": uri_identifier(record.prescription_id),
            "note": notes(
                [date_note, *(f"Words of the directions left unstructured: {w}" for w in leftover)]
            ),
            "dosageInstruction": dosage_instructions(medication.sig),
            "dispenseRequest": compact(
                {
                    "numberOfRepeatsAllowed": medication.refills,
                    "quantity": quantity(quantity_written.value, quantity_written.unit)
                    if quantity_written
                    else None,
                }
            ),
            "substitution": {"allowedBoolean": medication.substitution_allowed}
            if medication.substitution_allowed is not None
            else None,
        }
    )


def withdrawn_request(record: PrescriptionPublication, stored: dict[str, Any]) -> dict[str, Any]:
    """Return an order of the version before that was no order: nobody may fill it."""
    body = {key: value for key, value in stored.items() if key not in ("meta", "status")}
    meta = {k: v for k, v in stored["meta"].items() if k not in ("versionId", "lastUpdated")}
    head = {"resourceType": body.pop("resourceType"), "id": body.pop("id"), "meta": meta}
    return compact(
        {**head, "status": "entered-in-error", **body, "statusReason": reason_concept(record)}
    )


def reason_concept(record: PrescriptionPublication) -> dict[str, Any] | None:
    """Return why the paper was amended or retracted, None when nothing was said."""
    words = fhir_string(record.reason)
    return {"text": words} if words else None


def drug_as_written(medication: Medication) -> str | None:
    """Return the drug and its strength in the words of the paper, None when no drug is named."""
    name = fhir_string(medication.drug_text)
    if name is None:
        return None
    strength = fhir_string(medication.strength.text) if medication.strength else None
    if strength is None or strength.lower() in name.lower():
        return name
    return f"{name} {strength}"


def written_date(prescription: Prescription) -> tuple[str | None, dict[str, Any] | None, str]:
    """Return the date on the paper: (value, or why there is none, a note with its words).

    A paper that says only "2026" or "11/2026" keeps that precision.
    """
    if prescription.date_written is not None:
        return prescription.date_written.isoformat(), None, ""
    words = prescription.date_text.strip()
    if _YEAR.fullmatch(words):
        return words, None, ""
    month = _MONTH_OF_YEAR.fullmatch(words)
    if month:
        return f"{month[2]}-{int(month[1]):02d}", None, ""
    if fhir_string(words):
        return None, absent("as-text"), f"Date on the paper: {words}"
    return None, absent(), ""


def _drug(medication: Medication) -> dict[str, Any]:
    match = medication.drug
    codings = []
    if match is not None and match.verified:
        # the most specific concept only: two codings must mean the same thing
        if medication.product_rxcui:
            codings.append((medication.product_rxcui, medication.product_name))
        elif match.rxcui:
            codings.append((match.rxcui, match.name))
    return concept(
        *(coding(RXNORM, code, fhir_string(name or "")) for code, name in codings),
        text=drug_as_written(medication),
    )
