"""Safety checks: named reasons why a value may not go on without a human."""

from clinic_hwr.prescriptions.checks import (
    directions,
    doses,
    drugs,
    names,
    pages,
    paper,
    received_twice,
    writing,
)
from clinic_hwr.prescriptions.checks.context import CheckContext, MedicationReading
from clinic_hwr.prescriptions.checks.registry import (
    Finding,
    UnknownBlockerError,
    blocker,
    blocker_codes,
    blocker_explanation,
    run_check,
    run_checks,
)

__all__ = [
    "CheckContext",
    "Finding",
    "MedicationReading",
    "UnknownBlockerError",
    "blocker",
    "blocker_codes",
    "blocker_explanation",
    "directions",
    "doses",
    "drugs",
    "names",
    "pages",
    "paper",
    "received_twice",
    "run_check",
    "run_checks",
    "writing",
]
