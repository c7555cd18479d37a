"""What the review room hands over at release: everything one FHIR document is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clinic_hwr.accounts.models import Site
from clinic_hwr.prescriptions.types import Prescription


@dataclass(frozen=True, slots=True)
class PrescriptionPublication:
    """One released version of one prescription.

    Attributes:
        prescription_id: seed of every FHIR id and identifier of this paper.
        version: 1 for the first release, one more for every amendment.
        site: where the paper belongs; the compartment of everything stored.
        prescription: the verified content.
        scan_id: the scan it was read from.
        scan_sha256: of the original bytes as received (not of the PDF).
        scan_pdf: the scan as PDF; goes out inside the document.
        scan_received_at: timezone-aware.
        released_at: timezone-aware; the time of the signature.
        verifier_name: the person who verified and released.
        verifier_id: stable account id of that person at this installation.
        model_version: the recognizer, as in its model card.
        product_version: of clinic_hwr.
        reason: why it was amended or retracted, in the words of the person; "" for a release.
        withdrawn: orders of the version before that this one no longer has, as stored.
        retracted: the whole paper was signed in error.
        mrn_system: URI of the site's medical record numbers; "" for one derived from the site.
    """

    prescription_id: UUID
    version: int
    site: Site
    prescription: Prescription
    scan_id: UUID
    scan_sha256: str
    scan_pdf: bytes
    scan_received_at: datetime
    released_at: datetime
    verifier_name: str
    verifier_id: str
    model_version: str
    product_version: str
    reason: str = ""
    withdrawn: tuple[dict[str, Any], ...] = ()
    retracted: bool = False
    mrn_system: str = ""
