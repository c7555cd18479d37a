"""What people can do with a scan in review; split by verb, imported from here."""

from .amendment import (
    Amendment,
    FieldChange,
    amendment_preview,
    amendment_sign,
    retraction_sign,
)
from .box_readings import (
    BoxClaim,
    InkFound,
    box_claim,
    box_fail,
    box_reading_store,
    box_wait,
    boxes_waiting,
)
from .boxes import field_box_undo, field_rebox
from .clarifications import clarification_ask, clarification_call, clarification_withdraw
from .decisions import Effort, decision_store, field_decide, field_reopen
from .effective import FieldState, field_states, unresolved_fields
from .fields import NAMES_TO_GIVE, field_add, field_name, medication_number
from .leases import (
    lease_heartbeat,
    lease_release,
    lease_take_over,
    may_take_over,
    scan_claim,
    scan_claim_next,
)
from .refresh import content_sha256, prescription_current, prescription_refresh
from .rejection import scan_reject
from .release import blocker_key, prescription_release, release_problems
from .search import scans_search, search_index

__all__ = [
    "NAMES_TO_GIVE",
    "Amendment",
    "BoxClaim",
    "Effort",
    "FieldChange",
    "FieldState",
    "InkFound",
    "amendment_preview",
    "amendment_sign",
    "blocker_key",
    "box_claim",
    "box_fail",
    "box_reading_store",
    "box_wait",
    "boxes_waiting",
    "clarification_ask",
    "clarification_call",
    "clarification_withdraw",
    "content_sha256",
    "decision_store",
    "field_add",
    "field_box_undo",
    "field_decide",
    "field_name",
    "field_rebox",
    "field_reopen",
    "field_states",
    "lease_heartbeat",
    "lease_release",
    "lease_take_over",
    "may_take_over",
    "medication_number",
    "prescription_current",
    "prescription_refresh",
    "prescription_release",
    "release_problems",
    "retraction_sign",
    "scan_claim",
    "scan_claim_next",
    "scan_reject",
    "scans_search",
    "search_index",
    "unresolved_fields",
]
