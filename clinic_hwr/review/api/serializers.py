"""The shapes of requests and answers of the review API."""

from __future__ import annotations

from rest_framework import serializers as s

from clinic_hwr.intake.states import ScanState

from ..clarify_templates import TEMPLATES
from ..models import CallOutcome, DecisionKind
from ..search.engines import PARTS
from ..services.decisions import MAX_VALUE_CHARS
from ..services.fields import MAX_MEDICATIONS, NAMES_TO_GIVE
from ..services.rejection import REJECT_CODES
from ..services.search import MAX_QUERY_CHARS

KINDS_TO_DECIDE = [kind.value for kind in DecisionKind if kind != DecisionKind.REOPENED]
MAX_SECONDS = 1e6


# --- requests ---------------------------------------------------------------------------------


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


class QuestionAnswer(s.Serializer):
    """A question to the prescriber."""

    clarification_id = s.UUIDField()
    field_id = s.UUIDField()
    reason = s.CharField()
    question = s.CharField()
    status = s.CharField()


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


# --- answers ----------------------------------------------------------------------------------


class LeaseAnswer(s.Serializer):
    """A lease in force, or none."""

    scan_id = s.UUIDField()
    token = s.UUIDField(allow_null=True, help_text="Only for its holder.")
    holder = s.CharField(allow_blank=True)
    expires_at = s.DateTimeField(allow_null=True)


class QueueAnswer(s.Serializer):
    """One queue; ``count`` stops at ``count_cap``."""

    slug = s.CharField()
    title = s.CharField()
    count = s.IntegerField()
    more = s.BooleanField(help_text="There are more than were counted.")
    oldest_received_at = s.DateTimeField(allow_null=True)
    claimable = s.BooleanField()


class QueuesAnswer(s.Serializer):
    """Every queue."""

    queues = QueueAnswer(many=True)


class ScanLine(s.Serializer):
    """One scan of a list."""

    scan_id = s.UUIDField()
    site = s.CharField()
    status = s.ChoiceField(ScanState.choices)
    retracted = s.BooleanField()
    name = s.CharField(allow_blank=True)
    received_at = s.DateTimeField()
    patient = s.CharField(allow_blank=True)
    drugs = s.ListField(child=s.CharField())
    blind = s.BooleanField(help_text="Drugs are not named: somebody is to enter one blind.")
    waiting = s.IntegerField(allow_null=True, help_text="Fields that still need a person.")
    held_by = s.CharField(allow_blank=True)


class QueuePageAnswer(s.Serializer):
    """One page of a queue; ``after`` asks for the next."""

    scans = ScanLine(many=True)
    after = s.CharField(allow_null=True)


class DecisionAnswer(s.Serializer):
    """A decision in force."""

    number = s.IntegerField()
    kind = s.CharField()
    label = s.CharField()
    value = s.CharField(allow_blank=True)
    by = s.CharField()
    at = s.DateTimeField()


class FieldAnswer(s.Serializer):
    """One field with what machine and people said of it."""

    field_id = s.UUIDField()
    scan_id = s.UUIDField()
    name = s.CharField()
    group = s.IntegerField()
    title = s.CharField()
    kind = s.CharField()
    page = s.IntegerField()
    box_px = s.ListField(child=s.IntegerField())
    value = s.CharField(allow_blank=True)
    machine_value = s.CharField(allow_blank=True)
    candidates = s.ListField(child=s.CharField(allow_blank=True))
    confidence = s.FloatField(allow_null=True)
    model = s.CharField(allow_blank=True)
    needs_human = s.BooleanField()
    blind = s.BooleanField(help_text="You enter it without seeing what others and the machine say.")
    waits_for = s.CharField(allow_blank=True, help_text="you, second, pharmacist or prescriber.")
    postponed = s.BooleanField()
    question = s.CharField(allow_blank=True, help_text="Asked of the prescriber, not answered yet.")
    named_by = s.CharField(allow_blank=True)
    struck_out = s.CharField(allow_blank=True)
    number = s.IntegerField(help_text="Of the newest decision; the field's ETag.")
    decision = DecisionAnswer(allow_null=True)


class FieldsAnswer(s.Serializer):
    """The fields of a scan in reading order."""

    scan_id = s.UUIDField()
    status = s.ChoiceField(ScanState.choices)
    fields_waiting = s.IntegerField()
    items = FieldAnswer(many=True)


class WarningAnswer(s.Serializer):
    """A warning that a signer must acknowledge by its key."""

    key = s.CharField()
    message = s.CharField()
    severity = s.CharField()


class ReleasePreviewAnswer(s.Serializer):
    """What would be written."""

    scan_id = s.UUIDField()
    prescription_id = s.UUIDField()
    version = s.IntegerField()
    status = s.CharField()
    content_sha256 = s.CharField()
    prescription = s.DictField()
    problems = s.ListField(child=s.CharField())
    warnings = WarningAnswer(many=True)
    resources = s.ListField(child=s.DictField())


class PrescriptionAnswer(s.Serializer):
    """A prescription as it stands."""

    scan_id = s.UUIDField()
    prescription_id = s.UUIDField()
    version = s.IntegerField()
    status = s.CharField()
    content_sha256 = s.CharField()
    retracted = s.BooleanField()
    released_at = s.DateTimeField(allow_null=True)
    released_by = s.CharField(allow_blank=True)
    prescription = s.DictField()
    ehrs = s.ListField(child=s.DictField())


class AmendPreviewAnswer(s.Serializer):
    """Both versions; sign with this ``version`` and the ETag."""

    version = s.IntegerField()
    content_sha256 = s.CharField()
    changed = s.ListField(child=s.DictField())
    problems = s.ListField(child=s.CharField())
    warnings = WarningAnswer(many=True)
    before = s.DictField()
    after = s.DictField()


class HitAnswer(ScanLine):
    """One scan that was found, and where."""

    parts = s.ListField(child=s.CharField())
    lines = s.ListField(child=s.CharField())


class SearchAnswer(s.Serializer):
    """One page of results, newest first."""

    hits = HitAnswer(many=True)
    before = s.IntegerField(allow_null=True)


class AuditLine(s.Serializer):
    """One audit event."""

    uuid = s.UUIDField()
    at = s.DateTimeField()
    action = s.CharField()
    actor = s.CharField()
    site = s.CharField()
    object_type = s.CharField()
    object_id = s.CharField()
    scan_id = s.UUIDField(allow_null=True)
    reason = s.CharField(allow_blank=True)
    data = s.DictField()
    intact = s.BooleanField(help_text="It still hashes to what was written.")


class AuditAnswer(s.Serializer):
    """One page of events, newest first; ``before`` asks for the next."""

    events = AuditLine(many=True)
    before = s.IntegerField(allow_null=True)
