"""The human side: decisions, leases, and the prescriptions people sign."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class DecisionKind(models.TextChoices):
    """What a person said of a field."""

    ACCEPTED = "accepted", "Accepted"
    CORRECTED = "corrected", "Corrected"
    ILLEGIBLE = "illegible", "Illegible"
    NOT_PRESENT = "not_present", "Not present"
    NOT_APPLICABLE = "not_applicable", "Not applicable"
    REOPENED = "reopened", "Reopened"  # takes the decision before it back; the field is open again
    POSTPONED = "postponed", "Postponed"  # decides nothing: the field comes last in the order


class CheckLevel(models.TextChoices):
    """How many pairs of eyes a field needs; see ``double_entry`` for when."""

    BLIND = "blind", "Typed blind"  # equal to the machine's reading: done; else another person
    TWO = "two", "Two people"  # two people type it blind, whatever the machine read


class CheckStage(models.TextChoices):
    """Who is next at a field that is entered twice."""

    FIRST = "first", "First entry"
    SECOND = "second", "Second entry"
    ADJUDICATION = "adjudication", "Adjudication"
    SETTLED = "settled", "Settled"


class Decision(models.Model):
    """One decision on one field. Append-only; the newest is in force unless it is a reopening."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    field = models.ForeignKey(
        "clinic_routing.Field", on_delete=models.PROTECT, related_name="decisions"
    )
    number = models.PositiveIntegerField()  # 1, 2, ... within the field; fences stale saves
    kind = models.CharField(max_length=20, choices=DecisionKind.choices)
    value = models.TextField(blank=True)
    machine_value = models.TextField(blank=True)  # what was shown when the person decided
    reading = models.ForeignKey(
        "clinic_routing.FieldReading", null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    # Independent entries of one field share a round: 1 first, 2 second, 3 adjudication. Taking a
    # decision back, or deciding a settled field again, begins a new one. 0: no entry at all.
    round = models.PositiveIntegerField(default=0)
    entry = models.PositiveSmallIntegerField(default=0)
    blind = models.BooleanField(default=False)  # typed without sight of the machine's value
    active_seconds = models.FloatField(default=0.0)  # idle time over 20 s is cut
    keys_used = models.PositiveIntegerField(default=0)
    clicks_used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["field", "number"]
        constraints = [
            models.UniqueConstraint(fields=["field", "number"], name="decision_number_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=DecisionKind.values), name="decision_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(entry__lte=3), name="decision_entry_known"),
            models.UniqueConstraint(
                fields=["field", "round", "entry"],
                condition=models.Q(entry__gt=0),
                name="decision_entry_once_a_round",
            ),
            # the second pair of eyes is another person's, whatever a service or a page believes
            models.UniqueConstraint(
                fields=["field", "round", "reviewer"],
                condition=models.Q(entry__gt=0),
                name="decision_other_person_each_entry",
            ),
        ]


# When nobody holds a lease it ended long ago, so that one comparison says who may take the scan.
NEVER_HELD = datetime(1970, 1, 1, tzinfo=UTC)


class FieldCheck(models.Model):
    """A field that is entered twice, and how far that is: derived, for queues and constraints.

    Written anew with every interpretation; the entries themselves are decisions.
    """

    field = models.OneToOneField(
        "clinic_routing.Field",
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="double_entry",
    )
    level = models.CharField(max_length=10, choices=CheckLevel.choices)
    stage = models.CharField(max_length=15, choices=CheckStage.choices)
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["stage"], name="field_check_stage")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(second_by__isnull=True)
                | ~models.Q(first_by=models.F("second_by")),
                name="field_check_other_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(level=CheckLevel.TWO, stage=CheckStage.SETTLED)
                | models.Q(first_by__isnull=False, second_by__isnull=False),
                name="field_check_two_people_settle",
            ),
        ]


class BoxReading(models.TextChoices):
    """How reading the ink of a box stands."""

    WAITING = "waiting", "Waits to be read"
    READ = "read", "Read"
    LATE = "late", "Decided before it was read"  # what came was not stored
    FAILED = "failed", "Could not be read"


class FieldBox(models.Model):
    """One box of one field: 0 as it was found, 1, 2, ... as people drew it. Append-only.

    ``Field.box_version`` says which is in force. A number is never given twice, so what a model
    makes of one box can never count for another. The row is also the queue of record of boxes that
    wait to be read; its last columns are the worker's.
    """

    field = models.ForeignKey(
        "clinic_routing.Field", on_delete=models.PROTECT, related_name="boxes"
    )
    version = models.PositiveIntegerField()
    before = models.PositiveIntegerField(null=True)  # the box that undoing it brings back
    x_px = models.IntegerField()
    y_px = models.IntegerField()
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    crop_sha256 = models.CharField(max_length=64)
    # what was found of the ink in it, besides the reading
    is_print = models.BooleanField(default=False)
    present = models.BooleanField(null=True)
    struck_out = models.CharField(max_length=10, blank=True, default="")
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    drawn_at = models.DateTimeField(auto_now_add=True)

    reading = models.CharField(
        max_length=10, choices=BoxReading.choices, default=BoxReading.WAITING
    )
    problem = models.TextField(blank=True)  # why it is not read, for people
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    claim_expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["field", "version"]
        indexes = [
            models.Index(
                fields=["drawn_at"],
                condition=models.Q(reading=BoxReading.WAITING),
                name="field_box_waits",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["field", "version"], name="field_box_version_once"),
            models.CheckConstraint(
                condition=models.Q(reading__in=BoxReading.values), name="field_box_reading_known"
            ),
        ]

    @property
    def box_px(self) -> list[int]:
        """``[x, y, width, height]`` in pixels of the upright page."""
        return [self.x_px, self.y_px, self.width_px, self.height_px]


