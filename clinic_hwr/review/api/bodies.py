"""What requests to the review API hold."""

from __future__ import annotations

from rest_framework import serializers as s

from ..clarify_templates import TEMPLATES
from ..models import CallOutcome, DecisionKind
from ..search.engines import PARTS
from ..services.decisions import MAX_VALUE_CHARS
from ..services.fields import MAX_MEDICATIONS, NAMES_TO_GIVE
from ..services.rejection import REJECT_CODES
from ..services.search import MAX_QUERY_CHARS

KINDS_TO_DECIDE = [kind.value for kind in DecisionKind if kind != DecisionKind.REOPENED]
MAX_SECONDS = 1e6


class LeaseBody(s.Serializer):
    """The fencing token of the lease under which something is done."""

    lease_token = s.UUIDField(help_text="From the claim.")


class DecideBody(LeaseBody):
    """One decision; ``If-Match`` says which state of the field it was made on."""

    kind = s.ChoiceField(KINDS_TO_DECIDE)
    value = s.CharField(
        default="", allow_blank=True, max_length=MAX_VALUE_CHARS, trim_whitespace=False
    )
    active_seconds = s.FloatField(default=0.0, min_value=0.0, max_value=MAX_SECONDS)
    decision_id = s.UUIDField(default=None, allow_null=True)
    keys_used = s.IntegerField(default=0, min_value=0, max_value=1_000_000)
    clicks_used = s.IntegerField(default=0, min_value=0, max_value=1_000_000)


class ReopenBody(LeaseBody):
    """Takes the decision in force back."""

    decision_id = s.UUIDField(default=None, allow_null=True)


class NameBody(LeaseBody):
    """What a field is."""

    name = s.ChoiceField(list(NAMES_TO_GIVE))
    group = s.IntegerField(default=0, min_value=0, max_value=MAX_MEDICATIONS)


class AddBody(NameBody):
    """A field that was missed."""

    page = s.IntegerField(default=1, min_value=1, max_value=10_000)
    box_px = s.ListField(
        child=s.IntegerField(min_value=0, max_value=1_000_000),
        min_length=4,
        max_length=4,
        default=None,
        allow_null=True,
        help_text="x, y, width, height on the upright page; null: the whole page.",
    )
    field_id = s.UUIDField(default=None, allow_null=True)


class BoxBody(s.Serializer):
    """Where the ink of a field really is."""

    lease_token = s.UUIDField()
    box_px = s.ListField(
        child=s.IntegerField(min_value=0, max_value=1_000_000), min_length=4, max_length=4
    )


class BoxUndoBody(LeaseBody):
    """Which box is taken back."""

    box_version = s.IntegerField(min_value=0, max_value=1_000_000, help_text="Of the field.")


class AskBody(s.Serializer):
    """A question to the prescriber."""

    lease_token = s.UUIDField()
    reason = s.ChoiceField(list(TEMPLATES))
    question = s.CharField(max_length=500)
    clarification_id = s.UUIDField(default=None, allow_null=True)


class CallBody(s.Serializer):
    """One call about a question."""

    outcome = s.ChoiceField(CallOutcome.choices)
    called = s.CharField(max_length=120, help_text="Who was spoken to.")
    phone = s.CharField(default="", allow_blank=True, max_length=40)
    answer = s.CharField(default="", allow_blank=True, max_length=2000)
    read_back = s.BooleanField(default=False, help_text="Needed for an answer.")
    call_id = s.UUIDField(default=None, allow_null=True)


class WithdrawBody(s.Serializer):
    """Why a question is taken back."""

    reason = s.CharField(max_length=500)


class KeysBody(s.Serializer):
    """Other keys for one action."""

    action = s.CharField(max_length=40)
    keys = s.ListField(
        child=s.CharField(max_length=20), max_length=10, help_text="Empty: as for everybody."
    )


class DrugsBody(s.Serializer):
    """The beginning of a drug's name; in the body, so that it gets into no address."""

    scan_id = s.UUIDField(help_text="Whose site's list is looked at.")
    text = s.CharField(max_length=100)


class RejectBody(s.Serializer):
    """Why a scan is taken out of work."""

    code = s.ChoiceField(list(REJECT_CODES))
    reason = s.CharField(default="", allow_blank=True, max_length=500)


class TakeOverBody(s.Serializer):
    """Why a scan is taken from a colleague."""

    reason = s.CharField(max_length=500)


class SignBody(s.Serializer):
    """A signature: the password anew, whatever the request was signed in with."""

    password = s.CharField(trim_whitespace=False, max_length=4096, write_only=True)
    acknowledged = s.ListField(
        child=s.CharField(max_length=300), default=list, help_text="Keys of the warnings."
    )


class RetractBody(s.Serializer):
    """A signature under a retraction."""

    password = s.CharField(trim_whitespace=False, max_length=4096, write_only=True)
    reason = s.CharField(max_length=500)


class ChangeBody(s.Serializer):
    """One value of an amendment; without ``field_id`` it is added as ``name`` and ``group``."""

    field_id = s.UUIDField(default=None, allow_null=True)
    kind = s.ChoiceField(KINDS_TO_DECIDE, default=DecisionKind.CORRECTED.value)
    value = s.CharField(default="", allow_blank=True, max_length=MAX_VALUE_CHARS)
    name = s.CharField(default="", allow_blank=True, max_length=40)
    group = s.IntegerField(default=0, min_value=0, max_value=MAX_MEDICATIONS)


class AmendPreviewBody(s.Serializer):
    """What would change."""

    changes = ChangeBody(many=True)


class AmendBody(AmendPreviewBody, SignBody):
    """A signed amendment; ``If-Match`` is the ETag of its preview."""

    reason = s.CharField(max_length=500)
    version = s.IntegerField(min_value=1, max_value=100_000)


class SearchBody(s.Serializer):
    """What to look for; in the body, so that no name gets into an address."""

    text = s.CharField(max_length=MAX_QUERY_CHARS)
    part = s.ChoiceField(["", *PARTS], default="", allow_blank=True)
    before = s.IntegerField(default=None, allow_null=True, min_value=0, max_value=2**62)
