"""What people can do with a scan in review; split by verb, imported from here."""

from .decisions import field_decide, field_reopen
from .effective import FieldState, field_states, unresolved_fields
from .fields import NAMES_TO_GIVE, field_add, field_name, medication_number
from .leases import lease_heartbeat, lease_release, scan_claim
from .refresh import content_sha256, prescription_refresh
from .rejection import scan_reject
from .release import blocker_key, prescription_release, release_problems

__all__ = [
    "NAMES_TO_GIVE",
    "FieldState",
    "blocker_key",
    "content_sha256",
    "field_add",
    "field_decide",
    "field_name",
    "field_reopen",
    "field_states",
    "lease_heartbeat",
    "lease_release",
    "medication_number",
    "prescription_refresh",
    "prescription_release",
    "release_problems",
    "scan_claim",
    "scan_reject",
    "unresolved_fields",
]
