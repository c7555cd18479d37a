"""Patient and Practitioner: whom the paper is for, who wrote it, who verified it."""

from __future__ import annotations

from typing import Any

from ..ids import mrn_system, uri_identifier, verifier_identity
from ..invariants import is_npi
from ..primitives import (
    NPI_SYSTEM,
    absent,
    absent_extension,
    ai_assisted,
    coding,
    compact,
    concept,
    fhir_string,
    plain_meta,
    token,
)
from ..publication import PrescriptionPublication
from .links import Links
from .names import human_name

DEA_SYSTEM = "urn:oid:2.16.840.1.113883.4.814"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"

_GENDERS = {
    "m": "male", "male": "male", "man": "male", "boy": "male",
    "männlich": "male", "hombre": "male", "homme": "male", "masculino": "male", "masculin": "male",
    "weiblich": "female", "mujer": "female", "femme": "female", "femenino": "female",
    "féminin": "female", "divers": "other",
    "f": "female", "female": "female", "woman": "female", "girl": "female",
    "x": "other", "o": "other", "other": "other", "nonbinary": "other", "non-binary": "other",
}  # fmt: skip


def patient(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the Patient as written on the paper; never matched to another paper's patient.

    US Core asks for the code ``unknown`` where gender is not known; a missing birth date or name
    carries a data-absent-reason.
    """
    written = record.prescription.patient
    fhir_id = links.id_of("patient")
    name = human_name(written.name)
    address = fhir_string(written.address)
    return compact(
        {
            "resourceType": "Patient",
            "id": fhir_id,
            "meta": ai_assisted("us-core-patient"),
            "identifier": [*_mrn(record), uri_identifier(fhir_id)],
            "name": [name or {"extension": [absent_extension()]}],
            "gender": _GENDERS.get(written.sex.strip().lower(), "unknown"),
            "birthDate": written.birth_date.isoformat() if written.birth_date else None,
            "_birthDate": None if written.birth_date else absent(),
            "address": [{"text": address}] if address else None,
            "managingOrganization": links.organization(),
        }
    )


def prescriber(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the Practitioner who wrote the paper; NPI and DEA only when their digits check."""
    written = record.prescription.prescriber
    fhir_id = links.id_of("prescriber")
    phone = token(written.phone)
    identifiers = []
    if written.npi_valid and is_npi(written.npi.strip()):
        identifiers.append(
            {
                "type": concept(coding(IDENTIFIER_TYPE, "NPI")),
                "system": NPI_SYSTEM,
                "value": written.npi.strip(),
            }
        )
    dea = token(written.dea)
    if written.dea_valid and dea:
        identifiers.append(
            {
                "type": concept(coding(IDENTIFIER_TYPE, "DEA")),
                "system": DEA_SYSTEM,
                "value": dea.upper(),
            }
        )
    return compact(
        {
            "resourceType": "Practitioner",
            "id": fhir_id,
            "meta": ai_assisted("us-core-practitioner"),
            "identifier": [*identifiers, uri_identifier(fhir_id)],
            "name": [human_name(written.name) or {"_family": absent()}],
            "telecom": [{"system": "phone", "value": phone, "use": "work"}] if phone else None,
        }
    )


def verifier(record: PrescriptionPublication, links: Links) -> dict[str, Any]:
    """Return the Practitioner who verified and released: a user of this site."""
    return compact(
        {
            "resourceType": "Practitioner",
            "id": links.id_of("verifier"),
            "meta": plain_meta("us-core-practitioner"),
            "identifier": [uri_identifier(verifier_identity(record.site.id, record.verifier_id))],
            "active": True,
            "name": [human_name(record.verifier_name) or {"_family": absent()}],
        }
    )


def _mrn(record: PrescriptionPublication) -> list[dict[str, Any]]:
    number = token(record.prescription.patient.mrn)
    if not number:
        return []
    return [
        {
            "type": concept(coding(IDENTIFIER_TYPE, "MR", "Medical record number")),
            "system": record.mrn_system or mrn_system(record.site.id),
            "value": number,
        }
    ]
