"""What the review API answers."""

from __future__ import annotations

from rest_framework import serializers as s

from clinic_hwr.intake.states import ScanState

from ..models import CallOutcome


class CallAnswer(s.Serializer):
    """One call about a question."""

    outcome = s.ChoiceField(CallOutcome.choices)
    called = s.CharField(allow_blank=True)
    phone = s.CharField(allow_blank=True)
    answer = s.CharField(allow_blank=True)
    read_back = s.BooleanField()
    by = s.CharField()
    at = s.DateTimeField()


class QuestionAnswer(s.Serializer):
    """A question to the prescriber with its calls."""

    clarification_id = s.UUIDField()
    scan_id = s.UUIDField()
    field_id = s.UUIDField()
    title = s.CharField(help_text="Of the field.")
    reason = s.CharField()
    question = s.CharField()
    status = s.CharField(help_text="open, answered or withdrawn.")
    asked_by = s.CharField()
    asked_at = s.DateTimeField()
    calls = CallAnswer(many=True)


class ReasonAnswer(s.Serializer):
    """A reason to ask, with a question to start from."""

    code = s.CharField()
    title = s.CharField()
    question = s.CharField()


class QuestionsAnswer(s.Serializer):
    """One page of questions; ``after`` asks for the next."""

    questions = QuestionAnswer(many=True)
    after = s.CharField(allow_null=True)
    reasons = ReasonAnswer(many=True)


class KeyAnswer(s.Serializer):
    """One action of the workstation and its keys."""

    action = s.CharField()
    keys = s.ListField(child=s.CharField())
    mode = s.CharField(help_text="Where they are valid: command, edit, box or always.")
    label = s.CharField()
    help = s.CharField()


class KeysAnswer(s.Serializer):
    """Every action with its keys."""

    keys = KeyAnswer(many=True)


class DrugAnswer(s.Serializer):
    """One name, and names it is mistaken for."""

    name = s.CharField()
    shown = s.CharField(help_text="In tall-man letters.")
    alike = s.ListField(child=s.CharField())


class DrugsAnswer(s.Serializer):
    """Names that begin so."""

    drugs = DrugAnswer(many=True)


class NoteAnswer(s.Serializer):
    """A warning about the whole scan, or a reason why a field needs a person."""

    message = s.CharField()
    severity = s.CharField()


class PageLine(s.Serializer):
    """One page of a scan."""

    number = s.IntegerField()
    width_px = s.IntegerField()
    height_px = s.IntegerField()
    form = s.CharField(allow_blank=True, help_text="The form of the site that it is printed on.")
    print_problem = s.CharField(allow_blank=True)


class StepAnswer(s.Serializer):
    """Something of your own that can be taken back."""

    field_id = s.UUIDField()
    what = s.CharField(help_text="decision or box.")


class DraftAnswer(s.Serializer):
    """What a scan in review means so far, as you may see it."""

    scan_id = s.UUIDField()
    status = s.ChoiceField(ScanState.choices)
    fields_waiting = s.IntegerField()
    medications = s.ListField(child=s.DictField())
    notes = NoteAnswer(many=True)
    pages = PageLine(many=True)
    undoable = StepAnswer(many=True)


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
    box_version = s.IntegerField(help_text="Another number: a person drew the box anew.")
    reading = s.CharField(
        allow_blank=True,
        help_text="Of a box that a person drew: waiting, read, late (decided before) or failed.",
    )
    reading_problem = s.CharField(allow_blank=True, help_text="Why it is not read.")
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
    label = s.CharField(allow_blank=True, help_text="The print that named it.")
    reasons = NoteAnswer(many=True, help_text="Why a person decides it.")
    look_alikes = s.ListField(child=s.CharField(), help_text="Names the drug is mistaken for.")
    doubtful = s.ListField(
        child=s.IntegerField(), help_text="Places of the characters the reader doubts, from 0."
    )
    choices = s.ListField(
        child=s.DictField(), help_text="Both entries and the reading, for who adjudicates."
    )
    answers = s.ListField(child=s.DictField(), help_text="What the prescriber answered.")
    struck_out = s.CharField(allow_blank=True)
    number = s.IntegerField(help_text="Of the newest decision.")
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
