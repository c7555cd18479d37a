"""The state of fields as services use it; ``review.states`` holds it."""

from clinic_hwr.intake.states import ScanState

from ..states import (
    ABSENT,
    PRESENCE_KINDS,
    PRESENT,
    FieldState,
    decision_in_force,
    field_states,
    unresolved_fields,
)

# People work on a scan in these states: before, it is not read; after, it is signed or rejected.
OPEN_TO_PEOPLE = frozenset({ScanState.IN_REVIEW, ScanState.VERIFIED})

__all__ = [
    "ABSENT",
    "OPEN_TO_PEOPLE",
    "PRESENCE_KINDS",
    "PRESENT",
    "FieldState",
    "decision_in_force",
    "field_states",
    "unresolved_fields",
]
