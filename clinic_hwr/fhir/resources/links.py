"""Which resource plays which part in one paper, and how the others refer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..ids import resource_id
from ..primitives import reference


@dataclass(frozen=True, slots=True)
class Links:
    """The ids of one paper's resources; the ``*_reference`` methods point at them."""

    prescription_id: UUID

    def id_of(self, role: str, sequence: int = 0) -> str:
        """Return the id of the resource that plays ``role``."""
        return resource_id(self.prescription_id, role, sequence)

    def patient(self) -> dict[str, Any]:
        """Return a Reference to the patient."""
        return reference("Patient", self.id_of("patient"))

    def prescriber(self) -> dict[str, Any]:
        """Return a Reference to the person who wrote the paper."""
        return reference("Practitioner", self.id_of("prescriber"))

    def verifier(self) -> dict[str, Any]:
        """Return a Reference to the person who checked what was read and released it."""
        return reference("Practitioner", self.id_of("verifier"))

    def organization(self) -> dict[str, Any]:
        """Return a Reference to the site."""
        return reference("Organization", self.id_of("organization"))

    def model(self) -> dict[str, Any]:
        """Return a Reference to the software that read the paper."""
        return reference("Device", self.id_of("model"))

    def scan(self) -> dict[str, Any]:
        """Return a Reference to the scanned paper."""
        return reference("DocumentReference", self.id_of("scan"))

    def composition(self) -> dict[str, Any]:
        """Return a Reference to the composition of the document."""
        return reference("Composition", self.id_of("composition"))

    def medication(self, sequence: int) -> dict[str, Any]:
        """Return a Reference to the order of medication ``sequence`` of the paper."""
        return reference("MedicationRequest", self.id_of("medication", sequence))
