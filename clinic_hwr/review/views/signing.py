"""What the pages with a signature share: why one was refused, and the warnings under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic_hwr.fhir.outcome import FhirInvalid
from clinic_hwr.prescriptions.types import Prescription

from ..errors import Conflict, ReleaseRefused, ReviewError
from ..presentation import field_title
from ..reauthentication import TooManyTries, WrongPassword
from ..services import blocker_key

SIGNATURE_ERRORS = (ReviewError, FhirInvalid)


def refusal_of(error: ReviewError | FhirInvalid) -> tuple[list[str], int]:
    """Return the sentences of a refused signature, and the HTTP status it is answered with."""
    if isinstance(error, FhirInvalid):
        problems = [
            f"{issue.expression}: {issue.diagnostics}" if issue.expression else issue.diagnostics
            for issue in error.issues
        ]
        return problems, 422
    if isinstance(error, WrongPassword):
        return [str(error)], 403
    if isinstance(error, TooManyTries):
        return [str(error)], 429
    if isinstance(error, ReleaseRefused):
        return list(error.problems), 409
    return [str(error)], 409 if isinstance(error, Conflict) else 400


def warnings_of(prescription: Prescription, ticked: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the signer must take note of; a refused form keeps its ticks."""
    return [
        {
            "key": blocker_key(blocker),
            "message": blocker.message,
            "stop": blocker.severity == "stop",
            "about": field_title(blocker.field_name, blocker.group) if blocker.field_name else "",
            "ticked": blocker_key(blocker) in ticked,
            "scan_id": blocker.scan_id,
        }
        for blocker in prescription.blockers
    ]