class QuestionStatus(models.TextChoices):
    """Where a question to the prescriber stands."""

    OPEN = "open", "Waiting for the prescriber"
    ANSWERED = "answered", "Answered"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Clarification(models.Model):
    """One question to the prescriber about one field; the scan waits until it is answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    field = models.ForeignKey(
        "clinic_routing.Field", on_delete=models.PROTECT, related_name="clarifications"
    )
    reason = models.CharField(max_length=40)  # a key of ``clarify_templates.TEMPLATES``
    question = models.TextField()
    status = models.CharField(
        max_length=10, choices=QuestionStatus.choices, default=QuestionStatus.OPEN
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=QuestionStatus.values), name="clarification_known"
            ),
            models.UniqueConstraint(
                fields=["field"],
                condition=models.Q(status=QuestionStatus.OPEN),
                name="clarification_open_once_a_field",
            ),
        ]


class CallOutcome(models.TextChoices):
    """What came of a call."""

    ANSWERED = "answered", "Answered"
    LEFT_MESSAGE = "left_message", "Left a message"
    NO_ANSWER = "no_answer", "Nobody reached"


class ClarificationCall(models.Model):
    """One call about one question: who was called, what they said, read back. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clarification = models.ForeignKey(Clarification, on_delete=models.PROTECT, related_name="calls")
    outcome = models.CharField(max_length=15, choices=CallOutcome.choices)
    called = models.CharField(max_length=120)  # who was spoken to
    phone = models.CharField(max_length=40, blank=True)
    answer = models.TextField(blank=True)
    read_back = models.BooleanField(default=False)  # the answer was read back and confirmed
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=CallOutcome.values), name="call_outcome_known"
            ),
            # an answer over the telephone counts once it was read back
            models.CheckConstraint(
                condition=~models.Q(outcome=CallOutcome.ANSWERED)
                | (models.Q(read_back=True) & ~models.Q(answer="")),
                name="call_answer_read_back",
            ),
        ]


class KeyBinding(models.Model):
    """The keys a person chose for one action of the workstation instead of those of keys.json."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=40)
    keys = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "action"], name="key_binding_once")]


class ReviewLease(models.Model):
    """Who is working on a scan now. A lease that has run out is free by definition.

    One row for each scan that was ever in review: claiming the next scan is then one UPDATE of
    a row that is there.
    """

    scan = models.OneToOneField(
        "clinic_intake.Scan", primary_key=True, on_delete=models.CASCADE, related_name="lease"
    )
    token = models.UUIDField(default=uuid.uuid4)  # fencing token, new at every claim
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    expires_at = models.DateTimeField(default=NEVER_HELD)
    active_at = models.DateTimeField(null=True)  # the last claim or decision, not heartbeat

    def is_in_force(self) -> bool:
        """Whether the holder still has the scan to themselves."""
        return self.holder_id is not None and self.expires_at > timezone.now()


class PrescriptionStatus(models.TextChoices):
    """Draft until a person signs; a released version never changes."""

    DRAFT = "draft", "Draft"
    RELEASED = "released", "Released"


class PrescriptionRecord(models.Model):
    """What the fields of one scan mean together; ``content`` is ``prescriptions`` JSON.

    ``id`` is the PRESCRIPTION_ID of the commands and the seed of every FHIR identifier.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.OneToOneField(
        "clinic_intake.Scan", on_delete=models.PROTECT, related_name="prescription"
    )
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(
        max_length=10, choices=PrescriptionStatus.choices, default=PrescriptionStatus.DRAFT
    )
    content = models.JSONField(default=dict)
    content_sha256 = models.CharField(max_length=64, blank=True)  # of ``content``; signed over
    # How many decision rows ``content`` was made from; fewer than there are: it is out of date.
    decisions_seen = models.PositiveIntegerField(default=0)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    retracted_at = models.DateTimeField(null=True)  # the newest version says "entered in error"
    search_sha256 = models.CharField(max_length=64, blank=True)  # of what the search index holds
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"prescription {self.id} v{self.version} ({self.status})"


class SearchDocument(models.Model):
    """The words of one scan as the full-text index holds them; made anew from fields at any time.

    The words are folded (no case, no accents) and joined by blanks. On PostgreSQL the table has
    a ``tsvector`` column besides, on SQLite an FTS5 table beside it: see ``search/``.
    """

    scan = models.OneToOneField(
        "clinic_intake.Scan", on_delete=models.CASCADE, related_name="search_document"
    )
    site = models.ForeignKey("clinic_accounts.Site", on_delete=models.CASCADE, related_name="+")
    patient = models.TextField(blank=True)
    drug = models.TextField(blank=True)
    prescriber = models.TextField(blank=True)
    page = models.TextField(blank=True)
    lines = models.JSONField(default=list)  # what stands on the page as read, to quote from

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="search_site_newest")]
