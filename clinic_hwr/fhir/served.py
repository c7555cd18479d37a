"""What the FHIR server serves: one table, from which routes and CapabilityStatement are made."""

from __future__ import annotations

from dataclasses import dataclass

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"


@dataclass(frozen=True, slots=True)
class Served:
    """One resource type as served.

    Attributes:
        profile: the US Core profile every resource of the type claims, "" for none.
        search: name -> FHIR search parameter type; empty when the type is not searched.
        documents: whether ``$document`` works on its instances.
    """

    profile: str = ""
    search: tuple[tuple[str, str], ...] = ()
    documents: bool = False


_BY_PATIENT = (("_id", "token"), ("identifier", "token"), ("patient", "reference"))

SERVED: dict[str, Served] = {
    "Binary": Served(),
    "Bundle": Served(),
    "Composition": Served(search=_BY_PATIENT, documents=True),
    "Device": Served(),
    "DocumentReference": Served(f"{US_CORE}/us-core-documentreference", _BY_PATIENT),
    "MedicationRequest": Served(f"{US_CORE}/us-core-medicationrequest", _BY_PATIENT),
    "Organization": Served(f"{US_CORE}/us-core-organization"),
    "Patient": Served(f"{US_CORE}/us-core-patient", (("_id", "token"), ("identifier", "token"))),
    "Practitioner": Served(f"{US_CORE}/us-core-practitioner"),
    "Provenance": Served(f"{US_CORE}/us-core-provenance"),
}
